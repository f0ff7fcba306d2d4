# SPDX-License-Identifier: MIT
# What the tests of the commands share: load helper.
# shellcheck shell=bash disable=SC2034,SC2154

bats_require_minimum_version 1.5.0
TESTS=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
TOP=$(cd "$TESTS/.." && pwd)
BUILD=${BUILD:-$TOP/build}
PATH=$BUILD/tools:$PATH
export TZ=UTC LC_ALL=C.UTF-8
unset BACKUPTOOL_STORE BACKUPTOOL_STORE_ID NO_COLOR COLUMNS LINES
umask 022

# Each test works in a directory of its own, which an ordinary user may enter, too.
setup() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
}

remove_work() {
	cd /
	chmod -R u+rwX "$WORK" 2>/dev/null || true
	rm -rf "$WORK"
}

teardown() {
	remove_work
}

# Unmounts whatever a test mounted in its directory: for a teardown of its own.
unmount_work() {
	[ -n "${WORK:-}" ] || return 0
	cd /
	awk -v work="$WORK/" 'index($5, work) == 1 { print $5 }' /proc/self/mountinfo | tac | while read -r place; do
		umount "$place" 2>/dev/null || umount -l "$place"
	done
}

# alone DIRECTORY: goes on in one that is a file system of its own, if it can be: a job that watches is told what others do
# on its file system, too, which may be more than it can follow. unmount_work is its end.
alone() {
	mkdir "$1"
	! is_root || mount -t tmpfs tmpfs "$1" 2>/dev/null || true
	cd "$1" || return 1
}

# mount_or_skip ARGUMENT…: what only root may, and not in every container.
mount_or_skip() {
	is_root || skip "only root mounts"
	mount "$@" 2>/dev/null || skip "this cannot be mounted: ${*: -1}"
}

# silent DIRECTORY USER [OPTION]: a mount that answers nothing, until silence_ends.
silent() {
	rm -f hold silent.log
	mkfifo hold
	"$BATS_TEST_DIRNAME/silent_mount.py" "$@" <hold >silent.log 3>&- &
	quiet=$!
	exec 9>hold
	wait_until grep -q ready silent.log
}

silence_ends() {
	[ -n "${quiet:-}" ] || return 0
	exec 9>&-
	wait "$quiet" || true
	quiet=
}

# A tree of a few files of every simple kind.
small_tree() {
	mkdir -p "$1/docs/notes" "$1/photos" "$1/empty"
	printf 'hello\n' >"$1/docs/a.txt"
	printf 'other\n' >"$1/docs/notes/b.txt"
	head -c 300000 /dev/urandom >"$1/photos/noise.bin"
	seq 20000 >"$1/photos/numbers.txt"
	ln -s docs/a.txt "$1/link"
	: >"$1/docs/zero"
}

# A tree of everything that there is.
full_tree() {
	"$TESTS/bats/make_tree.py" "$1"
}

# The same without what is slow to look at with other programs: 3,000 levels of directories.
shallow_tree() {
	MAKE_TREE_LEVELS=20 MAKE_TREE_ENTRIES=600 "$TESTS/bats/make_tree.py" "$1"
}

# same A B [OPTION…]: both trees are equal in every field.
same() {
	"$TESTS/tree_compare.py" "${@:3}" "$1" "$2"
}

# on_terminal COLUMNS WORD…: runs the words in a shell on a terminal of that width; $output is what it saw.
on_terminal() {
	run -0 env TERM=xterm script -qec "stty cols $1; ${*:2}" /dev/null
}

# Lets a tree grow older than the time that a writer cannot tell apart from the time of reading: the pages of a younger
# one are written again by the next snapshot.
settle() {
	sleep 0.1
}

take() {
	backuptool snapshot --target-directory "$@"
}

# at TIME COMMAND…: a program whose calendar shows that time, in UTC: as date -d takes it, or as a snapshot's name has it.
at() {
	local when
	when=$(date -ud "$(sed -E 's/T([0-9]+)-([0-9]+)-([0-9]+)/T\1:\2:\3/' <<<"$1")" +%s)
	env "CLOCK_AT=$when" "LD_PRELOAD=$BUILD/tests/faults/libclockat.so" \
		"ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" "${@:2}"
}

bring() {
	backuptool restore --snapshot-file "$1" --output-directory "${@:2}"
}

# The name of the newest snapshot in ./snapshots, or of the N-th before it.
newest() {
	find snapshots -maxdepth 1 -name 'snapshot_*.json' -printf '%f\n' | sed 's/Z\.json/Z-0.json/' |
		sort -t Z -k 1,1 -k 2,2V | sed 's/Z-0\.json/Z.json/' | tail -n "$((${1:-0} + 1))" | head -n 1
}

# A damaged file is one with another byte in the middle of its first line.
damage() {
	local other=X
	chmod u+w "$1"
	[ "$(tail -c "+$((${2:-40} + 1))" "$1" | head -c 1 | tr -d '\0')" != X ] || other=Y
	printf '%s' "$other" | dd of="$1" bs=1 seek="${2:-40}" conv=notrunc status=none
}

is_root() {
	[ "$(id -u)" = 0 ]
}

# Runs a command on two processors, or the one that there is: so the number of threads is the same everywhere.
on_two_processors() {
	python3 -c 'import os, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
os.execvp(sys.argv[1], sys.argv[1:])' "$@"
}

# Runs a command without any privilege; what it needs must be readable by everybody.
as_user() {
	if is_root; then
		setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all -- "$@"
	else
		"$@"
	fi
}

