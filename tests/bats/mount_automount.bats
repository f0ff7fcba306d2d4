#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Mounts that an automounter makes when somebody looks: systemd's x-systemd.automount, autofs(8).
# shellcheck disable=SC2016,SC2154
load mount_helper
eval "$(declare -f setup | sed '1s/setup/mount_setup/')"
eval "$(declare -f teardown | sed '1s/teardown/mount_teardown/')"

setup() {
	is_root || skip "needs a mount"
	[ -e /dev/autofs ] || skip "the kernel has no autofs"
	mount_setup
	AUTOMOUNTER=
	small_tree src
	quietly src
	# as an automounter calls mount(8), which gives up some time
	cat >mounter <<-'END'
		#!/bin/bash
		timeout --foreground -s KILL 60 "${@:2}"
		result=$?
		echo "ended $result" >"$1"
		exit $result
	END
	chmod +x mounter
}

teardown() {
	[ -z "${AUTOMOUNTER:-}" ] || kill -9 "$AUTOMOUNTER" 2>/dev/null || true
	mount_teardown
}

# automount COMMAND…: on ./mnt, its answers in ./log.
automount() {
	rm -f ended log
	"$BUILD/tests/faults/autod" "$WORK/mnt" "$WORK/mounter" "$WORK/ended" "$@" >log 3>&- &
	AUTOMOUNTER=$!
	wait_until grep -q '^ready' log
}

# Whether somebody who looks sees the file, and the command ended well.
looks() {
	[ "$(timeout 60 cat mnt/latest/docs/a.txt)" = hello ]
	[ "$(cat ended)" = 'ended 0' ]
}

@test "a mount is made while an automounter keeps everybody else waiting" {
	automount backupfs "$WORK/snapshots" "$WORK/mnt"
	looks
}

@test "the same with auto_unmount, with nosymfollow, and by backuptool" {
	for command in "backupfs $WORK/snapshots $WORK/mnt -o auto_unmount" \
		"backuptool --store $WORK/snapshots mount $WORK/mnt"; do
		# shellcheck disable=SC2086
		automount $command
		looks
		umount mnt
		wait_until no_driver
		kill -9 "$AUTOMOUNTER"
		wait "$AUTOMOUNTER" || true
		umount mnt
	done
	automount backupfs "$WORK/snapshots" "$WORK/mnt" -o nosymfollow
	run -1 timeout 60 cat mnt/latest/docs/a.txt
	[ "$(cat ended)" = 'ended 0' ]
}

@test "the same as mount(8) does it for a line of fstab" {
	# a mount namespace with the helper where mount looks for it
	unshare -m --propagation private bash -euc '
		mount -t tmpfs none /usr/sbin
		cp "$2/fs/backupfs" "$3/fs/mount.backupfs" /usr/sbin/
		"$2/tests/faults/autod" "$1/mnt" "$1/mounter" "$1/ended" mount -t backupfs -o nofail,x-systemd.automount "$1/snapshots" "$1/mnt" >"$1/log" &
		until grep -q "^ready" "$1/log"; do sleep 0.01; done
		[ "$(timeout 60 cat "$1/mnt/latest/docs/a.txt")" = hello ]
		umount "$1/mnt"
		kill -9 $!
	' bash "$WORK" "$BUILD" "$TOP" 3>&-
	[ "$(cat ended)" = 'ended 0' ]
}

@test "one that fails is told, and leaves nothing behind" {
	instrumented && skip "nothing can be put before a sanitizer"
	automount env LD_PRELOAD="$BUILD/tests/faults/libdeaf.so" backupfs "$WORK/snapshots" "$WORK/mnt"
	run -1 timeout 60 cat mnt/latest/docs/a.txt
	[ "$(cat ended)" = 'ended 1' ]
	wait_until no_driver
	! findmnt -t fuse.backupfs "$WORK/mnt"
}
