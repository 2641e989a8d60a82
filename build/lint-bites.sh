#!/usr/bin/env bash
# Shows that the linter bites: a glob of .golangci.yml that matches no file would hold nothing, silently. Makes a small
# tree in which every file breaks one arrow or rule (line "// refused: TEXT", what the report must say of this file) or
# keeps to them (line "// fine"), lints it with our .golangci.yml, and compares.
set -euo pipefail
cd "$(dirname "$0")/.."
ours=github.com/portatill/portatill

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp .golangci.yml "$tree/"
# What is imported must exist to be type-checked, but only its name matters: empty packages stand for all of it.
stand_in() { # stand_in DIRECTORY
	mkdir -p "$tree/$1"
	printf '// Package %s stands for the real one.\npackage %s\n' "$(basename "$1")" "$(basename "$1")" >"$tree/$1/doc.go"
}
library() { # library MODULE [PACKAGE]…
	local module=$1 package
	shift
	for package in . "$@"; do stand_in "library/$module/$package"; done
	sed -i 's/package \./package stub/' "$tree/library/$module/doc.go"
	printf 'module %s\n\ngo 1.26.0\n' "$module" >"$tree/library/$module/go.mod"
	printf 'require %s %s\n\nreplace %s => ./library/%s\n\n' "$module" "${version:?}" "$module" "$module" >>"$tree/go.mod"
}
printf 'module %s\n\ngo 1.26.0\n\n' "$ours" >"$tree/go.mod"
version=v76.0.0 library github.com/stripe/stripe-go/v76 webhook
version=v4.0.0 library github.com/labstack/echo/v4
for package in pay handlers webhooks views internal/{config,wire,sqlstore,sqlstore/storetest,stripegate,paytest,sandbox/card}; do
	stand_in "$package"
done

file() { # file PATH VERDICT IMPORT [BODY]
	local path=$1 verdict=$2 import=$3 body=${4:-} name
	mkdir -p "$tree/$(dirname "$path")"
	name=$(basename "$(dirname "$path")")
	{
		printf '// %s\npackage %s\n\n' "$verdict" "$name"
		[[ -z $import ]] || printf 'import _ "%s"\n\n' "$import"
		printf '%s\n' "$body"
	} >"$tree/$path"
}

arrow() { file "$1" "refused: $2" "$3"; }
arrow pay/http.go "pay knows no HTTP" net/http
arrow pay/sql.go "not a database" database/sql
arrow pay/config.go "not allowed" $ours/internal/config
arrow pay/echo.go "not allowed" github.com/labstack/echo/v4
arrow internal/wire/pay.go "not allowed" $ours/pay
arrow internal/sandbox/pay.go "knows nothing of ours" $ours/pay
arrow handlers/sql.go "rows are sqlstore's" database/sql
arrow handlers/store.go "the store is wired in cmd" $ours/internal/sqlstore
arrow handlers/gate.go "through pay.Gateway" $ours/internal/stripegate
arrow handlers/stripe.go "Stripe's library stays" github.com/stripe/stripe-go/v76
arrow handlers/webhooks.go "two doors" $ours/webhooks
arrow webhooks/sql.go "rows are sqlstore's" database/sql
arrow webhooks/views.go "Stripe reads no pages" $ours/views
arrow views/sql.go "rows are sqlstore's" database/sql
arrow views/wire.go "not where it comes from" $ours/internal/wire
arrow internal/jobs/store.go "the store is wired in cmd" $ours/internal/sqlstore
arrow internal/sqlstore/gate.go "plugs meet in cmd" $ours/internal/stripegate
arrow internal/doctor/sql.go "given what it looks at" database/sql
arrow internal/doctor/gate.go "plugs meet in cmd" $ours/internal/stripegate
arrow internal/notify/views.go "knows pay only" $ours/views
arrow internal/notify/stripe.go "Stripe's library stays" github.com/stripe/stripe-go/v76/webhook
arrow cmd/portatill/stripe.go "Stripe's library stays" github.com/stripe/stripe-go/v76
arrow cmd/portatill/fakes.go "for tests" $ours/internal/paytest
arrow cmd/portatill/suite.go "for tests" $ours/internal/sqlstore/storetest
file pay/float.go "refused: a float loses pence" "" 'var Rate float64'
file pay/parse.go "refused: parse decimal text exactly" "" 'import "strconv"

var Parsed, _ = strconv.ParseFloat("1.5", 64)'
file handlers/long.go "refused: Function 'Long' is too long" "" "func Long(a int) int {
$(for i in {1..90}; do echo '	a++'; done)
	return a
}"

fine() { file "$1" fine "$2" "${3:-}"; }
fine pay/money.go strconv
fine pay/suite_test.go $ours/internal/paytest
fine internal/wire/json.go strings
fine internal/wire/jsv/read.go $ours/internal/wire
fine internal/sandbox/state.go $ours/internal/sandbox/card
fine internal/sandbox/client_test.go github.com/stripe/stripe-go/v76
fine internal/sqlstore/open.go database/sql
fine internal/sqlstore/orders.go $ours/pay
fine internal/sqlstore/suite_test.go $ours/internal/sqlstore/storetest
fine internal/sqlstore/storetest/suite.go testing
fine internal/paytest/fakes.go testing
fine internal/stripegate/session.go github.com/stripe/stripe-go/v76
fine internal/jobs/settle.go $ours/pay
fine webhooks/events.go github.com/stripe/stripe-go/v76
fine handlers/request.go $ours/internal/wire
fine handlers/page.go $ours/views
fine handlers/flow_test.go $ours/internal/sqlstore
fine views/order.go $ours/pay "var Ratio float64"
fine cmd/portatill/serve.go $ours/internal/sqlstore

report=$tree/report
LINT_TREE=$tree build/lint.sh --enable-only depguard,forbidigo,funlen >"$report" 2>&1 || true

faults=0
while IFS= read -r path; do
	verdict=$(sed -n '1s#^// ##p' "$tree/$path")
	said=$(grep -F "$path:" "$report" || true)
	case $verdict in
	fine)
		if [[ -n $said ]]; then
			printf 'lint-bites: %s keeps to the rules, yet:\n%s\n' "$path" "$said" >&2
			faults=$((faults + 1))
		fi
		;;
	refused:*)
		if [[ $said != *"${verdict#refused: }"* ]]; then
			printf 'lint-bites: %s breaks a rule and should be told "%s", but: %s\n' "$path" "${verdict#refused: }" "${said:-nothing}" >&2
			faults=$((faults + 1))
		fi
		;;
	esac
done < <(cd "$tree" && find . -path ./library -prune -o -name '*.go' ! -name doc.go -print | sed 's#^\./##' | sort)

if ((faults)); then
	tail -n 20 "$report" >&2
	exit 1
fi
echo "lint-bites: .golangci.yml refuses what it should, and only that"
