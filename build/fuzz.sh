#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (30s), one after the other: `go test -fuzz` takes one target of one package at a
# time (https://go.dev/doc/security/fuzz). What a run finds stays in testdata/fuzz, as a test from then on.
set -euo pipefail
cd "$(dirname "$0")/.."

count=0
failed=()
while IFS=: read -r file name; do
	package=./$(dirname "$file")
	printf '== %s %s for %s\n' "$package" "$name" "${FUZZTIME:=30s}"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$FUZZTIME" "$package" </dev/null || failed+=("$package $name")
	count=$((count + 1))
done < <(grep -rnE --include='*_test.go' --exclude-dir=node_modules --exclude-dir=.git '^func Fuzz[A-Za-z0-9_]*\(' . |
	sed -E 's#^\./([^:]+):[0-9]+:func (Fuzz[A-Za-z0-9_]*)\(.*#\1:\2#' | sort)

((count)) || { echo "fuzz: there is no fuzz target" >&2; exit 1; }
if ((${#failed[@]})); then
	printf 'fuzz: found something in %s\n' "${failed[@]}" >&2
	exit 1
fi
echo "fuzz: $count targets, $FUZZTIME each, found nothing"
