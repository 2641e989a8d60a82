#!/usr/bin/env bash
# Runs the simulator (docs/simulator.md): SEEDS schedules from seed FIRST, or the one of SEED with all its steps told.
# Without the race detector, which the Go tests have on a smaller number of schedules.
set -euo pipefail
cd "$(dirname "$0")/.."

seeds=${SEEDS:-2000} first=${FIRST:-1} seed=${SEED:-}
if [[ -n $seed ]]; then
	exec go test ./internal/sim -count=1 -run '^TestSchedules$' -v -sim.seed="$seed"
fi
start=$SECONDS
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# -v would print a line for every seed; what failed, and the tally, are enough.
if go test ./internal/sim -count=1 -timeout 60m -run '^TestSchedules$' -v -sim.seeds="$seeds" -sim.first="$first" >"$log" 2>&1; then
	grep -E '^ +[0-9]+ ' "$log" || true
	echo "sim: $seeds schedules from seed $first, none failed, $((SECONDS - start)) s"
else
	grep -vE '^ *(=== |--- PASS)' "$log"
	echo "sim: of $seeds schedules from seed $first $(grep -cE '^ +--- FAIL: TestSchedules/' "$log" || true) failed, $((SECONDS - start)) s"
	exit 1
fi
