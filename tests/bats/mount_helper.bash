# SPDX-License-Identifier: MIT
# What the tests of the mount share: load mount_helper.
# shellcheck shell=bash disable=SC2034,SC2154
load helper
eval "$(declare -f setup | sed '1s/setup/helper_setup/')"
eval "$(declare -f teardown | sed '1s/teardown/helper_teardown/')"
PATH=$BUILD/fs:$PATH

setup() {
	[ -w /dev/fuse ] || skip "no /dev/fuse"
	helper_setup
	mkdir mnt
}

# Nothing may stay behind: neither a mount, nor a driver.
teardown() {
	[ -n "${WORK:-}" ] || return 0
	cd /
	while read -r place; do
		umount "$place" 2>/dev/null || umount -l "$place" 2>/dev/null || fusermount3 -uz "$place"
	done < <(awk -v work="$WORK/" 'index($5, work) == 1 { print $5 }' /proc/self/mountinfo | tac)
	wait_until no_driver
	helper_teardown
}

# The drivers' processes of this name, told apart by the place in their command line.
processes() {
	pgrep -f "^[^ ]*backupfs .*$WORK/" | while read -r pid; do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] || continue
		grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null || echo "$pid"
	done
}

drivers() {
	processes backupfs
}

# Neither one, nor what stays behind to unmount.
no_driver() {
	[ -z "$(drivers)$(processes backupfs-end)" ]
}

is_mounted() {
	mountpoint -q "${1:-mnt}"
}

not_mounted() {
	! mountpoint -q "${1:-mnt}" 2>/dev/null
}

# show [OPTION…]: mounts ./snapshots on ./mnt.
show() {
	backupfs "$WORK/snapshots" "$WORK/mnt" "$@" 3>&-
}

hide() {
	umount mnt
	wait_until no_driver
}

# Takes a snapshot, quietly.
quietly() {
	take "$@" >/dev/null
}
