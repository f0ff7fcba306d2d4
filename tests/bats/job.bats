#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Snapshots at an interval.
# shellcheck disable=SC2154
load helper

# What a test that failed has left running would write into its directory while that is removed.
teardown() {
	local pid
	for pid in $taker $first $holder $listener $changer; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	for pid in $(jobs -p); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait
	unmount_work
	remove_work
}

job() {
	backuptool job --target-directory "$@"
}

snapshots() {
	find snapshots -maxdepth 1 -name 'snapshot_*.json' -printf '%f\n'
}

has_snapshots() {
	[ "$(snapshots | wc -l)" -ge "$1" ]
}

# Takes the store's lock alone until the file `release` exists: snapshots wait meanwhile.
hold_lock() {
	python3 -c '
import fcntl, os, struct, time
lock = open("snapshots/lock", "a+")
fcntl.fcntl(lock, fcntl.F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
open("held", "w").close()
while not os.path.exists("release"):
    time.sleep(0.01)' 3>&- &
	holder=$!
	wait_until test -e held
}

release_lock() {
	touch release
	wait "$holder"
}

# In the background, so that a test that is ended does not wait for it, and teardown knows it.
change_between() {
	"$TESTS/bats/change_between.py" src snapshots copies "$1" 3>&- &
	changer=$!
	wait "$changer"
}

each_is_what_the_tree_was() {
	local name
	for name in $(snapshots); do
		bring "$name" out -q
		if [ -e "copies/$name" ]; then
			same "copies/$name" out
		else
			same src out
		fi
		rm -rf out
	done
}

@test "snapshots at an interval until the duration is over, and a summary" {
	small_tree src
	run -0 --separate-stderr job src --interval 100ms --duration 500ms
	[[ ${lines[0]} =~ ^run\ 1:\ snapshot_[0-9TZ-]+\.json:\ 5\ new,\ 0\ changed,\ 0\ unchanged\;\ .*\ added\; ]]
	[[ ${lines[-1]} =~ ^[1-5]\ runs?\ in\ .*\ 0\ failed, ]] # fewer than 5 where a run takes longer than the interval
	runs=${lines[-1]%% *}
	[ "${#lines[@]}" = $((runs + 1)) ]
	[ "$(snapshots | wc -l)" = "$runs" ]
	bring latest out -q
	same src out
}

@test "each snapshot of a tree that changes is what the tree was" {
	mkdir src copies
	backuptool job --target-directory src --interval 500ms --duration forever --json >log 3>&- &
	taker=$!
	change_between 10
	kill "$taker"
	wait "$taker"
	[ "$(snapshots | wc -l)" -ge 10 ]
	[ "$(jq -s 'map(select(.event == "run" and .exit == 0)) | length' log)" = "$(snapshots | wc -l)" ]
	each_is_what_the_tree_was
}

@test "sixty runs at one second over a tree that changes" {
	[ "${TEST_LONG:-0}" = 1 ] || skip "only with --long"
	mkdir src copies
	backuptool job --target-directory src --interval 1 --duration 60s --json >log 3>&- &
	taker=$!
	change_between 40
	wait "$taker"
	jq -s -e '.[-1] | .runs + .missed == 60 and .missed <= 10 and .snapshots == .runs and .failed == 0' log
	[ "$(snapshots | wc -l)" = "$(jq -s '.[-1].runs' log)" ]
	each_is_what_the_tree_was
}

@test "rules are applied after each run" {
	mkdir src
	backuptool job --target-directory src --interval 50ms --duration forever --keep-last 2 --json >log 3>&- &
	taker=$!
	wait_until grep -q '"run":4,' log
	kill "$taker"
	wait "$taker"
	# What was taken when it was told to end is not followed by pruning.
	jq -s -e '[.[:-1][].removed] as $removed | $removed[:2] == [0, 0] and ($removed[2:-1] | length >= 1 and all(. == 1)) and
		.[-1].removed == ($removed | add)' log
	[ "$(snapshots | wc -l)" = "$(jq -s '.[-1].runs - .[-1].removed' log)" ]
	[ "$(newest)" = "$(jq -s -r '.[-2].name' log)" ]
}

@test "rules concern the snapshots of the job's own directory only" {
	mkdir src other
	take other -q
	take other -q
	take src -q
	run -0 job src --interval 1 --duration 0 --snapshot-number 1
	[[ ${lines[0]} == *"; 1 snapshot removed, "* ]]
	[ "$(backuptool list --json | jq -c '[.[].target | split("/")[-1]] | sort')" = '["other","other","src"]' ]
	run -0 job src --interval 1 --duration 0 --snapshot-number 1 --skip-if-unchanged --json
	jq -s -e '.[0].skipped and .[0].removed == 0' <<<"$output"
	run -1 --separate-stderr job src --interval 1 --duration 0 --keep-tag none
	[[ $stderr == *"the rules would remove every snapshot; nothing was removed"* ]]
}

@test "pruning that is refused or fails is told in each form" {
	mkdir src
	run -1 --separate-stderr job src --interval 1 --duration 0 --keep-tag none --json
	jq -s -e '.[0] | .exit == 1 and (.error | contains("would remove every snapshot")) and .name' <<<"$output"
	jq -s -e '.[1] | .failed == 0 and .not_pruned == 1 and .snapshots == 1 and .exit == 1' <<<"$output"
	damage "snapshots/$(newest)"
	run -1 --separate-stderr job src --interval 1 --duration 0 --keep-last 1
	[[ ${lines[0]} == "run 1: snapshot_"*"; not pruned: "*"damaged"*"or give it up with 'backuptool remove snapshot_"* ]]
	[[ ${lines[1]} == *" 0 failed, 1 not pruned, "* ]]
}

@test "a second job on the same directory and store is refused; others are not in the way" {
	mkdir src other
	backuptool job --target-directory src --at-start --interval 1h --duration forever >log 3>&- &
	first=$!
	wait_until has_snapshots 1
	run -11 --separate-stderr job "../${PWD##*/}/src/" --interval 1 --duration 0
	[ "$output" = "" ]
	[[ $stderr == *"another job protects"*"in this store already"* ]]
	run -0 job other --interval 1 --duration 0
	run -0 job src --interval 1 --duration 0 --store elsewhere
	run -0 take src
	run -0 backuptool prune --snapshot-number 1 --lock-wait 0s
	kill -0 "$first"
	kill -KILL "$first"
	wait "$first" || true
	run -0 job src --interval 1 --duration 0
}

@test "a run that outlasts the interval: missed ones are told, and not made up for" {
	mkdir src
	take src -q
	hold_lock
	listen
	NOTIFY_SOCKET=$PWD/ear backuptool job --target-directory src --interval 100ms --duration 2s --json >log 3>&- &
	taker=$!
	wait_until grep -q READY=1 told
	sleep 0.5
	release_lock
	wait "$taker"
	kill "$listener"
	jq -s -e '.[0].missed >= 4 and (.[-1].runs + .[-1].missed) == 20' log
}

@test "a run that begins late: what was due before is told as missed" {
	mkdir src
	backuptool job --target-directory src --interval 200ms --duration forever >log 3>&- &
	taker=$!
	wait_until grep -q '^run 2' log
	kill -STOP "$taker"
	wait_until is_stopped "$taker"
	sleep 1
	kill -CONT "$taker"
	wait_until grep -Eq '^run .*; missed: ([3-9]|[0-9]{2,}) runs due before it ended$' log
	kill "$taker"
	wait "$taker"
}

@test "SIGTERM ends it after the snapshot in progress" {
	small_tree src
	take src -q
	hold_lock
	listen
	NOTIFY_SOCKET=$PWD/ear backuptool job --target-directory src --at-start --interval 1h --duration forever >log 2>errors 3>&- &
	taker=$!
	wait_until grep -q READY=1 told
	wait_until grep -q "waiting for" errors
	signal TERM "$taker"
	release_lock
	wait "$taker"
	kill "$listener"
	[ "$(snapshots | wc -l)" = 2 ]
	[[ $(tail -n 1 log) == "1 run in"* ]]
	bring latest out -q
	same src out
}

@test "SIGINT between runs ends it at once" {
	mkdir src
	# Background jobs of a shell do not get SIGINT unless they ask for it.
	env --default-signal=INT backuptool job --target-directory src --at-start --interval 1h --duration forever >log 3>&- &
	taker=$!
	wait_until grep -q '^run 1' log
	kill -INT "$taker"
	wait "$taker"
	[[ $(tail -n 1 log) == "1 run in"* ]]
}

@test "a second signal ends it at once, and the store stays whole" {
	mkdir src
	take src -q
	seq 6000000 >src/numbers
	listen
	NOTIFY_SOCKET=$PWD/ear backuptool job --target-directory src --at-start --interval 1h --duration forever --compression 19 >log 2>&1 3>&- &
	taker=$!
	wait_until grep -q READY=1 told
	signal TERM "$taker"
	wait_until grep -q "ending: the snapshot in progress is finished first; press again to end at once" log
	kill -TERM "$taker"
	result=0
	wait "$taker" || result=$?
	kill "$listener"
	[ "$result" = 130 ]
	run ! grep -q " failed" log
	[ "$(snapshots | wc -l)" = 1 ]
	run -0 job src --interval 1 --duration 0 --compression 1
	bring latest out -q
	same src out
}

@test "a service manager is told: ready, each run, signs of life, stopping" {
	mkdir src
	listen
	NOTIFY_SOCKET=$PWD/ear WATCHDOG_USEC=60000 backuptool job --target-directory src --at-start --interval 1h --duration forever >log 3>&- &
	taker=$!
	wait_until grep -q '^STATUS=run 1: snapshot_' told
	wait_until eval '[ "$(grep -c "^WATCHDOG=1" told)" -ge 3 ]'
	kill "$taker"
	wait "$taker"
	wait_until grep -q '^STOPPING=1$' told
	kill "$listener"
	[ "$(head -n 1 told)" = READY=1 ]
	[ "$(tail -n 1 told)" = STOPPING=1 ]
}

@test "an abstract socket, and a manager that is gone, are nothing to fail for" {
	mkdir src
	NOTIFY_SOCKET=@nobody-listens-here run -0 job src --interval 1 --duration 0
	NOTIFY_SOCKET=/nowhere/at/all run -0 job src --interval 1 --duration 0
	NOTIFY_SOCKET=relative run -0 job src --interval 1 --duration 0
}

@test "exit codes: of a run that was incomplete" {
	reachable_tool
	mkdir src
	echo secret >src/closed
	chmod 000 src/closed
	mkdir -m 777 store
	run -3 as_user backuptool job --store store --target-directory src --interval 100ms --duration 200ms
	[[ $output == *"closed: "* ]]
	[[ ${lines[-1]} == *" 0 failed"* ]]
}

@test "a run that fails does not end the job" {
	mkdir src
	backuptool job --target-directory src --interval 200ms --duration forever --json >log 2>errors 3>&- &
	taker=$!
	wait_until has_snapshots 1
	mv src away
	wait_until grep -q '"exit":1' log
	mv away src
	before=$(snapshots | wc -l)
	wait_until has_snapshots $((before + 1))
	kill "$taker"
	result=0
	wait "$taker" || result=$?
	[ "$result" = 1 ]
	grep -q 'job: src: ' errors
	jq -s -e 'map(select(.event == "run" and .exit == 1 and (.error | contains("No such file")))) | length >= 1' log
}

@test "a directory that is not there, bad times, and options that cannot work end it at once" {
	run -1 job missing --interval 1 --duration forever
	[ "$output" = "backuptool job: there is no directory missing" ]
	[ ! -e snapshots ]
	mkdir src
	for interval in 0 0ms -1 1x "" forever 99999999999999999999 9223372036854775807d; do
		run -2 job src --interval "$interval" --duration 1
		[[ $output == *"is not a time above 0 such as"* ]]
	done
	run -2 job src --interval 1 --duration soon
	run -2 job src --interval 1
	[[ $output == *"--duration TIME is missing"* ]]
	run -2 job src --interval 1 --duration forever --tag $'line\nbreak'
	run -10 job src --interval 1 --duration 1 --dry-run --store nowhere
	[ ! -e nowhere ]
}

@test "with --watch runs look at what changed, and each snapshot is what the tree was" {
	alone own
	mkdir src copies
	backuptool job --target-directory src --interval 700ms --duration forever --watch --full-scan-every 5 --json >log 3>&- &
	taker=$!
	change_between 7
	kill "$taker"
	wait "$taker"
	each_is_what_the_tree_was
	run -0 backuptool check
	jq -c '[.run, .walk, .doubt]' log
	jq -s -e 'map(select(.event == "run")) | .[0].doubt == "first" and .[5].doubt == "due"' log
	jq -s -e 'map(select(.walk == "changes")) | length >= 3 and all(.doubt == null)' log
}

@test "with --watch as an ordinary user" {
	reachable_tool
	small_tree src
	mkdir -m 777 store
	become_as_user backuptool job --store store --target-directory src --interval 300ms --duration forever --watch >log 3>&- &
	taker=$!
	wait_until grep -q '^run 2: .*only what changed was looked at' log
	printf 'more' >>src/docs/a.txt
	wait_until grep -q '^run .*: 0 new, 1 changed, .*only what changed was looked at' log
	kill "$taker"
	wait "$taker"
	grep -q '^run 1: .*everything was looked at: the first run' log
}

@test "with --watch a directory whose list cannot be read whole is no reason to overlook what is in it" {
	reachable_tool
	small_tree src
	mkdir -m 777 store
	become_as_user env ODD=torn "ODD_ENDLESS=$(realpath src/docs)" "LD_PRELOAD=$BUILD/tests/faults/libodd.so" \
		"ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" \
		backuptool job --store store --target-directory src --interval 300ms --duration forever --watch >log 3>&- &
	taker=$!
	wait_until grep -q '^run 4: ' log
	kill "$taker"
	wait "$taker"
	grep -q '^run 2: .*everything was looked at' log
	run -1 grep 'only what changed was looked at' log
}

# Subvolumes are no mounts, though each is a file system of its own.
with_subvolumes() {
	is_root || skip "only root mounts"
	command -v mkfs.btrfs >/dev/null && command -v btrfs >/dev/null || skip "there is no mkfs.btrfs, or no btrfs"
	truncate -s 128M image
	mkfs.btrfs -q -M image
	mkdir disk
	mount -o loop image disk || skip "btrfs cannot be mounted"
	btrfs subvolume create disk/top
	btrfs subvolume create disk/top/nested
	mkdir disk/top/nested/deep
}

latest_has() {
	[ "$(backuptool cat "latest:$1" 2>/dev/null)" = "$2" ]
}

@test "with --watch in btrfs what happens in a subvolume is seen, wherever the directory lies" {
	local target file=disk/top/nested/deep/file
	with_subvolumes
	for target in disk/top disk; do
		echo one >"$file"
		rm -f log
		backuptool job --target-directory "$target" --interval 300ms --duration forever --watch \
			--full-scan-every 999 >log 3>&- &
		taker=$!
		wait_until grep -q '^run 2: .*only what changed was looked at' log
		echo two >"$file"
		wait_until latest_has "${file#"$target/"}" two
		kill "$taker"
		wait "$taker"
	done
}

@test "a watch with --dry-run makes no sense, and 0 is no N" {
	mkdir src
	run -2 job src --interval 1 --duration 0 --watch --dry-run
	[[ $output == *"--watch follows snapshots, and --dry-run takes none"* ]]
	run -2 job src --interval 1 --duration 0 --watch --full-scan-every 0
	[[ $output == *"--full-scan-every '0' is not a whole number above 0"* ]]
}

@test "unchanged trees make no snapshots when asked so, --quiet says nothing" {
	mkdir src
	run -0 --separate-stderr job src --interval 100ms --duration 300ms --skip-if-unchanged --quiet
	[ "$output" = "" ]
	[ "$stderr" = "backuptool job: made a new store at $WORK/snapshots" ]
	[ "$(snapshots | wc -l)" = 1 ]
}
