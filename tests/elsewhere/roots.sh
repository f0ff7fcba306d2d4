# SPDX-License-Identifier: MIT
# Roots of other Debians, for the tests beside this file; read with ". tests/elsewhere/roots.sh" in the project's directory.
# shellcheck shell=sh

# root_of NAME
root_of() {
	echo "${TEST_ROOTS:-${TEST_BUILD:-build}-roots}/$1"
}

# What cannot be tried here is said as a skipped test.
skip() {
	echo "ok # skip $*"
	exit 0
}

# Where Debian's packages are had from: TEST_MIRROR, or as this machine's apt has it.
mirror() {
	# shellcheck disable=SC2016
	echo "${TEST_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' 'Component: main' | head -n 1)}"
}

# in_root ROOT COMMAND: a shell's command line as root of that root, in /src, which is the project and cannot be written; all that is
# mounted for it ends with it.
in_root() {
	TEST_ROOT=$1 TEST_COMMAND=$2 unshare --mount --propagation private --pid --fork --kill-child sh -euc '
		mount --bind "$TEST_ROOT" "$TEST_ROOT" # so that its / is a mount, as tests that mount want it
		mount -t proc proc "$TEST_ROOT/proc"
		mount -t sysfs sysfs "$TEST_ROOT/sys"
		mount --rbind /dev "$TEST_ROOT/dev"
		mount -t tmpfs tmpfs "$TEST_ROOT/tmp"
		mkdir -p "$TEST_ROOT/src"
		mount --bind . "$TEST_ROOT/src"
		mount -o remount,ro,bind "$TEST_ROOT/src"
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			${CC:+"CC=$CC"} chroot "$TEST_ROOT" sh -euc "cd /src && $TEST_COMMAND"' </dev/null
}

# make_root RELEASE ROOT: a minimal Debian of that release, unless there is one. Afterwards the root is locked until
# root_is_ready: tests that run beside each other share it.
make_root() {
	[ "$(id -u)" = 0 ] || skip "only root makes another Debian"
	unshare --mount true 2>/dev/null || skip "no mount can be made here"
	from=$(mirror)
	[ -n "$from" ] || skip "apt knows no mirror of Debian: TEST_MIRROR names one"
	kept=$(root_of packages)
	mkdir -p "$kept"
	exec 9>"$2.lock"
	flock 9
	[ ! -e "$2/made" ] || return 0
	rm -rf "$2"
	if ! debootstrap --variant=minbase "--cache-dir=$(realpath "$kept")" "$1" "$2" "$from" >"$2.log" 2>&1; then
		tail -n 5 "$2.log" | sed 's/^/# /'
		skip "no Debian $1 could be made from $from"
	fi
	# As on this machine: there are mirrors that stand still.
	apt-config dump --format '%F "%v";%n' Acquire::Check-Valid-Until Acquire::Check-Date Acquire::http::Proxy \
		>"$2/etc/apt/apt.conf.d/90tests"
	: >"$2/made"
}

root_is_ready() {
	exec 9>&-
}

# install ROOT PACKAGE…: fails, with the reasons that apt tells.
install() {
	into=$1
	shift
	in_root "$into" "apt-get update -q && apt-get install -qy --no-install-recommends $*" >"$into.log" 2>&1 && return 0
	grep -E '^(E:|.*(Depends:|unmet))' "$into.log" | head -n 8 | sed 's/^/# /'
	return 1
}

# try NAME COMMAND…: a test that passes if the command does; what it prints is shown if not.
try() {
	name=$1
	log=$(mktemp)
	shift
	if "$@" >"$log" 2>&1; then
		echo "ok - $name"
		rm -f "$log"
	else
		grep -vE '^\[[0-9]+/[0-9]+\] [CL]' "$log" | tail -n 300
		echo "not ok - $name"
		rm -f "$log"
		return 1
	fi
}
