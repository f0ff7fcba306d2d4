#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Paths that are named: compared by content, and what only leads to them stays as it is. And what a dry run says.
# shellcheck disable=SC2154
load helper

# corrupt FILE: another byte, with the size and time that it had.
corrupt() {
	local time
	time=$(stat -c %y "$1")
	printf X | dd of="$1" conv=notrunc bs=1 seek=5 status=none
	touch -d "$time" "$1"
}

@test "directories that only lead to a wanted path keep their mode, owner, ACL and times" {
	mkdir -p tree/share/deep tree/named
	echo a >tree/share/deep/a
	echo b >tree/named/b
	chmod 777 tree/share tree/share/deep tree/named
	take tree -q
	rm tree/share/deep/a tree/named/b
	chmod 700 tree/share tree/named
	is_root && chown 1234:1234 tree/share tree/share/deep
	setfacl -m u:1001:rx tree/share/deep 2>/dev/null || true
	chmod 500 tree/share/deep
	touch -d @1000000000 tree tree/share tree/share/deep tree/named
	before=$(cd tree && stat -c '%n %a %u %g %y' . share share/deep; getfacl -p share/deep 2>/dev/null || true)
	run -0 bring latest tree share/deep/a -n -v
	[[ $output == *'A share/deep/a  ('* ]]
	[ -z "$(grep -E '^[AM] (\.|share|share/deep)$' <<<"$output")" ]
	run -0 bring latest tree share/deep/a -v
	[[ $output == *'A share/deep/a  ('* ]]
	[ -z "$(grep -E '^[AM] (\.|share|share/deep)$' <<<"$output")" ]
	[ "$(cd tree && stat -c '%n %a %u %g %y' . share share/deep; getfacl -p share/deep 2>/dev/null || true)" = "$before" ]
	run -0 bring latest tree named -v
	[[ $output == *$'M named\n'* ]]
	[ "$(stat -c %a tree/named)" = 777 ]
	run -0 bring latest new share/deep/a
	[ "$(stat -c %a new/share new/share/deep | tr '\n' ' ')" = "777 777 " ]
}

@test "a named file is compared by content" {
	mkdir -p src/d
	seq 5000 >src/d/v
	seq 5000 >src/d/linked
	ln src/d/linked src/d/other
	touch -d @1600000000 src/d/*
	cp -a src out
	take src -q
	corrupt out/d/v
	corrupt out/d/linked
	run -0 bring latest out
	[[ $output == *$'\n'"2 left as they were by size and time alone; '--overwrite always' writes them again"* ]]
	[ "$(sed -n 2p out/d/v)" != 2 ] || [ "$(sed -n 3p out/d/v)" != 3 ]
	run -0 bring latest out d/v
	cmp src/d/v out/d/v
	[[ $output != *"by size and time"* ]]
	run -0 bring latest out d --json
	[ "$(jq .by_time <<<"$output")" = 0 ]
	same src out
	inode=$(stat -c %i out/d/v out/d/linked)
	run -0 bring latest out d
	[[ ${lines[1]} == *" 0 written (0 B), "* ]]
	[ "$(stat -c %i out/d/v out/d/linked)" = "$inode" ]
}

@test "in the snapshot's own directory a file that was touched since is compared by content" {
	mkdir src
	seq 5000 >src/v
	seq 5000 >src/same
	touch -d @1600000000 src/*
	settle
	take src -q
	corrupt src/v
	run -0 bring latest src
	[ "$(sed -n 2p src/v)" = 2 ]
	cmp src/v src/same
	[[ $output == *" 1 written ("* ]]
	[[ $output != *"by size and time"* ]]
}

# unnamed COMMAND…: on a host whose name is no text.
unnamed() {
	# shellcheck disable=SC2016
	unshare --uts sh -c 'printf "caf\\351" >/proc/sys/kernel/hostname && exec "$@"' sh "$@"
}

@test "so it is on a host whose name is no text" {
	{ is_root && unnamed true; } || skip "the host's name cannot be set"
	mkdir src
	seq 5000 >src/v
	touch -d @1600000000 src/v
	settle
	unnamed backuptool snapshot --target-directory src -q
	corrupt src/v
	run -0 unnamed backuptool restore --snapshot-file latest --output-directory src
	cmp src/v <(seq 5000)
}

@test "a file that changed while the snapshot was taken is named, which is no error" {
	mkdir src
	head -c 40000000 /dev/zero | tr '\0' x >src/log
	echo calm >src/calm
	(while :; do printf y | dd of=src/log conv=notrunc bs=1 seek=$((RANDOM * 1000)) status=none; done) 3>&- &
	writer=$!
	run backuptool snapshot --target-directory src
	kill "$writer"
	wait "$writer" || true
	[ "$status" = 3 ] || skip "it was read between two changes"
	run -0 --separate-stderr bring latest out
	stderr_is "backuptool restore: log: it changed while the snapshot was taken"
	run -0 --separate-stderr bring latest out --json
	[ "$(jq .torn <<<"$output")" = 1 ]
}

@test "a directory with something in it where the snapshot has a file: the sentence says what to do" {
	mkdir src
	echo db >src/db
	take src -q
	mkdir -p out/db/precious out2/db
	for how in -n ""; do
		# shellcheck disable=SC2086
		run -3 --separate-stderr bring latest out $how
		[ "$stderr" = "backuptool restore: db: a directory that is not empty is in the way: move it away, or restore with --delete" ]
		# shellcheck disable=SC2086
		run -0 bring latest out2 $how -v
		[[ $output == *'M db  ('* ]]
	done
	run -0 bring latest out --delete --yes -n -v
	told=$(grep '^[ADM=] ' <<<"$output")
	[[ $told == *"D db"* ]]
	run -0 bring latest out --delete --yes -v
	[ "$(grep '^[ADM=] ' <<<"$output")" = "$told" ]
}

@test "a dry run of a directory that may not be opened is true" {
	mkdir -p src/a/deep
	echo f >src/a/f
	echo g >src/a/deep/g
	take src -q
	reachable_tool
	chmod -R a+rX snapshots
	cp -a src mine
	cp -a src other
	is_root && chown -R 65534:65534 mine
	chmod 0 mine/a
	is_root && chmod 700 other/a && chmod 755 other
	run -0 --separate-stderr as_user backuptool --store snapshots restore --snapshot-file latest --output-directory mine -n -v
	stderr_is "backuptool restore: a: a dry run may not open it and cannot compare what is in it; a restore makes it accessible first"
	[[ $output == *'M a/f  ('* ]]
	[ "$(stat -c %a mine/a)" = 0 ]
	run -0 --separate-stderr as_user backuptool --store snapshots restore --snapshot-file latest --output-directory mine
	if is_root; then
		for how in -n -q; do
			run -3 --separate-stderr as_user backuptool --store snapshots restore --snapshot-file latest --output-directory other $how
			[[ $stderr == *"restore: a: open the directory failed: Permission denied"* ]]
			[[ $stderr != *a/f* ]]
		done
	fi
}
