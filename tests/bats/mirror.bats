#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A mirror has the same files as its store, and is whole at every moment.
# shellcheck disable=SC2154
load helper

teardown() {
	end_holder
	remove_work
}

# Two snapshots in A, of which the second needs a volume of its own.
world() {
	small_tree src
	take src --store A -q
	head -c 400000 /dev/urandom >src/photos/new.bin
	take src --store A -q
	backuptool prune --keep-last 2 --store A -q
}

# The files of a store that a mirror has, too.
files_of() {
	(cd "$1" && find id snapshot_* contents -type f -exec sha256sum {} + 2>/dev/null | sort)
}

mirrored() {
	[ "$(files_of A)" = "$(files_of "${1:-M}")" ]
}

@test "a mirror has the same files, follows tags and prunes, and removes only with --delete" {
	world
	run -0 backuptool mirror --store A M
	[[ $output == "added 2 snapshots; "*" copied in "* ]]
	mirrored
	run -0 backuptool check --store M
	run -0 backuptool mirror --store A M
	[[ $output == "added 0 snapshots; 0 B copied in "* ]]
	backuptool tag --store A latest --add kept
	run -0 backuptool mirror --store A M --json
	[ "$(jq -c '[.added, .replaced, .removed, .extra]' <<<"$output")" = '[0,1,0,0]' ]
	[ "$(backuptool list --store M --json | jq -r '.[-1].tags[]')" = kept ]
	backuptool prune --store A --keep-last 1 -q
	run -0 backuptool mirror --store A M
	# the file of the removed snapshot became a volume, which is not copied again
	[[ $output == "added 0 snapshots; 0 B copied in "* ]]
	mirrored_contents=$(find M/contents -type f | wc -l)
	[ "$mirrored_contents" -ge 1 ]
	[[ $output == *"1 snapshot is in the mirror that the store does not have any more; --delete removes it" ]]
	run -0 backuptool check --store M
	[ "$(find M -name 'snapshot_*' | wc -l)" = 2 ]
	run -0 backuptool mirror --store A M --delete
	[[ $output == "added 0 snapshots, removed 1; 0 B copied in "* ]]
	mirrored
	run -0 backuptool check --store M
	bring latest out --store M -q
	same src out
	run -0 backuptool mirror --store M N
	mirrored N
}

@test "a dry run makes nothing, and says the same" {
	world
	run -0 backuptool mirror --store A M -n
	[[ $output == "would add 2 snapshots; "*" to copy" ]]
	[ ! -e M ]
	run -0 backuptool mirror --store A M --dry-run --json
	bytes=$(jq .bytes <<<"$output")
	run -0 backuptool mirror --store A M --json
	[ "$(jq .bytes <<<"$output")" = "$bytes" ]
	backuptool remove --store A latest~1 --yes -q
	before=$(files_of M)
	run -0 backuptool mirror --store A M --delete -n
	[[ $output == "would add 0 snapshots, remove 1; "* ]]
	[ "$before" = "$(files_of M)" ]
}

@test "another store is never overwritten, nor the store itself; and nothing vanishes with a store that lost much" {
	world
	mkdir other
	take other --store B -q
	before=$(files_of B)
	run -2 backuptool mirror --store A B
	[[ $output == *"the directory is another store, not a mirror of this one"* ]]
	[ "$before" = "$(files_of B)" ]
	ln -s A link
	run -2 backuptool mirror --store A link
	[[ $output == *"a store is not its own mirror"* ]]
	backuptool mirror --store A M -q
	rm A/snapshot_*
	at 2026-11-20T10-00-00 backuptool snapshot --target-directory src --store A -q
	run -1 backuptool mirror --store A M --delete
	[[ $output == *"this removes 2 snapshots from the mirror, more than the store has"*"--yes"* ]]
	[ "$(find M -name 'snapshot_*' | wc -l)" = 2 ]
	run -0 backuptool mirror --store A M --delete --yes
	mirrored
	rm A/id
	run -2 backuptool --store A mirror N
	[[ $output == *"the store has no id yet; the next snapshot gives it one"* ]]
}

