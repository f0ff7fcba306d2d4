#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A store on a file system whose locks do not reach other hosts: sshfs, twice mounted, as by two hosts.
# shellcheck disable=SC2154
load helper

teardown() {
	local mount
	end_holder
	for mount in one two; do
		fusermount3 -uz "$WORK/$mount" 2>/dev/null || true
	done
	remove_work
}

# The server runs on this machine and speaks over a pipe: no daemon, no key.
mount_both() {
	[ -e /dev/fuse ] && command -v sshfs >/dev/null || skip "needs sshfs and /dev/fuse"
	mkdir share one two
	printf '#!/bin/sh\nexec /usr/lib/openssh/sftp-server -e\n' >server
	chmod 755 server
	for mount in one two; do
		sshfs -o ssh_command="$WORK/server",dir_cache=no,attr_timeout=0,entry_timeout=0 "x:$WORK/share" "$WORK/$mount" 3>&- ||
			skip "sshfs does not mount"
	done
}

@test "deleting says that locks do not reach other hosts, and asks for --yes; snapshots and reading go on" {
	mount_both
	small_tree src
	export BACKUPTOOL_STORE=one/store
	take src -q
	take src -q
	run -0 backuptool ls latest
	run -0 backuptool check
	for command in "remove latest" "prune --keep-last 1" "tag latest --add x" "check --repair" \
		"job --target-directory src --interval 1s --duration 0 --keep-last 1"; do
		# shellcheck disable=SC2086
		run -1 --separate-stderr backuptool $command
		[[ $stderr == *"the locks of this file system (fuse.sshfs) do not reach other hosts"*"give --yes to go on" ]]
	done
	[ "$(find share/store -name 'snapshot_*' | wc -l)" = 2 ]
	# nobody would be there to answer what the service's job asks
	export XDG_CONFIG_HOME=$WORK/config
	run -1 --separate-stderr backuptool schedule --target-directory src --interval 1h --keep-last 1
	[[ $stderr == *"do not reach other hosts"*"give --yes to go on" ]]
	[ ! -e config ]
	run -0 backuptool schedule --target-directory src --interval 1h
	[ "$(cat config/systemd/user/*)" = "$(grep -v -e --yes config/systemd/user/*)" ]
	run -0 backuptool schedule --target-directory src --interval 1h --keep-last 1 --yes
	grep -q -e ' --yes ' config/systemd/user/*
	rm -r config
	run -0 script -qec "backuptool schedule --target-directory src --interval 1h --keep-last 1" /dev/null <<<y
	[[ $output == *"Go on?"* ]]
	grep -q -e ' --yes ' config/systemd/user/*
	run -0 backuptool prune --keep-last 1 --dry-run
	run -0 backuptool job --target-directory src --interval 1s --duration 0
	backuptool tag latest --add x --yes
	backuptool prune --keep-last 1 --yes -q
	run -0 backuptool check
}

@test "a mirror there is made without a question, and nothing is removed from it without one" {
	mount_both
	small_tree src
	take src -q --store A
	backuptool mirror --store A one/M -q
	run -0 backuptool mirror --store A one/M
	run -1 --separate-stderr backuptool mirror --store A one/M --delete
	[[ $stderr == *"the locks of this file system (fuse.sshfs) do not reach other hosts"*"give --yes to go on" ]]
	run -0 backuptool mirror --store A one/M --delete --yes
	run -0 backuptool check --store share/M
}

@test "with --yes another host that writes meanwhile is seen all the same" {
	mount_both
	small_tree src
	take src -q --store one/store
	old=$(find share/store -name 'snapshot_*' -printf '%f\n')
	mkdir keep
	take keep -q --store one/store
	instrumented && skip "nothing is preloaded into an instrumented program"
	env HOLD="renameat2 .doomed" LD_PRELOAD="$BUILD/tests/faults/libhold.so" \
		backuptool remove --store one/store "${old%.json}" --yes 2>err 3>&- &
	holder=$!
	wait_until is_stopped "$holder"
	take src -q --store two/store
	kill -CONT "$holder"
	code=0
	wait "$holder" || code=$?
	holder=
	[ "$code" = 11 ]
	grep -q "another host changed the store" err
	run -0 backuptool check --store share/store
	backuptool restore --store share/store --snapshot-file latest --output-directory back -q
	same src back
}

# Whether the kernel has forgotten the files, so that they got other numbers.
forgotten() {
	echo 2 >/proc/sys/vm/drop_caches
	[ "$before" != "$(stat -c %i one/store/contents/* one/store/snapshot_*)" ]
}

@test "a file is the same one under another inode number, which such a file system gives when memory is short" {
	[ -w /proc/sys/vm/drop_caches ] || skip "only root makes the kernel forget"
	mount_both
	small_tree src
	export BACKUPTOOL_STORE=one/store
	take src -q
	old=$(find share/store -name 'snapshot_*' -printf '%f\n')
	mkdir keep
	take keep -q
	instrumented && skip "nothing is preloaded into an instrumented program"
	env HOLD="renameat2 .doomed" LD_PRELOAD="$BUILD/tests/faults/libhold.so" \
		backuptool remove "${old%.json}" --yes -q 2>err 3>&- &
	holder=$!
	wait_until is_stopped "$holder"
	before=$(stat -c %i one/store/contents/* one/store/snapshot_*)
	wait_until forgotten
	kill -CONT "$holder"
	wait "$holder"
	holder=
	[ ! -s err ]
	[ "$(find share/store -name 'snapshot_*' | wc -l)" = 1 ]
	run -0 backuptool check
}
