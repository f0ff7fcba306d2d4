#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A directory that is empty where the snapshot before was not: most often a disk that is not mounted.
# shellcheck disable=SC2154
load helper

teardown() {
	unmount_work
	remove_work
}

SENTENCE="nothing is left in src, where the snapshot before had something: is everything mounted? if this is right, give --allow-empty"

three() {
	mkdir -p src
	touch src/{1,2,3}
	settle
}

@test "it is said, the command ends with 3, and the snapshot is taken" {
	three
	take src -q
	rm src/*
	run -3 --separate-stderr take src
	stderr_is "backuptool snapshot: $SENTENCE"
	[[ ${lines[1]} == "files: 0 new files, 0 changed, 0 unchanged; 3 entries removed" ]]
	[ "$(backuptool list --json | jq length)" = 2 ]
	# It is not empty of a sudden the next time.
	run -0 --separate-stderr take src
}

@test "directories alone are nothing" {
	three
	take src -q
	rm src/*
	mkdir src/lost+found
	run -3 --separate-stderr take src -q
	stderr_is "backuptool snapshot: $SENTENCE"
}

@test "what the snapshot before did not have is not missed, nor is another directory's" {
	mkdir src
	run -0 --separate-stderr take src -q
	run -0 --separate-stderr take src -q
	three
	take src -q
	mkdir other
	run -0 --separate-stderr take other -q
	[ -z "$stderr" ]
}

@test "--allow-empty accepts it" {
	three
	take src -q
	rm src/*
	run -0 --separate-stderr take src -q --allow-empty
	[ -z "$stderr" ]
}

@test "--skip-if-unchanged, a dry run and --json tell it as well" {
	three
	take src -q
	rm src/*
	run -3 --separate-stderr take src -q --dry-run
	stderr_is "backuptool snapshot: $SENTENCE"
	run -3 --separate-stderr take src --skip-if-unchanged --json
	[ "$(jq -c '[.emptied, .skipped, .removed_entries]' <<<"$output")" = "[true,false,3]" ]
	stderr_is "backuptool snapshot: $SENTENCE"
}

@test "a job says so, ends with 3, and keeps what is good" {
	mkdir src
	mount_or_skip -t tmpfs none src
	three
	backuptool job --target-directory src --interval 200ms --duration forever --keep-last 3 >lines 2>errors 3>&- &
	job=$!
	wait_until grep -q "run 2" lines
	wait_until umount src 2>umounts # not while a run is at work
	wait_until grep -q "nothing is left" lines
	last=$(grep -c . lines)
	wait_until grep -q "run $((last + 5)):" lines
	kill "$job"
	status=0
	wait "$job" || status=$?
	[ "$status" = 3 ]
	grep -q "job: $SENTENCE" errors
	[ "$(backuptool list --json | jq '[.[].files] | max')" = 3 ]
}

@test "jobs and services take --allow-empty" {
	three
	take src -q
	rm src/*
	run -0 --separate-stderr backuptool job --target-directory src --interval 1 --duration 0 --allow-empty
	[ -z "$stderr" ]
	run -0 backuptool schedule --target-directory src --interval 1h --allow-empty --print
	[[ $output == *" --allow-empty"* ]]
}

@test "a directory that lost more than half of its files and bytes is told, and ends with 0" {
	mkdir src
	for i in $(seq 10); do head -c 1000 /dev/urandom >"src/$i"; done
	take src -q
	rm src/{1,2,3,4,5}
	run -0 --separate-stderr take src
	[[ ${lines[1]} == *"; 5 entries removed (4.9 KiB)" ]]
	rm src/{6,7,8}
	run -0 --separate-stderr take src --json
	[ "$(jq .shrank <<<"$output")" = true ]
	rm src/9
	touch src/9
	echo >src/10
	run -0 --separate-stderr take src
	[[ $output != *"less than half"* ]]
	rm src/9
	for i in 1 2 3; do head -c 1000 /dev/urandom >"src/$i"; done
	take src -q
	rm src/{1,2,3}
	run -0 --separate-stderr take src
	[[ ${lines[1]} == *"; 3 entries removed (2.9 KiB); less than half of the files and bytes of the snapshot before" ]]
	[ -z "$stderr" ]
}
