#!/usr/bin/env bash
# Starts the till in sandbox mode on a database that is gone afterwards. Same as `go run ./cmd/portatill serve --sandbox`
# but for the database. Arguments are passed on to serve. With `demo` as the first one it fills that database with six
# months of business before it serves it; one that PORTATILL_DATABASE_URL names is used instead, and must be new.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=$(mktemp -d)
pid=""
stop() {
	trap - EXIT
	trap '' INT TERM HUP # make passes its own signal on while this cleans up
	if [[ -n $pid ]]; then
		kill -TERM "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	fi
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

echo "building (the first time this takes a minute or two) ..."
go build -o "$dir/portatill" ./cmd/portatill

# In the background and waited for, so that a signal to this script alone also ends the server.
if [[ ${1:-} == demo ]]; then
	shift
	PORTATILL_DATABASE_URL="${PORTATILL_DATABASE_URL:-sqlite:$dir/portatill.db}" "$dir/portatill" demo "$@" &
else
	PORTATILL_DATABASE_URL="sqlite:$dir/portatill.db" "$dir/portatill" serve --sandbox "$@" &
fi
pid=$!
status=0
wait "$pid" || status=$?
pid=""
exit "$status"
