#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stores that somebody wrote to be slow, or to fill a memory or a disk: what commands do with them is bounded in bytes.
# shellcheck disable=SC2154
load helper

teardown() {
	unmount_work
	remove_work
}

crafted() {
	"$TESTS/bench/crafted.py" "$@"
}

# Bytes of the named paths, how many paths are named, and how many more only counted.
named() {
	python3 -c '
import json, sys
report = json.load(open(sys.argv[1]))
hurts = [hurt for finding in report["findings"] for hurt in finding["hurts"]] + report.get("lost", [])
more = sum(finding["more"] for finding in report["findings"]) + report["summary"].get("lost_more", 0)
print(sum(len(hurt["path"]) for hurt in hurts), len(hurts), more)' "$1"
}

@test "check names paths up to a number of bytes, and counts the others" {
	local bytes paths more
	crafted deep snapshots 600
	run -1 --separate-stderr backuptool check --json
	printf '%s\n' "$output" >report.json
	read -r bytes paths more < <(named report.json)
	[ "$bytes" -gt 8000000 ]
	[ "$bytes" -le $((16 << 20)) ]
	# one path for each of the damaged contents, and the file at the bottom
	[ "$paths" -gt 0 ]
	[ "$more" -gt 0 ]
	[ $((paths + more)) = 601 ]
	backuptool check >report.txt && false
	[ "$(stat -c %s report.txt)" -lt $((20 << 20)) ]
	grep -q '^damage hurts 601 paths in 1 snapshot: ' report.txt
	[ "$(grep -c '^  hurts snapshot_' report.txt)" = "$paths" ]
	[ "$(grep -cx '  hurts 1 path, not named here: together the paths are too long' report.txt)" = "$more" ]
	run -1 grep 'hurts no snapshot' report.txt
}

@test "check --repair names what would be lost up to a number of bytes" {
	local bytes paths more
	crafted deep snapshots 600
	backuptool check --repair --dry-run --json >report.json && false
	python3 - <<-'P'
		import json
		report = json.load(open('report.json'))
		lost, summary = report['lost'], report['summary']
		assert 0 < sum(len(one['path']) for one in lost) <= 16 << 20
		assert summary['lost'] == 601 and len(lost) + summary['lost_more'] == 601 and summary['lost_more'] > 0
	P
	backuptool check --repair --yes >report.txt && false
	tail -n 2 report.txt | grep -Eqx 'lost: [0-9]+ more, not named here: together the paths are too long'
}

@test "of a file in many pieces one path is counted, named or not" {
	crafted flood snapshots 5000
	run -1 backuptool check
	[[ $output == *"damage hurts 1 path in 1 snapshot: "* && $output != *" more"* ]]
}

@test "a digest that nobody compares is told, where files have very large holes" {
	crafted holes snapshots 3
	run -0 backuptool check
	[[ $output == *"; 1 version of large files only piece by piece; no damage found" ]]
	run -0 backuptool restore --snapshot-file latest --output-directory out
	[[ $output == *$'\n'"3 verified only piece by piece: with holes of more than 1 GiB the digest of a file is not compared"$'\n'* ]]
	run -0 backuptool restore --snapshot-file latest --output-directory out --json
	[[ $output == *'"in_pieces":0,'* ]]
	run -0 backuptool restore --snapshot-file latest --output-directory out --overwrite always --json
	[[ $output == *'"in_pieces":3,'* ]]
	run -0 backuptool restore --snapshot-file latest --output-directory other --dry-run
	[[ $output != *"piece by piece"* ]]
}

@test "a file with very large holes may do without a digest, one with smaller ones may not" {
	local size
	for size in $(((1 << 30) + 1)) $((1 << 30)); do
		rm -rf snapshots
		crafted holes snapshots 1 "$size"
		run backuptool check
		case $size in
		$((1 << 30))) [[ $status = 1 && $output == *"(missing-key)"* ]] ;;
		*) [ "$status" = 0 ] ;;
		esac
	done
}

# little FILE…: none of them takes more than some pages on the disk.
little() {
	local file
	for file; do
		[ "$(stat -c %b "$file")" -lt 200 ] || return 1
	done
}

