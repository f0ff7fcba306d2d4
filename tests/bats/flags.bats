#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Inode flags and project ids: recorded, shown, compared, and brought back.
# shellcheck disable=SC2154
load helper

setup() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	mkdir disk
}

teardown() {
	if [ -n "${WORK:-}" ]; then
		chattr -R -f -i -a "$WORK" 2>/dev/null || true
	fi
	unmount_work
	remove_work
}

# disk TYPE [OPTION…]: ./disk is a new file system of that type.
disk() {
	command -v "mkfs.$1" >/dev/null || skip "there is no mkfs.$1"
	truncate -s "${SIZE:-64M}" image
	"mkfs.$1" "${@:2}" image >/dev/null 2>&1
	mount_or_skip -o loop image disk
}

# The flags that can be set, of all below a directory.
flags() {
	(cd "$1" && find . -mindepth 1 \( -type f -o -type d \) -print0 | sort -z | xargs -0 lsattr -d | tr -d 'eEIVN-')
}

projects() {
	(cd "$1" && find . -mindepth 1 \( -type f -o -type d \) -print0 | sort -z | xargs -0 lsattr -dp | awk '{ print $1, $NF }')
}

@test "flags come back on ext4; an immutable file says so when it is in the way" {
	disk ext4 -q
	mkdir -p disk/src/dir/below disk/src/large
	for name in plain immutable append nodump dir/noatime dir/below/f; do echo "$name" >"disk/src/$name"; done
	head -c 9000000 /dev/urandom >disk/src/large/file
	chattr +d disk/src/nodump disk/src/dir
	chattr +A disk/src/dir/noatime
	chattr +i disk/src/immutable disk/src/large/file
	chattr +a disk/src/append
	chattr +i disk/src/dir/below
	take disk/src -q
	run -0 backuptool ls -l latest
	[[ $output == *"immutable  (flags: i)"* && $output == *"dir  (flags: d)"* ]]
	run -0 backuptool ls -R --json latest
	[ "$(jq -r 'select(.path == "dir/noatime").flags' <<<"$output")" = A ]
	run -0 --separate-stderr bring latest disk/out
	[ -z "$stderr" ]
	diff <(flags disk/src) <(flags disk/out)
	cmp disk/src/large/file disk/out/large/file
	# Nothing is left to do.
	run -0 --separate-stderr bring latest disk/out
	[[ $output == *" 0 written (0 B)"* && -z $stderr ]]
	chattr -d disk/out/nodump
	run -0 --separate-stderr bring latest disk/out -v
	[[ $output == *"M nodump"* ]]
	diff <(flags disk/src) <(flags disk/out)
	# What may not be changed is said, and the rest is brought.
	chattr -i disk/out/immutable
	echo other >disk/out/immutable
	chattr +i disk/out/immutable
	rm disk/out/plain
	run -3 --separate-stderr bring latest disk/out
	stderr_is "backuptool restore: immutable: it may not be changed: take that flag from it, or from its directory, with 'chattr -i -a' first"
	[ -e disk/out/plain ]
	# The same of what is to go, and of what is to be made in such a directory.
	chattr -i disk/out/immutable
	cp -p disk/src/immutable disk/out/immutable
	chattr +i disk/out/immutable
	touch disk/out/more
	chattr +i disk/out/more
	chattr -i disk/out/dir/below
	rm disk/out/dir/below/f
	chattr +i disk/out/dir/below
	run -3 --separate-stderr bring latest disk/out --delete --yes
	[ "$(grep -c "it may not be changed" <<<"$stderr")" = "$(grep -c . <<<"$stderr")" ]
	[[ $stderr == *": more: it may"* && $stderr == *": dir/below/f: it may"* ]]
}

@test "a change of flags is a change, and told by diff" {
	disk ext4 -q
	mkdir disk/src
	echo a >disk/src/a
	echo b >disk/src/b
	settle
	take disk/src -q
	chattr +d disk/src/a
	run -0 --separate-stderr take disk/src
	[[ ${lines[1]} == "files: 0 new files, 1 changed, 1 unchanged" ]]
	run -0 --separate-stderr backuptool diff latest~1 latest
	[[ ${lines[0]} == *" a" && $output != *" b"* ]]
	run -0 --separate-stderr backuptool diff latest~1 latest --json
	[ "$(jq -r 'select(.path == "a").change' <<<"$output")" = metadata ]
}

@test "a snapshot without flags, as of a file system that has none, takes none away" {
	disk ext4 -q
	mkdir -p disk/src/dir disk/out/dir
	echo new >disk/src/dir/file
	take disk/src -q
	echo old >disk/out/dir/file
	chattr +d disk/out/dir
	run -0 --separate-stderr bring latest disk/out
	cmp disk/src/dir/file disk/out/dir/file
	[[ $(lsattr -d disk/out/dir) == *d*" disk/out/dir" ]]
}

