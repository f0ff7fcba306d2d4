#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Two snapshots that are copied out of one mount stay two, and equal files are told apart only where that is wanted.
# shellcheck disable=SC2154
load mount_helper

# Two snapshots, $first and $second, with a hard link and a file that did not change.
two_snapshots() {
	mkdir src
	echo one >src/a
	ln src/a src/b
	echo plain >src/c
	head -c 200000 /dev/urandom >src/large
	settle
	quietly src
	first=$(newest)
	echo new >src/new
	quietly src
	second=$(newest)
	first=${first%.json} second=${second%.json}
}

# Whether the copies of both snapshots in a directory are apart, and have the links that each had.
are_apart() {
	[ "$(stat -c %h "$1/$first/a" "$1/$second/a" | tr '\n' ' ')" = '2 2 ' ]
	[ "$1/$first/a" -ef "$1/$first/b" ]
	echo edited >>"$1/$second/a"
	echo edited >>"$1/$second/c"
	[ "$(cat "$1/$first/a" "$1/$first/b" "$1/$first/c")" = $'one\none\nplain' ]
}

@test "cp -a and rsync -aH do not join two snapshots" {
	two_snapshots
	show
	mkdir copy synced
	cp -a "mnt/$first" "mnt/$second" copy
	are_apart copy
	rsync -aH "mnt/$first" "mnt/$second" synced
	are_apart synced
}

@test "out of an archive of two snapshots each can be taken alone" {
	two_snapshots
	show -o inodes=separate
	tar -C mnt -cf two.tar "$first" "$second"
	mkdir whole part
	tar -C whole -xf two.tar
	are_apart whole
	tar -C part -xf two.tar "$second"
	diff -r src "part/$second"
	mkdir copy
	cp -a "mnt/$first" "mnt/$second" copy
	are_apart copy
}

@test "Python's archives do not join files of two snapshots" {
	two_snapshots
	show
	mkdir part
	python3 -c 'import sys, tarfile
with tarfile.open("two.tar", "w") as archive:
    for name in sys.argv[1:]:
        archive.add("mnt/" + name, name)' "$first" "$second"
	tar -C part -xf two.tar "$second"
	diff -r src "part/$second"
	[ "part/$second/a" -ef "part/$second/b" ]
}

@test "du counts what is in two snapshots once, or with inodes=separate for each" {
	two_snapshots
	kib() { du -sk "mnt/$first" "mnt/$second" | cut -f 1 | tr '\n' ' '; }
	show
	read -r one two <<<"$(kib)"
	[ "$one" -ge 200 ]
	[ "$two" -lt 100 ]
	hide
	show -o inodes=separate
	read -r one two <<<"$(kib)"
	[ "$one" -ge 200 ]
	[ "$two" -ge "$one" ]
}

@test "equal files without links are one inode, others and those of inodes=separate are not" {
	two_snapshots
	show
	[ "mnt/$first/c" -ef "mnt/$second/c" ]
	[ ! "mnt/$first/a" -ef "mnt/$second/a" ]
	[ "mnt/$first/a" -ef "mnt/$first/b" ]
	hide
	show -o inodes=separate
	[ ! "mnt/$first/c" -ef "mnt/$second/c" ]
	[ ! "mnt/$first/a" -ef "mnt/$second/a" ]
	[ "mnt/$second/a" -ef "mnt/$second/b" ]
	cmp "mnt/$first/large" "mnt/$second/large"
	diff -r src "mnt/$second"
	hide
	show -o inodes=shared
	[ "mnt/$first/large" -ef "mnt/$second/large" ]
}

@test "versions/ has files with several names, too" {
	two_snapshots
	echo two >src/a
	quietly src
	show -o versions
	[ "$(cat mnt/versions/a/* | sort | tr '\n' ' ')" = 'one two ' ]
	[ "$(cat mnt/versions/b/* | sort | tr '\n' ' ')" = 'one two ' ]
}

@test "damage in a file with several names is told with its path" {
	mkdir -p src/below
	head -c 300000 /dev/urandom >src/below/one
	ln src/below/one src/below/other
	quietly src
	damage "snapshots/$(newest)" "$(($(jq '.contents[0].at' "snapshots/$(newest)") + 5000))"
	backupfs snapshots mnt -f 2>log 3>&- &
	wait_until is_mounted
	run -1 cat mnt/latest/below/other
	hide
	grep -q "$(newest | sed 's/\.json$//')/below/other" log
}

@test "a snapshot's directory has the time that was recorded, and as its change the time of the snapshot" {
	mkdir src
	echo 1 >src/f
	touch -d '2001-02-03 04:05:06.789' src
	quietly src
	show
	[ "$(stat -c %y mnt/latest/)" = "$(stat -c %y src)" ]
	[ "snapshot_$(date -u -d "@$(stat -c %Z mnt/latest/)" +%Y-%m-%dT%H-%M-%SZ)" = "$(readlink mnt/latest)" ]
	mkdir there
	rsync -a mnt/latest/ there/
	[ -z "$(rsync -ain src/ there/)" ]
	hide
	show -o snapshot=latest
	[ "$(stat -c %y mnt)" = "$(stat -c %y src)" ]
}

@test "attributes of snapshots that come later are shown" {
	mkdir src
	echo 1 >src/f
	quietly src
	show
	run -0 getfattr -d mnt/latest/f
	[ -z "$output" ]
	run -1 getfattr -n user.a mnt/latest/f
	[[ $output = *'Operation not supported'* ]]
	run -1 getfattr -n system.posix_acl_access mnt/latest/f
	[[ $output = *'No such attribute'* ]]
	ls -l mnt/latest/
	setfattr -n user.a -v hello src/f
	setfacl -m u:1574:r,g::rx src
	quietly src
	[ "$(getfattr --only-values -n user.a mnt/latest/f)" = hello ]
	run -1 getfattr -n user.b mnt/latest/f
	[[ $output = *'No such attribute'* ]]
	[ "$(stat -c %A mnt/latest/)" = "$(stat -c %A src)" ]
	[ "$(getfacl -cp mnt/latest/)" = "$(getfacl -cp src)" ]
	mkdir copy
	cp -a mnt/latest/. copy
	[ "$(getfattr --only-values -n user.a copy/f)" = hello ]
}

@test "with the slash the links of the root are what they lead to" {
	two_snapshots
	show
	for name in latest @now; do
		cp -a "mnt/$name/" copy
		[ ! -L copy ]
		diff -r src copy
		rsync -a "mnt/$name/" synced/
		diff -r src synced
		mkdir unpacked
		tar -C "mnt/$name" -cf - . | tar -C unpacked -xf -
		diff -r src unpacked
		[ "$(du -sk "mnt/$name/" | cut -f 1)" -ge 200 ]
		[ "$(find "mnt/$name/" -type f | wc -l)" = 5 ]
		rm -r copy synced unpacked
	done
}
