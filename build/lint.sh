#!/usr/bin/env bash
# Runs golangci-lint at a pinned version; what it checks and why is in .golangci.yml. Arguments are passed on, such as
# build/lint.sh ./pay/... or --fix. Built by `go run` from its own module, so that its 200 dependencies stay out of ours;
# the first build takes some minutes, later runs come from Go's cache.
set -euo pipefail
cd "${LINT_TREE:-$(dirname "$0")/..}" # another tree: build/lint-bites.sh
exec go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run "$@"
