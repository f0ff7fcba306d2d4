#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a directory lists and cannot be had is never taken for deleted: it is an entry with an error.
# shellcheck disable=SC2154
load helper

teardown() {
	umount -l "$WORK/src/in" "$WORK/src/nas" 2>/dev/null || true
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
	umount -l "$WORK/src/nas" 2>/dev/null || true
	remove_work
}

# bad ERRNO: src/in is a file system whose names fail with it; 0: all is well.
bad() {
	! mountpoint -q src/in || umount src/in
	mkdir -p src/in
	[ -w /dev/fuse ] || skip 'no /dev/fuse'
	"$BUILD/tests/faults/badfs" "$1" src/in -o allow_other
}

entries() {
	backuptool ls -R "${1:-latest}" --store st | sort
}

all_names() {
	is_root || skip 'needs root'
	bad 0
	take src --store st -q
}

@test "names that are listed and not found are named, kept as entries with an error, and never shown as removed" {
	all_names
	local complete
	complete=$(backuptool list --store st --json | sed -n 's/.*"name":"\([^"]*\)".*/\1/p')
	for errno in 2 116; do
		bad $errno
		run -3 take src --store st
		[[ $output == *'in/nobody knows: '* ]]
		[[ $output == *'in/no\xe4: '* ]]
		[[ $output == *'in/nodir\xe4: '* ]]
		[[ $output == *'in/badfile: '* ]]
		[[ $output == *'in/baddir: '* ]]
		[[ $output == *'in/badlink: '* ]]
		[[ $output != *vanished* ]]
		[ "$(backuptool ls --json latest:in --store st | grep -c '"error"')" = 7 ]
		run backuptool diff "$complete" latest --store st
		[ "$status" = 3 ]
		[[ $output != *$'\n- '* && $output != '- '* ]]
		[[ $output == *'in/baddir: it could not be read when the snapshot was taken'* ]]
		run -3 backuptool diff latest --store st
		[[ $output != *$'\n- '* && $output != '- '* ]]
		# What was complete before is not called changed either.
		run -3 backuptool diff "$complete" --store st
		[[ $output != *'- in'* && $output != *'M in/badlink'* && $output != *'M in/baddir'* ]]
		[[ $output == *'in/badlink: read the link failed: '* ]]
	done
}

@test "what was there before stays in the snapshot before, and comes back when it can be read" {
	all_names
	bad 2
	run -3 take src --store st -q
	[ "$(backuptool cat latest~1:in/badfile --store st)" = text ]
	[ "$(backuptool cat "latest~1:in/nobody knows" --store st)" = text ]
	run -1 backuptool cat latest:in/badfile/below --store st
	[[ $output == "backuptool cat: in/badfile could not be read when snapshot_"*" was taken (no such file or directory); another snapshot "* ]]
	bad 0
	run -0 take src --store st
	[ "$(backuptool cat "latest:in/nobody knows" --store st)" = text ]
	[ "$(entries latest)" = "$(entries latest~2)" ]
}

@test "the count and the names are those of entries with an error, in JSON and for an ordinary user, too" {
	all_names
	bad 2
	run -3 --separate-stderr take src --store st --json
	[[ $output == *'"vanished":0,'* ]]
	[[ $output == *'"errors":7,'* ]]
	reachable_tool
	mkdir u
	chmod 777 u
	run -3 --separate-stderr as_user backuptool snapshot --store u/st --target-directory src --json
	[[ $output == *'"vanished":0,'* ]]
	[[ $output == *'"errors":7,'* ]]
	run -3 backuptool job --store st --target-directory src --interval 1s --duration 1s
	[[ $output == *'incomplete: 7 '* ]]
}

@test "an automount that fails leaves a directory with an error" {
	is_root || skip 'needs root'
	[ -e /dev/autofs ] || skip 'no autofs'
	mkdir -p src/nas src/d nas
	echo precious >nas/photo
	"$BUILD/tests/faults/autod" src/nas mount --bind "$WORK/nas" "$WORK/src/nas" >auto.log 3>&- &
	daemon=$!
	wait_until grep -q ready auto.log
	run -0 take src --store st
	[ "$(backuptool cat latest:nas/photo --store st)" = precious ]
	umount src/nas
	kill "$daemon"
	umount -l src/nas
	rm auto.log
	"$BUILD/tests/faults/autod" src/nas false >auto.log 3>&- &
	daemon=$!
	wait_until grep -q ready auto.log
	run -3 take src --store st
	[[ $output == *'nas: '* ]]
	[[ $(backuptool ls --json latest --store st) == *'"path":"nas"'*'"error":"ENOENT"'* ]]
	run -3 backuptool diff latest~1 latest --store st
	[[ $output != *'- nas'* ]]
	# Who stays on one file system does not trigger it.
	run -0 take src --store st -x
}

@test "what is removed between being listed and being read is no error; it is counted, and -v names it" {
	is_root || skip 'needs root'
	bad 0
	run -0 take src --store st -v
	[[ $output == *', 3 vanished while read'* ]]
	[[ $'\n'$output == *$'\nV in/gone\n'* ]]
	[[ $output == *$'\nV in/gonedir\n'* ]]
	[[ $output == *$'\nV in/gonefile\n'* ]]
	[ "$(backuptool ls latest:in --store st | grep -c gone)" = 0 ]
}

@test "a directory whose list breaks off half-way is an error as a whole: nothing in it counts as removed, nor is deleted" {
	all_names
	backuptool restore --store st --snapshot-file latest --output-directory out -q
	touch out/in/half/own
	bad 5
	run -3 --separate-stderr take src --store st --json
	[[ $stderr == *'in/half: '*'Input/output error'* ]]
	[ "$(jq ".removed_entries // 0" <<<"$output")" = 0 ]
	[[ $(backuptool ls --json latest:in --store st) == *'"path":"in/half"'*'"error":"EIO"'* ]]
	[ "$(entries latest~1 | grep -c half/f)" = 200 ]
	[ "$(entries | grep -c half/f)" = 0 ]
	run -3 backuptool diff latest~1 latest --store st
	[[ $output != *half/* ]]
	run -3 --separate-stderr backuptool restore --store st --snapshot-file latest --output-directory out --delete --yes
	[[ $stderr == *'in/half: '* ]]
	[ "$(find out/in/half -name 'f*' | wc -l)" = 200 ]
	[ -e out/in/half/own ]
	bad 0
	run -0 --separate-stderr take src --store st --json
	[ "$(jq ".removed_entries // 0" <<<"$output")" = 0 ]
	[ "$(backuptool ls latest:in/half --store st | wc -l)" = "$(backuptool ls latest~2:in/half --store st | wc -l)" ]
}

# A program that has leases on files, and gives each back so many seconds after it was asked to.
@test "a file on which another program has a lease is read once that is given back" {
	mkdir src
	for i in $(seq 20); do echo "$i" >"src/f$i"; done
	head -c 3000000 /dev/urandom >src/large
	mkfifo ready
	python3 - src/* >ready 2>leases 3>&- <<'E2' &
import fcntl, os, signal, sys, time
files = [os.open(path, os.O_RDWR) for path in sys.argv[1:]]
signal.signal(signal.SIGIO, lambda *_: None)
for fd in files:
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('ready', flush=True)
signal.pause()
time.sleep(0.5)
for fd in files:
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
E2
	holder=$!
	grep -q ready <ready
	run -0 timeout 60 backuptool snapshot --target-directory src
	[[ $output == *"21 new"* ]]
	wait "$holder"
	run -0 bring latest out
	diff -r src out
}
