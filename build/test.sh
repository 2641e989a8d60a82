#!/usr/bin/env bash
# Everything that must hold, in the order in which it is cheapest to learn that it does not. A step that fails does not
# keep the later ones from running, so that one run of CI tells everything; the last lines say which.
set -euo pipefail
cd "$(dirname "$0")/.."

build/setup.sh

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
summary=()
failed=0

step() { # step NAME PATTERN COMMAND…: PATTERN finds the line of the output that says how much was done
	local name=$1 pattern=$2 start=$SECONDS verdict=ok detail
	shift 2
	printf '\n== %s\n' "$name"
	if ! "$@" </dev/null 2>&1 | tee "$logs/$name"; then
		verdict=FAILED
		failed=1
	fi
	detail=$(grep -aE "$pattern" "$logs/$name" | tail -n 3 | sed -E 's/^ +//' | paste -sd ' ' || true)
	summary+=("$(printf '%-9s %-7s %4d s  %s' "$name" "$verdict" $((SECONDS - start)) "$detail")")
}

# SQLite is C made into Go: under the race detector it takes three times as long, and finds nothing of ours. The driver
# around it stays under it.
go_tests() {
	build/postgres.sh node build/gotest.mjs -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false \
		-gcflags=modernc.org/memory=-race=false -count=1 -timeout 20m ./...
}

# Under the race detector these two are a sample; here each call of each flow fails once, and races have more rounds.
money_tests() {
	PORTATILL_TEST_RACE_ROUNDS=40 build/postgres.sh go test -count=1 -timeout 30m \
		-run '^(TestAnyCallMayFail|TestAnyCallOfADecisionMayFail|TestOnceHoweverManyAtOnce)$' ./pay
}

# ServiceStack's own clients from npm against the built binary.
client_tests() {
	make --no-print-directory build
	npm --prefix e2e/clients ci --no-audit --no-fund
	npm --prefix e2e/clients test
}

browser_tests() {
	make --no-print-directory build
	rm -rf e2e/artifacts
	PORTATILL_BIN=$PWD/bin/portatill npm run --silent test:e2e
}

step verify '^verify: generated' build/verify.sh
step lint '^[0-9]+ issues' build/lint.sh
step arrows '^lint-bites: .golangci' build/lint-bites.sh
step go '^go test: ' go_tests
step money '^(ok|FAIL)' money_tests
step sim '^sim: ' build/sim.sh
step clients '^(ℹ|#) (tests|pass|fail) ' client_tests
step browser '^ +[0-9]+ (passed|failed|flaky|skipped|did not run)' browser_tests

printf '\n== summary\n'
printf '%s\n' "${summary[@]}"
if ((failed)); then
	echo "FAILED"
	exit 1
fi
echo "everything passed"
