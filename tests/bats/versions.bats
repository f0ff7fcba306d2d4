#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# versions by a pattern, by a bare name, and of several hosts and directories.
# shellcheck disable=SC2154
load helper

three_letters() {
	mkdir -p src/letters src/old
	for n in 1 2; do
		echo "may $n" >src/letters/may1.txt
		at "2026-01-0${n}T10:00" backuptool snapshot --target-directory src -q --host laptop
	done
	echo june >src/letters/june1.txt
	echo plan >src/old/plan
	at 2026-01-03T10:00 backuptool snapshot --target-directory src -q --host laptop
}

@test "a pattern shows the versions of each path that matches" {
	three_letters
	run -0 backuptool versions 'letters/*1.txt'
	[ "$(grep -c '^MODIFIED' <<<"$output")" = 2 ]
	[ "${lines[0]}" = letters/june1.txt ]
	[ "${lines[3]}" = letters/may1.txt ]
	[ "${#lines[@]}" = 7 ]
	backuptool versions letters/may1.txt | diff - <(tail -n 3 <<<"$output")
	run -0 backuptool versions 'may*' --json
	[ "$(jq -r '"\(.path) \(.host) \(.snapshots | length)"' <<<"$output")" = "letters/may1.txt laptop 1
letters/may1.txt laptop 2" ]
	# A name with such characters is that first of all.
	echo star >'src/letters/*1.txt'
	at 2026-01-04T10:00 backuptool snapshot --target-directory src -q --host laptop
	run -0 backuptool versions 'letters/*1.txt'
	[ "${#lines[@]}" = 2 ]
	run -1 backuptool versions 'nothing*'
	output_is "backuptool versions: no snapshot has nothing*"
}

@test "a bare name that is not at the top is said to be where it is" {
	three_letters
	run -1 backuptool versions may1.txt
	output_is "backuptool versions: no snapshot has may1.txt at its top; that is the name of letters/may1.txt"
	mkdir src/a src/b src/c
	touch src/{a,b,c}/plan 'src/a/[x]*' src/a/xx
	at 2026-01-05T10:00 backuptool snapshot --target-directory src -q --host laptop
	run -1 backuptool versions plan
	[[ $output == *"no snapshot has plan at its top; that is the name of "*"/plan, "*"/plan, "*"/plan, … ('backuptool find' knows where else)" ]]
	run -1 backuptool versions xx
	output_is "backuptool versions: no snapshot has xx at its top; that is the name of a/xx"
	run -0 backuptool versions '[x]*'
	[ "${lines[0]}" = a/xx ]
	run -1 backuptool versions may2.txt
	[[ $output == *"no snapshot has may2.txt"* && $output != *"at its top"* ]]
}

@test "a version that two hosts or directories have has a row for each, with its host and directory" {
	three_letters
	run -0 backuptool versions letters/may1.txt
	[[ ${lines[0]} =~ ^MODIFIED\ +SIZE\ +SHA-256\ +SNAPSHOTS\ +FROM\ +TO$ ]]
	at 2026-01-06T10:00 backuptool snapshot --target-directory src -q --host server
	cp -a src copy
	at 2026-01-07T10:00 backuptool snapshot --target-directory copy -q --host server
	run -0 backuptool versions letters/may1.txt
	[[ ${lines[0]} =~ ^MODIFIED\ +SIZE\ +SHA-256\ +HOST\ +DIRECTORY\ +SNAPSHOTS\ +FROM\ +TO$ ]]
	[ "${#lines[@]}" = 5 ]
	[[ $output == *laptop*"$WORK/src"*server*"$WORK/src"*server*"$WORK/copy"* ]]
	run -0 backuptool versions letters/may1.txt --json
	[ "$(jq -r '"\(.host) \(.target) \(.snapshots | length)"' <<<"$output")" = "laptop $WORK/src 1
laptop $WORK/src 2
server $WORK/src 1
server $WORK/copy 1" ]
	run -0 backuptool versions letters/may1.txt --host server --target "$WORK/copy"
	[ "${#lines[@]}" = 2 ]
}

@test "versions of a directory: how much is below, and what changed" {
	mkdir -p src/letters/old src/other
	echo one >src/letters/one
	echo two >src/letters/old/two
	settle
	take src -q
	echo elsewhere >src/other/file
	take src -q
	echo more >>src/letters/old/two
	rm src/letters/one
	echo three >src/letters/three
	echo four >src/letters/old/four
	take src -q
	rm -r src/letters/old
	take src -q
	run -0 backuptool versions letters
	[[ ${lines[0]} =~ ^SIZE\ +ENTRIES\ +SNAPSHOTS\ +FROM\ +TO\ +CHANGED$ ]]
	[[ ${lines[1]} =~ ^\ *8\ B\ +3\ +2\  ]]
	[[ ${lines[2]} =~ ^\ *20\ B\ +4\ +1\ .*\ 2\ new,\ 1\ gone,\ 1\ changed$ ]]
	[[ ${lines[3]} =~ ^\ *6\ B\ +1\ +1\ .*\ 3\ gone$ ]]
	[ "${#lines[@]}" = 4 ]
	run -0 backuptool versions letters/ --json
	[ "$(jq -c '[.type, .size, .entries, .added, .removed, .changed]' <<<"$output")" = '["dir",8,3,null,null,null]
["dir",20,4,2,1,1]
["dir",6,1,0,3,0]' ]
	[ "$(backuptool ls latest:letters -R | wc -l)" = 1 ]
	run -0 backuptool versions .
	[ "${#lines[@]}" = 5 ]
	run -0 backuptool versions 'o*' --json
	[ "$(jq -c '[.path, .entries]' <<<"$output")" = '["letters/old",1]
["letters/old",2]
["letters/one",null]
["other",0]
["other",1]' ]
}

@test "a directory of which only the stamps differ is one version; one that was a file is another" {
	mkdir -p src/d
	echo one >src/d/one
	take src -q # too young for a stamp
	settle
	take src -q
	run -0 backuptool versions d --json
	[ "$(jq -c '[.entries, (.snapshots | length)]' <<<"$output")" = "[1,2]" ]
	touch -d 2020-01-01 src/d/one
	settle
	take src -q
	take src -q
	rm -r src/d
	echo file >src/d
	take src -q
	run -0 backuptool versions d --json
	[ "$(jq -c '[.type, .changed, (.snapshots | length)]' <<<"$output")" = '["dir",null,2]
["dir",1,2]
["file",null,1]' ]
	run -0 backuptool versions d
	[[ ${lines[0]} == MODIFIED* ]]
}
