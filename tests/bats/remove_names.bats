#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What remove and tag take for a name, and what they ask before they do it.
# shellcheck disable=SC2154
load helper

survivors() {
	find snapshots -maxdepth 1 -name 'snapshot_*.json' | wc -l
}

# Two snapshots of src, and one of other between them.
setup_three() {
	mkdir src other
	take src -q
	first=$(newest)
	take other -q
	second=$(newest)
	take src -q
	third=$(newest)
}

@test "a beginning is refused, with the name to type and --yes" {
	mkdir src
	take src -q --store single
	only=$(basename single/snapshot_*)
	year=${only:9:4}
	for text in "$year" "${only:9:16}" "snapshot_$year"; do
		run -1 backuptool remove --store single "$text" </dev/null
		[[ $output == *"'$text' is only the beginning of the name $only, a snapshot of $WORK/src of "*"give --yes to go on"* ]]
		run -1 backuptool tag --store single "$text" --add x </dev/null
		[[ $output == *"is only the beginning of the name $only"*"give --yes to go on"* ]]
		run -1 backuptool tag --store single "$text" --remove x </dev/null
	done
	[ -e "single/$only" ]
	run -0 backuptool tag --store single "$year" --add x --yes
	run -0 backuptool remove --store single "$year" --yes
	[ ! -e "single/$only" ]
}

@test "whole names, names to the second, latest, latest~N, @TIME and paths are taken" {
	setup_three
	backuptool remove "$second" --yes -q # of two directories latest would be a guess
	for text in "${third:9:-5}" "${third%.json}" "$third" latest 'latest~0' '@0s' "snapshots/$third"; do
		run -0 backuptool tag "$text" --add x </dev/null
		run -0 backuptool tag "$text" --remove x </dev/null
	done
}

@test "the removal of the last snapshot of a directory needs --yes, however it is named" {
	setup_three
	for names in "$second" "${second:9:-5}" "$first $third" "$first $second"; do
		# shellcheck disable=SC2086
		run -1 backuptool remove $names </dev/null
		[[ $output == *"this removes the last snapshot of $WORK/"*": nothing was changed; give --yes to go on" ]]
		# shellcheck disable=SC2086
		run -0 backuptool remove $names --dry-run </dev/null
	done
	run -1 backuptool remove "$first" "$second" "$third" </dev/null
	[[ $output == *"this removes the last snapshot of $WORK/"*" and of 1 other directory: "* ]]
	[ "$(survivors)" = 3 ]
	run -0 backuptool remove "$first" </dev/null
	run -1 backuptool remove "$third" </dev/null
	run -0 backuptool remove "$third" --yes
	run -0 backuptool remove latest -y
	[ "$(survivors)" = 0 ]
}

@test "one question names all that it is about, and one --yes answers it" {
	setup_three
	run -1 backuptool remove latest </dev/null
	[[ ${lines[0]} == *"latest is $third of "* ]]
	[ ${#lines[@]} = 1 ]
	run -0 backuptool remove "$first"
	run -0 backuptool remove "$second" --yes
	run -1 backuptool remove "${third:9:10}" </dev/null
	[[ ${lines[0]} == *"'${third:9:10}' is only the beginning of the name $third"* && ${lines[0]} != *--yes* ]]
	[[ ${lines[1]} == *"this removes the last snapshot of $WORK/src: nothing was changed; give --yes to go on" ]]
	[ ${#lines[@]} = 2 ]
	run -0 backuptool remove "${third:9:10}" --dry-run
	# shellcheck disable=SC2016
	[ "$(script -qec 'echo n | script -qec "backuptool remove '"${third:9:10}"'" /dev/null' /dev/null </dev/null | grep -c 'Go on?')" = 1 ]
	[ "$(survivors)" = 1 ]
	run -0 backuptool remove "${third:9:10}" --yes
	[ "$(survivors)" = 0 ]
}

@test "what is removed is printed with its time, directory and size" {
	setup_three
	run -0 backuptool remove "$first"
	[[ ${lines[0]} =~ ^NAME\ +TIME\ +TARGET\ +SIZE$ ]]
	[[ ${lines[1]} =~ ^$first\ .*\ $WORK/src\ .*\ B$ ]]
	[[ ${lines[2]} == "removed 1 snapshot; "* ]]
	run -0 backuptool remove "$second" --yes --json
	jq -e --arg name "$second" --arg dir "$WORK/other" \
		'.snapshots == [$name] and .details[0].name == $name and .details[0].target == $dir and .details[0].size == 0' <<<"$output"
	run -0 --separate-stderr backuptool remove "$third" --yes -q
	[ "$output$stderr" = "" ]
}

@test "a damaged snapshot that no other needs can be removed, and is nobody's last" {
	mkdir src
	for name in one two; do
		rm -f src/*
		echo $name >src/$name
		take src -q
	done
	damage "snapshots/$(ls snapshots | grep -m 1 ^snapshot_)" 2
	damaged=$(basename "$(grep -L '^{"format"' snapshots/snapshot_*)")
	kept=$(basename "$(grep -l '^{"format"' snapshots/snapshot_*)")
	run -0 backuptool remove "$damaged" </dev/null
	[ ! -e "snapshots/$damaged" ]
	run -1 backuptool remove "$kept" </dev/null
	[[ $output == *"this removes the last snapshot of $WORK/src: "* ]]
}

@test "a damaged snapshot that has what another needs is mended before it can be removed" {
	mkdir src
	echo one >src/one
	settle
	take src -q
	first=$(newest)
	take src -q
	damage "snapshots/$first" 2
	run -1 backuptool remove "$first" </dev/null
	[[ $output == *"nothing was removed, "*"mend the store with 'backuptool check --repair'"* ]]
	[ -e "snapshots/$first" ]
	run -3 backuptool check --repair
	[ ! -e "snapshots/$first" ]
	run -0 backuptool cat latest:one
	[ "$output" = one ]
	run -0 backuptool check
}
