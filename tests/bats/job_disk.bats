#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A job that waits holds nothing in its store, meets no other store than its own, and goes on where it was.
# shellcheck disable=SC2154
load helper

teardown() {
	local pid
	for pid in $taker $holder; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait
	while mountpoint -q "$WORK/usb"; do
		umount -l "$WORK/usb"
	done
	remove_work
}

job() {
	backuptool job --target-directory "$@"
}

start_job() {
	rm -f log errors
	backuptool job --target-directory src --store usb/store "$@" >log 2>errors 3>&- &
	taker=$!
}

end_job() {
	local expected=$1
	kill "$taker"
	result=0
	wait "$taker" || result=$?
	taker=
	[ "$result" = "$expected" ]
}

runs() {
	[ "$(grep -c '^run' log)" -ge "$1" ]
}

taken() {
	[ "$(grep -c ': snapshot_' log)" -ge "$1" ]
}

with_disk() {
	is_root || skip "only root mounts"
	mkdir -p usb src
	echo text >src/file
	mount -t tmpfs tmpfs usb
}

@test "between two runs the disk can be unmounted; a run without it fails, says why, and the next one with it works" {
	local options
	for options in '' --watch; do
		with_disk
		start_job --interval 1s --duration forever $options
		wait_until runs 1
		# Not while a run is at work.
		wait_until umount usb
		wait_until grep -Eq '^run [0-9]*: no snapshot: its store is not there, is the disk mounted\?(; missed: .*)?$' log
		grep -q 'there is no store at usb/store: is the disk mounted?' errors
		wait_until grep -q '^run [0-9]*: no snapshot: .*; 2 failed in a row' log
		[ -z "$(ls -A usb)" ]
		mount -t tmpfs tmpfs usb
		mkdir usb/store
		local before
		before=$(grep -c '^run' log)
		wait_until runs $((before + 2)) # one of them began after that
		[ "$(grep -c '^run [0-9]*: no snapshot' log)" -ge 4 ]
		end_job 10
		umount usb
		[ -z "$(ls -A usb)" ]
		rm -r usb
	done
}

@test "the disk comes back: the job goes on in the same store" {
	is_root || skip "only root mounts"
	mkdir -p usb src
	echo text >src/file
	truncate -s 20M image
	mkfs.ext4 -q image
	mount -o loop image usb || skip "no loop devices"
	start_job --interval 1s --duration forever
	wait_until runs 1
	wait_until umount usb
	wait_until grep -q 'no snapshot' log
	local before
	before=$(grep -c ': snapshot_' log)
	mount -o loop image usb
	wait_until taken $((before + 1))
	end_job 10
	[[ $(grep ': snapshot_' log | tail -n 1) == *": 0 new"* ]]
	[ "$(find usb/store -maxdepth 1 -name 'snapshot_*' | wc -l)" -ge $((before + 1)) ]
}

@test "another store in its place is not taken" {
	mkdir -p usb src
	start_job --interval 300ms --duration forever
	wait_until runs 1
	mv usb/store usb/away
	backuptool snapshot -q --store usb/store --target-directory usb/away/cache >/dev/null
	before=$(find usb/store | sort)
	wait_until grep -q 'the store at usb/store is another one than' errors
	[ "$(find usb/store | sort)" = "$before" ]
	rm -r usb/store
	mv usb/away usb/store
	wait_until taken $(($(grep -c ': snapshot_' log) + 1))
	end_job 10
}

# A full pipe: the job cannot say that it took its first snapshot, and so does not go on, before somebody reads.
start_job_into_full_pipe() {
	rm -f pipe errors
	mkfifo pipe
	exec 4<>pipe
	dd if=/dev/zero bs=4096 oflag=nonblock >&4 2>/dev/null || true
	backuptool job --target-directory src --store usb/store "$@" >pipe 2>errors 3>&- 4>&- &
	taker=$!
	wait_until compgen -G 'usb/store/snapshot_*'
}

read_pipe() {
	exec 5<pipe 4>&-
	tr -d '\0' <&5 >log
	exec 5<&-
}

@test "a job whose disk is away at the end ends with 10, by its duration and when it gives up" {
	local options
	for options in "--duration 2s" "--duration forever --give-up-after 2" "--duration 2s --json"; do
		with_disk
		# shellcheck disable=SC2086
		start_job_into_full_pipe --interval 1s $options
		wait_until umount usb
		read_pipe
		result=0
		wait "$taker" || result=$?
		taker=
		[ "$result" = 10 ]
		[ -z "$(ls -A usb)" ]
		rmdir usb
	done
	[ "$(jq -s '.[-1].exit' log)" = 10 ]
}

@test "a job that waits has no descriptor in the store, and keeps a second one out" {
	mkdir -p usb src
	for options in '' --watch; do
		start_job --interval 1h --duration forever --at-start $options
		wait_until runs 1
		wait_until eval '! ls -l "/proc/$taker/fd" | grep -q usb/store'
		run -11 --separate-stderr job src --store usb/store --interval 1 --duration 0
		[[ $stderr == *"another job protects"*"in this store already"* ]]
		run -0 job src --store other --interval 1 --duration 0
		run -0 job src --store usb/store --interval 1 --duration 0 --host another
		end_job 0
		run -0 job src --store usb/store --interval 1 --duration 0
	done
}

