#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Everything at once, killed now and then.
# shellcheck disable=SC2154
load helper

@test "snapshots, prunes, checks and restores side by side, killed at random: the store stays whole" {
	count=40
	[ "${TEST_LONG:-0}" != 1 ] || count=2000
	run -0 --separate-stderr "$TESTS/bats/side_by_side.py" "$count" "${TEST_SEED:-1}"
	echo "$output" "$stderr"
	run -0 backuptool prune --keep-last 3 -q
	run -0 backuptool check
	names=(snapshots/snapshot_*.json)
	[ "${#names[@]}" = 3 ]
	for name in "${names[@]##*/}"; do
		bring "$name" out -q
		same "copies/$name" out
		rm -rf out
	done
}
