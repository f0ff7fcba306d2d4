#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What diff shows in short, by directory, and of what was renamed.
# shellcheck disable=SC2154
load helper

# Two snapshots: a directory removed, one renamed, files renamed, moved and changed, and contents that several files have.
two_trees() {
	mkdir -p src/Pictures/2024/raw src/letters src/old/deep src/void
	for n in 1 2 3; do
		echo "picture $n" >"src/Pictures/2024/raw/$n"
		echo "letter $n" >"src/letters/$n"
		echo "old $n" >"src/old/deep/$n"
	done
	echo moved >src/a.txt
	echo same >src/s1
	echo same >src/s2
	echo twin >src/u
	: >src/nothing
	settle
	take src -q
	rm -r src/Pictures/2024
	mv src/old src/newer
	mkdir src/box
	mv src/a.txt src/box/
	mv src/letters/2 src/letters/zwei
	mv src/s1 src/t1
	mv src/s2 src/t2
	cp src/u src/u1
	mv src/u src/u2
	mv src/nothing src/empty
	rmdir src/void
	echo more >>src/letters/1
	settle
	take src -q
}

# on_screen WORD…: the lines that a person sees on a terminal.
on_screen() {
	on_terminal 200 "$@"
	output=$(tr -d '\r' <<<"$output" | sed 's/.*\x1b\[K//')
}

TOTALS='13 added, 17 removed, 1 changed, 0 of another type, 0 only in metadata; '

@test "on a terminal a directory that came or went has a line, and what was renamed another" {
	two_trees
	on_screen backuptool diff latest~1 latest
	[ "$(grep -v "^$TOTALS" <<<"$output")" = "- Pictures/2024/  (3 files, 30 B)
R a.txt -> box/a.txt
+ box/  (1 file, 6 B, 1 renamed)
+ empty
M letters/1
R letters/2 -> letters/zwei
R old/ -> newer/
- nothing
- s1
- s2
+ t1
+ t2
- u
+ u1
+ u2
- void/  (empty)" ]
	[[ $output == *"$TOTALS"* ]]
	# A directory as it is now has no digests of what is new.
	on_screen backuptool diff latest~1
	[[ $output == *"+ newer/  (3 files, 18 B)"* && $output == *"- old/  (3 files, 18 B)"* && $output == *"- a.txt"* ]]
	mkdir -p src/dirs/in/side
	take src -q
	on_screen backuptool diff latest~1 latest
	[[ $output == *"+ dirs/  (2 entries)"* ]]
	on_screen backuptool diff latest~2:letters latest:letters --content
	[[ $output == *$'M 1\n--- a/1'* && $output == *"R 2 -> zwei"* ]]
}

@test "with --recursive, and where there is no terminal, each entry has a line" {
	two_trees
	run -0 backuptool diff latest~1 latest
	plain=$output
	[ "$(grep -c '^[-+M] ' <<<"$plain")" = 31 ]
	[[ $plain == *$'- Pictures/2024/\n- Pictures/2024/raw/\n- Pictures/2024/raw/1\n'* && $plain != *"->"* ]]
	run -0 backuptool diff latest~1 latest --recursive
	[ "$output" = "$plain" ]
	on_screen backuptool diff -R latest~1 latest
	[ "$output" = "$plain" ]
	on_screen "backuptool diff -0 latest~1 latest | tr '\\0' '\\n'"
	[ "$output" = "$(head -n -1 <<<"$plain")" ]
}

@test "--json has every entry, and says what was renamed" {
	two_trees
	run -0 backuptool diff latest~1 latest --json
	[ "$(jq -r 'select(.path).path' <<<"$output" | wc -l)" = 31 ]
	[ "$(jq -r 'select(.renamed_from) | "\(.renamed_from) \(.path)"' <<<"$output")" = "a.txt box/a.txt
letters/2 letters/zwei
old newer
old/deep newer/deep
old/deep/1 newer/deep/1
old/deep/2 newer/deep/2
old/deep/3 newer/deep/3" ]
	[ "$(jq -r 'select(.renamed_to) | "\(.path) \(.renamed_to)"' <<<"$output" | sort)" = \
		"$(jq -r 'select(.renamed_from) | "\(.renamed_from) \(.path)"' <<<"$output" | sort)" ]
	[ "$(tail -n 1 <<<"$output" | jq .renamed)" = 7 ]
}

@test "--stat has a row for each directory, down to a depth" {
	two_trees
	run -0 backuptool diff latest~1 latest --stat
	[ "$(sed 's/  */ /g; $d' <<<"$output")" = " ADDED REMOVED CHANGED OTHER +BYTES -BYTES DIRECTORY
 0 5 0 0 0 B 30 B Pictures/
 2 0 0 0 6 B 0 B box/
 1 1 1 0 14 B 9 B letters/
 5 0 0 0 18 B 0 B newer/
 0 5 0 0 0 B 18 B old/
 0 1 0 0 0 B 0 B void/" ]
	[[ ${lines[-1]} == "$TOTALS"* ]]
	run -0 backuptool diff latest~1 latest --stat -d 2 --json
	[ "$(jq -r 'select(.change == "directory") | "\(.path) \(.added) \(.removed) \(.content)"' <<<"$output")" = "Pictures/2024 0 5 0
Pictures 0 5 0
box 2 0 0
letters 1 1 1
newer/deep 4 0 0
newer 5 0 0
old/deep 0 4 0
old 0 5 0
void 0 1 0" ]
	jq -e 'select(.change == "totals") | .added == 13' <<<"$output"
	run -0 backuptool diff latest~1 --stat -d 99
	[[ $output == *" newer/deep/"* ]]
	run -4 backuptool diff latest~1 latest --stat -q --exit-code
	output_is ""
	run -0 backuptool diff latest latest --stat
	output_is "no differences"
	run -2 backuptool diff latest -d 2
	[[ $output == *"--depth goes with --stat"* ]]
	for option in --content --recursive --null; do
		run -2 backuptool diff latest --stat $option
		[[ $output == *"--stat and $option do not go together"* ]]
	done
	run -2 backuptool diff latest --stat -d 0
}
