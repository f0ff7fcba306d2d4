#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The first signal says what is being ended, the second one ends at once.
# shellcheck disable=SC2154
load helper

teardown() {
	local pid
	for pid in $taker $driver; do
		kill -CONT "$pid" 2>/dev/null || true
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait
	! mountpoint -q "$WORK/mnt" || umount -l "$WORK/mnt"
	remove_work
}

# start [VARIABLE=VALUE…] backuptool ARGUMENT…: in the background, with its process in $taker and what it says in err.
start() {
	rm -f log err
	env --default-signal=INT "$@" >log 2>err 3>&- &
	taker=$!
}

ended() {
	result=0
	wait "$taker" || result=$?
	taker=
}

# Blocks of this take long to make: none of them is done before the signals are there.
slow_tree() {
	mkdir src
	take src -q # else what is there would be kept
	seq 3000000 >src/numbers
	seq 3000001 6000000 >src/more
}

# One of its threads waits in the kernel for an answer of the mount.
hangs() {
	cat "/proc/$taker/task/"*/wchan | grep -q -e fuse -e request_wait
}

works() {
	[ "$(awk '{ print $14 }' "/proc/$taker/stat")" -ge 20 ]
}

@test "what waits to be compressed is dropped by the first signal" {
	slow_tree
	start backuptool snapshot --target-directory src --compression max
	wait_until works
	kill -INT "$taker"
	wait_until grep -q "ending: no snapshot is made, and earlier ones stay as they are; press again to end at once" err
	ended
	[ "$result" = 130 ]
	[ "$(tail -n 1 err)" = "backuptool snapshot: interrupted" ]
	run -0 backuptool check
}

@test "the second signal ends it at once, whatever is being compressed; the store is whole" {
	slow_tree
	for pair in 'INT INT' 'TERM TERM' 'INT TERM'; do
		start backuptool snapshot --target-directory src --compression max
		wait_until works
		kill "-${pair% *}" "$taker"
		wait_until grep -q "press again" err
		kill "-${pair#* }" "$taker"
		ended
		[ "$result" = 130 ]
		[ "$(wc -l <err)" = 1 ]
		run -0 backuptool check
	done
}

@test "the second signal ends it while a file system does not answer" {
	is_root || skip "only root may stop a mount of its own for others"
	mkdir -p old/dir mnt
	echo text >old/dir/file
	backuptool snapshot -q --store behind --target-directory old
	backuptool mount --store behind mnt -f >mounted 2>&1 3>&- &
	driver=$!
	wait_until mountpoint -q mnt
	# It is stopped where it is about to look into a directory, so that the driver can be stopped before it does.
	start HOLD="openat dir" LD_PRELOAD="$BUILD/tests/faults/libhold.so" \
		backuptool snapshot --target-directory mnt/latest
	wait_until is_stopped "$taker"
	kill -STOP "$driver"
	wait_until is_stopped "$driver" # else a thread of it may take the request, for which nobody can be killed
	kill -CONT "$taker"
	wait_until hangs
	kill -INT "$taker"
	wait_until grep -q "ending: what was read so far is kept as a partial snapshot; press again to end at once" err
	hangs
	kill -INT "$taker"
	ended
	[ "$result" = 130 ]
}

@test "a quiet command says nothing of the first signal" {
	slow_tree
	start backuptool snapshot --target-directory src --compression max --quiet
	wait_until works
	signal INT "$taker"
	sleep 0.1
	[ ! -s err ] || [ "$(cat err)" = "backuptool snapshot: interrupted" ]
	kill -INT "$taker"
	ended
	[ "$result" = 130 ]
}
