#!/usr/bin/env bash
# Runs a command with a PostgreSQL of its own: build/postgres.sh go test ./...
#
# The cluster lives in a temporary directory, listens on a free port of 127.0.0.1 only, lets everyone in there, does not
# care for its data's safety (fsync off), and is gone when the command ends, however it ends. The command finds it in
# PORTATILL_TEST_POSTGRES_URL; PORTATILL_TEST_REQUIRE_POSTGRES=1 makes tests that need it fail rather than skip.
set -euo pipefail

fail() {
	printf 'postgres: %s\n' "$*" >&2
	exit 1
}

(($#)) || fail "which command? usage: build/postgres.sh COMMAND [ARGUMENT]…"

# Debian keeps the server's programs out of PATH, one directory for each major version; the newest is taken.
bin=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1 | xargs -r dirname)
[[ -n $bin ]] || bin=$(dirname "$(command -v initdb || fail "PostgreSQL is not installed; run make setup")")

# Directly under /tmp, because the name of the socket must stay under 108 bytes whatever TMPDIR is.
dir=$(mktemp -d /tmp/portatill-pg.XXXXXX)
as_owner=()
if ((EUID == 0)); then
	# The server refuses to run as root.
	id postgres >/dev/null 2>&1 || fail "there is no user postgres; install Debian's package postgresql"
	chown postgres "$dir"
	as_owner=(runuser -u postgres --)
fi

child=""
stop() {
	local status=$?
	trap - EXIT INT TERM HUP
	if [[ -n $child ]]; then
		kill -TERM -- "-$child" 2>/dev/null || true
		wait "$child" 2>/dev/null || true
	fi
	if [[ -e $dir/data/postmaster.pid ]]; then
		"${as_owner[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
	fi
	rm -rf "$dir"
	exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

cd "$dir" # initdb and postgres complain about a working directory that their user may not read
"${as_owner[@]}" "$bin/initdb" -D "$dir/data" -U postgres --auth=trust --encoding=UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1 ||
	{ cat "$dir/initdb.log" >&2; fail "initdb failed"; }

# Many test processes, each with several pools.
settings="-c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c max_connections=400 -c shared_buffers=256MB"
settings+=" -c fsync=off -c full_page_writes=off -c autovacuum_naptime=10min"
started=""
for ((try = 0; try < 20; try++)); do
	# Below the range from which the kernel gives ports to outgoing connections; a taken one makes the start fail.
	port=$((20000 + RANDOM % 12000))
	if "${as_owner[@]}" "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 60 -o "$settings -p $port" start >/dev/null 2>&1; then
		started=yes
		break
	fi
	grep -q 'could not bind\|Address already in use\|could not create any TCP/IP sockets' "$dir/server.log" || break
done
[[ -n $started ]] || { cat "$dir/server.log" >&2; fail "the server did not start"; }

cd "$OLDPWD"
export PORTATILL_TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
export PORTATILL_TEST_REQUIRE_POSTGRES=1
# In a process group of its own and waited for: bash runs a trap only after a command in the foreground has ended, and
# whoever stops this script means the command with all its children.
set -m
"$@" </dev/null &
child=$!
status=0
wait "$child" || status=$?
child=""
exit "$status"
