#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Which snapshot latest, latest~N and @TIME mean.
# shellcheck disable=SC2154
load helper

@test "a file whose name says another time than its header is damaged, and repair gives it its name" {
	mkdir src
	at 2026-01-02T00:00:00 backuptool snapshot --target-directory src -q
	mv snapshots/snapshot_2026-01-02T00-00-00Z.json snapshots/snapshot_2030-01-01T00-00-00Z.json
	reason="snapshot_2030-01-01T00-00-00Z.json: damaged (bad-name): the file's name states another time than its first line"
	run -1 --separate-stderr backuptool list
	stderr_is "backuptool list: $reason"
	for command in "ls 2030" "cat 2030:x" "dump 2030" "diff 2030" "stats" \
		"restore --snapshot-file 2030 --output-directory out"; do
		run --separate-stderr backuptool $command
		[ "$status" != 0 ]
		[[ $stderr == *"$reason"* ]]
	done
	run -1 --separate-stderr backuptool prune --keep-last 1
	[[ $stderr == *"mend the store with 'backuptool check --repair'"* ]]
	run -1 backuptool check
	[[ $output == *"$reason"* ]]
	backuptool restore --salvage --snapshot-file 2030 --output-directory out -q
	run -0 backuptool check --repair
	[ "$(backuptool list --names)" = snapshot_2026-01-02T00-00-00Z.json ]
	run -0 backuptool check
}
