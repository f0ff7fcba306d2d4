#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What `meson install` puts in place, and what scripts/package makes of it.
# shellcheck disable=SC2154
load helper

# Installs into $ROOT; PREFIX is what the build was made for.
install_there() {
	ROOT=$WORK/installed
	PREFIX=$(meson introspect "$BUILD" --buildoptions | jq -r '.[] | select(.name == "prefix").value')
	LIBRARY=$(meson introspect "$BUILD" --buildoptions | jq -r '.[] | select(.name == "libdir").value')
	DESTDIR=$ROOT meson install -C "$BUILD" --no-rebuild --quiet
}

@test "programs, man pages, completions, units, header files and the library are in place" {
	install_there
	cd "$ROOT$PREFIX"
	for file in bin/backuptool bin/backupfs sbin/mount.backupfs sbin/mount.fuse.backupfs share/man/man1/backuptool.1 \
		share/man/man5/backuptool-format.5 share/man/man7/backuptool-usb-disk.7 share/man/man8/backupfs.8 share/man/man8/mount.backupfs.8 \
		share/bash-completion/completions/backuptool share/zsh/site-functions/_backuptool \
		share/fish/vendor_completions.d/backuptool.fish lib/systemd/user/backuptool@.service \
		lib/systemd/system/backuptool@.service include/backuptool/store.h "$LIBRARY/libbackuptool.so.0" \
		"$LIBRARY/pkgconfig/backuptool.pc"; do
		echo "$file"
		[ -s "$file" ]
	done
	for command in $(backuptool help --json | jq -r '.commands[].name'); do
		[ -s "share/man/man1/backuptool-$command.1" ]
	done
	diff <(cd include/backuptool && ls) <(cd "$TOP/include/backuptool" && ls)
	# nothing that only tests need
	[ -z "$(find . -name '*cmocka*' -o -name '*test*' -o -name '*.py' -o -name '*.a')" ]
	run -0 bin/backuptool --version
	[ "$output" = "$(backuptool --version)" ]
}

@test "meson dist makes sources that build" {
	[ -e "$TOP/.git" ] || skip "these sources are not a clone"
	git clone -q "$TOP" clone
	run -0 meson setup made clone -Dtests=false
	run -0 meson dist -C made --no-tests --formats gztar
	version=$(backuptool --version | cut -d ' ' -f 2)
	tar -xzf "made/meson-dist/backuptool-$version.tar.gz"
	mv "backuptool-$version" sources
	diff <(git -C clone ls-files | sort) <(find sources ! -type d -printf '%P\n' | sort)
	# without optimisation, since only the sources are looked at
	run -0 meson setup build sources -Dtests=false -Dbuildtype=debug
	run -0 ninja -C build tools/backuptool fs/backupfs
	small_tree src
	build/tools/backuptool snapshot --target-directory src
	build/tools/backuptool restore --snapshot-file latest --output-directory out
	same src out
	build/fs/backupfs --version
}

# What a build against the installed library needs.
build_against() {
	export PKG_CONFIG_SYSROOT_DIR=$ROOT PKG_CONFIG_LIBDIR=$ROOT$PREFIX/$LIBRARY/pkgconfig LD_LIBRARY_PATH=$ROOT$PREFIX/$LIBRARY
	# shellcheck disable=SC2046
	"$@" -Wall -Wextra -Werror $(pkg-config --cflags --libs backuptool)
}

@test "the examples build against the installed library, and run" {
	install_there
	small_tree src
	for example in list restore_file snapshot; do
		build_against gcc -std=c11 -pedantic "$TOP/include/examples/$example.c" -o "$example"
	done
	[ "$(pkg-config --modversion backuptool)" = "$(backuptool --version | cut -d ' ' -f 2)" ]
	readelf -d list | grep -q 'libbackuptool.so.0'
	run -0 --separate-stderr ./snapshot src snapshots
	output_is "$(newest): 5 new, 0 changed, 0 unreadable"
	run -0 ./list snapshots
	output_is "$(newest)  5 files, $(backuptool list --json | jq '.[0].size') bytes"
	run -0 ./restore_file snapshots latest docs/a.txt out
	output_is ''
	[ "$(cd out && find . -type f)" = ./docs/a.txt ]
	cmp src/docs/a.txt out/docs/a.txt
	run -1 ./restore_file snapshots latest none out
	[[ $output == *none* ]]
	run -1 ./list nowhere
	[[ $output == *"there is no store"* ]]
	run -1 ./snapshot snapshots/contents snapshots
	[[ $output == *contents* ]]
}

