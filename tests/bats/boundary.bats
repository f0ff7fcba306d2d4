#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Where another file system begins that is not entered: it is an entry that says so, and nothing there is touched.

load helper

setup() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	is_root || skip 'needs root'
	[ -w /dev/fuse ] || skip 'no /dev/fuse'
	mkdir -p src/in src/d
	echo here >src/d/file
	chown 1000:1001 src
}

teardown() {
	silence_ends
	umount -l "$WORK"/src/in "$WORK"/src/d/mnt "$WORK"/src 2>/dev/null || true
	umount -l "$WORK"/fs 2>/dev/null || true
	remove_work
}

# shown PATH: the JSON object of an entry of the newest snapshot.
shown() {
	backuptool ls --json latest --store st | grep "\"path\":\"$1\""
}

# The newest snapshot has src/in as an empty directory that says of which type the file system is that begins there.
is_boundary() {
	[[ $(shown in) == *'"type":"dir"'* ]]
	[[ $(grep -rho '"name":"in","type":"dir"[^}]*' st) == *"\"boundary\":\"$1\""* ]]
	[ "$(backuptool ls latest:in --store st)" = '' ]
}

# Nobody hangs: what does is ended.
soon() {
	run -"$1" timeout 60 "${@:2}"
}

@test "a healthy file system is one, with its type" {
	mount -t tmpfs none src/in
	echo secret >src/in/f
	soon 0 backuptool snapshot --target-directory src --store st -x
	is_boundary tmpfs
	soon 1 backuptool cat latest:in/f --store st
	[[ $output == "backuptool cat: in was another file system (tmpfs), which snapshot_"*" did not enter" ]]
	soon 0 backuptool diff latest --store st -x
	[[ $output != *in* ]]
	# What lies there is not the snapshot's affair, however one looks.
	soon 0 backuptool diff latest --store st
	[[ $output != *in/f* ]]
	umount src/in
	soon 0 backuptool diff latest --store st
	# Entered, it is none.
	mount -t tmpfs none src/in
	echo secret >src/in/f
	soon 0 backuptool snapshot --target-directory src --store st
	[ "$(backuptool cat latest:in/f --store st)" = secret ]
	soon 0 backuptool diff latest~1 latest --store st
	[[ $output != *in/f* ]]
	soon 0 backuptool diff latest latest~1 --store st
	[[ $output != *in/f* ]]
}

@test "a user's mount that keeps root out is one without an error; entered, it is an error" {
	silent src/in 65534
	soon 0 backuptool snapshot --target-directory src --store st -x
	is_boundary fuse.silent
	[[ $(shown in) == *'"mode":"0755"'* ]]
	[[ $(shown in) == *'"uid":1000,"gid":1001'* ]]
	soon 0 backuptool diff latest --store st -x
	soon 0 backuptool snapshot --target-directory src --store st -x --skip-if-unchanged
	[[ $output == *'nothing changed'* ]]
	soon 3 backuptool snapshot --target-directory src --store st
	[[ $output == *'in: '*'Permission denied'* ]]
}

@test "a mount that never answers stops nobody who stays on one file system" {
	silent src/in 0 allow_other
	soon 0 backuptool snapshot --target-directory src --store st -x
	is_boundary fuse.silent
	soon 0 backuptool diff latest --store st -x
	soon 0 backuptool job --target-directory src --store st -x --watch --interval 1s --duration 2s
}

@test "a dead mount is one" {
	silent src/in 0 allow_other
	silence_ends
	run ! ls src/in
	soon 0 backuptool snapshot --target-directory src --store st -x
	is_boundary fuse.silent
	soon 0 backuptool diff latest --store st -x
	soon 3 backuptool snapshot --target-directory src --store st
}

@test "mounted snapshots are one for everybody, also another user's" {
	reachable_tool
	mkdir u src/d/mnt
	chmod 777 u
	chown 65534 src/d/mnt
	as_user backuptool snapshot --target-directory src/d --store u/st -q
	run -0 timeout 60 "$BUILD/fs/backupfs" u/st src/in
	cp "$BUILD/fs/backupfs" "$WORK/backupfs"
	chmod 755 "$WORK/backupfs"
	[ ! -u "$(command -v fusermount3)" ] || as_user timeout 60 "$WORK/backupfs" u/st src/d/mnt || true
	soon 0 backuptool snapshot --target-directory src --store st
	is_boundary fuse.backupfs
	if mountpoint -q src/d/mnt; then
		[[ $(grep -rho '"name":"mnt","type":"dir"[^}]*' st) == *'"boundary":"fuse.backupfs"'* ]]
	fi
	soon 0 backuptool diff latest --store st
}

@test "a subvolume of btrfs is one, and says so" {
	command -v mkfs.btrfs >/dev/null || skip 'no btrfs-progs'
	truncate -s 200M image
	mkfs.btrfs -q image
	mkdir fs
	mount -o loop image fs || skip 'no btrfs'
	mkdir fs/src
	btrfs subvolume create fs/src/in >/dev/null
	echo x >fs/src/in/f
	soon 0 backuptool snapshot --target-directory fs/src --store st -x
	is_boundary btrfs-subvolume
	soon 0 backuptool snapshot --target-directory fs/src --store st
	[ "$(backuptool cat latest:in/f --store st)" = x ]
}

@test "a file that is mounted over another one is a file" {
	mkdir other
	mount -t tmpfs none other
	echo mounted >other/f
	echo below >src/d/over
	mount --bind other/f src/d/over
	umount -l other
	soon 0 backuptool snapshot --target-directory src --store st -x
	umount src/d/over
	[ "$(backuptool cat latest:d/over --store st)" = mounted ]
}
