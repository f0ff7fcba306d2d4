#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a snapshot says of itself: who took it, how, and what for.
# shellcheck disable=SC2154
load helper

header() {
	head -1 "snapshots/$(newest)"
}

@test "a snapshot says who took it, with which program and rules, and what for" {
	mkdir src
	printf '*.iso\n' >rules
	run -0 backuptool snapshot --target-directory src --description 'before the "upgrade"' -x --exclude-caches \
		-e '/.cache/' --exclude-from rules -e $'\xff' --exclude-if-present .no --exclude-if-present .no
	run -0 backuptool list --json
	[ "$(jq -c '.[0] | [.description, .program, .user, .rules, .options]' <<<"$output")" = \
		"[\"before the \\\"upgrade\\\"\",\"$(backuptool --version | head -1)\",\"$(id -un)\",[\"/.cache/\",\"*.iso\",{\"b64\":\"/w==\"}],[\"exclude-caches\",\"exclude-if-present:.no\",\"one-file-system\"]]" ]
	run -0 backuptool list -v
	[[ $output == *$'\n  description: before the "upgrade"\n'* ]]
	[[ $output == *$'\n  left out: /.cache/, *.iso, \\xff\n  options: exclude-caches, exclude-if-present:.no, one-file-system' ]]
	backuptool tag latest --add later
	header | grep -q '"tags":\["later"\],"program":.*,"rules":\["/.cache/",'
}

@test "without rules a snapshot records none" {
	mkdir src
	take src
	header | grep -q '"tags":\[\],"program":"[^"]*","user":"[^"]*",$'
	run -0 backuptool list --json
	[ "$(jq '.[0] | has("rules") or has("options") or has("description") or has("pinned")' <<<"$output")" = false ]
}

@test "a description is one line" {
	mkdir src
	run -2 backuptool snapshot --target-directory src --description $'two\nlines'
	run -2 backuptool snapshot --target-directory src --description ''
	run -2 backuptool snapshot --target-directory src --description "$(head -c 4097 /dev/zero | tr '\0' d)"
	run -0 backuptool snapshot --target-directory src --description "$(head -c 4096 /dev/zero | tr '\0' d)"
}

@test "other rules than those of the last snapshot are said, but not with -q" {
	mkdir src
	run -0 --separate-stderr backuptool snapshot --target-directory src -e a
	[[ $stderr != *rules* ]]
	run -0 --separate-stderr backuptool snapshot --target-directory src -e a
	[ -z "$stderr" ]
	run -0 --separate-stderr backuptool snapshot --target-directory src -e a -e b
	stderr_is 'backuptool snapshot: the rules differ from those of the last snapshot'
	run -0 --separate-stderr backuptool snapshot --target-directory src -e b -e a -q
	[ -z "$stderr" ]
	run -0 --separate-stderr backuptool snapshot --target-directory src -e b -e a -x
	stderr_is 'backuptool snapshot: the rules differ from those of the last snapshot'
}

@test "rules that are too long for the header are no reason to take no snapshot" {
	mkdir src
	seq -f '/left-out-%05g' 3000 >rules
	: >src/left-out-00001
	: >src/kept
	run -0 --separate-stderr backuptool snapshot --target-directory src --exclude-from rules --json
	[[ ${stderr_lines[0]} == "backuptool snapshot: nothing here matches the patterns "*" and 2994 more" ]]
	[ "${stderr_lines[1]}" = "backuptool snapshot: the rules are too long to be recorded, so that 'diff' and 'restore --delete' will not know them" ]
	[ "$(jq -c '[.rules_omitted, .excluded]' <<<"$output")" = '[true,1]' ]
	header | grep -q '"user":"[^"]*","rules_omitted":true,$'
	run -0 --separate-stderr backuptool snapshot --target-directory src -e a
	[ -z "$stderr" ]
	"$TESTS/reader.py" list snapshots
}

@test "--birth-times gives birth times to all entries, and without it the next snapshot has none" {
	local at choice
	mkdir -p src/a/b
	echo x >src/file
	echo x >src/a/b/deep
	ln -s file src/link
	mkfifo src/fifo
	sleep 1.1
	echo y >>src/file
	take src
	for choice in --birth-times '' --birth-times; do
		run -0 --separate-stderr backuptool snapshot --target-directory src --json $choice
		[ -z "$stderr" ]
		[ "$(jq -c '[.changed, .new, .unchanged, .new_bytes]' <<<"$output")" = '[0,0,2,0]' ]
		[ "$(backuptool list --json | jq -c 'last | .options')" = "$([ "$choice" ] && echo '["birth-times"]' || echo null)" ]
		[ "$(backuptool ls --recursive latest --json | jq -s 'length')" = 6 ]
		backuptool ls --recursive latest --json | jq -r '"\(.path) \(.btime // "none")"' | while read -r path at; do
			if [ "$choice" ] && [ "$(stat -c %W "src/$path")" != 0 ]; then
				[ "$(date -d "$at" +%s)" = "$(stat -c %W "src/$path")" ]
			else
				[ "$at" = none ]
			fi
		done
		run -0 backuptool diff latest~1 latest --exit-code
		"$TESTS/reader.py" list snapshots
	done
	run -0 take src --birth-times --skip-if-unchanged --json
	[ "$(jq .skipped <<<"$output")" = true ]
	run -0 take src --skip-if-unchanged --json # another choice is no difference
	[ "$(jq .skipped <<<"$output")" = true ]
	[ "$(backuptool find 'deep' --json | jq 'has("btime")')" = "$([ "$(stat -c %W src/a/b/deep)" != 0 ] && echo true || echo false)" ]
	bring latest out
	same src out
}

@test "a job and a schedule take --birth-times, too" {
	mkdir src
	echo x >src/a
	run -0 backuptool job --target-directory src --interval 1 --duration 0 --birth-times
	[ "$(backuptool list --json | jq -c 'last | .options')" = '["birth-times"]' ]
	run -0 backuptool schedule --target-directory src --interval 1h --birth-times --print
	[[ $output == *" --birth-times"* ]]
}

@test "a snapshot that is older than another one of its host and directory asks whether the clock is right" {
	mkdir src other
	at 2026-01-05T10:00 backuptool snapshot --target-directory src -q --host laptop
	for how in "src --host server" "other --host laptop" "src --host laptop --dry-run" "src --host laptop -q"; do
		# shellcheck disable=SC2086
		run -0 --separate-stderr at 2026-01-04T10:00 backuptool snapshot --target-directory $how
		[[ $stderr != *clock* ]]
	done
	run -0 --separate-stderr at 2026-01-04T11:00 backuptool snapshot --target-directory src --host laptop
	[[ $stderr == *"backuptool snapshot: snapshot_2026-01-05T10-00-00Z.json of this directory is from a later time than the clock shows now: is the clock right?"* ]]
	run -0 --separate-stderr at 2026-01-04T12:00 backuptool job --target-directory src --host laptop --interval 1s --duration 1s
	[[ $stderr == *"is the clock right?"* ]]
	run -0 --separate-stderr at 2026-01-06T10:00 backuptool snapshot --target-directory src --host laptop
	[[ $stderr != *clock* ]]
}
