#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is kept of a first snapshot that is cut off, and what a partial snapshot means to the commands.
# shellcheck disable=SC2154
load helper

teardown() {
	[ -z "${taker:-}" ] || kill -KILL "$taker" 2>/dev/null || true
	wait
	remove_work
}

# The large files are read by the thread that walks, which is stopped at each of them.
first_tree() {
	mkdir -p src/a src/z
	seq 1000 >src/a/numbers
	seq 2000 >src/a/others
	head -c 2000000 /dev/urandom >src/m-large
	head -c 2000000 /dev/urandom >src/n-large
	echo last >src/z/last
}

# held COMMAND…: in the background, with its process in $taker; it stands before the first large file.
held() {
	rm -f log err
	env --default-signal=INT HOLD="openat -large" HOLD_ALL=1 LD_PRELOAD="$BUILD/tests/faults/libhold.so" \
		"ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" "$@" >log 2>err 3>&- &
	taker=$!
	wait_until is_stopped "$taker"
}

# To the next large file.
goes_on() {
	kill -CONT "$taker"
	wait_until is_stopped "$taker"
}

# To its end, past whatever it is still held before: a file that is young is read once more.
ended() {
	local pusher
	while kill -CONT "$taker" 2>/dev/null; do sleep 0.05; done 3>&- &
	pusher=$!
	result=0
	wait "$taker" || result=$?
	kill "$pusher"
	wait "$pusher" || true
	taker=
}

# A snapshot that was interrupted before the first large file.
interrupted_first() {
	first_tree
	held backuptool snapshot --target-directory src "$@"
	kill -INT "$taker"
	ended
	[ "$result" = 130 ]
}