@test "an export that is much larger than the store, or than the room there is, is asked about" {
	crafted holes snapshots 3
	[ "$(du -sb snapshots | cut -f 1)" -lt 8000 ]
	run -1 --separate-stderr backuptool export --classic latest out.json
	[[ $stderr == "backuptool export: the file would have about 10.7 GiB, "*": nothing was changed; give --yes to go on" ]]
	[ -z "$output" ]
	mkdir disk
	mount_or_skip -t tmpfs -o size=10m tmpfs disk
	run -1 --separate-stderr backuptool export --classic latest disk/out.json
	[[ $stderr == *"about 10.7 GiB, and only "*" MiB are free where it is to be written: nothing was changed; "* ]]
	run -1 --separate-stderr backuptool export --classic latest disk/out.json --yes
	[[ $stderr == *"No space left on device"* ]]
	rm -rf snapshots
	mkdir src
	head -c 12000000 /dev/urandom >src/data
	backuptool snapshot --target-directory src -q
	run -1 --separate-stderr backuptool export --classic latest disk/out.json
	[[ $stderr == *"about 15.3 MiB, and only "* ]]
	# what was asked about left nothing, and what failed neither
	[ -z "$(ls -A disk)" ]
	run -0 backuptool export --classic latest out.json
}

@test "holes stay holes in a file, and cost a pipe no more than is read of it" {
	crafted holes snapshots 3
	backuptool cat latest:hole000000 latest:hole000001 >two
	[ "$(stat -c %s two)" = $((16 << 30)) ]
	little two
	backuptool restore --snapshot-file latest --output-directory out -q
	little out/*
	backuptool dump latest >out.tar
	little out.tar
	[ "$(backuptool cat latest:hole000000 | head -c 1000000 | tr -d '\0' | wc -c)" = 0 ]
}

@test "cat writes holes as zeros where they are not the end of a file" {
	mkdir src
	truncate -s 1M src/f
	printf middle >>src/f
	truncate -s 3M src/f
	backuptool snapshot --target-directory src -q
	backuptool cat latest:f >once
	cmp once src/f
	backuptool cat latest:f latest:f >twice
	cmp twice <(cat src/f src/f)
	printf 'before\n' >append
	backuptool cat latest:f >>append
	cmp append <(printf 'before\n' && cat src/f)
	head -c 5M /dev/urandom >over
	cp over wanted
	dd if=src/f of=wanted conv=notrunc status=none
	backuptool cat latest:f 1<>over
	cmp over wanted
}

@test "an export names a file that has no digest because of its holes" {
	crafted holes snapshots 1 2000000000
	run -3 --separate-stderr backuptool export --classic latest out.json
	[[ $stderr == *"hole000000: it has very large holes and no digest, which this layout needs" ]]
}

# endless DIRECTORY NAME COMMAND…: the list of the directory goes on with names that begin so, for ever.
endless() {
	timeout 300 env ODD=end "ODD_ENDLESS=$(realpath "$1")" "ODD_NAME=$2" "LD_PRELOAD=$BUILD/tests/faults/libodd.so" \
		"ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" "${@:3}"
}

TOO_MANY="more than 4,194,304 names are listed here, as in no directory of a store: is this the right one, and does its file system work?"

@test "a store whose list has no end is refused by every command" {
	local command
	mkdir src
	echo hello >src/f
	backuptool snapshot --target-directory src -q
	# Each reads four million names. All of them open the store by one function: with --long every command does it here.
	set -- "list" "restore --snapshot-file latest --output-directory out" "snapshot --target-directory src" "prune --keep-last 1 --dry-run"
	[ "${TEST_LONG:-0}" = 0 ] || set -- "$@" "ls latest" "find f" "versions f" "diff latest" "check --quick" "stats" "cat latest:f" \
		"dump latest" "export --classic latest out.json" "tag latest --add t" "remove latest --yes"
	for command; do
		echo "$command"
		# shellcheck disable=SC2086
		run -1 --separate-stderr endless snapshots x backuptool $command
		[[ $stderr == *"snapshots: $TOO_MANY"* ]]
	done
	[ ! -e out ]
	[ ! -e out.json ]
	run -0 backuptool check
}

@test "so is one whose list has snapshots without end, or contents/" {
	mkdir src
	echo hello >src/f
	backuptool snapshot --target-directory src -q
	run -1 --separate-stderr endless snapshots snapshot_2026-11-22T10-30-00Z- backuptool list
	[[ $stderr == *"snapshots: $TOO_MANY" ]]
	[ -d snapshots/contents ] || mkdir -m 700 snapshots/contents
	run -1 --separate-stderr endless snapshots/contents x backuptool list
	[[ $stderr == *"contents: $TOO_MANY" ]]
}

@test "what only helps may have a list without end" {
	mkdir src
	echo hello >src/f
	backuptool snapshot --target-directory src -q
	run -0 endless snapshots/cache x backuptool check
	run -0 endless snapshots/cache index-0123456789abcdef.seg backuptool check
	run -0 endless snapshots/cache classic- backuptool check
}

@test "the longest hole that there can be costs a dump and a file next to nothing" {
	crafted holes snapshots 1 $(((1 << 62) + 1))
	# no file system has a file as long: nothing is written in its place
	run -1 --separate-stderr timeout 60 bash -c 'backuptool cat latest:hole000000 >file'
	[[ $stderr == *"write the output failed: "* ]]
	little file
	# days, where each 64 KiB of it costs a call
	rm -r snapshots
	crafted holes snapshots 1 $(((1 << 57) + 1))
	timeout 300 backuptool dump latest >out.tar
	little out.tar
}

@test "cat ends at a signal within a hole" {
	local program code=0
	crafted holes snapshots 1 $(((1 << 62) + 1))
	mkfifo pipe
	exec 9<>pipe
	backuptool cat latest:hole000000 >pipe 3>&- 9>&- &
	program=$!
	head -c 1000000 pipe >some
	kill -TERM "$program"
	wait "$program" || code=$?
	[ "$code" = 130 ]
	exec 9>&-
}

@test "an ordinary user is asked and bounded as root is" {
	crafted holes snapshots 3
	chmod -R a+rX snapshots
	reachable_tool
	mkdir -m 777 mine
	run -1 --separate-stderr as_user backuptool export --classic latest mine/out.json
	[[ $stderr == *"the file would have about 10.7 GiB, "* ]]
	as_user bash -c 'backuptool cat latest:hole000002 >mine/hole'
	little mine/hole
	rm -r snapshots
	crafted deep snapshots 300
	chmod -R a+rX snapshots
	as_user backuptool check --json >report.json && false
	[ "$(named report.json | cut -d ' ' -f 2-)" = "301 0" ]
}

# What a snapshot file has but for its time, and the digests that cover this.
body() {
	tail -n +2 "$1"/snapshot_* | sed -E '$ s/"(open|file)_sha256":"[0-9a-f]+"//g'
}

@test "no seed of a run shows in what it writes" {
	mkdir src
	for number in $(seq 300); do
		echo "$number" >"src/$number"
		ln "src/$number" "src/also-$number"
	done
	for store in one two; do
		at 2026-11-22T10:30:00 taskset -c 0 "$BUILD/tools/backuptool" --store "$store" snapshot --target-directory src -q
	done
	body one >one.text
	[ "$(wc -l <one.text)" -gt 10 ]
	diff one.text <(body two)
}

LONG=$(printf 'n%.0s' $(seq 235))

@test "a source directory whose list has no end is named, and the rest of the source is taken" {
	mkdir -p src/endless src/zoe
	echo hello >src/zoe/f
	run -3 --separate-stderr endless src/endless "$LONG" backuptool snapshot --target-directory src
	[[ $stderr == *"endless: "*"Value too large"* ]]
	[ "$(backuptool cat latest:zoe/f)" = hello ]
}

@test "an output directory whose list has no end keeps what it has" {
	mkdir -p src/sub out/sub
	echo hello >src/sub/f
	echo mine >out/sub/own
	backuptool snapshot --target-directory src -q
	run -3 --separate-stderr endless out/sub "$LONG" backuptool restore --snapshot-file latest --output-directory out --delete --yes
	[[ $stderr == *"sub: list the directory failed: Value too large"* ]]
	[ "$(cat out/sub/f)" = hello ]
	[ "$(cat out/sub/own)" = mine ]
}
