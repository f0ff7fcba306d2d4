#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a new user does first.
# shellcheck disable=SC2154
load helper

@test "scripts/quickstart with its own sample" {
	[ "$BUILD" = "$TOP/build" ] || skip "it builds in build/, and the tests look at $BUILD"
	run -0 "$TOP/scripts/quickstart"
	for text in "No difference in names and contents." "No difference in types, modes, sizes, times and owners." \
		"2 snapshots, " "That was all."; do
		[[ $output == *"$text"* ]]
	done
	[ ! -w /dev/fuse ] || [[ $output == *$'\n> Yours, Bob\nThat is the line that came in between.'* ]]
	[ -z "$(find . -mindepth 1)" ]
}

@test "scripts/quickstart with a directory" {
	[ "$BUILD" = "$TOP/build" ] || skip "it builds in build/, and the tests look at $BUILD"
	small_tree src
	cd /
	run -0 env NO_COLOR=1 TERM=xterm script -qec "'$TOP/scripts/quickstart' '$WORK/src'" /dev/null
	[[ $output != *$'\033'* ]]
	[[ $output == *"files: 5 new files, 0 changed, 0 unchanged"* ]]
	[[ $output == *"No difference in types, modes, sizes, times and owners."* ]]
	[ "$(ls "$WORK")" = src ]
}
