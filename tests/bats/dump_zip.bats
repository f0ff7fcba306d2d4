#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# dump --format zip: what a zip can have is in it, and what it cannot have is said.
# shellcheck disable=SC2154
load helper

@test "a zip has names, bytes, modes, times and links, for python, bsdtar and unzip" {
	small_tree src
	echo ä >'src/docs/Übung ☃.txt'
	chmod 640 src/docs/a.txt
	touch -d '2020-02-02 10:20:30' src/docs/a.txt
	take src -q
	run -0 --separate-stderr backuptool --store snapshots dump latest --format zip
	[ "$stderr" = "" ]
	LC_ALL=C backuptool dump latest --format zip >all.zip
	python3 - <<-'END'
		import stat, zipfile
		z = zipfile.ZipFile('all.zip')
		assert z.testzip() is None
		names = {i.filename: i for i in z.infolist()}
		assert 'docs/Übung ☃.txt' in names and names['docs/Übung ☃.txt'].flag_bits & 0x800, names
		assert z.read('docs/a.txt') == b'hello\n'
		mode = lambda name: names[name].external_attr >> 16
		assert stat.S_IMODE(mode('docs/a.txt')) == 0o640
		assert stat.S_ISLNK(mode('link')) and z.read('link') == b'docs/a.txt'
		assert 'empty/' in names and './' not in names
	END
	for reader in 'bsdtar -xpf all.zip -C' 'unzip -q all.zip -d'; do
		rm -rf out
		mkdir out
		command -v "${reader%% *}" >/dev/null || continue
		$reader out
		diff -r src out
		[ "$(stat -c '%a %Y' out/docs/a.txt)" = "$(stat -c '%a %Y' src/docs/a.txt)" ]
		[ "$(readlink out/link)" = docs/a.txt ]
	done
	backuptool dump latest:docs/a.txt --format zip >one.zip
	[ "$(python3 -m zipfile -l one.zip | grep -c a.txt)" = 1 ]
}

@test "what a zip cannot have is said once" {
	mkdir src
	echo text >src/file
	ln src/file src/other
	mkfifo src/pipe
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("src/socket")'
	touch -d '1950-01-01' src/old
	: >$'src/bad\xff'
	has_attributes=0
	setfattr -n user.x -v y src/file 2>/dev/null && has_attributes=1
	take src -q
	run -0 --separate-stderr backuptool dump latest --format zip
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == "backuptool dump: a zip cannot have everything: 2 devices, pipes and sockets left out, 2 files with several names written for each name, "* ]]
	[[ $has_attributes = 0 || $stderr == *", 2 entries without attributes or ACLs, "* ]]
	[[ $stderr == *", 1 time before 1970 or after 2038, 1 name with %FF for bytes that are not UTF-8" ]]
	backuptool dump latest --format zip -q >all.zip
	python3 -c 'import zipfile
names = sorted(zipfile.ZipFile("all.zip").namelist())
assert names == ["bad%FF", "file", "old", "other"], names'
	run -2 backuptool dump latest --format rar
	[[ $output == *": --format 'rar' is not tar or zip; "* ]]
	on_terminal 120 'backuptool dump latest --format zip || echo ended with $?'
	[[ $output == *"refusing to write a zip archive to a terminal"*"ended with 2"* ]]
}

@test "a file of more than 4 GiB is in a zip" {
	[ "${TEST_LONG:-0}" = 1 ] || skip "only with --long"
	mkdir src
	truncate -s 4300000000 src/hole
	take src -q
	backuptool dump latest --format zip >all.zip
	python3 -c 'import zipfile
z = zipfile.ZipFile("all.zip")
assert z.getinfo("hole").file_size == 4300000000
assert z.testzip() is None'
}
