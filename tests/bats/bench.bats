#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The benchmarks run, on next to nothing: what they find is not looked at, only that they find something and keep nothing.
# shellcheck disable=SC2016,SC2154
load mount_helper

written() {
	find "$TESTS/bench" "$TOP/README.md" "$TOP/docs" -type f -printf '%p %s %T@\n' | sort
}

# bench NAME OPTION…
bench() {
	written >before
	export BUILD
	run -0 "$TESTS/bench/$1" "${@:2}" 3>&-
	diff before <(written)
}

@test "tests/bench/run" {
	bench run --quick --build "$BUILD" --directory "$WORK/bench" --tmpfs "$WORK" --scale 0.002 --rounds 1 \
		--data source,tiny,history,files-10000 --tools ours,cp,find,tar-zstd
	for row in "first snapshot, small files" "nothing changed, tiny files" "100 files edited, tiny files" \
		"restore to the disk, small files" '`cp -a` out of a mount, small files' \
		"check of everything, tiny files" "prune, 20 snapshots to 5" "10,000"; do
		echo "$row"
		[[ $output == *$'\n'"| $row | "* ]]
	done
}

@test "tests/bench/mount" {
	is_root || skip "it wants root"
	mkdir tree
	for number in $(seq 120); do
		echo "$number" >"tree/$number"
	done
	bench mount --build "$BUILD" --directory "$WORK/bench" --scratch "$WORK/scratch" --tree "$WORK/tree" --large-size 1 \
		--drivers ours --snapshots 3 --rounds 1
	for text in '| `find -printf`, first | ' '| 20,000 random reads of 4 KiB in it | ' 'A mount of 3 snapshots answers after ' \
		'`diff -r` of two snapshots that differ in 100 files takes ' 'The driver had at most '; do
		echo "$text"
		[[ $output == *"$text"* ]]
	done
}

@test "tests/bench/changed" {
	bench changed --build "$BUILD" --files 20,40 --changes 2 --work "$WORK"
	[[ $output == *"| 20 | backuptool | "*"| 40 | backuptool | "* ]]
}

@test "tests/bench/questions" {
	bench questions --build "$BUILD" --files 400 --snapshots 6 --rounds 1 --work "$WORK"
	for question in list status "find, a name" "versions, often edited"; do
		[[ $output == *"| $question | 0."*" s |"* ]]
	done
}

@test "tests/bench/watch" {
	bench watch --files 400 --changed 2 --rounds 1
	[[ $output == *"400 files, 2 changed, 1 runs each:"*"watched (changes): "*"ratio: "* ]]
}

@test "tests/bench/compression" {
	small_tree src
	bench compression src 1
	for choice in auto 1 19 max; do
		[[ $'\n'$output == *$'\n'"$choice "*"CPU time "*"store "* ]]
	done
}

@test "tests/bench/chunks" {
	[ -w /dev/fuse ] || skip "no /dev/fuse"
	small_tree src
	bench chunks --built "$BUILD" --tree "$WORK/src" --directory "$WORK/bench" --average 512 --block 1024 --size 2 --rounds 1
	for text in '| first, cpu | ' '| stored, binary, MB | ' '| added, scattered, MB | ' '| check-small, cpu | ' \
		'| restore, cpu | ' '| few, a CPU second | ' '| files, a second | '; do
		echo "$text"
		[[ $output == *"$text"* ]]
	done
}

@test "tests/bench/at_rest" {
	small_tree src
	bench at_rest src 1
	for step in snapshot list check restore cat size; do
		[[ $'\n'$output == *$'\n'"$step "* ]]
	done
}

@test "tests/bench/hostile" {
	bench hostile --scale 0.002 --least 1000 --commands check,quick,ls,dump,json,prune # no time decides
	for text in '| deep `check` | ' '| flood `quick` | ' '| wide `ls` | ' '| holes `dump` | ' '| findings `json` | ' \
		'| snapshots `prune` | ' '| levels `check` | '; do
		echo "$text"
		[[ $output == *"$text"* ]]
	done
}

@test "tests/bench/duplicates" {
	small_tree src
	bench duplicates --data src --rounds 1
	[[ $output == *"| prune, nothing is held twice | "*" | 0 |"*"| prune, all is held twice | "*"sha256sum of the files"* ]]
}
