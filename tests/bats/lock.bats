#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Waiting for others at work on the store.
# shellcheck disable=SC2154
load helper

teardown() {
	local pid
	for pid in $holder $waiting; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait
	remove_work
}

has_lock() {
	grep -qs OFDLCK "/proc/$1"/fdinfo/*
}

# A snapshot in the middle of its work, which shares the lock.
hold_by_snapshot() {
	mkdir src
	take src -q
	seq 6000000 >src/numbers
	backuptool snapshot --target-directory src --compression 19 -q 3>&- &
	holder=$!
	wait_until has_lock "$holder"
	kill -STOP "$holder"
}

end_holder() {
	kill -KILL "$holder"
	wait "$holder" || true
}

# In the background; asks for SIGINT, which background jobs of a shell do not get by themselves. A shell of its own waits
# for it, without the traps of bats, among which that of bash goes wrong now and then.
start() {
	rm -f pid result out err
	bash -c '"$@" & echo $! >pid.new; mv pid.new pid; wait $!; echo $? >result.new; mv result.new result' - \
		env --default-signal=INT backuptool "$@" >out 2>err 3>&- &
	wait_until test -e pid
	waiting=$(cat pid)
}

result_of_waiting() {
	wait_until test -e result
	result=$(cat result)
}

@test "a waiting command says whom it waits for, once, and goes on" {
	hold_by_snapshot
	start prune --snapshot-number 1 --lock-wait forever
	wait_until grep -q . err
	[ "$(cat err)" = "backuptool prune: waiting for backuptool snapshot (process $holder)…" ]
	end_holder
	result_of_waiting
	[ "$result" = 0 ]
	[ "$(wc -l <err)" = 1 ]
	run -0 --separate-stderr backuptool prune --snapshot-number 1 --lock-wait 0
	[ "$stderr" = "" ]
}

@test "who does not want to wait is told who is in the way" {
	hold_by_snapshot
	for command in "prune --snapshot-number 1" "remove latest --yes" "tag latest --add x" "check --repair"; do
		# shellcheck disable=SC2086
		run -11 --separate-stderr backuptool $command --lock-wait 0
		[ "$stderr" = "backuptool ${command%% *}: lock: locked by backuptool snapshot (process $holder); run it again later, or wait longer with --lock-wait 1h" ]
	done
	run -0 backuptool prune --snapshot-number 1 --lock-wait 0 --dry-run
}

@test "a store without rights is named" {
	reachable_tool
	mkdir src
	take src -q
	chmod -R a+rX snapshots src
	run -1 --separate-stderr as_user backuptool prune --snapshot-number 1
	stderr_is "backuptool prune: $WORK/snapshots/lock: open failed: Permission denied; run it as a user who may do this"
	chmod a+rw snapshots/lock
	run -1 --separate-stderr as_user backuptool snapshot --target-directory src
	stderr_is "backuptool snapshot: $WORK/snapshots: create a temporary file failed: Permission denied; run it as a user who may do this"
}

@test "a waiting command tells other programs whom it waits for" {
	hold_by_snapshot
	start prune --snapshot-number 1 --lock-wait forever --quiet --progress-fd 2
	wait_until grep -q waiting err
	[ "$(grep waiting err | jq -c '[.phase, .holder]')" = "[\"waiting\",\"backuptool snapshot (process $holder)\"]" ]
	end_holder
	result_of_waiting
	[ "$(tail -n 1 err | jq -c '[.phase, .code]')" = '["ended",0]' ]
}

@test "a process of somebody else is not known" {
	is_root || skip "needs root"
	reachable_tool
	hold_by_snapshot
	chmod -R a+rwX snapshots
	run -11 as_user backuptool prune --snapshot-number 1 --lock-wait 0
	[[ $output == *"lock: locked by another backuptool; run it again later"* ]]
}

@test "SIGINT and SIGTERM end the waiting at once" {
	hold_by_snapshot
	for command in "prune --snapshot-number 1" "remove latest --yes" "tag latest --add x" "check --repair"; do
		for name in INT TERM; do
			# shellcheck disable=SC2086
			start $command --lock-wait forever
			wait_until grep -q "waiting for backuptool snapshot" err
			kill "-$name" "$waiting"
			result_of_waiting
			[ "$result" = 130 ]
			[ "$(tail -n 1 err)" = "backuptool ${command%% *}: interrupted" ]
		done
	done
}

# A program that has the whole store for itself.
hold_alone() {
	python3 -c '
import fcntl, struct, time
lock = open("snapshots/lock", "a+")
fcntl.fcntl(lock, fcntl.F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
open("held", "w").close()
time.sleep(600)' 3>&- &
	local python=$!
	[ -z "$holder" ] || end_holder
	holder=$python
	wait_until test -e held
}

@test "a job that waits: the first signal ends it after the snapshot, the second one at once" {
	hold_by_snapshot
	mkdir other
	hold_alone
	start job --target-directory other --interval 1h --duration forever --lock-wait forever
	wait_until grep -q "waiting for python3 (process $holder)" err
	signal TERM "$waiting"
	kill -0 "$waiting"
	signal TERM "$waiting"
	result_of_waiting
	[ "$result" = 130 ]
	end_holder
}

@test "one prune at a time" {
	hold_by_snapshot
	start prune --snapshot-number 1 --lock-wait forever
	wait_until grep -q "waiting for" err
	run -11 --separate-stderr backuptool prune --snapshot-number 1 --lock-wait 0
	[ "$stderr" = "backuptool prune: lock: locked by backuptool prune (process $waiting); run it again later, or wait longer with --lock-wait 1h" ]
	run -11 backuptool check --repair --lock-wait 0
	[[ $output == *"locked by backuptool prune (process $waiting)"* ]]
	run -0 take src/.. -q --exclude '*' --lock-wait 0
	end_holder
	result_of_waiting
	[ "$result" = 0 ]
	run -0 backuptool prune --snapshot-number 1 --lock-wait 0
}

@test "of two tags that wait for the same lock, none is lost" {
	mkdir src
	take src -q --tag old
	hold_alone
	backuptool tag latest --add one --lock-wait forever 2>one 3>&- &
	local one=$!
	backuptool tag latest --add two --remove old --json --lock-wait forever >two.out 2>two 3>&- &
	local two=$!
	wait_until grep -q "waiting for python3" one
	wait_until grep -q "waiting for python3" two
	end_holder
	wait "$one"
	wait "$two"
	[ "$(backuptool list --json | jq -c '.[].tags')" = '["one","two"]' ]
	jq -e '.tags | index("two") and (index("old") | not)' two.out
}

@test "a lock that is not a file is followed by nobody, hangs nobody, and is named" {
	mkdir src
	take src -q
	name=$(newest)
	echo outside >outside
	for kind in link hanging directory pipe socket device; do
		rm -rf snapshots/lock
		case $kind in
		link) ln -s ../outside snapshots/lock ;;
		hanging) ln -s ../nothing snapshots/lock ;;
		directory) mkdir snapshots/lock ;;
		pipe) mkfifo snapshots/lock ;;
		socket) python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("snapshots/lock")' ;;
		device)
			is_root || continue
			mknod snapshots/lock c 1 3 2>/dev/null || continue
			;;
		esac
		for command in "snapshot --target-directory src" "prune --snapshot-number 1" "remove $name --yes" "tag latest --add a" \
			"check --repair"; do
			# shellcheck disable=SC2086
			run -1 timeout 60 backuptool $command
			[[ $output == *"lock: it is not a file, so the store cannot be locked; remove it, and a new one is made"* ]]
		done
		# where nobody can lock, nobody can delete: reading goes on
		for command in list check stats "restore --snapshot-file latest --output-directory out"; do
			# shellcheck disable=SC2086
			run -0 timeout 60 backuptool $command
		done
		[ ! -e nothing ]
		[ "$(cat outside)" = outside ]
	done
	rm -rf snapshots/lock
	run -0 take src
	[ -f snapshots/lock ]
}
