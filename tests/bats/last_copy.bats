#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What two files hold goes from one of them only when the other one's copy was read and is right.
# shellcheck disable=SC2154
load helper

KEPT='files were kept because other copies of their contents are damaged'

# Two snapshots of one directory, taken at the same moment: each has stored everything.
two_of_one() {
	mkdir src
	head -c 3000000 /dev/urandom >src/big
	seq 1000 >src/small
	take src --store one -q
	sleep 1.1
	take src --store two -q
	mv one snapshots
	mv two/snapshot_* snapshots/
	rm -rf two snapshots/cache
	older=$(newest 1) newer=$(newest)
}

# rot FILE: one character of the first block is another one.
rot() {
	damage "$1" "$(($(grep -obam1 '{"zstd":"' "$1" | cut -d: -f1) + 500))"
}

restores() {
	rm -rf out
	run -0 bring "snapshots/$1" out
	diff -r src out
}


# kept_by COMMAND…: it ends with 3, names the damage in $rotten, and $left can be restored; so it is after what follows.
kept_by() {
	run -3 backuptool "$@"
	[[ $output == *"$rotten: damaged at byte "* ]]
	[[ $output == *"$KEPT"*"'backuptool check --repair', then prune again"* ]]
	restores "$left"
	run -3 backuptool prune --snapshot-number 5
	restores "$left"
	run -0 backuptool check --repair
	run -0 backuptool prune --snapshot-number 5
	restores "$left"
	run -0 backuptool check
}

@test "remove: the copy that stays has rotted, the other one is kept" {
	two_of_one
	rotten=$older left=$older
	rot "snapshots/$rotten"
	restores "$older"
	run -0 backuptool check --quick
	[[ $output == *"--quick: what the contents hold was not read"* ]]
	kept_by remove "$newer" --yes
}

@test "prune: the same, and a dry run says it, too" {
	two_of_one
	rotten=$newer left=$newer
	rot "snapshots/$rotten"
	run -3 backuptool prune --snapshot-number 1 --dry-run
	[[ $output == *"$rotten: damaged at byte "*"$KEPT"* ]]
	kept_by prune --snapshot-number 1
}

@test "an ordinary user's prune keeps it as well" {
	reachable_tool
	two_of_one
	rotten=$newer left=$newer
	rot "snapshots/$rotten"
	! is_root || chown -R 65534:65534 snapshots
	run -3 as_user backuptool prune --snapshot-number 1
	[[ $output == *"$rotten: damaged at byte "*"$KEPT"* ]]
	restores "$left"
}

@test "job: what its rules remove, whichever of the two has rotted" {
	two_of_one
	cp -a snapshots both
	for rotten in "$older" "$newer"; do
		rm -rf snapshots
		cp -a both snapshots
		rot "snapshots/$rotten"
		# one of them becomes a volume; where it is the sound one, the other one goes
		run backuptool job --target-directory src --interval 1 --duration 0 --keep-last 1
		[ "$status" = 0 ] || [[ $status = 3 && $output == *"damaged at byte "*"$KEPT"* ]]
		[ "$(find snapshots -name 'snapshot_*' | wc -l)" = 1 ]
		restores "$(newest)"
	done
}

@test "sound copies: one of them goes, what was stored twice is read once, and said" {
	two_of_one
	run -0 backuptool remove "$newer" --yes --dry-run --json
	[ "$(jq '.verified_bytes > 3000000 and .verified_bytes < 3100000' <<<"$output")" = true ]
	run -0 backuptool remove "$newer" --yes
	[[ $output == *"freed; 2.9 MiB that were stored twice were read and are right"* ]]
	[ ! -e snapshots/contents ] || [ -z "$(ls snapshots/contents)" ]
	restores "$older"
}

@test "nothing stored twice: nothing is read for it" {
	mkdir src
	for i in 1 2 3; do
		head -c 300000 /dev/urandom >"src/f$i"
		take src -q
		sleep 1.1
	done
	rm src/f1
	take src -q
	run -0 backuptool prune --snapshot-number 1 --max-dead 1 --json
	[ "$(jq -c '[.removed, .verified_bytes]' <<<"$output")" = '[3,0]' ]
	restores "$(newest)"
}

@test "a file that says to hold all of the others' contents, as a snapshot and as a volume" {
	for place in snapshot_2020-11-22T10-30-00Z.json contents/{00000000,ffffffff}000000000000000000000000.json; do
		rm -rf src snapshots
		mkdir src
		head -c 3000000 /dev/urandom >src/big
		seq 1000 >src/small
		take src -q
		sleep 1.1
		echo more >src/more
		take src -q
		mkdir -p snapshots/contents
		# shellcheck disable=SC2046
		"$BATS_TEST_DIRNAME/make_liar.py" snapshots "$place" $([[ $place == snapshot* ]] || echo volume)
		run -0 backuptool check --quick
		run backuptool remove "$(newest 1)" --yes
		[ "$status" = 0 ] || [ "$status" = 3 ]
		restores "$(newest)"
		run backuptool prune --keep-last 1 --max-dead 1
		[ "$status" = 0 ] || [ "$status" = 3 ]
		restores "$(newest)"
	done
}
