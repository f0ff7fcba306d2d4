#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Debian package: built, installed into a root of its own, used, and removed.
# shellcheck disable=SC2016,SC2154
load helper

# into_root ACTION…: dpkg on a root that has nothing, so that dependencies are not looked at.
into_root() {
	mkdir -p target/var/lib/dpkg/info target/var/lib/dpkg/updates target/var/lib/dpkg/triggers
	touch target/var/lib/dpkg/status
	dpkg --root="$PWD/target" --force-not-root --force-depends "$@"
}

@test "scripts/package makes a package that installs and removes cleanly" {
	is_root || skip "dpkg wants root"
	# without optimisation, since only the package is looked at
	run -0 "$TOP/scripts/package" . -Dbuildtype=debug
	[[ ${lines[-1]} == */backuptool_*.deb ]]
	package=${lines[-1]}
	for field in Package Version Architecture Maintainer Installed-Size Depends Section Description; do
		echo "$field"
		[ -n "$(dpkg-deb -f "$package" "$field")" ]
	done
	depends=$(dpkg-deb -f "$package" Depends)
	for library in libc6 libzstd1 libxxhash0 libssl3 libfuse3-3 fuse3; do
		[[ $depends == *"$library"* ]]
	done
	[ "$(dpkg-deb -f "$package" Version)" = "$(backuptool --version | cut -d ' ' -f 2)" ]
	# everything belongs to root, and nobody else may write
	[ -z "$(dpkg-deb -c "$package" | awk '$2 !~ /^root.root$/ || ($1 !~ /^l/ && $1 ~ /^.....w|^........w/)')" ]

	into_root -i "$package"
	for file in bin/backuptool bin/backupfs sbin/mount.backupfs lib/systemd/user/backuptool@.service \
		share/man/man1/backuptool.1.gz share/man/man5/backuptool-format.5.gz share/man/man7/backuptool-usb-disk.7.gz share/man/man8/backupfs.8.gz \
		share/bash-completion/completions/backuptool share/zsh/vendor-completions/_backuptool \
		share/doc/backuptool/copyright share/doc/backuptool/changelog.gz include/backuptool/store.h; do
		echo "$file"
		[ -s "target/usr/$file" ]
	done
	(cd target && md5sum --quiet -c var/lib/dpkg/info/backuptool.md5sums)
	small_tree src
	target/usr/bin/backuptool snapshot --target-directory src
	target/usr/bin/backuptool restore --snapshot-file latest --output-directory out
	same src out
	[ "$(readelf -S target/usr/bin/backuptool | grep -c debug_info)" = 0 ]

	into_root -r backuptool
	into_root -P backuptool
	find target ! -type d ! -path '*/var/lib/dpkg/*' >left
	diff left /dev/null
	[ ! -e target/usr/bin ]
}

# What there is in ./debian, but for what apt and dpkg write down for themselves.
in_debian() {
	find debian -xdev \( -path debian/var -o -path debian/tmp \) -prune -o -printf '%P\n' | sort
}

# in_debian_run SCRIPT: with the mount allowed; what the script starts and mounts ends with it.
in_debian_run() {
	unshare --mount --propagation private --pid --fork --kill-child bash -euc '
		mount -t proc proc debian/proc
		: >>debian/dev/fuse
		mount --bind /dev/fuse debian/dev/fuse
		exec chroot debian env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 sh -euxc "$1"
	' bash "$1" 3>&-
}

@test "the package in a Debian of its own" {
	[ "${TEST_LONG:-0}" = 1 ] || skip "only with --long"
	is_root || skip "debootstrap wants root"
	[ -w /dev/fuse ] || skip "/dev/fuse may not be used"
	run -0 debootstrap --variant=minbase bookworm debian
	run -0 "$TOP/scripts/package" debian/tmp
	package=/tmp/$(basename "${lines[-1]}")
	: >>debian/dev/fuse
	in_debian >before
	chroot debian apt-get install -qy --no-install-recommends "$package"
	in_debian_run '
		cd /home
		mkdir me mnt
		echo hello >me/a
		backuptool snapshot --target-directory me
		sleep 1
		echo more >>me/a
		backuptool snapshot --target-directory me
		test "$(backuptool list --names | wc -l)" = 2
		backuptool mount mnt
		test "$(ls mnt | wc -l)" = 3
		test "$(cat mnt/latest/a)" = "hello
more"
		rm me/a
		cp -a "mnt/$(backuptool list --names | head -n 1 | sed s/[.]json//)/a" me/a
		test "$(cat me/a)" = hello
		umount mnt
		mount -t backupfs snapshots mnt
		test -s mnt/latest/a
		umount mnt
		backuptool schedule --target-directory me --interval 1h --keep-daily 7 --print | grep -q "^ExecStart=/usr/bin/backuptool job "
		backuptool prune --snapshot-number 1
		test "$(backuptool list --names | wc -l)" = 1
		backuptool check
		rm -r me mnt snapshots
	'
	chroot debian apt-get autoremove --purge -qy backuptool
	in_debian >after
	diff before after
}
