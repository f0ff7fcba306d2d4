#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Tables fit the terminal, and show a part where there is much.
# shellcheck disable=SC2154
load helper

# Three days of a directory with a long name, the last one with notes.
some_days() {
	deep="documents/of/quite/some/length/that/goes/on/and/on"
	mkdir -p "$deep"
	for day in 1 2 3; do
		echo "$day" >"$deep/file$day"
		[ "$day" != 3 ] || rm "$deep/file1"
		at "2026-01-0$day" backuptool snapshot -q --target-directory "$deep" --tag keep
	done
}

@test "no line is wider than the terminal, whatever its width; without one nothing is shortened" {
	some_days
	run -0 backuptool list
	[[ ${lines[1]} == "snapshot_2026-01-01T00-00-00Z.json  2026-01-01 00:00:00 UTC  $WORK/$deep  "* ]]
	whole=$output
	for columns in 40 59 60 80 100 120; do
		for command in list stats "prune --keep-last 1 -n" status "versions file2" "remove latest -n"; do
			# shellcheck disable=SC2086
			COLUMNS=$columns run -0 --separate-stderr backuptool $command
			grep -vE '^(logical|unique|stored|lists|dead|store|last check:|would|What) |^(the newest )?3 snapshots|^no snapshot' <<<"$output" >rows
			[ "$(wc -L <rows)" -le "$columns" ] || { echo "$command at $columns:"; cat rows; return 1; }
		done
	done
	COLUMNS=0 run -0 backuptool list
	[ "$output" = "$whole" ]
	COLUMNS=wide run -0 backuptool list
	[ "$output" = "$whole" ]
}

@test "on a terminal its own width counts, and names are short" {
	some_days
	run -0 script -qec "stty cols 70; backuptool list" /dev/null
	output=${output//$'\r'/}
	[ "$(wc -L <<<"$output")" -le 70 ]
	[[ $output == *$'\n2026-01-01T00-00-00Z  /'*…*'/on/and/on '* ]]
	run -0 script -qec "stty cols 70; backuptool list | cat" /dev/null
	[[ $output == *"snapshot_2026-01-01T00-00-00Z.json  2026-01-01 00:00:00 UTC  $WORK/$deep  "* ]]
}

@test "the time is there unless the names tell it" {
	some_days
	COLUMNS=200 run -0 backuptool list
	[[ ${lines[0]} =~ ^NAME\ +TARGET ]]
	[[ ${lines[1]} =~ ^2026-01-01T00-00-00Z\ +$WORK/$deep\ +1\  ]]
	COLUMNS=200 TZ=Asia/Kathmandu run -0 backuptool list
	[[ ${lines[0]} =~ ^NAME\ +TIME\ +TARGET ]]
	[[ ${lines[1]} == "2026-01-01T00-00-00Z  2026-01-01 05:45:00  $WORK/$deep  "* ]]
}

@test "the target is shortened in the middle, notes go below their row, and a narrow terminal has few columns" {
	some_days
	COLUMNS=80 run -0 backuptool list
	[[ ${lines[0]} =~ ^NAME\ +TARGET\ +FILES\ +SIZE\ +ADDED$ ]]
	[[ ${lines[1]} =~ ^2026-01-01T00-00-00Z\ +/[^\ ]+…[^\ ]*/on/and/on\ +1\ +2\ B\ +[0-9.]+\ K?i?B$ ]]
	[ "${lines[2]}" = "    keep" ]
	[ "${lines[6]}" = "    keep  1 removed (2 B)" ]
	COLUMNS=45 run -0 backuptool list
	[[ ${lines[0]} =~ ^NAME\ +TARGET\ +SIZE$ ]]
	COLUMNS=30 run -0 backuptool list
	[[ ${lines[0]} =~ ^NAME\ +SIZE$ ]]
	[[ ${lines[2]} =~ ^\ {4}/[^\ ]*…[^\ ]+/on\ \ keep$ ]]
}

@test "characters that are two columns wide are counted as two" {
	wide=$(printf '資料%.0s' {1..20})
	mkdir "$wide"
	take "$wide" -q
	COLUMNS=70 run -0 backuptool list
	columns=$(wc -L <<<"${lines[1]}")
	[ "$columns" -le 70 ]
	[ "$columns" -ge 66 ]
	[[ ${lines[1]} == *料* ]]
}

@test "--last shows the newest ones, also of a selection, in list, its names, JSON, and stats" {
	some_days
	mkdir other
	at 2026-01-04 backuptool snapshot -q --target-directory other
	run -0 backuptool list --last 2
	[ "${#lines[@]}" = 4 ]
	[[ ${lines[1]} == snapshot_2026-01-03* && ${lines[2]} == snapshot_2026-01-04* ]]
	[[ ${lines[-1]} == "the newest 2 snapshots, "* ]]
	run -0 backuptool list --last 2 --target "$deep" --names
	output_is snapshot_2026-01-02T00-00-00Z.json snapshot_2026-01-03T00-00-00Z.json
	run -0 backuptool list --last 1 --tag keep --json
	[ "$(jq -r '.[].name' <<<"$output")" = snapshot_2026-01-03T00-00-00Z.json ]
	run -0 backuptool list --last 9
	[[ ${lines[-1]} == "4 snapshots, "* ]]
	run -0 backuptool stats --last 2 --json
	[ "$(jq -c '[.snapshots, (.each | map(.name[9:19]))]' <<<"$output")" = '[4,["2026-01-03","2026-01-04"]]' ]
	run -0 backuptool stats --last 1
	[ "$(grep -c '^2026-01-0' <<<"$output")" = 1 ]
	run -2 backuptool list --last 0
	[[ $output == *"a whole number above 0"* ]]
}

@test "prune shows numbers where there is more than a screen, and everything with -v and without a terminal" {
	some_days
	mkdir other
	at 2026-01-04 backuptool snapshot -q --target-directory other
	LINES=5 run -0 backuptool prune --keep-last 2 -n
	[[ ${lines[0]} =~ ^TARGET\ +KEEP\ +REMOVE$ ]]
	[[ ${lines[1]} =~ ^$WORK/$deep\ +1\ +2$ ]]
	[[ ${lines[2]} =~ ^$WORK/other\ +1\ +0$ ]]
	[ "${lines[3]}" = "-v shows what happens to each snapshot, and why" ]
	for how in "LINES=5 -v" "LINES=6" "LINES="; do
		# shellcheck disable=SC2086
		run -0 env "${how%% *}" backuptool prune --keep-last 2 -n ${how#"${how%% *}"}
		[[ ${lines[0]} == NAME* ]]
		[ "$(grep -c '^snapshot_.* \(keep\|remove\)' <<<"$output")" = 4 ]
	done
}
