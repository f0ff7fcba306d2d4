#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Commands of the user's that run before and after the work.
# shellcheck disable=SC2154,SC2016
load helper

teardown() {
	local pid
	for pid in $worker $listener $(cat pids 2>/dev/null); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait
	remove_work
}

# A hook that writes what it was told, without what is the same each time.
told() {
	printf 'env | grep ^BACKUPTOOL_ | grep -v -e _COMMAND= -e _STORE= | sort >%s' "$1"
}

is_gone() {
	! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status"
}

@test "hooks run in their order, and are told what was done" {
	mkdir src
	echo one >src/a
	run -0 --separate-stderr take src --before 'echo before >&2; echo to standard output' --after 'echo after' \
		--on-success 'echo good' --on-failure 'echo bad' --before 'echo second'
	[[ $stderr == "before"$'\n'"to standard output"$'\n'"second"$'\n'"backuptool snapshot: made a new store"*$'\n'"good"$'\n'"after" ]]
	[[ $output == "snapshot snapshot_"* ]]
	take src --before "$(told before)" --on-success "$(told good)" --after "$(told after)"
	diff before <(printf 'BACKUPTOOL_%s\n' FAILURES=0 "TARGET=$WORK/src")
	diff good <(printf 'BACKUPTOOL_%s\n' CHANGED=0 EXIT=0 FAILURES=0 NEW=0 NEW_BYTES=0 REMOVED=0 "SNAPSHOT=$(newest)" "TARGET=$WORK/src")
	diff good after
	take src --after 'env >environment; readlink /proc/self/fd/0 >input; backuptool list --json | jq length >lines'
	grep -qx "BACKUPTOOL_STORE=$WORK/snapshots" environment
	grep -qx BACKUPTOOL_COMMAND=snapshot environment
	[ "$(cat input)" = /dev/null ]
	[ "$(cat lines)" = 3 ]
}

@test "a hook before the work that fails: no snapshot, code 1, and what comes after runs" {
	mkdir src
	run -1 --separate-stderr take src --before 'exit 3' --before 'touch second' --after "$(told after)" \
		--on-success 'touch good' --on-failure "$(told bad)"
	[ -z "$output" ]
	[ "$stderr" = "backuptool snapshot: the hook 'exit 3' ended with 3" ]
	[ ! -e snapshots ]
	[ ! -e second ]
	[ ! -e good ]
	diff bad <(printf 'BACKUPTOOL_%s\n' "ERROR=the hook 'exit 3' ended with 3" EXIT=1 FAILURES=1 "TARGET=$WORK/src")
	diff bad after
	run -1 --separate-stderr take src --before 'kill -TERM $$'
	[ "$stderr" = "backuptool snapshot: the hook 'kill -TERM \$\$' was ended by signal 15 (Terminated)" ]
	run -1 --separate-stderr take src --before 'no-such-program'
	[[ $stderr == *"'no-such-program' ended with 127" ]]
}

@test "a hook that ends with 75 puts the work off" {
	mkdir src
	run -0 --separate-stderr take src --before 'exit 75' --after "$(told after)" --on-success 'touch good' --on-failure 'touch bad'
	[ "$output" = "put off: the hook 'exit 75' ended with 75" ]
	[ -z "$stderr" ]
	[ ! -e snapshots ]
	[ ! -e good ]
	[ ! -e bad ]
	grep -qx BACKUPTOOL_EXIT=75 after
	run -0 take src --before 'exit 75' --json
	[ "$output" = '{"put_off":true,"error":"the hook '"'exit 75'"' ended with 75"}' ]
	run -0 take src --before 'exit 75' -q
	[ -z "$output" ]
	take src
	run -0 backuptool check --before 'exit 75'
	[[ $output == "put off: "* ]]
	run -0 backuptool prune --keep-daily 1 --before 'exit 75' --json
	[[ $output == '{"put_off":true,'* ]]
}

@test "a hook of what failed, or is incomplete" {
	mkdir src
	run -1 --separate-stderr take missing --on-failure "$(told bad)" --on-success 'touch good'
	grep -qx "BACKUPTOOL_ERROR=${stderr#backuptool snapshot: }" bad
	[ ! -e snapshots ]
	touch src/file
	take src
	rm src/file
	run -3 take src --on-failure "$(told bad)" --on-success 'touch good'
	grep -qx BACKUPTOOL_EXIT=3 bad
	grep -q "^BACKUPTOOL_ERROR=nothing is left in " bad
	grep -qx "BACKUPTOOL_SNAPSHOT=$(newest)" bad
	[ ! -e good ]
	run -2 take src --on-failure 'touch usage' --no-such
	[ ! -e usage ]
}

