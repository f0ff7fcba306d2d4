#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A temporary file of the store that another host, or a program that cleans up, removes while it is written: on file systems
# where it has a name.
# shellcheck disable=SC2154
load helper

teardown() {
	local pid
	for pid in $holder $sweeper; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait
	remove_work
}

named() {
	env ODD=tmpfile "LD_PRELOAD=$BUILD/tests/faults/libodd.so" \
		"ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" backuptool "$@"
}

# swept NAME COMMAND…: each temporary file is gone at the moment in which it is to become a file whose name begins so.
swept() {
	local begins=$1 call which
	shift
	instrumented && skip "nothing is traced with sanitizers"
	strace -f -qq -o calls -e trace=renameat,renameat2 env ODD=tmpfile "LD_PRELOAD=$BUILD/tests/faults/libodd.so" \
		backuptool --store trial "$@" >/dev/null || true
	call=$(grep "\"\.tmp-.*\"$begins" calls | head -n 1 | sed 's/.*\(renameat2*\)(.*/\1/')
	which=$(grep "$call(" calls | grep -n "\"\.tmp-.*\"$begins" | head -n 1 | cut -d : -f 1)
	rm -rf trial
	strace -f -qq -o calls -e "trace=$call" -e "inject=$call:error=ENOENT:when=$which+" \
		env ODD=tmpfile "LD_PRELOAD=$BUILD/tests/faults/libodd.so" backuptool "$@"
}

swept_is_said() {
	local said
	said=$(grep -v 'made a new store' <<<"$stderr")
	[[ $said == *": .tmp-"*": another program or host removed this temporary file while it was written; "*"; run it again" ]]
	[ "$(wc -l <<<"$said")" = 1 ]
}

is_whole() {
	[ -z "$(find snapshots -name '.tmp-*')" ]
	run -0 backuptool check
	rm -rf out
	bring latest out -q
	same src out
}

two_snapshots() {
	small_tree src
	take src -q
	head -c 300000 /dev/urandom >src/photos/noise.bin
	take src -q
}

@test "a snapshot whose file is removed before it gets its name is taken again" {
	instrumented && skip "nothing is preloaded into an instrumented program"
	small_tree src
	env HOLD="renameat2 snapshot_" ODD=tmpfile \
		"LD_PRELOAD=$BUILD/tests/faults/libhold.so $BUILD/tests/faults/libodd.so" \
		backuptool snapshot --target-directory src >log 2>errors 3>&- &
	holder=$!
	wait_until is_stopped "$holder"
	rm snapshots/.tmp-*
	kill -CONT "$holder"
	wait "$holder"
	holder=
	run ! grep -v 'made a new store' errors
	is_whole
}

@test "where it is removed again and again the snapshot ends with 11 and says so" {
	small_tree src
	run -11 --separate-stderr swept snapshot_ snapshot --target-directory src -q
	swept_is_said
	[ -z "$(find snapshots -name 'snapshot_*')" ]
	take src -q
	is_whole
}

@test "a job says it, goes on, and ends with 11" {
	small_tree src
	run -11 --separate-stderr swept snapshot_ job --target-directory src --interval 1s --duration 0
	[[ ${lines[0]} == "run 1: no snapshot: .tmp-"*": another program or host removed "* ]]
	swept_is_said
	take src -q
	is_whole
}

@test "tag and prune change nothing more, and end with 11" {
	two_snapshots
	cp -a snapshots trial
	run -11 --separate-stderr swept snapshot_ tag latest --add x
	swept_is_said
	[ "$(backuptool list --json | jq -c '.[1].tags')" = '[]' ]
	is_whole
	cp -a snapshots trial
	run -11 --separate-stderr swept '[0-9a-f]' prune --keep-last 1 --max-dead 1 -q
	swept_is_said
	[ "$(find snapshots -name 'snapshot_*' | wc -l)" -ge 1 ]
	is_whole
	run -0 backuptool prune --keep-last 1 --max-dead 1 -q
	is_whole
}

@test "a sweeper that removes temporary files all the time costs no snapshot that is there" {
	two_snapshots
	head -c 20000000 /dev/urandom >src/photos/noise.bin
	bash -c 'while :; do rm -f snapshots/.tmp-* snapshots/contents/.tmp-*; done' 3>&- &
	sweeper=$!
	for _ in 1 2 3; do
		run --separate-stderr named snapshot --target-directory src -q
		[ "$status" = 0 ] || { [ "$status" = 11 ] && swept_is_said; }
	done
	kill "$sweeper"
	wait "$sweeper" || true
	sweeper=
	take src -q
	is_whole
}
