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

@test "docs/how-to/off-site.md" {
	disk second ext4
	mkdir "$WORK/far" "$WORK/bin"
	# a host that is reached by the program that rsync starts, and a cloud that is a directory
	printf '#!/bin/sh\ncase $1 in -l) shift 2 ;; esac\nshift\ncd %s && exec "$@"\n' "$WORK/far" >"$WORK/bin/ssh"
	chmod +x "$WORK/bin/ssh"
	PATH=$WORK/bin:$PATH
	export RSYNC_RSH=ssh RCLONE_CONFIG=$WORK/rclone.conf
	mkdir "$WORK/far/store" "$WORK/cloud"
	printf '[cloud]\ntype = alias\nremote = %s/cloud\n' "$WORK" >"$RCLONE_CONFIG"
	backuptool snapshot --store ~/snapshots --target-directory ~/letters
	head -c 3000000 /dev/urandom >letters/photo
	backuptool snapshot --store ~/snapshots --target-directory ~/letters
	run_page "$TOP/docs/how-to/off-site.md"
	diff -r letters back
	[ "$(backuptool list --store "$WORK/media/second/store" --names | wc -l)" = 2 ]
	for store in "$WORK/media/second/mirror" "$WORK/far/store" "$WORK/cloud/store" ~/store-again ~/store-from-the-cloud; do
		echo "$store"
		[ "$(backuptool list --store "$store" --json | jq length)" -ge 2 ]
		cmp ~/snapshots/id "$store/id"
	done
}
