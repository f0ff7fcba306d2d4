#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Snapshots that are copied into another store are the same ones there.
# shellcheck disable=SC2154
load helper

teardown() {
	end_holder
	remove_work
}

# Three snapshots in A: of a tree, with a change and a tag, and of another directory, pinned.
world() {
	small_tree src
	take src --store A -q
	printf 'changed\n' >src/docs/a.txt
	rm src/photos/noise.bin
	take src --store A -q --tag weekly --expires 10y --description 'before the move'
	mkdir other
	seq 5000 >other/more
	take other --store A -q --pin --host server
}

names() { # STORE [FILTER]
	backuptool list --store "$1" --json | jq -r ".[] ${2:-} | .name"
}

# What the two say of the snapshot and of everything in it is the same; where its data lies may differ.
same_snapshot() { # NAME [STORE STORE]
	local store number=0
	for store in "${2:-A}" "${3:-B}"; do
		number=$((number + 1))
		backuptool list --store "$store" --json | jq --arg name "$1" '.[] | select(.name == $name) | del(.added, .file_size)' >"listed$number"
		"$BUILD/tests/faults/look" "$store" | awk -v name="$1" '/^snapshot_/ { on = $0 == name } on' >"looked$number"
	done
	[ -s looked1 ]
	cmp listed1 listed2
	cmp looked1 looked2
}

@test "all snapshots arrive with all that they have, and are not copied twice" {
	world
	run -0 --separate-stderr backuptool copy --store A --to B
	[[ $output == "copied 3 snapshots with "*" of data that the store did not have; "*" written in "* ]]
	[ "$stderr" = "backuptool copy: made a new store at $WORK/B" ]
	[ "$(names A)" = "$(names B)" ]
	for name in $(names A); do
		same_snapshot "$name"
	done
	run -0 backuptool check --store B
	bring latest~1 out --store B --target "$WORK/src" -q
	[ -e out/photos/noise.bin ]
	sums=$(find B -name '*.json' -exec sha256sum {} +)
	run -0 backuptool copy --store A --to B --json
	[ "$(jq -c '[.copied, .present, .failed, .written_bytes]' <<<"$output")" = '[0,3,0,0]' ]
	[ "$sums" = "$(find B -name '*.json' -exec sha256sum {} +)" ]
	run -0 backuptool copy --store A --to B -q
	[ -z "$output" ]
}

@test "only what is selected or named is copied, the older ones first; the rest follows with what it needs" {
	world
	first=$(names A | head -1) second=$(names A | sed -n 2p) third=$(names A | tail -1)
	run -0 backuptool copy --store A --to B --host server --json
	[ "$(names B)" = "$third" ]
	run -0 backuptool copy --store A --to C "$second" "$first" "$second" --json
	[ "$(jq -r '.snapshots[].copy' <<<"$output")" = "$first"$'\n'"$second" ]
	run -0 backuptool copy --store A --to D --target "$WORK/src" --last 1 --json
	[ "$(names D)" = "$second" ]
	run -0 backuptool copy --store A --to D --json
	[ "$(jq -c '[.copied, .present]' <<<"$output")" = '[2,1]' ]
	[ "$(names D)" = "$(names A)" ]
	run -0 backuptool check --store D
	same_snapshot "$first" A D
	run -1 backuptool copy --store A --to E --tag nowhere
	[[ $output == *nowhere* ]]
	[ ! -e E ]
	run -2 backuptool copy --store A
	[[ $output == *"--to"* ]]
	run -2 backuptool copy --store A --to E --last 0
	[[ $output == *"a whole number above 0"* ]]
}

@test "a dry run says what would be copied, and makes nothing" {
	world
	run -0 backuptool copy --store A --to B --dry-run --json
	[ "$(jq -c '[.dry_run, .copied, .present]' <<<"$output")" = '[true,3,0]' ]
	[ ! -e B ]
	fresh=$(jq .new_bytes <<<"$output")
	run -0 backuptool copy --store A --to B --json
	[ "$(jq .new_bytes <<<"$output")" = "$fresh" ]
	take src --store A -q
	files=$(find B -type f | sort)
	run -0 backuptool copy --store A --to B -n
	[[ $output == "would copy 1 snapshot with 0 B of data that the store did not have; 3 were there already" ]]
	[ "$files" = "$(find B -type f | sort)" ]
}

@test "another snapshot that has the name keeps it, and the copy gets the next one of its second" {
	small_tree src
	at 2026-11-20T10-00-00 backuptool snapshot --store A --target-directory src -q
	mkdir other
	at 2026-11-20T10-00-00 backuptool snapshot --store B --target-directory other -q
	run -0 backuptool copy --store A --to B --json
	[ "$(jq -r '.snapshots[0].copy' <<<"$output")" = snapshot_2026-11-20T10-00-00Z-1.json ]
	run -0 backuptool copy --store A --to B --json
	[ "$(jq -c '[.present, .snapshots[0].copy]' <<<"$output")" = '[1,"snapshot_2026-11-20T10-00-00Z-1.json"]' ]
	run -0 backuptool check --store B
}