is_partial() {
	[ "$(backuptool list --json | jq -r ".[] | select(.name == \"$1\").partial")" = true ]
}

@test "a signal ends a first snapshot with what was read, and the next one goes on from there" {
	first_tree
	for signal in INT TERM; do
		rm -rf snapshots out
		held backuptool snapshot --target-directory src
		goes_on
		kill "-$signal" "$taker"
		ended
		[ "$result" = 130 ]
		first=$(newest)
		[ "$(grep -v "made a new store" err)" = "backuptool snapshot: ending: what was read so far is kept as a partial snapshot; press again to end at once
backuptool snapshot: interrupted; what was read is kept as $first, which is partial: 3 files, 1.9 MiB; the next run goes on from there" ]
		is_partial "$first"
		run -0 backuptool check
		run -0 --separate-stderr bring "$first" out
		stderr_is "backuptool restore: $first is partial: it lacks what its run had not read yet"
		cmp src/m-large out/m-large
		diff -r src/a out/a
		[ "$(ls out)" = "a
m-large" ]
		# What was read is not read again, and the partial one goes.
		run -0 take src --json
		[ "$(jq -c '[.new, .unchanged, .new_bytes < 2100000, .partial, .rules_changed, .removed_entries]' <<<"$output")" = '[2,3,true,null,null,null]' ]
		[ "$(jq -r .parent <<<"$output")" = "$first" ]
		[ "$(backuptool list --names)" = "$(newest)" ]
		run ! is_partial "$(newest)"
		rm -rf out
		bring latest out
		same src out
		run -0 backuptool check
	done
}

@test "a second signal ends it at once" {
	first_tree
	held backuptool snapshot --target-directory src
	kill -INT "$taker"
	kill -TERM "$taker"
	ended
	[ "$result" = 130 ]
	[ -z "$(backuptool list --names)" ]
	run -0 backuptool check
}

@test "what a program reads of it" {
	first_tree
	held backuptool snapshot --target-directory src --json --on-failure 'echo "$BACKUPTOOL_EXIT $BACKUPTOOL_ERROR" >failed'
	kill -INT "$taker"
	ended
	[ "$(jq -c '[.name, .partial, .files, .new]' log)" = "[\"$(newest)\",true,2,2]" ]
	[ "$(cut -d ' ' -f 1-5 failed)" = "130 interrupted; what was read" ]
	[ "$(backuptool status --json | jq -c '.directories[] | [.name, .incomplete, .partial, .run_exit]')" = "[\"$(newest)\",true,true,130]" ]
	run -0 backuptool status
	[[ $output == *"not finished"* ]]
	run -0 backuptool list -v
	[[ $output == *"partial: it was taken while a longer run went on"* ]]
	held backuptool snapshot --target-directory src --print-name -q
	kill -INT "$taker"
	ended
	[ ! -s log ]
}

@test "one that ends before it reached what the last one had leaves that as it is" {
	first_tree
	held backuptool snapshot --target-directory src
	goes_on
	kill -INT "$taker"
	ended
	first=$(newest)
	touch src/m-large
	held backuptool snapshot --target-directory src
	kill -INT "$taker"
	ended
	[ "$result" = 130 ]
	[ "$(tail -n 1 err)" = "backuptool snapshot: interrupted; $first, which is partial, stays: the next run goes on from there" ]
	[ "$(backuptool list --names)" = "$first" ]
}

@test "a checkpoint keeps what there is when the run is killed; each takes the place of the one before" {
	first_tree
	held backuptool snapshot --target-directory src --checkpoint-every 1s
	sleep 1.1
	goes_on
	first=$(newest)
	is_partial "$first"
	sleep 1.1
	kill -KILL "$taker"
	wait "$taker" || true
	taker=
	run -0 backuptool check
	[ "$(backuptool ls "$first" 2>err)" = "a
m-large" ]
	held backuptool snapshot --target-directory src --checkpoint-every 1s
	sleep 1.1
	ended
	[ "$result" = 0 ]
	grep -q "2 new files, 0 changed, 3 unchanged" log
	[ "$(backuptool list --names)" = "$(newest)" ]
	run ! is_partial "$(newest)"
	bring latest out
	same src out
	run -0 backuptool check
}

@test "no checkpoints with 0, nor where there is a complete snapshot" {
	first_tree
	held backuptool snapshot --target-directory src --checkpoint-every 0
	sleep 1.1
	goes_on
	[ -z "$(backuptool list --names)" ]
	ended
	[ "$result" = 0 ]
	cp src/n-large src/o-large
	touch src/m-large
	held backuptool snapshot --target-directory src --checkpoint-every 1s
	sleep 1.1
	goes_on
	[ "$(backuptool list --names | wc -l)" = 1 ]
	kill -INT "$taker"
	ended
	[ "$result" = 130 ]
	grep -q "ending: no snapshot is made, and earlier ones stay as they are" err
	[ "$(backuptool list --names | wc -l)" = 1 ]
	run -2 take src --checkpoint-every often
	[[ $output == *"a time such as 90s, 10m or 1h, or 0"* ]]
}

@test "latest is a partial one only where there is no complete one" {
	interrupted_first -q
	first=$(newest)
	for command in 'ls latest' 'diff latest' 'dump latest' 'du latest' 'cat latest:a/numbers'; do
		# shellcheck disable=SC2086
		run -0 --separate-stderr backuptool $command
		stderr_is "backuptool ${command%% *}: $first is partial: it lacks what its run had not read yet"
	done
	backuptool tag latest --pin >/dev/null
	take src -q
	[ "$(backuptool list --names | wc -l)" = 2 ]
	run -0 --separate-stderr backuptool ls latest
	[ -z "$stderr" ]
	[[ $output == *n-large* ]]
	run -1 --separate-stderr backuptool ls latest~1
	run -0 --separate-stderr backuptool ls "$first"
	stderr_is "backuptool ls: $first is partial: it lacks what its run had not read yet"
	[ "$(backuptool status --json | jq -r '.directories[0].name')" = "$(newest)" ]
}

@test "restore --delete asks before it deletes what a partial one lacks" {
	interrupted_first -q
	cp -a src out
	run -1 --separate-stderr bring latest out --delete </dev/null
	[[ $stderr == *"$(newest) is partial, so this deletes what its run had not read yet"*"--yes"* ]]
	same src out
	run -0 bring latest out --delete --yes
	[ ! -e out/z ]
}

@test "rules count no partial one, and keep the newest only until there is a complete one" {
	interrupted_first -q
	first=$(newest)
	run -0 backuptool prune --keep-last 1
	[[ $output == *"newest of its directory"* ]]
	backuptool tag "$first" --pin >/dev/null
	take src -q
	backuptool tag "$first" --unpin >/dev/null
	run -0 backuptool prune --keep-last 2 --dry-run --json
	[ "$(jq -c '[.snapshots[] | [.name, .verdict]]' <<<"$output")" = "[[\"$first\",\"remove\"],[\"$(newest)\",\"keep\"]]" ] ||
		{ echo "$output"; false; }
	backuptool prune --keep-last 2 -q
	[ "$(backuptool list --names)" = "$(newest)" ]
	run -0 backuptool check
	bring latest out
	same src out
}

@test "copy leaves partial ones out unless they are named, and a mirror has them all" {
	interrupted_first -q
	first=$(newest)
	run -0 backuptool copy --to other
	[[ $output == *"1 partial snapshot was left out; give its name to copy one"* ]]
	[ -z "$(backuptool --store other list --names)" ]
	run -0 backuptool copy "$first" --to other
	[ "$(backuptool --store other list --names)" = "$first" ]
	run -0 backuptool mirror mirrored
	[ -e "mirrored/$first" ]
}

@test "a job ends a first snapshot at the first signal, and the next job goes on with it at once" {
	first_tree
	held backuptool job --target-directory src --interval 1h --duration forever --json
	kill -TERM "$taker"
	ended
	[ "$result" = 130 ]
	[ "$(jq -c 'select(.event == "run") | [.name, .partial, .exit]' log)" = "[\"$(newest)\",true,130]" ]
	grep -q "ending: what was read so far is kept as a partial snapshot" err
	held backuptool job --target-directory src --interval 1h --duration 1m
	goes_on
	ended
	[ "$result" = 0 ]
	grep -q "2 new\|3 new" log
	[ "$(backuptool list --names | wc -l)" = 1 ]
	# Now it has one, and finishes the next one first.
	touch src/m-large
	held backuptool job --target-directory src --interval 1h --duration forever --at-start --watch
	kill -TERM "$taker"
	ended
	[ "$result" = 0 ]
	grep -q "ending: the snapshot in progress is finished first" err
	[ "$(backuptool list --names | wc -l)" = 2 ]
}

@test "a first snapshot of a source can be interrupted, too" {
	first_tree
	printf '[defaults]\nstore = %s\ncheckpoint-every = 1h\n[source one]\ntarget-directory = %s\n' "$PWD/snapshots" "$PWD/src" >config
	chmod 600 config
	held backuptool run --config config one
	kill -INT "$taker"
	ended
	[ "$result" = 130 ]
	grep -q "one  *partial" log
	is_partial "$(newest)"
	run -0 backuptool run --config config one --json
	[ "$(jq -c 'select(.source == "one") | [.new, .unchanged]' <<<"$output")" = '[3,2]' ]
}

@test "one with nothing to add to a partial one is not skipped" {
	interrupted_first -q
	rm -r src/m-large src/n-large src/z
	run -0 take src --skip-if-unchanged --json
	[ "$(jq -c '[.skipped, .partial, .unchanged]' <<<"$output")" = '[false,null,2]' ]
	[ "$(backuptool list --names)" = "$(newest)" ]
}

@test "an ordinary user keeps what was read, too" {
	is_root || skip "that is what the other tests are then"
	first_tree
	chmod -R a+rX src
	mkdir own && chmod 777 own
	held setpriv --reuid 65534 --regid 65534 --clear-groups "$(command -v backuptool)" snapshot --store own/store --target-directory src
	kill -INT "$taker"
	ended
	[ "$result" = 130 ]
	[ "$(backuptool --store own/store list --json | jq -c '[.[].partial]')" = '[true]' ]
	run -0 setpriv --reuid 65534 --regid 65534 --clear-groups "$(command -v backuptool)" snapshot --store own/store --target-directory src -q
	[ "$(backuptool --store own/store list --json | jq -c '[.[].partial]')" = '[null]' ]
}