@test "a job that is started again takes the next snapshot when it is due" {
	mkdir -p usb src
	run -0 job src --store usb/store --interval 1h --duration 0
	[[ ${lines[-2]} == "run 1: "* ]]
	after=$(find usb/store -maxdepth 1 -name 'snapshot_*' -printf '%f\n')
	start_job --interval 1h --duration forever
	wait_until grep -q '^next snapshot at ' log
	[[ $(cat log) =~ ^next\ snapshot\ at\ [-0-9]+\ [:0-9]+\ UTC,\ one\ interval\ after\ $after\;\ --at-start\ takes\ one\ at\ once$ ]]
	end_job 0
	[ "$(find usb/store -maxdepth 1 -name 'snapshot_*' | wc -l)" = 1 ]
	run -0 job src --store usb/store --interval 2s --duration 0
	[ "$(find usb/store -maxdepth 1 -name 'snapshot_*' | wc -l)" = 2 ]
	[[ $output == *"run 1: "* ]]
	run -0 job src --store usb/store --interval 1h --duration 0 --at-start
	[ "$(find usb/store -maxdepth 1 -name 'snapshot_*' | wc -l)" = 3 ]
	mkdir other
	run -0 job other --store usb/store --interval 1h --duration 0
	[[ ${lines[0]} == "run 1: "* ]]
	run -0 job src --store usb/store --interval 1h --duration 0 --dry-run
	[[ ${lines[0]} == "run 1: "* ]]
}

@test "a snapshot from the future makes no job wait" {
	mkdir src
	take src -q
	mv snapshots/snapshot_* snapshots/snapshot_2090-01-01T00-00-00Z.json
	run -0 job src --interval 1h --duration 0
	[[ $output == *"run 1: "* ]]
}

@test "a job gives up after so many failed runs in a row, and says each" {
	mkdir src
	backuptool job --target-directory src --interval 200ms --duration forever --give-up-after 3 --json >log 2>errors 3>&- &
	taker=$!
	wait_until grep -q '"event":"run"' log
	mv src away
	result=0
	wait "$taker" || result=$?
	taker=
	[ "$result" = 1 ]
	jq -s -e '[.[] | select(.event == "run") | .failed_in_a_row | select(. != null)] == [1, 2, 3]' log
	[[ $(tail -n 1 errors) == "backuptool job: gave up after 3 failed runs in a row" ]]
}

@test "a run without its store says so to programs, too" {
	mkdir src
	backuptool job --target-directory src --interval 300ms --duration forever --json >log 2>errors 3>&- &
	taker=$!
	wait_until grep -q '"event":"run"' log
	mv snapshots away
	wait_until grep -q '"exit":10' log
	end_job 10
	[ "$(jq -r 'select(.event == "run" and .exit == 10).error' log | sort -u)" = "its store is not there, is the disk mounted?" ]
	[ "$(jq -r 'select(.event == "run" and .exit == 0).error' log | sort -u)" = null ]
}

@test "in the journal a failure is an error" {
	mkdir src
	run -1 bash -c 'exec 2>journal
		export JOURNAL_STREAM=$(stat -L -c %d:%i /dev/stderr)
		backuptool job --target-directory missing --interval 1 --duration 0'
	grep -q '^<3>backuptool job: there is no directory missing' journal
	run -1 bash -c 'exec 2>journal
		JOURNAL_STREAM=1:1 backuptool job --target-directory missing --interval 1 --duration 0'
	grep -q '^backuptool job: ' journal
}

@test "the host can be given, and its absence is told" {
	mkdir src
	echo text >src/file
	run -0 --separate-stderr take src -q --host one
	[[ $stderr != *"the host"* ]]
	[ "$(backuptool list --json | jq -r '.[0].host')" = one ]
	run -0 --separate-stderr take src
	[[ $stderr == *"is of the host one, so everything was read; if it is the same directory, give --host one"* ]]
	run -0 --separate-stderr take src --host one
	[ "$stderr" = "" ]
	[[ $output == *"0 new files, 0 changed, 1 unchanged"* ]]
	for _ in 1 2; do
		run -0 --separate-stderr job src --host one --at-start --interval 1h --duration 0 --keep-last 2
		[ "$stderr" = "" ]
	done
	[ "$(backuptool list --json | jq '[.[] | select(.host == "one")] | length')" = 2 ]
	run -2 take src --host ''
	run -2 take src --host $'a\nb'
	[[ $(backuptool schedule --target-directory src --interval 1h --host one --print) == *" --host=one"* ]]
}
@test "a source that is empty where it was not prunes nothing" {
	mkdir -p src
	echo 1 >src/f1
	echo 2 >src/f2
	take src -q
	rm src/f?
	run -3 job src --interval 1 --duration 0 --keep-last 1
	[[ $output == *"src is empty, the last snapshot had 2 files: nothing was pruned"* ]]
	run backuptool list --json
	[ "$(jq length <<<"$output")" = 2 ]
}

