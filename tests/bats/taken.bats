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
	stderr_is "backuptool snapshot: the rules are too long to be recorded, so that 'diff' and 'restore --delete' will not know them"
	[ "$(jq -c '[.rules_omitted, .excluded]' <<<"$output")" = '[true,1]' ]
	header | grep -q '"user":"[^"]*","rules_omitted":true,$'
	run -0 --separate-stderr backuptool snapshot --target-directory src -e a
	[ -z "$stderr" ]
	"$TESTS/reader.py" list snapshots
}