@test "a hook after the work that fails is told, and the code is 3" {
	mkdir src
	run -3 --separate-stderr take src --on-success 'exit 1' --on-success 'touch good' --after 'exit 2' --after 'touch after'
	[[ $stderr == *"the hook 'exit 1' ended with 1"*"the hook 'exit 2' ended with 2" ]]
	[ -e good ]
	[ -e after ]
	run -10 backuptool --store none check --after 'exit 2'
}

@test "check and prune have hooks, and a dry run has none" {
	mkdir src
	take src
	take src
	run -0 backuptool check --before 'touch before' --on-success "$(told good)"
	[ -e before ]
	grep -qx BACKUPTOOL_EXIT=0 good
	run -0 backuptool prune --snapshot-number 1 --on-success "$(told good)"
	grep -qx BACKUPTOOL_REMOVED=1 good
	damage "snapshots/$(newest)"
	run -1 backuptool check --on-failure "$(told bad)"
	grep -q '^BACKUPTOOL_ERROR=[1-9][0-9]* finding' bad
	for command in "snapshot --target-directory src" "prune --snapshot-number 1" "check --repair"; do
		# shellcheck disable=SC2086
		backuptool $command --dry-run --before 'touch dry' --after 'touch dry' || true
	done
	backuptool job --target-directory src --interval 1s --duration 0 --dry-run --before 'touch dry'
	[ ! -e dry ]
}

@test "a hook that hangs is ended with all that it started" {
	mkdir src
	run -1 --separate-stderr take src --hook-timeout 1s --before 'echo $$ >pids; sleep 1000 & echo $! >>pids; trap "" TERM; wait; sleep 1000' --after 'touch after'
	[[ $stderr == *"took longer than 1.00 s; --hook-timeout gives it more" ]]
	[ -e after ]
	[ ! -e snapshots ]
	for pid in $(cat pids); do
		wait_until is_gone "$pid"
	done
	run -2 take src --hook-timeout 0
	[[ $output == *"--hook-timeout"* ]]
}

@test "a hook that leaves a daemon is not waited for" {
	mkdir src
	take src --before 'sleep 1000 & echo $! >pids' --after 'touch after'
	[ -e after ]
	[ "$(snapshots_made)" = 1 ]
	kill -0 "$(cat pids)"
}

snapshots_made() {
	find snapshots -maxdepth 1 -name 'snapshot_*.json' | wc -l
}

@test "a hook that writes much" {
	mkdir src
	take src --before 'head -c 20000000 /dev/zero' 2>written
	[ "$(head -c 20000000 written | tr -d '\0' | wc -c)" = 0 ]
	[ "$(snapshots_made)" = 1 ]
	take src --before 'head -c 20000000 /dev/zero' 2>/dev/full || true
	[ "$(snapshots_made)" -le 2 ]
}

@test "a hook that kills its parent, its group, or the group of its parent" {
	mkdir src
	for victim in '$PPID' '-$(ps -o pgid= $PPID | tr -d " ")' 0; do
		rm -f after
		run -1 --separate-stderr take src --before "kill -9 $victim; sleep 1000" --after 'touch after'
		[[ $stderr == *"was ended by signal 9 (Killed)" ]]
		[ -e after ]
	done
	[ ! -e snapshots ]
}

@test "hooks have the rights that the command gives up" {
	mkdir src
	take src --before 'grep NoNewPrivs /proc/self/status >rights'
	[ "$(grep -c 'NoNewPrivs:.0' rights)" = "$(grep -c 'NoNewPrivs:.0' /proc/self/status)" ]
	take src --before 'grep -e SigIgn -e SigBlk /proc/self/status >signals'
	grep -q 'SigBlk:.0*$' signals
}

@test "a signal ends the hook that runs, and what comes after runs" {
	mkdir src
	for name in INT TERM; do
		rm -f pids after
		env --default-signal=INT backuptool snapshot --target-directory src \
			--before 'echo $$ >pids.new; mv pids.new pids; sleep 1000 & wait' \
			--after "$(told after)" --on-failure 'touch bad' 2>said 3>&- &
		worker=$!
		wait_until test -s pids
		kill "-$name" "$worker"
		code=0
		wait "$worker" || code=$?
		[ "$code" = 130 ]
		wait_until is_gone "$(cat pids)"
		grep -q "was interrupted" said
		grep -qx BACKUPTOOL_EXIT=130 after
	done
	[ ! -e snapshots ]
}

