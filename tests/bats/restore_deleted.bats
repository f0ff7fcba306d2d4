#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# restore --deleted: what is gone is found by its name, and comes back.
# shellcheck disable=SC2154
load helper

# What was there in the first snapshot, the second, and is now.
some_history() {
	mkdir -p src/letters/old
	echo may >src/letters/may.txt
	echo june >src/letters/june.txt
	echo april >src/letters/old/april.txt
	echo 'a b' >"src/it's mine.txt"
	settle
	take src -q
	rm -r src/letters/old src/letters/june.txt
	echo more >>src/letters/may.txt
	settle
	take src -q
	rm src/letters/may.txt
}

@test "one that is gone comes back from the newest snapshot that has it" {
	some_history
	run -0 backuptool restore --deleted june.txt --in-place
	[[ ${lines[0]} == *": letters/june.txt (5 B, modified "*") was last in $(newest 1)" ]]
	[ "$(cat src/letters/june.txt)" = june ]
	# gone since the newest snapshot was taken
	run -0 backuptool restore --deleted letters/may.txt --in-place -q
	output_is ""
	[ "$(cat src/letters/may.txt)" = $'may\nmore' ]
	run -0 backuptool restore --deleted "$WORK/src/letters/old" out
	[ "$(cat out/april.txt)" = april ]
	[ ! -e src/letters/old ]
	cd src
	run -0 backuptool --store ../snapshots restore --deleted ./letters/old --in-place
	[ -e letters/old/april.txt ]
}

@test "of several each is shown with the line that restores it" {
	some_history
	rm "src/it's mine.txt"
	run -1 --separate-stderr backuptool restore --deleted '*.txt' --in-place
	output_is ""
	[ "${#stderr_lines[@]}" = 9 ]
	[ "${stderr_lines[0]}" = "backuptool restore: 4 entries are gone and in a snapshot; nothing was restored: choose one" ]
	[[ $stderr == *"it's mine.txt  (4 B, modified "* ]]
	printf '%s\n' "${stderr_lines[@]}" | grep '^    ' >commands
	[ "$(wc -l <commands)" = 4 ]
	run -0 bash commands
	[ "$(find src -name '*.txt' | wc -l)" = 4 ]
	[ "$(cat src/letters/may.txt)" = $'may\nmore' ]
	run -1 backuptool restore --deleted may.txt
	[[ $output == *": nothing like may.txt is gone and in a snapshot; 'backuptool find' shows what there is" ]]
	rm src/letters/june.txt
	run -1 backuptool restore --deleted june.txt --store "$WORK/./snapshots"
	[[ $output == *": nothing was restored: say where to, or --in-place"* ]]
	[[ ${lines[-1]} == "    backuptool restore --store $WORK/./snapshots "*":letters/june.txt --in-place" ]]
}

@test "a directory that is gone is one, with all in it, and another host's newest snapshot decides" {
	some_history
	run -1 backuptool restore --deleted '*o*'
	[ "$(grep -c '^    ' <<<"$output")" = 1 ]
	run -0 backuptool restore --deleted old back
	[ "$(ls back)" = april.txt ]
	take src -q --host elsewhere
	echo new >src/letters/june.txt
	take src -q --host elsewhere
	rm src/letters/june.txt
	run -1 backuptool restore --host elsewhere --deleted june.txt back
	[[ $output == *": nothing like june.txt is gone and in a snapshot; "* ]]
}

@test "what cannot go together with --deleted is said" {
	some_history
	run -2 backuptool restore --deleted june.txt -s latest
	[[ $output == *": --deleted looks for the snapshot: leave out --snapshot-file; "* ]]
	run -2 backuptool restore --deleted june.txt out more
	[[ $output == *": 'more' is one argument too many; "* ]]
	run -2 backuptool restore --deleted june.txt out --in-place
	[[ $output == *": 'out' is one argument too many; "* ]]
}

@test "find -v prints the line that restores each" {
	some_history
	printf 'x' >$'src/odd\x01name'
	settle
	take src -q
	run -0 backuptool find -v 'odd*'
	[ "${#lines[@]}" = 2 ]
	rm $'src/odd\x01name'
	sed -n 's/^    //p' <<<"$output" >line
	run -0 bash line
	[ -e $'src/odd\x01name' ]
}
