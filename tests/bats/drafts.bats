#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Files from before the format was final, without digests of their blocks: everything reads them, and prunes write them anew.
# shellcheck disable=SC2154
load mount_helper

NAME=snapshot_2026-11-22T10-30-00Z.json

setup() {
	helper_setup
	mkdir mnt snapshots
	cp "$TESTS/data/hostile/none_draft.json" "snapshots/$NAME"
}

@test "a draft is listed, restored, mounted and checked" {
	run -0 backuptool list
	[[ $output == *"$NAME"* ]]
	run -0 bring "$NAME" out
	[ "$(cat out/a.txt)" = hello ]
	run -0 backuptool check
	[[ $output == *"1 file is a draft from before the format was final"* ]]
	run -0 backuptool check --json
	[ "$(jq -c '.summary | [.drafts, .complete]' <<<"$output")" = '[1,true]' ]
	run -0 python3 "$TESTS/reader.py" extract snapshots "$NAME" read
	diff -r out read
	[ -w /dev/fuse ] || return 0
	show
	diff -r out "mnt/${NAME%.json}"
	hide
}

@test "damage of a draft is found" {
	at=$(($(grep -abo '{"zstd":"' "snapshots/$NAME" | head -n 1 | cut -d : -f 1) + 40))
	printf '\0' | dd of="snapshots/$NAME" bs=1 seek="$at" conv=notrunc status=none
	run -1 backuptool check
	[[ $output == *"$NAME: damaged"* ]]
	run -1 backuptool cat latest:a.txt
}

@test "damage of a draft is found when it is copied, and the draft stays" {
	run -0 bring "$NAME" src
	run -0 backuptool snapshot --target-directory src
	at=$(grep -abo '{"zstd":"' "snapshots/$NAME" | tail -n 1 | cut -d : -f 1)
	printf '*' | dd of="snapshots/$NAME" bs=1 seek=$((at + 20)) conv=notrunc status=none
	run -1 backuptool remove --yes "$NAME"
	[[ $output == *"damaged at byte $((at + 9))"*"(bad-base64)"* ]]
	[ -n "$(ls snapshots/contents)" ] # what is needed is still there
	run -0 backuptool cat latest:a.txt
	[ "$output" = hello ]
}

@test "what others need of a draft is copied to a final file" {
	run -0 bring "$NAME" src
	run -0 backuptool snapshot --target-directory src
	run -0 backuptool remove --yes "$NAME"
	run -0 backuptool check --json
	[ "$(jq -c '.summary | [.drafts, .complete, .contents]' <<<"$output")" = '[null,true,3]' ]
	[ "$(jq -c '[.contents[].xxh3 | length]' snapshots/contents/*.json)" = '[32,32]' ]
	run -0 bring latest out
	diff -r src out
}
