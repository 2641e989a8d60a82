#!/usr/bin/env bash
# Fails, with a diff, when something in the tree is not what its source says: generated files, go.mod and go.sum, the
# formatting. Changes nothing here.
set -euo pipefail
cd "$(dirname "$0")/.."

faults=0
fault() {
	printf 'verify: %s\n' "$*" >&2
	faults=$((faults + 1))
}

# Generated again in a copy, and compared with a second copy rather than with the tree itself, in which somebody may be
# typing.
copies=$(mktemp -d)
trap 'rm -rf "$copies"' EXIT
mkdir "$copies/committed"
tar -c --exclude=./.git --exclude=./node_modules --exclude=./bin --exclude=./e2e/artifacts --exclude=./e2e/clients/node_modules --exclude=./e2e/clients/generated . | tar -x -C "$copies/committed"
cp -a "$copies/committed" "$copies/generated"
ln -s "$PWD/node_modules" "$copies/generated/node_modules"
if ! "$copies/generated/build/generate.sh" >"$copies/log" 2>&1; then
	cat "$copies/log" >&2
	fault "make generate fails"
fi
rm "$copies/generated/node_modules"
if ! (cd "$copies" && diff -ruN committed generated >log); then
	head -n 200 "$copies/log"
	fault "committed output is stale (- is what is there, + what its source gives): run make generate and commit"
fi

unformatted=$(find . \( -name node_modules -o -name .git \) -prune -o -name '*.go' -print0 | xargs -0 gofmt -l)
if [[ -n $unformatted ]]; then
	printf '%s\n' "$unformatted" >&2
	fault "not gofmt'd: run gofmt -w on the files above"
fi

go mod tidy -diff || fault "go.mod or go.sum is not tidy: run go mod tidy and commit"
go mod verify >/dev/null || fault "a module in the cache is not what go.sum says: run go clean -modcache"

# What a machine or its owner left in a committed file: keys, and addresses of a registry in the lock file.
if grep -nE '"resolved": *"https?:' package-lock.json; then
	fault "package-lock.json names a registry's host: npm install with the .npmrc of this tree writes it without"
fi

if ((faults)); then
	exit 1
fi
echo "verify: generated files, go.mod and formatting are as they should be"