@test "C++ can use the installed library" {
	install_there
	cat >program.cc <<-'END'
		#include <backuptool/backuptool.h>
		#include <cstdio>
		int main()
		{
			std::printf("%d.%d.%d %s\n", BT_VERSION_MAJOR, BT_VERSION_MINOR, BT_VERSION_PATCH, bt_version());
		}
	END
	build_against g++ -std=c++11 -pedantic program.cc -o program
	version=$(backuptool --version | cut -d ' ' -f 2)
	run -0 ./program
	output_is "$version $version"
}

@test "the library exports what the public headers declare, and nothing else" {
	library=$(find "$BUILD/engine" -name 'libbackuptool.so.0.*' ! -name '*.p' -type f)
	nm -D --defined-only "$library" | awk '$2 ~ /[TDRB]/ { sub(/@.*/, "", $3); print $3 }' | sort >exported
	[ "$(wc -l <exported)" -ge 40 ]
	while read -r symbol; do
		grep -qE "\b$symbol\b" "$TOP"/include/backuptool/*.h
	done <exported
	# each of a function of every header is there
	for symbol in bt_store_open bt_snapshot_take bt_restore bt_prune bt_check bt_export_classic bt_error_text bt_entry_pread; do
		grep -qx "$symbol" exported
	done
	readelf -d "$library" | grep -q 'Library soname: \[libbackuptool.so.0\]'
}

@test "the unit runs a job as its file says" {
	install_there
	unit=$ROOT$PREFIX/lib/systemd/user/backuptool@.service
	grep -qx "ExecStart=$PREFIX/bin/backuptool job --duration=forever \$OPTIONS" "$unit"
	if command -v systemd-analyze >/dev/null; then
		sed "s|$PREFIX/bin/|$ROOT$PREFIX/bin/|" "$unit" >backuptool@.service
		cp backuptool@.service backuptool@documents.service
		run systemd-analyze verify --man=no ./backuptool@documents.service
		[[ $output != *backuptool@documents* ]]
	fi
}

@test "mount.backupfs hands on what is for the mount" {
	mkdir bin
	printf '#!/bin/sh\nprintf "<%%s>" "$@"\n' >bin/backupfs
	cp "$TOP/fs/mount.backupfs" bin/
	chmod +x bin/*
	run -0 bin/mount.backupfs '/my store' /mnt
	output_is '</my store></mnt>'
	run -0 bin/mount.backupfs store /mnt -n -s -v -o rw,noauto,user,nofail,x-systemd.automount,snapshot=latest,noexec -t backupfs
	output_is '<store></mnt><-o><rw,snapshot=latest,noexec>'
	run -0 bin/mount.backupfs store /mnt -o defaults
	output_is '<store></mnt>'
	run -0 bin/mount.backupfs store /mnt -f
	output_is ''
	printf '#!/bin/sh\nprintf "<%%s>" "$@"\n' >bin/mount
	chmod +x bin/mount
	PATH=$WORK/bin:$PATH run -0 bin/mount.backupfs store /mnt -o rw,remount,snapshot=latest,noexec,noatime,allow_other
	output_is '<-i><-t><fuse.backupfs><-o><remount,ro,nosuid,nodev,noexec,noatime><store></mnt>'
	run -1 bin/mount.backupfs store
	run -1 bin/mount.backupfs store /mnt --odd
}

@test "mount -t backupfs and fstab, as installed" {
	is_root || skip "only root mounts by type"
	[ -w /dev/fuse ] || skip "/dev/fuse may not be used"
	install_there
	small_tree src
	take src
	mkdir mnt
	# a mount namespace with the programs where mount looks for them
	unshare -m --propagation private bash -euc '
		mount --bind "$3/bin" /usr/local/bin
		mkdir "$1/sbin"
		cp -a /usr/sbin/. "$1/sbin/" 2>/dev/null || true
		cp -a "$3"/sbin/mount.* "$1/sbin/"
		mount --bind "$1/sbin" /usr/sbin
		mount -t backupfs "$1/snapshots" "$1/mnt" -o noexec,snapshot=latest
		[ "$(cat "$1/mnt/docs/a.txt")" = hello ]
		umount "$1/mnt"
		mount -t fuse.backupfs "$1/snapshots" "$1/mnt"
		[ "$(cat "$1/mnt/latest/docs/a.txt")" = hello ]
		umount "$1/mnt"
		echo "$1/snapshots $1/mnt backupfs noauto,nofail,subpath=docs 0 0" >"$1/fstab"
		mount --fstab "$1/fstab" "$1/mnt"
		[ "$(cat "$1/mnt/latest/a.txt")" = hello ]
		umount "$1/mnt"
	' bash "$WORK" "$BUILD" "$ROOT$PREFIX" 3>&-
}
