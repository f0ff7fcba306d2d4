#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Whether the snapshots are recent and whole, and what the store knows besides.
# shellcheck disable=SC2154,SC2016
load helper

teardown() {
	local pid
	for pid in $worker $(jobs -p); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait
	remove_work
}

status() {
	backuptool status "$@"
}

# Nothing is no answer: jq takes it for a success.
row() {
	local answer
	answer=$(status --json) || return 1
	jq -e ".directories[] | select(.target == \"$WORK/$1\") | $2" <<<"$answer"
}

@test "a row for each directory, and what the store is" {
	mkdir src other
	echo 123 >src/file
	at 2026-11-20T10-00-00 backuptool snapshot --target-directory src -q
	echo 45 >>src/file
	at 2026-11-20T12-00-00 backuptool snapshot --target-directory src -q
	at 2026-11-21T12-00-00 backuptool snapshot --target-directory other -q --host "far away"
	run -0 --separate-stderr at 2026-11-21T12-00-00 backuptool status
	[ -z "$stderr" ]
	[[ ${lines[0]} =~ ^HOST\ +TARGET\ +NEWEST\ +AGE\ +SIZE\ +CHANGE\ +SNAPSHOTS ]]
	[[ ${lines[1]} =~ ^far\ away\ +$WORK/other\ +2026-11-21\ 12:00:00\ UTC\ +0\ s\ +0\ B\ +1$ ]]
	[[ ${lines[2]} =~ $WORK/src\ +2026-11-20\ 12:00:00\ UTC\ +24\ h\ +7\ B\ +\+3\ B\ +2$ ]]
	[[ ${lines[3]} =~ ^3\ snapshots\ in\ [0-9.]+\ KiB\;\ .*\ free$ ]]
	[ "${lines[4]}" = "last check: not known" ]
	run -0 at 2026-11-21T12-00-00 backuptool status --json
	jq -e '.snapshots == 3 and .store_bytes > 1000 and .free_bytes > 0 and .problems == [] and (.store_id | length) == 32 and
		(.directories | length == 2) and (.directories[1] | .age == 86400 and .size == 7 and .size_before == 4 and .files == 1 and
		.snapshots == 2 and .incomplete == false and .unread == 0 and .run_exit == 0 and .failed_in_a_row == 0 and .job == null)' <<<"$output"
	run -0 status -q
	[ -z "$output" ]
	run -0 status --host "far away" --json
	jq -e '.snapshots == 1 and (.directories | length == 1) and .directories[0].host == "far away"' <<<"$output"
	run -1 --separate-stderr status --host "far away" --max-age 1d -q
	[[ $stderr == *": far away:$WORK/other: the newest snapshot is "*" old, more than 24 h" ]]
	run -10 status --store none
	run -2 status --json --openmetrics
}

@test "a directory that never was is no task, and one that is gone is a failure" {
	mkdir src
	take src -q
	run -1 backuptool snapshot --target-directory scr
	run -1 backuptool snapshot --target-directory snapshots/id
	run -0 status --max-age 1d -q
	[ "$(status --json | jq '.directories | length')" = 1 ]
	mv src away
	run -1 backuptool snapshot --target-directory src
	row src '.run_exit == 1'
}

@test "--max-age is a probe" {
	mkdir src other
	run -1 --separate-stderr bash -c 'mkdir empty; touch empty/lock; backuptool status --store empty --max-age 1d'
	[ "$stderr" = "backuptool status: the store has no snapshot" ]
	at 2026-11-20T10-00-00 backuptool snapshot --target-directory src -q --host h
	at 2026-11-21T10-00-00 backuptool snapshot --target-directory other -q --host h
	run -0 --separate-stderr at 2026-11-21T11-00-00 backuptool status --max-age 26h
	run -1 --separate-stderr at 2026-11-21T13-00-00 backuptool status --max-age 26h -q
	[ -z "$output" ]
	[ "$stderr" = "backuptool status: h:$WORK/src: the newest snapshot is 27 h old, more than 26 h" ]
	run -1 --separate-stderr at 2026-11-24T13-00-00 backuptool status --max-age 26h --json
	jq -e '.problems | length == 2' <<<"$output"
	[ "$(wc -l <<<"$stderr")" = 2 ]
	run -2 status --max-age soon
	for option in --max-age --check-age; do
		run -2 status "$option" 6m
		[[ $output == *"$option '6m' is not clear: m could be minutes or months; write min or months"* ]]
		run at 2026-11-20T10-05-00 backuptool status "$option" 6min
		[ "$status" != 2 ]
	done
}

