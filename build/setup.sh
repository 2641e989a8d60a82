#!/usr/bin/env bash
# Brings a Debian machine with Go and Node to where `make test` works. Installs what is missing and nothing else, so
# that a second run has nothing to do and takes no time.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
	printf 'setup: %s\n' "$*" >&2
	exit 1
}

command -v go >/dev/null || fail "Go is missing; install the version that go.mod names (https://go.dev/doc/install)"
command -v node >/dev/null || fail "Node.js is missing; install version 20 or newer (https://nodejs.org)"
command -v npm >/dev/null || fail "npm is missing; it comes with Node.js, or as Debian's package npm"
node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' ||
	fail "Node.js $(node --version) is too old; install version 20 or newer"

missing=()
need() { # need PACKAGE COMMAND…: the package is wanted when the command fails
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || missing+=("$package")
}
need ca-certificates test -s /etc/ssl/certs/ca-certificates.crt
need chromium test -x /usr/bin/chromium
# The server's programs, not a running server: build/postgres.sh makes a cluster of its own.
need postgresql compgen -G '/usr/lib/postgresql/*/bin/initdb'
# Chromium alone has no letters to draw; screenshots and the layout test need a font with £ and €.
need fonts-dejavu-core compgen -G '/usr/share/fonts/truetype/*/*.ttf'
# The race detector is C code linked in (https://go.dev/doc/articles/race_detector#Requirements).
need gcc command -v gcc
need libc6-dev test -e /usr/include/stdlib.h

if ((${#missing[@]})); then
	command -v apt-get >/dev/null || fail "please install what is missing: ${missing[*]} (there is no apt-get here to do it)"
	as_root=()
	if ((EUID != 0)); then
		command -v sudo >/dev/null || fail "please install as root: apt-get install ${missing[*]}"
		as_root=(sudo)
	fi
	echo "setup: installing ${missing[*]}"
	# A bare machine has no package lists, or old ones that name files which are gone.
	"${as_root[@]}" apt-get update -q -o Acquire::Retries=3 </dev/null
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		-o Acquire::Retries=3 "${missing[@]}" </dev/null
fi

# npm writes this file last, so it also tells a broken install from a whole one.
installed=node_modules/.package-lock.json
if [[ ! -e $installed || package-lock.json -nt $installed || package.json -nt $installed ]]; then
	echo "setup: npm ci"
	# The browser is Debian's, never a downloaded one.
	PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund </dev/null
	touch "$installed"
fi
