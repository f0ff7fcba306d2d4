#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The running programs give up what they do not need.
# shellcheck disable=SC2154
load mount_helper

setup() {
	helper_setup
	mkdir mnt
}

# Sanitizers' and coverage's run-time libraries open files whenever they like: such a build bars nothing.
needs_landlock() {
	! instrumented || skip "an instrumented build"
	python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 2)' || skip "no Landlock"
}

# follow CALLS COMMAND…: writes these system calls of it to ./calls.
follow() {
	strace -f -qq -e "trace=$1" -o calls "${@:2}"
}

restricts() {
	grep -q 'landlock_restrict_self(.*) *= 0$' calls
}

@test "restore bars what lies outside of its target and the store" {
	needs_landlock
	small_tree src
	take src -q
	follow landlock_restrict_self backuptool restore --snapshot-file latest --output-directory out
	restricts
	same src out
}

@test "the mount bars all but the store" {
	[ -w /dev/fuse ] || skip "no /dev/fuse"
	needs_landlock
	small_tree src
	take src -q
	follow landlock_restrict_self backupfs -f "$WORK/snapshots" "$WORK/mnt" 3>&- &
	tracer=$!
	wait_until is_mounted
	cat "mnt/latest/docs/a.txt"
	umount mnt
	wait "$tracer"
	restricts
}

# A program of that name that writes whether it may gain rights.
put_teller() {
	printf '#!/bin/sh\ngrep NoNewPrivs /proc/self/status\nexit 1\n' >"$1"
	chmod 755 "$1"
}

@test "no command can gain rights, but for mount, whose helper needs them" {
	small_tree src
	take src -q
	echo more >>src/docs/a.txt
	take src -q
	for command in list check stats 'ls latest' 'cat latest:docs/a.txt' 'find a.txt' 'prune --keep-last 1 --dry-run' \
		'snapshot --target-directory src' 'diff latest~1 latest' 'dump latest'; do
		# shellcheck disable=SC2086
		follow prctl backuptool $command >/dev/null || [ "$?" = 1 ]
		grep -q 'prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) *= 0' calls || {
			echo "$command can"
			return 1
		}
	done
	mkdir bin
	cp "$BUILD/tools/backuptool" bin
	put_teller bin/diff
	put_teller bin/backupfs
	PATH=$WORK/bin:$PATH
	run backuptool diff --content latest~2 latest
	[[ $output == *NoNewPrivs:*1* ]]
	run backuptool mount mnt
	[[ $output == *NoNewPrivs:*0* ]]
}
