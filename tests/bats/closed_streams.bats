#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Programs that are started with their standard streams closed: no file that they open takes the place of one.
# shellcheck disable=SC2154
load helper

teardown() {
	unmount_work
	remove_work
}

@test "output that cannot be written is told" {
	small_tree src
	take src -q
	for command in "cat latest:docs/a.txt" "list" "dump latest" "snapshot --target-directory src"; do
		# shellcheck disable=SC2086
		run -1 --separate-stderr sh -c "exec backuptool $command <&- >&-"
		[[ $stderr == *"Bad file descriptor"* ]]
	done
}

@test "a mount shows everything" {
	[ -e /dev/fuse ] || skip "no FUSE here"
	small_tree src
	take src -q
	mkdir mnt
	timeout 60 "$BUILD/fs/backupfs" snapshots mnt <&- >&- 2>&- 3>&-
	[ -e mnt/latest/docs/a.txt ]
	same src mnt/latest/ --without mtime,holes
}
