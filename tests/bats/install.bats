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
		share/man/man5/backuptool-format.5 share/man/man8/backupfs.8 share/man/man8/mount.backupfs.8 \
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

@test "a program over the installed library" {
	install_there
	small_tree src
	take src
	cat >program.c <<-'END'
		#include <backuptool/store.h>
		#include <backuptool/view.h>
		#include <stdio.h>
		int main(int argc, char **argv)
		{
			struct bt_error error = {0};
			struct bt_store *store;
			struct bt_snapshot *snapshot;
			const char *name;
			if (bt_store_open(argv[1], NULL, &store, &error) < 0 ||
			    !(name = bt_store_snapshot_count(store) ? bt_store_snapshot_name(store, 0) : NULL) ||
			    bt_snapshot_open(store, name, &snapshot, &error) < 0) {
				char text[640];
				bt_error_text(&error, text, sizeof(text));
				puts(text);
				return 1;
			}
			printf("%s has %llu files\n", name, (unsigned long long)bt_snapshot_info(snapshot)->files);
			bt_snapshot_close(snapshot);
			bt_store_close(store);
		}
	END
	export PKG_CONFIG_SYSROOT_DIR=$ROOT PKG_CONFIG_LIBDIR=$ROOT$PREFIX/$LIBRARY/pkgconfig
	[ "$(pkg-config --modversion backuptool)" = "$(backuptool --version | cut -d ' ' -f 2)" ]
	# shellcheck disable=SC2046
	gcc -Wall -Wextra -Wno-unused-parameter -Werror program.c $(pkg-config --cflags --libs backuptool) -o program
	readelf -d program | grep -q 'libbackuptool.so.0'
	export LD_LIBRARY_PATH=$ROOT$PREFIX/$LIBRARY
	run -0 ./program snapshots
	output_is "$(newest) has 5 files"
	run -1 ./program nowhere
	[[ $output == *"there is no store"* ]]
	# each header stands alone in plain C
	for header in "$TOP"/include/backuptool/*.h; do
		echo "#include <backuptool/$(basename "$header")>"
	done >all.c
	# shellcheck disable=SC2046
	gcc -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only $(pkg-config --cflags backuptool) all.c
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
