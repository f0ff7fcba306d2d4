#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Debian package: built, installed into a root of its own, used, and removed.
# shellcheck disable=SC2154
load helper

# into_root ACTION…: dpkg on a root that has nothing, so that dependencies are not looked at.
into_root() {
	mkdir -p target/var/lib/dpkg/info target/var/lib/dpkg/updates target/var/lib/dpkg/triggers
	touch target/var/lib/dpkg/status
	dpkg --root="$PWD/target" --force-not-root --force-depends "$@"
}

@test "tools/package makes a package that installs and removes cleanly" {
	is_root || skip "dpkg wants root"
	# without optimisation, since only the package is looked at
	run -0 "$TOP/tools/package" . -Dbuildtype=debug
	[[ ${lines[-1]} == */backuptool_*.deb ]]
	package=${lines[-1]}
	for field in Package Version Architecture Maintainer Installed-Size Depends Section Description; do
		echo "$field"
		[ -n "$(dpkg-deb -f "$package" "$field")" ]
	done
	depends=$(dpkg-deb -f "$package" Depends)
	for library in libc6 libzstd1 libssl3 libfuse3-3 libcjson1 fuse3; do
		[[ $depends == *"$library"* ]]
	done
	[ "$(dpkg-deb -f "$package" Version)" = "$(backuptool --version | cut -d ' ' -f 2)" ]
	# everything belongs to root, and nobody else may write
	[ -z "$(dpkg-deb -c "$package" | awk '$2 !~ /^root.root$/ || ($1 !~ /^l/ && $1 ~ /^.....w|^........w/)')" ]

	into_root -i "$package"
	for file in bin/backuptool bin/backupfs sbin/mount.backupfs lib/systemd/user/backuptool@.service \
		share/man/man1/backuptool.1.gz share/man/man5/backuptool-format.5.gz share/man/man8/backupfs.8.gz \
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

@test "the package in a Debian of its own" {
	[ "${TEST_LONG:-0}" = 1 ] || skip "only with --long"
	is_root || skip "debootstrap wants root"
	command -v debootstrap >/dev/null || skip "debootstrap is not installed"
	debootstrap --variant=minbase bookworm debian >log 2>&1 || skip "no Debian from the network"
	run -0 "$TOP/tools/package" debian/tmp
	package=/tmp/$(basename "${lines[-1]}")
	chroot debian apt-get install -qy --no-install-recommends "$package"
	chroot debian sh -c 'mkdir /home/me && echo hello >/home/me/a && cd /home &&
		backuptool snapshot --target-directory me && backuptool check && backupfs --version'
	chroot debian apt-get purge -qy backuptool
	[ ! -e debian/usr/bin/backuptool ]
}