@test "what is damaged is not copied, and the others are" {
	world
	first=$(names A | head -1)
	at=$(grep -abo '"block":"' "A/$first" | head -1 | cut -d: -f1)
	damage "A/$first" "$((at + 2000))"
	run -3 --separate-stderr backuptool copy --store A --to B --json
	[[ $stderr == *"$first was not copied: "*damaged* ]]
	[ "$(jq -c '[.copied, .failed]' <<<"$output")" = '[1,2]' ]
	[ "$(names B)" = "$(names A | tail -1)" ]
	run -0 backuptool check --store B
}

@test "a content that is damaged in one file comes from another one that has it" {
	mkdir src
	seq 30000 >src/numbers
	at 2026-11-20T10-00-00 backuptool snapshot --store A --target-directory src -q
	at 2026-11-20T11-00-00 backuptool snapshot --store twin --target-directory src -q
	cp twin/snapshot_* A
	for time in 10 11; do
		cp -r A "damaged$time"
		file=$(echo "damaged$time"/snapshot_2026-11-20T$time-*)
		damage "$file" "$(($(grep -abo '"block":"' "$file" | head -1 | cut -d: -f1) + 2000))"
		run -0 backuptool copy --store "damaged$time" --to "B$time" --json
		[ "$(jq .copied <<<"$output")" = 2 ]
		run -0 backuptool check --store "B$time"
		[ "$(backuptool cat --store "B$time" latest:numbers | sha256sum)" = "$(seq 30000 | sha256sum)" ]
	done
}

@test "the names of users and groups are lost by damage, which is said; everything else arrives" {
	small_tree src
	take src --store A -q
	file=$(echo A/snapshot_*)
	at=$(grep -abo '{"users":\[\['  "$file" | head -1 | cut -d: -f1)
	damage "$file" "$((at + 14))"
	run -3 --separate-stderr backuptool copy --store A --to B
	[[ $output == "copied 1 snapshot "* ]]
	[[ $stderr == *"the names of its users and groups are damaged; it was copied without them"* ]]
	run -0 backuptool check --store B
	bring latest out --store B -q
	same src out
}

@test "levels, files that lie compressed, and the original layout" {
	world
	backuptool copy --store A --to small --compression 19 -q
	backuptool copy --store A --to usual -q
	[ "$(du -sb small | cut -f1)" -lt "$(du -sb usual | cut -f1)" ]
	run -0 backuptool check --store small
	mkdir empty
	at 2026-11-20T10-00-00 backuptool snapshot --target-directory empty --store rest --at-rest zstd -q
	backuptool copy --store A --to rest -q
	[ "$(find rest -name 'snapshot_*.zst' | wc -l)" = 4 ]
	backuptool copy --store rest --to plain -q
	[ "$(find plain -name 'snapshot_*.json' | wc -l)" = 4 ]
	for name in $(names A); do
		same_snapshot "$name" A rest
		same_snapshot "$name" A plain
	done
	backuptool export --classic --store A latest~1 --target "$WORK/src" rest/snapshot_2020-01-01T10-00-00.json -q
	run -3 --separate-stderr backuptool copy --store rest --to new
	[[ $stderr == *"snapshot_2020-01-01T10-00-00.json was not copied: "*"copy it with cp"* ]]
	[ "$(names new | wc -l)" = 4 ]
	run -0 backuptool check --store new
}

@test "members of a later version are copied with all that they name" {
	small_tree src
	take src --store A -q
	"$BATS_TEST_DIRNAME/make_future.py" A/snapshot_* members
	backuptool copy --store A --to B -q
	diff <(head -1 A/snapshot_*) <(head -1 B/snapshot_*)
	diff <(grep '^"summary"' A/snapshot_*) <(grep '^"summary"' B/snapshot_*)
	grep -hq '"holds":.*"4ee03389720cf87bc64ac2ed75e04d6a5ff421ab6b54a51aaa38fae6277bfca4",14' B/snapshot_*
	run -0 backuptool check --store B
	"$BATS_TEST_DIRNAME/make_future.py" A/snapshot_* needs=holograms
	run -3 --separate-stderr backuptool copy --store A --to C
	[[ $stderr == *"was not copied: "*"newer version"* ]]
}

@test "a store that may only be read is copied by an ordinary user, and no store into itself" {
	world
	reachable_tool
	mkdir user
	! is_root || chown 65534:65534 user
	chmod -R a+rX A
	as_user backuptool copy --store A --to user/B -q
	[ "$(names A)" = "$(names user/B)" ]
	ln -s A link
	run -2 backuptool copy --store A --to link
	[[ $output == *"a store is not copied into itself"* ]]
}

@test "while it copies, nothing is deleted from either store; a killed one goes on where it was" {
	world
	instrumented && skip "nothing is preloaded into an instrumented program"
	env HOLD="linkat snapshot_" LD_PRELOAD="$BUILD/tests/faults/libhold.so" backuptool copy --store A --to B -q 3>&- &
	holder=$!
	wait_until is_stopped "$holder"
	for store in A B; do
		run -11 backuptool prune --store "$store" --keep-last 1 --lock-wait 0
		[[ $output == *"backuptool copy"* ]]
		at 2026-11-20T10-00-00 backuptool snapshot --target-directory other --store "$store" -q
	done
	kill -KILL "$holder"
	wait "$holder" || true
	holder=
	run -0 backuptool check --store B
	backuptool copy --store A --to B -q
	for name in $(names A | tail -3); do
		same_snapshot "$name"
	done
	run -0 backuptool check --store B
}