@test "snapshots that were taken into the mirror are not removed without a question" {
	world
	backuptool mirror --store A M -q
	at 2099-12-24T10-00-00 backuptool snapshot --target-directory src --store M -q
	run -1 backuptool mirror --store A M --delete
	[[ $output == *"this removes 1 snapshot from the mirror, newer than all that the store has"*"--yes"* ]]
	[ "$(find M -name 'snapshot_*' | wc -l)" = 3 ]
	run -0 backuptool mirror --store A M --delete --yes --json
	[ "$(jq -c '[.extra, .newer, .removed]' <<<"$output")" = '[1,1,1]' ]
	mirrored
}

@test "what is damaged in the store does not take the place of what is sound in the mirror" {
	world
	backuptool mirror --store A M -q
	before=$(files_of M)
	last=$(find A -name 'snapshot_*' | sort -V | tail -1)
	damage "$last" "$(($(stat -c %s "$last") - 20))"
	run -3 --separate-stderr backuptool mirror --store A M
	[[ $stderr == *"${last#A/}"*damaged* ]]
	[ "$before" = "$(files_of M)" ]
	run -0 backuptool check --store M
}

@test "nothing is removed as long as a file of the store cannot be read" {
	world
	backuptool mirror --store A M -q
	backuptool remove --store A latest~1 --yes -q
	chmod -R a+rwX A M
	last=$(find A -name 'snapshot_*')
	at 2026-11-20T10-00-00 backuptool snapshot --target-directory src --store A -q --host other
	before=$(find M -name 'snapshot_*' | wc -l)
	damage "$last" "$(($(stat -c %s "$last") - 20))"
	run -3 backuptool mirror --store A M --delete
	[[ $output == *"added 1 snapshot; "* && $output == *"--delete removes it"* ]]
	[ "$(find M -name 'snapshot_*' | wc -l)" = "$((before + 1))" ]
	run -0 backuptool check --store M
}

@test "a mirror that is cut off has no snapshot without its volumes, and the next run goes on" {
	world
	backuptool remove --store A latest~1 --yes -q
	[ "$(find A/contents -name '*.json' | wc -l)" -ge 1 ]
	instrumented && skip "nothing is preloaded into an instrumented program"
	env HOLD="linkat snapshot_" LD_PRELOAD="$BUILD/tests/faults/libhold.so" backuptool mirror --store A M -q 3>&- &
	holder=$!
	wait_until is_stopped "$holder"
	[ "$(find M/contents -name '*.json' | wc -l)" = "$(find A/contents -name '*.json' | wc -l)" ]
	[ "$(find M -name 'snapshot_*' | wc -l)" = 0 ]
	run -11 backuptool prune --store A --keep-last 1 --lock-wait 0
	run -11 backuptool prune --store M --keep-last 1 --lock-wait 0
	[[ $output == *"backuptool mirror"* ]]
	take src --store A -q
	kill -KILL "$holder"
	wait "$holder" || true
	holder=
	run -0 backuptool check --store M
	backuptool mirror --store A M -q
	mirrored
	run -0 backuptool check --store M
}

@test "an ordinary user mirrors what may be read, files that lie compressed, and the original layout" {
	small_tree src
	take src --store A --at-rest zstd -q
	backuptool export --classic --store A latest A/snapshot_2020-01-01T10-00-00.json -q
	reachable_tool
	mkdir user
	! is_root || chown 65534:65534 user
	chmod -R a+rX A
	as_user backuptool mirror --store A user/M -q
	mirrored user/M
	run -0 backuptool check --store user/M
	if is_root; then
		chmod 600 A/snapshot_2020*
		rm user/M/snapshot_2020*
		run -3 as_user backuptool mirror --store A user/M
		[[ $output == *"snapshot_2020-01-01T10-00-00.json"*"ermission denied"* ]]
	fi
}
