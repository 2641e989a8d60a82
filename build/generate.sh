#!/usr/bin/env bash
# Writes every generated file anew: what go:generate lines name (templ pages, the sandbox's parameter table), the
# stylesheet, and .env.example. build/verify.sh runs this very script in a copy of the tree.
set -euo pipefail
cd "$(dirname "$0")/.."
[[ -d node_modules ]] || build/setup.sh

# -trimpath, because the copy has another path and would otherwise be compiled from nothing.
export GOFLAGS="${GOFLAGS:-} -trimpath"
go generate ./...
npm run --silent build
# By way of a temporary file: a failing command must not leave an empty .env.example behind.
new=$(mktemp)
trap 'rm -f "$new"' EXIT
unset "${!PORTATILL_@}" # whoever runs this has settings of their own, which are nobody's defaults
go run ./cmd/portatill config --env-example >"$new"
cat "$new" >.env.example