@test "no copy on write on btrfs, which only an empty file can be told" {
	SIZE=128M
	disk btrfs -q -M
	mkdir disk/src
	: >disk/src/image
	chattr +C disk/src/image
	head -c 5000 /dev/urandom >disk/src/image
	echo x >disk/src/other
	take disk/src -q
	run -0 --separate-stderr bring latest disk/out
	[ -z "$stderr" ]
	diff <(flags disk/src) <(flags disk/out)
	[[ $(lsattr -d disk/out/image) == *C* ]]
	same disk/src disk/out
	# Where there is no such flag it is said once, and everything is there.
	mkdir there
	mount_or_skip -t tmpfs none there
	run -0 --separate-stderr bring latest there/out
	stderr_is "backuptool restore: image: some inode flags or the project id cannot be set here (1 entry)"
	cmp disk/src/image there/out/image
}

@test "flags and projects come back on xfs" {
	SIZE=320M
	disk xfs -q
	mkdir -p disk/src/dir
	echo x >disk/src/dir/file
	chattr +i disk/src/dir/file
	chattr +P -p 9 disk/src/dir
	echo y >disk/src/dir/inherits
	echo z >disk/src/dir/own
	chattr -p 77 disk/src/dir/own
	take disk/src -q
	run -0 backuptool ls -lR latest
	[[ $output == *" dir  (flags: P, project: 9)"* && $output == *"own  (project: 77)"* ]]
	run -0 backuptool ls -R --json latest
	[ "$(jq -c 'select(.path == "dir") | [.flags, .project]' <<<"$output")" = '["P",9]' ]
	run -0 --separate-stderr bring latest disk/out
	diff <(flags disk/src) <(flags disk/out)
	diff <(projects disk/src) <(projects disk/out)
}

acls() {
	(cd "$1" && find . | sort | xargs getfacl -n)
}

# XFS lists each ACL once more for root, as trusted.SGI_ACL_FILE.
@test "an ACL on xfs is recorded once, and a second restore onto xfs leaves it as it is" {
	SIZE=320M
	disk xfs -q
	mkdir -p disk/src/dir other
	echo x >disk/src/file
	setfacl -m u:33:rw disk/src/file
	setfacl -d -m u:33:rwx disk/src/dir
	take disk/src -q
	run -0 backuptool ls -R --json latest
	[[ $output != *SGI_ACL* ]]
	bring latest other -q
	same disk/src other --without xattrs
	diff <(acls disk/src) <(acls other)
	[ -z "$(getfattr -m SGI_ACL other/file)" ]
	take other -q # the same from a file system without such names
	bring "$(newest)" disk/out -q
	for _ in 1 2; do
		run -0 --separate-stderr bring "$(newest)" disk/out
		[[ $output == *" 0 written (0 B)"* && -z $stderr ]]
		diff <(acls disk/src) <(acls disk/out)
	done
	run -0 --separate-stderr backuptool diff "$(newest)" disk/out
	[ -z "$output" ] || [[ $output == *"no differences"* ]]
}

@test "an ordinary user gets the flags that he may set" {
	reachable_tool
	disk ext4 -q
	mkdir -m 777 disk/src disk/user
	echo x >disk/src/immutable
	echo y >disk/src/nodump
	chattr +d disk/src/nodump
	chattr +i disk/src/immutable
	take disk/src -q
	chmod -R a+rX snapshots
	cp -r snapshots disk/user/st
	chown -R 65534:65534 disk/user
	cd disk/user
	run -0 --separate-stderr as_user backuptool --store st restore --snapshot-file latest --output-directory out
	[[ $stderr == *"immutable: some inode flags or the project id cannot be set here (1 entry)"* ]]
	[[ $(lsattr out/nodump) == *d* && $(lsattr out/immutable) != *-i-* ]]
	cat out/immutable
}

@test "a hole no larger than what attributes take is found" {
	disk ext4 -q -I 128 -b 4096
	head -c 172326 /dev/urandom >disk/file
	setfattr -n user.big -v "$(head -c 500 /dev/zero | tr '\0' x)" disk/file
	fallocate -p -o 40960 -l 4096 disk/file
	mkdir disk/src
	mv disk/file disk/src
	take disk/src -q
	run -0 --separate-stderr bring latest disk/out
	same disk/src disk/out
	[ "$(stat -c %b disk/out/file)" = "$(stat -c %b disk/src/file)" ]
}
