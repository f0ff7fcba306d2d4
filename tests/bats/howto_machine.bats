#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/how-to/whole-machine.md and docs/how-to/other-ids.md: a small system that is restored to a file system of its own
# and starts programs there, and a tree of users who have other numbers on the machine that it comes to.
# shellcheck disable=SC2034,SC2154,SC2317
load helper
load pages

setup() {
	device=
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	mkdir -p media/backup
}

teardown() {
	unmount_work
	[ -z "$device" ] || losetup -d "$device"
	remove_work
}

UUID=6a1c3f52-0d41-4c5b-9a35-5d4b3c1a7e10

# A system that is as small as can be: a shell and what it is linked with.
small_system() {
	local file
	mkdir -p old/{etc,root,home/me,var/tmp,tmp,proc,sys,dev,run,boot/grub,usr/bin}
	ln -s usr/bin old/bin
	ldd "$(command -v dash)" | grep -o '/[^ ]*' | while read -r file; do
		mkdir -p "old$(dirname "$file")"
		cp -L "$file" "old$file"
	done
	cp "$(command -v dash)" old/usr/bin/sh
	printf 'UUID=%s / ext4 defaults 0 1\n' "$UUID" >old/etc/fstab
	echo machine >old/etc/hostname
	echo 'root:x:0:0::/:/bin/sh' >old/etc/passwd
	echo kernel >old/boot/vmlinuz
	echo set >old/boot/grub/grub.cfg
	echo mine >old/home/me/file
	chown -R 1000:1000 old/home/me
	chmod 1777 old/tmp old/var/tmp
	echo rubbish | tee old/tmp/rubbish old/var/tmp/rubbish >old/swapfile
	mknod old/dev/null c 1 3 2>/dev/null || skip "no devices here"
}

@test "docs/how-to/whole-machine.md" {
	is_root || skip "only root restores a system"
	small_system
	truncate -s 64M disk
	device=$(losetup -f --show disk 2>/dev/null) || skip "no loop devices"
	CHANGES=(
		"s|/media/me/|$WORK/media/|g"                        # disks are mounted here
		"s|--target-directory /|--target-directory $WORK/old/|; s|--target /|--target $WORK/old/|" # not this machine's
		"s|/dev/vda2|$device|; s|/mnt/new|$WORK/new|g"
	)
	run_page "$TOP/docs/how-to/whole-machine.md" | tee shown
	[ "$(grep -c '^[-+MTm] ' shown)" = 1 ]
	grep -qx '+ lost+found/' shown
	mount "$device" new
	[ "$(blkid -p -s UUID -o value "$device")" = "$UUID" ]
	rm -rf old/tmp/* old/var/tmp/* old/swapfile
	rmdir new/lost+found
	touch -d @1600000000 old old/tmp old/var/tmp new new/tmp new/var/tmp
	same old new
	[ "$(chroot new /bin/sh -c 'read -r name </etc/hostname && echo "$name"')" = machine ]
}

@test "docs/how-to/other-ids.md" {
	is_root || skip "only root gives files away"
	unshare -m true 2>/dev/null || skip "no mount namespaces"
	mkdir -p srv old home
	users there root 0 www 33 me 1000
	users here root 0 www 48 backup 33 anna 1001
	mkdir src
	echo page >src/page
	echo mine >src/mine
	chown 33:33 src/page
	chown 1000:1000 src/mine
	machine there backuptool snapshot -q --store media/backup/store --target-directory src
	program=$BUILD/tools/backuptool
	backuptool() { machine here "$program" "$@"; }
	find() { machine here find "$@"; }
	HOME=$WORK/home
	CHANGES=("s|/media/me/|$WORK/media/|; s|/srv/|$WORK/srv/|g")
	quoted=$(sed -n 's/^> //p' "$TOP/docs/how-to/other-ids.md")
	run_page "$TOP/docs/how-to/other-ids.md" | tee shown
	unset -f find
	[ "$(stat -c %U:%u:%g srv/back/page | cut -d: -f2-)" = 48:48 ]
	[ "$(stat -c %u:%g srv/back/mine)" = 1001:1001 ]
	[ "$(stat -c %u home/back/page)" = 0 ]
	grep -F "${quoted/(2 entries)/(1 entry)}" shown
}