# become_as_user COMMAND…: the same for the background: the shell becomes the program, so that a signal to $! reaches it.
become_as_user() {
	if is_root; then
		exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all -- "$@"
	fi
	exec "$@"
}

# A copy of the program that an ordinary user can reach, wherever the build is.
reachable_tool() {
	cp "$BUILD/tools/backuptool" "$WORK/backuptool"
	chmod 755 "$WORK/backuptool"
	PATH=$WORK:$PATH
}

# wait_until COMMAND…: polls for at most a minute, which is for what never comes: nothing is to take nearly as long. Where a program
# is started again in one test, what it wrote before is to be removed first: the shell empties its log only when the program gets
# its turn.
wait_until() {
	local until=$((SECONDS + 60))
	until "$@"; do
		if [ "$SECONDS" -ge "$until" ]; then
			show_ends "$@"
			return 1
		fi
		sleep 0.01
	done
}

# show_ends WORD…: the last lines of those that are files, and of those in which tests keep what a program says.
show_ends() {
	local file
	for file in "$@" log errors err runs lines; do
		[ -f "$file" ] || continue
		echo "the last lines of $file:"
		tail -n 20 "$file"
	done
}

# Writes what a service would tell its manager to `told`, a line each.
# Its end is the test's: $listener.
listen() {
	python3 -c '
import socket
ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind("ear")
with open("told", "a", buffering=1) as told:
    while True:
        told.write(ear.recv(65536).decode() + "\n")' 3>&- &
	listener=$!
	wait_until test -S ear
}

# For a teardown: the program that a test held in the background, in $holder, and all others of the test.
end_holder() {
	[ -z "${holder:-}" ] || kill -KILL "$holder" 2>/dev/null || true
	wait
}

# is_stopped PID: by a signal, as libhold does it to its program; all of its threads.
is_stopped() {
	[ -e "/proc/$1/status" ] && [ -z "$(grep -Ls '^State:.*T (stopped)' "/proc/$1"/task/*/status)" ]
}

is_not_pending() {
	local pending
	pending=$(sed -n 's/^ShdPnd:\t//p' "/proc/$1/status") || return 0
	(((16#${pending:-0} >> ($2 - 1) & 1) == 0))
}

# signal NAME PID: sends it and waits until it has arrived: two of a kind that are pending are one.
signal() {
	kill "-$1" "$2"
	wait_until is_not_pending "$2" "$(kill -l "$1")"
}

# Whether the build is one with sanitizers or for coverage.
instrumented() {
	grep -q -e -DBT_INSTRUMENTED "$BUILD/compile_commands.json"
}

# bounded MIB COMMAND…: with no more memory for data; sanitizers take what they want.
bounded() {
	local limit=$1
	shift
	if instrumented; then "$@"; else prlimit --data=$((limit << 20)) "$@"; fi
}

# finite ARGUMENT…: backuptool, with what it has to say in out.txt and err.txt, within two minutes, 20 MB of output and 1 GB
# of data.
finite() {
	bounded 1000 timeout 120 prlimit --fsize=20480000 backuptool "$@" >out.txt 2>err.txt
}

# Lines of `run`'s output, compared as a whole; shows both when they differ.
output_is() {
	diff <(printf '%s\n' "$output") <(printf '%s\n' "$@")
}

stderr_is() {
	diff <(printf '%s\n' "$stderr") <(printf '%s\n' "$@")
}

# interrupted CALL TEXT COMMAND…: runs a command, for `run`'s variables, that gets SIGINT in the middle one of those system
# calls of its main thread in whose line TEXT stands; a first run counts them, after which ./out is removed.
interrupted() {
	local call=$1 text=$2 cpu which
	shift 2
	cpu=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
	taskset -c "$cpu" strace -f -qq -o calls -e "trace=$call" "$@" >/dev/null
	rm -rf out
	awk -v text="$text" 'NR == 1 { main = $1 } $1 == main { n++ } $1 == main && index($0, text) { print n }' calls >wanted
	[ "$(wc -l <wanted)" -ge 12 ]
	which=$(sed -n "$(($(wc -l <wanted) / 2))p" wanted)
	run --separate-stderr env --default-signal=INT taskset -c "$cpu" \
		strace -f -qq -o calls -e "trace=$call" -e "inject=$call:signal=INT:when=$which" "$@"
}

# without_links FILE ''|+ ARGUMENT…: backuptool, where giving that file of ./snapshots a second name fails as if there were
# no hard links; with "+", all later links fail, too. A first run, in a copy of the store, tells which one it is.
without_links() {
	local file=$1 more=$2 which
	shift 2
	rm -rf trial
	cp -a snapshots trial
	strace -qq -o links -e trace=linkat backuptool --store trial "$@" >/dev/null || true
	which=$(grep -n "\"$file\"" links | head -n 1 | cut -d : -f 1)
	strace -qq -o links -e trace=linkat -e "inject=linkat:error=EPERM:when=$which$more" backuptool "$@"
}

# machine NAME COMMAND…: on a machine with the users of NAME.passwd and the groups of NAME.group.
machine() {
	# shellcheck disable=SC2016
	unshare -m sh -euc 'mount --bind "$1.passwd" /etc/passwd; mount --bind "$1.group" /etc/group; shift; exec "$@"' \
		sh "$@"
}

# users MACHINE NAME NUMBER…: the same numbers for groups of that name.
users() {
	local name=$1
	shift
	while [ $# -gt 0 ]; do
		printf '%s:x:%s:%s::/:/bin/sh\n' "$1" "$2" "$2" >>"$name.passwd"
		printf '%s:x:%s:\n' "$1" "$2" >>"$name.group"
		shift 2
	done
}
