#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# When the runs of a job are due.
# shellcheck disable=SC2154
load helper

teardown() {
	local pid
	for pid in $taker $listener; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait
	remove_work
}

job() {
	backuptool job --target-directory "$@"
}

# The store's only snapshot is of that time.
only_snapshot() {
	rm -rf snapshots
	at "$1" backuptool snapshot --target-directory src -q "${@:2}"
}

# start_at TIME|FILE OPTION…: a job in the background whose calendar shows that time.
start_at() {
	local when=$1
	[[ $when == /* ]] || when=$(date -ud "$(sed -E 's/T([0-9]+)-([0-9]+)-([0-9]+)/T\1:\2:\3/' <<<"$1")" +%s)
	rm -f log
	CLOCK_AT=$when LD_PRELOAD=$BUILD/tests/faults/libclockat.so \
		ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 \
		backuptool job --target-directory src "${@:2}" >log 3>&- &
	taker=$!
}

# A job that is given that time, and does not run: what it says when it begins.
waits_at() {
	start_at "$1" "${@:2}" --duration forever
	wait_until test -s log
	kill "$taker"
	wait "$taker"
	taker=
	run ! grep -q '^run ' log
}

set_clock() {
	date -ud "$1" +%s >clock.new
	mv clock.new "$WORK/clock"
}

runs() {
	[ "$(grep -c '^run ' log)" = "$1" ]
}

@test "a job has an interval or times of the day, and not both" {
	mkdir src
	run -2 job src --duration 1h
	[ "$output" = "backuptool job: it is not said when: give --interval TIME or --at TIME; see 'backuptool job --help'" ]
	run -2 job src --duration 1h --interval 1h --at 03:00
	[ "$output" = "backuptool job: give --interval or --at, not both; see 'backuptool job --help'" ]
	run -2 backuptool schedule --target-directory src --print
	[ "$output" = "backuptool schedule: it is not said when: give --interval TIME or --at TIME; see 'backuptool schedule --help'" ]
	run -2 backuptool schedule --target-directory src --print --at 03:00 --interval 1h
	for time in 3am 24:00 '03:00,' 'Mon' 'Foo 03:00' 'Mon  03:00' '03:00 Mon'; do
		run -2 job src --duration 1h --at "$time"
		[ "$output" = "backuptool job: --at '$time' is not a time of the day such as 03:00, 03:00,15:00 or 'Mon 03:00'; see 'backuptool job --help'" ]
	done
	[ ! -e snapshots ]
}

@test "without a duration and a time one snapshot is taken at once" {
	mkdir src
	for count in 1 2; do
		run -0 job src --duration 0
		[[ ${lines[-2]} == "run 1: snapshot_"* ]]
		[ "$(find snapshots -maxdepth 1 -name 'snapshot_*' | wc -l)" = "$count" ]
	done
}

@test "times of the day: one that was missed is made up, and what was done is not done again" {
	mkdir src
	run -0 at 2026-11-30T12:00:00 backuptool job --target-directory src --at 03:00 --duration 0
	[[ $output == *"run 1: snapshot_2026-11-30T12-00-00Z.json"* ]]
	only_snapshot 2026-11-30T02-59-59
	run -0 at 2026-11-30T12:00:00 backuptool job --target-directory src --at 03:00 --duration 0
	[[ $output == "run 1: snapshot_2026-11-30T12-00-00Z.json"* ]]
	only_snapshot 2026-11-30T03-00-00
	waits_at 2026-11-30T12:00:00 --at 03:00
	[ "$(head -n 1 log)" = "next snapshot at 2026-12-01 03:00:00 UTC; --at-start takes one at once" ]
	waits_at 2026-11-30T12:00:00 --at 15:00,03:00
	[[ $(cat log) == "next snapshot at 2026-11-30 15:00:00 UTC;"* ]]
	waits_at 2026-11-30T12:00:00 --at 'Mon 03:00' --at 'sun 02:00'
	[[ $(cat log) == "next snapshot at 2026-12-06 02:00:00 UTC;"* ]]
	TZ=EST5EDT,M3.2.0,M11.1.0 waits_at 2026-11-30T12:00:00 --at 08:00
	[[ $(cat log) == "next snapshot at 2026-11-30 08:00:00 EST;"* ]]
	run -0 at 2026-11-30T12:00:00 backuptool job --target-directory src --at 03:00 --duration 0 --at-start
	[[ $output == "run 1: snapshot_2026-11-30T12-00-00Z.json"* ]]
}

@test "only snapshots of the same host and directory count" {
	mkdir src other
	for given in '--at 03:00' '--interval 1d'; do
		only_snapshot 2026-11-30T03-00-00 --host another
		run -0 at 2026-11-30T12:00:00 backuptool job --target-directory src $given --duration 0
		[[ $output == *"run 1: "* ]]
		run -0 at 2026-11-30T12:00:00 backuptool job --target-directory other $given --duration 0
		[[ $output == *"run 1: "* ]]
	done
}

@test "a run that found nothing changed counts as one" {
	mkdir src
	once='backuptool job --target-directory src --skip-if-unchanged --duration 0'
	run -0 at 2026-11-29T12:00:00 $once
	run -0 at 2026-11-30T03:10:00 $once
	[[ $output == *"nothing changed since"* ]]
	waits_at 2026-11-30T12:00:00 --at 03:00
	[[ $(cat log) == "next snapshot at 2026-12-01 03:00:00 UTC;"* ]]
	waits_at 2026-11-30T12:00:00 --interval 1d
	[[ $(cat log) == "next snapshot at 2026-12-01 03:10:00 UTC, one interval after the last run, which found nothing changed;"* ]]
	rm snapshots/snapshot_*
	run -0 at 2026-11-30T12:00:00 backuptool job --target-directory src --at 03:00 --duration 0
	[[ $output == *"run 1: snapshot_"* ]]
}

# The job has looked at the clock since now.
looks() {
	local told
	told=$(wc -l <told)
	wait_until eval "[ \"\$(wc -l <told)\" -ge $((told + 3)) ]"
}

# The clock is a file here, at which the job looks whenever its manager wants a sign of life.
@test "what was missed while the machine slept is made up once, and a clock that is set back repeats nothing" {
	mkdir src
	only_snapshot 2026-11-29T03-00-05
	set_clock '2026-11-29 12:00:00'
	listen
	NOTIFY_SOCKET=$PWD/ear WATCHDOG_USEC=60000 start_at "$WORK/clock" --at 03:00 --duration forever
	wait_until grep -q '^next snapshot at 2026-11-30 03:00:00 UTC' log
	set_clock '2026-12-02 09:00:00'
	wait_until runs 1
	[[ $(grep '^run 1' log) == "run 1: snapshot_2026-12-02T09-00-00Z.json: "*"; missed: 2 runs due before it ended" ]]
	set_clock '2026-12-02 02:59:59'
	looks
	set_clock '2026-12-02 12:00:00'
	looks
	set_clock '2026-12-03 03:00:00'
	wait_until runs 2
	[[ $(grep '^run 2' log) == "run 2: snapshot_2026-12-03T03-00-00Z.json: "* ]]
	set_clock '2026-12-04 03:00:01'
	wait_until runs 3
	kill "$taker"
	wait "$taker"
	[[ $(tail -n 1 log) == "3 runs in "*" 2 missed"* ]]
}

@test "a clock that was years ahead keeps no run from its time" {
	mkdir src
	only_snapshot 2036-11-29T03-00-05
	set_clock '2036-11-29 12:00:00'
	listen
	NOTIFY_SOCKET=$PWD/ear WATCHDOG_USEC=60000 start_at "$WORK/clock" --at 03:00 --duration forever
	wait_until grep -q '^next snapshot at 2036-11-30 03:00:00 UTC' log
	set_clock '2026-12-02 02:59:00'
	looks
	set_clock '2026-12-02 03:00:00'
	wait_until runs 1
	[[ $(grep '^run 1' log) == "run 1: snapshot_2026-12-02T03-00-00Z.json: "* ]]
	kill "$taker"
	wait "$taker"
}

@test "a duration in which only one run fits is told when the job begins" {
	mkdir src
	only='only one snapshot is taken: the duration ends before the next one is due'
	only_snapshot 2026-11-30T11-00-00
	for given in '--interval 2h --duration 1m' '--interval 2h --duration 2h' '--at 12:01 --duration 1d'; do
		start_at 2026-11-30T12:00:00 $given
		wait_until grep -q "^$only$" log
		kill "$taker"
		wait "$taker"
	done
	taker=
	for given in '--interval 2h --duration 121m' '--at 12:01 --duration 1441m' '--interval 2h --duration forever'; do
		start_at 2026-11-30T12:00:00 $given
		wait_until grep -q '^next snapshot at ' log
		kill "$taker"
		wait "$taker"
		run ! grep -q 'only one' log
	done
	taker=
	run -0 job src --interval 2h --duration 0 --at-start
	[[ $output != *"only one"* ]]
	run -0 --separate-stderr job src --interval 2h --duration 1m --json --at-start --dry-run
}

@test "what was taken just now is not in the future, though time() is a moment behind" {
	mkdir src
	export CLOCK_BEHIND=1
	at 2026-11-30T12:00:00 backuptool snapshot --target-directory src -q
	run -0 at 2026-11-30T12:00:01 backuptool job --target-directory src --duration 0 --keep-last 1
	[[ $output == *"; 1 snapshot removed, "* ]]
	run -0 at 2026-11-30T12:00:01 backuptool list --json
	[ "$(jq '.[0].future' <<<"$output")" = null ]
	run -0 at 2026-11-30T12:00:01 backuptool status --json
	[ "$(jq '.directories[0] | .future // .age' <<<"$output")" = 0 ]
	run -0 at 2026-11-30T12:00:01 backuptool prune --dry-run --json --keep-last 1
	[ "$(jq '.snapshots[0].future' <<<"$output")" = null ]
}

@test "a duration counts from the first time of the day" {
	mkdir src
	only_snapshot 2026-11-30T02-00-00
	run -0 at 2026-11-30T03:00:20 backuptool job --target-directory src --at 03:00 --duration 1d
	[[ $output == *"1 run in "* ]]
}

@test "on a terminal, and for programs, a run says when the next one is due" {
	mkdir src
	job='--at 03:00 --duration forever --at-start'
	start_at 2026-11-30T12:00:00 $job --json
	wait_until grep -q '"event":"run"' log
	kill "$taker"
	wait "$taker"
	[ "$(jq -r 'select(.event == "run").next_run' log)" = 2026-12-01T03:00:00.000000000Z ]
	start_at 2026-11-30T12:00:00 $job
	wait_until runs 1
	kill "$taker"
	wait "$taker"
	run ! grep -q 'next at' log
	run -0 env TERM=xterm script -qec "backuptool job --target-directory src --at-start --interval 9s --duration 10s & sleep 2; kill -INT \$!; wait" /dev/null
	[[ $output =~ run\ 1:\ snapshot_.*\;\ next\ at\ [-0-9]+\ [:0-9]+\ UTC ]]
	run -0 job src --interval 1h --duration 0 --at-start --json
	[ "$(jq -s '.[0].next_run' <<<"$output")" = null ]
}
