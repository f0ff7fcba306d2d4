#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/how-to/file-system-snapshots.md: btrfs of this machine's kernel, LVM of a guest's, and the ZFS of zfs-fuse. Nothing is
# adapted, but that no systemd is there to take over the units.
# shellcheck disable=SC2034,SC2154
load helper
load pages
load places

PAGE=$TOP/docs/how-to/file-system-snapshots.md

# section NAME…: the parts of the page with those headings, as a page.
section() {
	local name
	for name in "$@"; do
		awk -v "name=## $name" '/^## / { on = $0 == name } on' "$PAGE"
	done >section.md
}

home() {
	mkdir -p /home/me/letters
	echo 'Dear Ann' >/home/me/letters/may.txt
	seq 100000 >/home/me/numbers
	ln -s numbers /home/me/link
	CHANGES=(
		's/^backuptool schedule .*/& --print/'
		"$TRACED"
	)
	export BACKUPTOOL_STORE=/srv/store
}

# A guest cannot trace: there the counts have to do.
in_a_guest() {
	unset 'CHANGES[1]'
	is_read() { [ "$1" != numbers ]; }
}

# counts NEW CHANGED UNCHANGED: of the newest snapshot.
counts() {
	diff <(backuptool list --json | jq -c ".[-1] | [.target, .new, .changed, .unchanged, .errors]") <(echo "[\"/home\",$1,$2,$3,0]")
}

# The section runs twice, and the second snapshot reads only what is new. Everything is in it, and the copy itself is not.
frozen_twice() {
	section "$1"
	run_page section.md
	counts 2 0 0
	echo more >/home/me/new
	run_page section.md
	counts 1 0 2
	is_read new
	! is_read numbers || return 1
	backuptool restore --snapshot-file latest --output-directory /srv/back -q
	"$TESTS/tree_compare.py" /home/me /srv/back/me
	[ ! -e /srv/back/.frozen ]
}

back_from_the_page() {
	cp -a /home/me/letters /srv/letters
	rm -r /home/me/letters
	section "The way back"
	run_page section.md
	"$TESTS/tree_compare.py" /srv/letters /home/me/letters
}

btrfs_page() {
	truncate -s 200M image
	mkfs.btrfs -q -M image
	mount -o loop image /mnt
	btrfs subvolume create /mnt/home
	mount --bind /mnt/home /home
	home
	frozen_twice btrfs
	# what a run that was killed left
	btrfs subvolume snapshot -r /home /home/.frozen
	section "Every night"
	run_page section.md
	counts 0 0 3
	[ ! -e /home/.frozen ]
	back_from_the_page
}

lvm_page() {
	local disk
	mount -t tmpfs tmpfs /etc/lvm
	mkdir -p /run/lvm
	# no udev is there to make names of devices
	export DM_DISABLE_UDEV=1
	truncate -s 2G /srv/disk
	disk=$(losetup -f --show /srv/disk)
	pvcreate "$disk"
	vgcreate vg "$disk"
	lvcreate --size 100M --name home vg
	mkfs.ext4 -q /dev/vg/home
	mount /dev/vg/home /home
	home
	in_a_guest
	frozen_twice LVM
	# what a run that was killed left
	lvcreate --snapshot --size 100M --name frozen vg/home
	mount -o ro /dev/vg/frozen /mnt/frozen
	run_page section.md
	counts 0 0 3
	! is_read numbers || return 1
	back_from_the_page
	[ "$(lvs --noheadings -o name | tr -d ' ')" = home ]
}

# zfs-fuse ends a mount a moment after the command that asked for it, and then says "busy" to zfs destroy: it is asked again.
patient_zfs() {
	mkdir /run/patient
	cat >/run/patient/zfs <<-END
		#!/bin/sh
		for i in 1 2 3 4 5 6 7 8 9; do
			"$(command -v zfs)" "\$@" && exit
			[ "\$1" = destroy ] || exit
			sleep 0.2
		done
		exit 1
	END
	chmod 755 /run/patient/zfs
	PATH=/run/patient:$PATH
}

zfs_page() {
	PATH=$PATH:/usr/sbin:/sbin
	patient_zfs
	mkdir -p /run/zfs /var/lib/zfs
	mount -t tmpfs tmpfs /var/lib/zfs
	zfs-fuse --no-daemon --no-kstat-mount -p /run/zfs.pid &
	wait_until test -S /run/zfs/zfs_socket
	truncate -s 200M image
	zpool create -m none tank "$PWD/image"
	zfs create -o mountpoint=/home tank/home
	home
	sleep 2 # its times are whole seconds: what is younger is read again
	frozen_twice ZFS
	# what a run that was killed left
	zfs snapshot tank/home@frozen
	zfs clone -o readonly=on -o mountpoint=/mnt/frozen tank/home@frozen tank/frozen
	run_page section.md
	counts 0 0 3
	! is_read numbers || return 1
	back_from_the_page
	[ "$(zfs list -H -o name -t all | tr '\n' ' ')" = "tank tank/home " ]
	zpool export tank
}

stand_in_zfs() {
	mkdir /run/bin /home/.zfs /home/.zfs/snapshot
	cat >/run/bin/zfs <<-'END'
		#!/bin/sh -eu
		echo "$*" >>/run/calls
		test "$*" = "$1 tank/home@frozen"
		case $1 in
		list) test -d /home/.zfs/snapshot/frozen ;;
		snapshot) mkdir /home/.zfs/snapshot/frozen && cp -a /home/me /home/.zfs/snapshot/frozen ;;
		destroy) rm -r /home/.zfs/snapshot/frozen ;;
		*) exit 1 ;;
		esac
	END
	chmod 755 /run/bin/zfs
	PATH=/run/bin:$PATH
}

dot_zfs_line() {
	home
	stand_in_zfs
	sed '/^<!-- not run/d' "$PAGE" | awk '/below `.zfs`/ { on = 1 } /^## Every/ { on = 0 } on' >section.md
	run_page section.md
	counts 2 0 0
	[ ! -e /home/.zfs/snapshot/frozen ]
	mkdir /home/.zfs/snapshot/frozen
	run_page section.md
	counts 0 0 2
	diff <(sort -u /run/calls) <(printf '%s tank/home@frozen\n' destroy list snapshot)
}

@test "btrfs: each line runs twice, by hand and by a configuration, the second one reads only what is new, and it comes back" {
	apart btrfs_page
}

@test "LVM: each line runs twice, in a guest, the second one reads only what is new, and it comes back" {
	guest lvm_page dm-snapshot loop
}

@test "ZFS: each line runs twice, with zfs-fuse, the second one reads only what is new, and it comes back" {
	command -v zfs-fuse >/dev/null || [ -x /usr/sbin/zfs-fuse ] || skip "there is no zfs-fuse"
	apart zfs_page
}

# It does what the page wants of zfs: the copy appears, and goes.
@test "ZFS with .zfs: the line runs with a program in place of zfs, and the copy is there only while it is read" {
	apart dot_zfs_line
}