@test "a program that is killed takes the hook that runs with it" {
	mkdir src
	backuptool snapshot --target-directory src --before 'echo $$ >pids.new; mv pids.new pids; sleep 1000' 2>/dev/null 3>&- &
	worker=$!
	wait_until test -s pids
	kill -KILL "$worker"
	wait_until is_gone "$(cat pids)"
}

@test "a job: failures each time, success when it works again" {
	mkdir src
	run -1 --separate-stderr backuptool job --target-directory src --interval 100ms --duration 850ms --at-start \
		--before 'case $BACKUPTOOL_RUN in 2 | 3) exit 4 ;; 4) exit 75 ;; esac' \
		--after 'echo "after $BACKUPTOOL_RUN $BACKUPTOOL_EXIT" >>told' \
		--on-failure 'echo "bad $BACKUPTOOL_RUN $BACKUPTOOL_FAILURES $BACKUPTOOL_ERROR" >>told' \
		--on-success 'echo "good $BACKUPTOOL_RUN $BACKUPTOOL_FAILURES" >>told'
	head -n 8 told | diff - <(
		echo "after 1 0"
		echo "bad 2 1 the hook 'case \$BACKUPTOOL_RUN in 2 | 3) exit 4 ;; 4) exit 75 ;; esac' ended with 4"
		echo "after 2 1"
		echo "bad 3 2 the hook 'case \$BACKUPTOOL_RUN in 2 | 3) exit 4 ;; 4) exit 75 ;; esac' ended with 4"
		echo "after 3 1"
		echo "after 4 75"
		echo "good 5 2"
		echo "after 5 0"
	)
	[ "$(grep -c good told)" = 1 ]
	[[ $output == *"run 3: no snapshot: the hook "*"; 2 failed in a row"* ]]
	[[ $output == *"run 4: put off: the hook "*"ended with 75"* ]]
	[[ $output == *" missed, 1 put off; "* ]] || [[ $output == *" 2 failed, 0 not pruned, "*"1 put off"* ]]
}

@test "a job's hook brings the store, and takes it away" {
	mkdir src away
	take src --store away/store -q
	run -0 backuptool --store here/store job --target-directory src --interval 100ms --duration 300ms --at-start \
		--store-id "$(sed 's/.*"id":"\([^"]*\)".*/\1/' away/store/id)" \
		--before 'mv away here' --after 'mv here away'
	[[ $output != *"no snapshot"* ]]
	[ "$(find away/store -name 'snapshot_*' | wc -l)" -ge 3 ]
	run -0 --separate-stderr backuptool job --store here/store --target-directory src --interval 100ms --duration 150ms --json \
		--before 'exit 75'
	jq -es 'map(select(.event == "run")) | length >= 1 and all(.put_off and .exit == 0 and .new == null)' <<<"$output"
	jq -es '.[-1] | .put_off == .runs and .snapshots == 0 and .exit == 0' <<<"$output"
	[ ! -e here ]
}

@test "a job that is ended while a hook runs puts the run off" {
	mkdir src
	backuptool job --target-directory src --interval 1h --duration forever \
		--before 'echo $$ >pids.new; mv pids.new pids; sleep 1000' --after 'touch after' --on-failure 'touch bad' >said 2>&1 3>&- &
	worker=$!
	wait_until test -s pids
	kill -TERM "$worker"
	wait "$worker"
	grep -q "run 1: put off: the hook 'echo .* was interrupted" said
	[ -e after ]
	[ ! -e bad ]
	[ ! -e snapshots ]
}

@test "a hook is not the service: its words do not reach the manager" {
	mkdir src
	NOTIFY_SOCKET=$WORK/ear WATCHDOG_USEC=1 run -0 take src --after 'env >environment'
	! grep -e NOTIFY -e WATCHDOG environment || false
}

@test "a service has the hooks of its job" {
	mkdir src
	backuptool schedule --target-directory src --interval 1h --print --before 'mount "$HOME/disk" || exit 75' --hook-timeout 1m >unit
	mapfile -d '' words < <("$TESTS/bats/exec_start.py" unit)
	[[ " ${words[*]} " == *' --before=mount "$HOME/disk" || exit 75 '* ]]
	[[ " ${words[*]} " == *" --hook-timeout=1m "* ]]
}

@test "an ordinary user's hooks" {
	is_root || skip "the others are an ordinary user's then"
	reachable_tool
	mkdir src
	chmod 777 .
	run -0 as_user backuptool snapshot --target-directory src --before 'id -u >user'
	[ "$(cat user)" = 65534 ]
}
