#!/usr/bin/env bash
# Figures beside the goals of the README: size of the binary, time until ready, memory when idle. It judges nothing; a
# busy machine would fail for no fault of ours. Takes PORTATILL_BIN, or bin/portatill.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=${PORTATILL_BIN:-bin/portatill}
[[ -x $binary ]] || { echo "sizes: $binary is not there; run make build" >&2; exit 1; }
rounds=5
dir=$(mktemp -d)
pid=""
stop() {
	[[ -z $pid ]] || kill -TERM "$pid" 2>/dev/null || true
	[[ -z $pid ]] || wait "$pid" 2>/dev/null || true
	rm -rf "$dir"
}
trap stop EXIT

now_ms() { echo $(($(date +%s%N) / 1000000)); }

start() { # start NAME: sets pid and took
	local begun ready=$dir/$1.json
	begun=$(now_ms)
	PORTATILL_DATABASE_URL="sqlite:$dir/$1.db" PORTATILL_LISTEN=127.0.0.1:0 PORTATILL_SANDBOX_LISTEN=127.0.0.1:0 \
		PORTATILL_METRICS_LISTEN=127.0.0.1:0 "$binary" serve --sandbox --ready-file "$ready" >"$dir/$1.log" 2>&1 &
	pid=$!
	until [[ -s $ready ]]; do
		kill -0 "$pid" 2>/dev/null || { cat "$dir/$1.log" >&2; pid=""; exit 1; }
		(($(now_ms) - begun < 30000)) || { cat "$dir/$1.log" >&2; echo "sizes: not ready after 30 s" >&2; exit 1; }
		sleep 0.005
	done
	took=$(($(now_ms) - begun))
}

end() {
	kill -TERM "$pid"
	wait "$pid" || true
	pid=""
}

times=()
for ((round = 1; round <= rounds; round++)); do
	start "fresh$round"
	times+=("$took")
	((round == rounds)) || end
done
sleep 5 # what starting up needed and idling does not is given back by then
rss=$(awk '/^VmRSS:/ {print $2}' "/proc/$pid/status")
threads=$(awk '/^Threads:/ {print $2}' "/proc/$pid/status")
end

printf '%-28s %6.1f MB  (goal: under 40)\n' "binary, stripped" "$(($(stat -c %s "$binary") / 100000))e-1"
printf '%-28s %6d ms  (goal: under 1000; of %d starts with a new database: %s)\n' "ready, median" \
	"$(printf '%s\n' "${times[@]}" | sort -n | sed -n "$(((rounds + 1) / 2))p")" "$rounds" "${times[*]}"
printf '%-28s %6.1f MB  (goal: under 80; %d threads)\n' "memory, 5 s idle" "$((rss * 1024 / 100000))e-1" "$threads"