@test "what is incomplete is a problem, what changed meanwhile is none" {
	mkdir -p src/closed
	is_root || chmod 000 src/closed
	as_user true
	if is_root; then
		reachable_tool
		chmod 777 .
		chmod 700 src/closed
		run -3 as_user backuptool snapshot --target-directory src -q
	else
		run -3 take src -q
	fi
	run -1 --separate-stderr status --max-age 1d
	[[ $output == *" 1 unread; the last run, at "*" ended with 3"* ]]
	[[ $stderr == *": the newest snapshot is incomplete: 1 entry could not be read" ]]
	row src '.incomplete and .unread == 1 and .run_exit == 3 and .failed_in_a_row == 1'
}

@test "a directory that did not change is as recent as the run that saw it" {
	mkdir src
	touch src/a
	at 2026-11-20T10-00-00 backuptool snapshot --target-directory src -q
	at 2026-11-22T10-00-00 backuptool snapshot --target-directory src -q --skip-if-unchanged
	run -0 at 2026-11-22T11-00-00 backuptool status --max-age 2h
	[[ $output == *"nothing changed until 2026-11-22 10:00:00 UTC"* ]]
	cp -a snapshots aside
	take src -q
	row src '.unchanged_until == null'
	rm -r snapshots
	mv aside snapshots
	run -1 at 2026-11-22T13-00-00 backuptool status --max-age 2h
	run -0 at 2026-11-22T11-00-00 backuptool status --json
	jq -e '.directories[0] | .age == 176400 and .unchanged_until[:19] == "2026-11-22T10:00:00"' <<<"$output"
}

@test "a clock that was set back" {
	mkdir src
	touch src/a
	at 2026-11-20T10-00-00 backuptool snapshot --target-directory src -q
	at 2030-01-01T00-00-00 backuptool snapshot --target-directory src -q
	at 2030-01-01T00-00-00 backuptool check -q
	run -0 at 2026-11-20T11-00-00 backuptool status --max-age 2h
	[[ $output == *"2026-11-20 10:00:00 UTC  60 min"* ]]
	run -1 --separate-stderr at 2026-11-20T11-00-00 backuptool status --check-age 2h
	[[ $stderr == *"the time of the last check of the store is in the future" ]]
	rm snapshots/snapshot_2026*
	run -1 --separate-stderr at 2026-11-20T11-00-00 backuptool status --max-age 2h
	[[ $stderr == *"is in the future, so how old"* ]]
	[[ $output == *"in the future"* ]]
}

@test "checks and prunes, and what looked at little does not count" {
	mkdir src
	for _ in 1 2 3; do take src -q; done
	run -1 --separate-stderr status --check-age 30d
	[ "$stderr" = "backuptool status: when the store was checked is not known" ]
	backuptool check -q --quick
	backuptool check -q latest
	run -1 status --check-age 30d
	at 2026-11-20T10-00-00 backuptool check -q --subset 1/7
	run -0 at 2026-12-19T10-00-00 backuptool status --check-age 30d
	[[ $output == *"last check: 2026-11-20 10:00:00 UTC (1/7 of the contents): no damage found"* ]]
	run -1 --separate-stderr at 2026-12-21T10-00-00 backuptool status --check-age 30d
	[ "$stderr" = "backuptool status: the last check of the store was 31 days ago, more than 30 days" ]
	at 2026-11-21T10-00-00 backuptool prune --keep-last 2 -q
	run -0 status
	[[ $output == *"last prune of the store: 2026-11-21 10:00:00 UTC"* ]]
	status --json | jq -e '.check_subset == "1/7" and .check_findings == 0 and .prune_exit == 0 and (.check_time | startswith("2026-11-20T10"))'
	damage "snapshots/$(newest)"
	run -1 backuptool check -q --quick
	run -1 --separate-stderr status --check-age 30d
	[[ $stderr == *"the last check of the store has "*" finding"* ]]
	[[ $stderr == *"1 snapshot is damaged; 'backuptool check' says more"* ]]
	run -1 --separate-stderr status --json
	jq -e '.damaged == 1 and .check_findings > 0' <<<"$output"
}

