#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A restore ends early only when the output directory's own file system takes no more data; all else is named, and it goes on.
# shellcheck disable=SC2154
load mount_helper

# attribute FILE BYTES [NAME]
attribute() {
	python3 -c 'import os, sys; os.setxattr(sys.argv[1], sys.argv[3], b"z" * int(sys.argv[2]))' "$1" "$2" "${3:-user.big}"
}

# A file system with little room for attributes, on ./small.
small_attributes() {
	truncate -s 24M image
	mkfs.ext4 -q -I 256 image
	mkdir small
	mount_or_skip -o loop image small
}

broken() {
	find "$1" -type f -exec sh -c 'echo broken >"$1"' _ {} \;
}

@test "an attribute that does not fit is named, and every file comes back" {
	is_root || skip "only root mounts"
	mkdir -p src/deep
	mount_or_skip -t tmpfs tmpfs src
	mkdir -p src/deep/there
	for n in {1..20}; do echo "$n" >"src/f$n"; done
	echo last >src/zz
	{ attribute src/f1 5000 && attribute src/f2 60000; } 2>/dev/null || skip "tmpfs has no attributes of users"
	for n in {1..40}; do attribute src/f3 200 "user.number$n"; done
	attribute src/deep/there 5000
	take src -q
	small_attributes
	run -3 --separate-stderr bring latest small
	for file in f1 f2 f3 deep/there; do
		[ "$(grep -c "restore: $file: the file system has no room for such an attribute" <<<"$stderr")" = 1 ]
	done
	[[ $stderr != *"disk is full"* ]]
	[[ ${lines[1]} == *", 4 failed" ]]
	rmdir small/lost+found
	touch -r src small
	same src small --without xattrs
}

@test "a read-only file system below the output directory: everything else comes back" {
	mkdir -p src/ro src/data
	for n in {1..300}; do echo "$n" >"src/data/f$n"; done
	echo there >src/ro/file
	chmod -R a+rwX src
	take src -q
	chmod 755 snapshots
	chmod -R a+rX snapshots
	reachable_tool
	is_root && chown -R 65534:65534 src
	for who in env as_user; do
		for kind in tmpfs bind; do
			if [ $kind = tmpfs ]; then
				mount_or_skip -t tmpfs tmpfs src/ro
			else
				mkdir -p elsewhere
				mount_or_skip --bind elsewhere src/ro
			fi
			echo other >src/ro/file
			mount -o remount,bind,ro src/ro
			broken src/data
			for more in "" --delete; do
				# shellcheck disable=SC2086
				run -3 --separate-stderr $who backuptool --store snapshots restore \
					--snapshot-file latest --output-directory src $more
				[[ $stderr == *"ro/file: "*"Read-only file system"* ]]
				[[ $stderr != *"mounted read-only"* ]]
				[ "$(grep -c "restore: ro: " <<<"$stderr")" -le 1 ]
				[ -z "$(grep -rlx broken src/data)" ]
			done
			umount src/ro
			rm -f src/ro/file
		done
	done
}

@test "what is right already needs no writing: a read-only file system with equal contents is no error" {
	mkdir -p src/ro src/data
	echo there >src/ro/file
	take src -q
	mount_or_skip --bind src/ro src/ro
	mount -o remount,bind,ro src/ro
	run -0 --separate-stderr bring latest src
	[ -z "$stderr" ]
}

@test "a full file system below the output directory: what comes after it comes back" {
	mkdir -p src/boot src/zz
	head -c 400000 /dev/urandom >src/boot/kernel
	head -c 9000000 /dev/urandom >src/boot/large
	for n in {1..50}; do echo "$n" >"src/zz/f$n"; done
	take src -q
	mkdir -p out/boot
	mount_or_skip -t tmpfs -o size=200k tmpfs out/boot
	run -3 --separate-stderr bring latest out
	stderr=$(sort <<<"$stderr")
	[[ $stderr == *"boot/kernel: "*"No space left on device"*"boot/large: "*"No space left on device"* ]]
	same src/zz out/zz
	[ -z "$(ls -A out/boot)" ]
}

@test "the output directory's own file system is full, or read-only: the restore ends" {
	mkdir src
	for n in {1..30}; do head -c 100000 /dev/urandom >"src/f$n"; done
	take src -q
	mkdir out
	mount_or_skip -t tmpfs -o size=1m tmpfs out
	run -1 --separate-stderr bring latest out
	[[ $stderr == *"the disk is full: free some space ('df' and 'df -i' tell of it) and run it again"* ]]
	mount -o remount,ro out
	run -1 --separate-stderr bring latest out
	[[ $stderr == *"the file system is mounted read-only"* ]]
	[ "$(grep -c "Read-only file system" <<<"$stderr")" -le 8 ]
}

@test "times that the file system cannot hold are told once" {
	mkdir src out
	echo old >src/old
	echo older >src/older
	touch -d '2001-01-01 12:00:00.5' src/old src/older
	take src -q
	truncate -s 8M image
	mkfs.ext4 -q -I 128 image 2>/dev/null
	mount_or_skip -o loop image out
	run -0 --separate-stderr bring latest out
	[ "$(grep -c "the file system cannot hold such a time and keeps one near it" <<<"$stderr")" = 1 ]
	[[ $stderr == *"entries)"* ]]
	[ "$(cat out/old)" = old ]
}
