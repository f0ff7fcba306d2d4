#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Snapshots that are incomplete, empty or suddenly much smaller push out no good one.
# shellcheck disable=SC2154
load helper

teardown() {
	[ -z "$writer" ] || kill "$writer" 2>/dev/null || true
	[ -z "$taker" ] || kill -KILL "$taker" 2>/dev/null || true
	wait
	chmod 755 src/docs 2>/dev/null || true
	! mountpoint -q "$WORK/mp" || umount "$WORK/mp"
	remove_work
}

# as_user needs a store that it may write to.
prepare() {
	reachable_tool
	mkdir -p src/docs src/other
	for number in 1 2 3; do
		echo "$number" >"src/docs/f$number"
	done
	echo o >src/other/o
	mkdir -m 777 snapshots
	! is_root || chown -R 65534:65534 src
}

take_as_user() {
	local wanted=$1
	shift
	run "-$wanted" as_user backuptool snapshot -q --target-directory src "$@"
}

runs() {
	[ "$(grep -c '"event":"run"' log)" -ge "$1" ]
}

reasons() {
	jq -c '[.snapshots[].reasons | join("+")]' <<<"$output"
}

@test "a job keeps the last complete snapshot beside any number of incomplete ones" {
	prepare
	become_as_user backuptool job --target-directory src --interval 200ms --duration forever --keep-last 3 --json >log 2>errors 3>&- &
	taker=$!
	wait_until runs 1
	chmod 000 src/docs
	wait_until runs 7
	kill "$taker"
	wait "$taker" || [ $? = 3 ]
	taker=
	chmod 755 src/docs
	run -0 as_user backuptool find 'f*'
	[[ $output == *docs/f1* && $output == *docs/f3* ]]
	[ "$(as_user backuptool list --json | jq length)" -le 5 ]
	jq -s -e '[.[] | select(.event == "run")][-2].kept_good == 1' log
}

@test "prune: the newest complete one stays, is named as that, and goes when another one is there" {
	prepare
	take_as_user 0
	first=$(newest)
	chmod 000 src/docs
	for number in 1 2; do
		take_as_user 3 --force
	done
	for rule in '--snapshot-number 1' '--keep-last 1' '--keep-daily 1' '--keep-within 1h --keep-yearly 1 --per-target' \
		'--keep-tag none --keep-hourly 1'; do
		run -0 --separate-stderr as_user backuptool prune $rule --dry-run --json
		[[ $(reasons) == '["newest complete+before it shrank",'* ]] || [[ $rule == *within* ]]
		[[ $rule == *within* ]] || [[ $stderr == *"no rule keeps $first (newest complete); "* ]]
	done
	run -0 as_user backuptool prune --keep-last 1
	[[ $output == *"keep"*"newest complete"* ]]
	chmod 755 src/docs
	take_as_user 0
	run -0 --separate-stderr as_user backuptool prune --keep-last 1 --json
	[ "$stderr" = "" ]
	jq -e '.kept == 1' <<<"$output"
}

@test "a file that changed while it was read does not make a snapshot incomplete" {
	prepare
	take_as_user 0
	head -c 40000000 /dev/urandom >src/busy
	(while :; do touch src/busy; done) 3>&- &
	writer=$!
	take_as_user 3
	kill "$writer"
	wait "$writer" || true
	writer=
	[ "$(as_user backuptool list --json | jq -c 'map([.errors, .torn // 0])')" = "[[0,0],[1,1]]" ]
	run -0 --separate-stderr as_user backuptool prune --keep-last 1 --dry-run --json
	[ "$stderr" = "" ]
	[ "$(reasons)" = '["","last"]' ]
	chmod 000 src/docs
	take_as_user 3
	run -0 --separate-stderr as_user backuptool prune --keep-last 1 --dry-run --json
	[ "$(reasons)" = '["","newest complete","last"]' ]
}

@test "what is always incomplete keeps its newest, and rules that keep nothing are refused" {
	prepare
	chmod 000 src/docs
	take_as_user 3
	take_as_user 3
	mkdir other
	chmod 777 other
	as_user backuptool snapshot -q --target-directory other
	run -0 --separate-stderr as_user backuptool prune --snapshot-number 1 --json
	[ "$(reasons)" = '["","newest of its directory","last"]' ]
	run -1 as_user backuptool prune --keep-tag none
	[[ $output == *"would remove every snapshot; nothing was removed"* ]]
	run -0 as_user backuptool prune --snapshot-number 1 --all
	[ "$(as_user backuptool list --json | jq length)" = 1 ]
}

@test "a directory that shrank: the one before stays until half is there again, or it is removed" {
	mkdir src
	for number in $(seq 10); do
		echo "$number" >"src/f$number"
	done
	take src -q
	large=$(newest)
	mkdir away
	mv src/f[1-7] away
	take src -q
	take src -q
	run -0 --separate-stderr backuptool prune --keep-last 1 --json
	[ "$(reasons)" = '["before it shrank","","last"]' ]
	[[ $stderr == *"no rule keeps $large (before it shrank); "* ]]
	run -0 backuptool job --target-directory src --interval 1 --duration 0 --keep-last 1 --force
	[[ ${lines[0]} == *"no rule keeps $large (before it shrank), which stays"* ]]
	mv away/* src
	take src -q
	run -0 backuptool prune --keep-last 1 --json
	[ "$(jq '[.snapshots[] | select(.keep)] | length' <<<"$output")" = 1 ]
}

@test "a source that cannot be opened prunes nothing" {
	mkdir src
	echo text >src/file
	for number in 1 2 3; do
		take src -q
	done
	backuptool job --target-directory src --interval 200ms --duration forever --keep-last 3 --json >log 2>errors 3>&- &
	taker=$!
	wait_until runs 1
	mv src away
	wait_until grep -q '"exit":1' log
	before=$(jq -s '[.[] | select(.event == "run" and .exit == 0)] | length' log)
	wait_until runs $((before + 4))
	kill "$taker"
	wait "$taker" || [ $? = 1 ]
	taker=
	jq -s -e '[.[] | select(.event == "run" and .exit == 1)] | length >= 3 and all(.removed == 0)' log
	[ "$(find snapshots -maxdepth 1 -name 'snapshot_*.json' | wc -l)" = 3 ]
}
