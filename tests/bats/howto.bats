#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Pages of docs/how-to that need no server: each line runs, in its order, and then what the page promises is looked at.
# shellcheck disable=SC2034,SC2154
load helper
load pages

setup() {
	devices=()
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	export HOME=$WORK/home
	mkdir -p "$HOME/letters" "$HOME/.cache" "$HOME/Downloads"
	cd "$HOME" || return 1
	echo 'Dear Ann' >letters/may.txt
	echo rubbish | tee .cache/rubbish >Downloads/rubbish
	CHANGES=(
		"s|/media/me|$WORK/media|g"                          # disks are mounted here
		's/^umount /umount_here /'                           # an ordinary user has fusermount3
		's/--now/& --print/'                                 # no systemd runs here; howto_systemd.bats has one
	)
}

teardown() {
	unmount_work
	[ "${#devices[@]}" = 0 ] || losetup -d "${devices[@]}"
	remove_work
}

umount_here() {
	if is_root; then umount "$1"; else fusermount3 -u "$1"; fi
}

# disk NAME TYPE: a disk of 64 MiB with such a file system at media/NAME, for root; a directory for others. The exFAT is
# that of FUSE, which every kernel has.
disk() {
	local device
	mkdir -p "$WORK/media/$1"
	is_root || return 0
	truncate -s 64M "$WORK/$1.image"
	"mkfs.$2" "$WORK/$1.image" >/dev/null 2>&1
	device=$(losetup -f --show "$WORK/$1.image")
	devices+=("$device")
	if [ "$2" = exfat ]; then
		mount.exfat-fuse "$device" "$WORK/media/$1" >/dev/null 2>&1 3>&-
	else
		mount "$device" "$WORK/media/$1"
	fi
}

@test "docs/how-to/usb-disk.md" {
	[ -w /dev/fuse ] || skip "/dev/fuse may not be used"
	disk backup exfat
	disk second ext4
	run_page "$TOP/docs/how-to/usb-disk.md"
	cmp letters/may.txt letters/may-as-it-was.txt
	diff -r letters back/letters --exclude may-as-it-was.txt
	cmp "$WORK/media/backup/store"/snapshot_*.json "$WORK/media/second/store"/snapshot_*.json
	[ "$(ls -A ~/old)" = "" ]
	run -0 backuptool --store "$WORK/media/second/store" ls -R latest
	[[ $output == *letters/may.txt* && $output != *rubbish* ]]
}