@test "runs that failed are told, and how many in a row" {
	mkdir src
	take src -q
	for n in 1 2; do
		run -1 take src --before 'exit 4'
		row src ".run_exit == 1 and .failed_in_a_row == $n and .run_error == \"the hook 'exit 4' ended with 4\""
	done
	run -1 take src --before 'exit 4' --on-failure 'echo $BACKUPTOOL_FAILURES >failures'
	[ "$(cat failures)" = 3 ]
	run -0 status
	[[ $output == *"ended with 1: the hook 'exit 4' ended with 4; 3 in a row did not end with 0"* ]]
	take src -q --before 'exit 75'
	row src '.failed_in_a_row == 3'
	take src -q
	row src '.run_exit == 0 and .run_error == null and .failed_in_a_row == 0'
	take src -n
	rmdir src
	run -1 take src
	row src '.run_exit == 1 and (.run_error | startswith("there is no directory"))'
	mkdir never
	run -1 take never --before 'exit 4'
	run -1 --separate-stderr status --max-age 1d
	[[ $stderr == *":$WORK/never has no snapshot" ]]
	[[ $output == *"no snapshot; the last run, at "* ]]
}

@test "a job that waits, that works, and that is gone" {
	mkdir src
	backuptool job --target-directory src --interval 1h --duration forever --keep-last 3 \
		--before 'test $BACKUPTOOL_RUN = 1' >/dev/null 2>&1 3>&- &
	worker=$!
	wait_until row src '.job == "waiting"'
	row src '.run_exit == 0 and .next_run != null and .prune_exit == 0'
	run -0 status
	[[ $output == *"the job's next run is at "* ]]
	for _ in $(seq 70); do # more than there is room for in its queue
		row src '.job == "waiting"'
	done
	run -11 backuptool job --target-directory src --interval 1h --duration 0
	kill "$worker"
	wait "$worker"
	row src '.job == null'
	python3 -c '
import fcntl, os, struct, time
lock = open("snapshots/lock", "a+")
fcntl.fcntl(lock, fcntl.F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
open("held", "w").close()
while not os.path.exists("release"):
    time.sleep(0.01)' 3>&- &
	wait_until test -e held
	backuptool job --target-directory src --interval 1h --duration 0 --at-start >/dev/null 2>&1 3>&- &
	worker=$!
	wait_until eval '[ "$(backuptool --store snapshots status --lock-wait 0 --json | jq -r ".directories[0].job")" = running ]'
	backuptool status --lock-wait 0 --json | jq -e --arg pid "$worker" '.directories[0].job_process | contains("process " + $pid)'
	touch release
	wait "$worker"
}

@test "success runs when it works again, also after a restart of the job" {
	mkdir src
	run -1 backuptool job --target-directory src --interval 1h --duration 0 --at-start --before 'exit 1'
	take src -q # not of the job, but of the directory
	run -1 take src --before 'exit 1'
	run -0 backuptool job --target-directory src --interval 1h --duration 0 --at-start --on-success 'echo "$BACKUPTOOL_FAILURES" >good'
	[ "$(cat good)" = 1 ]
}

@test "metrics" {
	mkdir $'a"b\\c\nd' $'bad\xff'
	take $'a"b\\c\nd' -q
	take $'bad\xff' -q --host h
	backuptool check -q
	run -0 status --openmetrics
	[ "${lines[-1]}" = "# EOF" ]
	[[ $output == *"target=\"$WORK/a\\\"b\\\\c\\nd\"} 1"* ]]
	[[ $output == *"{host=\"h\",target=\"$WORK/bad\\\\xff\"} "* ]]
	printf '%s\n' "$output" >metrics
	python3 - <<-'END'
		import re
		lines = open('metrics', encoding='utf-8').read().split('\n')
		assert lines[-2:] == ['# EOF', '']
		family, seen, samples = None, set(), 0
		for line in lines[:-2]:
		    meta = re.fullmatch(r'# (TYPE|UNIT|HELP) ([a-z_]+) (.+)', line)
		    if meta:
		        if meta[1] == 'TYPE':
		            family = meta[2]
		            assert meta[3] == 'gauge' and family not in seen
		            seen.add(family)
		        assert meta[2] == family
		        assert meta[1] != 'UNIT' or family.endswith('_' + meta[3])
		        continue
		    sample = re.fullmatch(r'([a-z_]+)(?:\{host="((?:[^"\\\n]|\\["\\n])*)",target="((?:[^"\\\n]|\\["\\n])*)"\})? (-?[0-9]+)', line)
		    assert sample and sample[1] == family, line
		    samples += 1
		assert samples > 20 and 'backuptool_last_snapshot_timestamp_seconds' in seen
	END
}

@test "lost and hostile state is not known, and nothing else" {
	mkdir src
	take src -q
	backuptool check -q
	for text in '' '{' 'null' '{"format":"backuptool-state","task":"run"}' "$(head -c 100000 /dev/zero | tr '\0' x)"; do
		for file in snapshots/state/*; do
			printf '%s\n' "$text" >"$file"
		done
		run -0 --separate-stderr status
		[ -z "$stderr" ]
		[[ $output == *"last check: not known"* ]]
		row src '.run_exit == null and .snapshots == 1'
	done
	take src -q
	row src '.run_exit == 0'
	rm -r snapshots/state
	run -0 status
	mkfifo snapshots/state
	take src -q
	run -0 status
	rm snapshots/state
	ln -s "$WORK/elsewhere" snapshots/state
	mkdir elsewhere
	take src -q
	run -0 status
	[ -z "$(ls elsewhere)" ]
	rm snapshots/state
	run -0 backuptool check
}

@test "a store that cannot be written, or is another user's" {
	mkdir src
	take src -q
	backuptool check -q
	reachable_tool
	chmod -R a+rX snapshots src
	before=$(find snapshots -printf '%p %T@\n' | sort)
	run -0 as_user backuptool status
	run -0 as_user backuptool check -q
	if is_root; then # else it may be written
		[ "$before" = "$(find snapshots -printf '%p %T@\n' | sort)" ]
		run -0 as_user backuptool status --json
		jq -e '.directories[0].run_exit == 0 and .check_exit == 0' <<<"$output" || [ "$(stat -c %a snapshots/state)" = 700 ]
	fi
}

@test "in root's hands the state of a user's store is the user's" {
	is_root || skip "only root gives files away"
	mkdir src
	mkdir -m 700 snapshots
	chown 65534:65534 snapshots
	take src -q
	[ "$(stat -c %u snapshots/state)" = 65534 ]
	[ "$(stat -c %u snapshots/state/run-*)" = 65534 ]
	reachable_tool
	chown -R 65534:65534 src .
	run -0 as_user backuptool status
	run -0 as_user backuptool snapshot --target-directory src -q
}

@test "many rows, and two jobs that write at the same time" {
	mkdir src one two
	for n in $(seq 30); do
		take src -q --host "host$n" >/dev/null
	done
	status --json | jq -e '.directories | length == 30 and (map(.host) | . == sort)'
	backuptool job --target-directory one --interval 100ms --duration 1s >/dev/null 3>&- &
	worker=$!
	backuptool job --target-directory two --interval 100ms --duration 1s >/dev/null
	wait "$worker"
	row one '.run_exit == 0'
	row two '.run_exit == 0'
	[ -z "$(find snapshots/state -name '.tmp*')" ]
}
