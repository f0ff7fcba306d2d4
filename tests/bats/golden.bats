#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stores that earlier versions made: each later version lists, mounts, restores, checks, prunes and continues them.
# tests/data/make_golden made them; beside each store there is a listing of each of its snapshots.
# shellcheck disable=SC2154,SC2030,SC2031
load mount_helper

# The restored flags would keep the files.
remove() {
	chattr -R -f -i -a "$@" 2>/dev/null || true
	rm -rf "$@"
}

# for_each COMMAND…: with the directory of each golden store; ./snapshots is a copy of it meanwhile.
for_each() {
	local golden
	for golden in "$TESTS"/data/golden/*/; do
		echo "# $(basename "$golden")"
		cp -r "${golden}store" snapshots
		"$@" "${golden%/}"
		remove snapshots out
	done
}

# The names of a store's snapshots, oldest first.
snapshots_of() {
	for listing in "$1"/*.tree.zst; do
		basename "$listing" .tree.zst
	done
}

# as_listed GOLDEN NAME DIRECTORY: only root can bring everything back. A file that could not be read when the snapshot
# was taken is not restored, and is empty in a copy.
as_listed() {
	! is_root || diff <(zstd -dcq "$1/$2.tree.zst") <("$TESTS/tree_compare.py" --without holes "$3" | grep -v '^troubles/unreadable ')
}

listed() {
	diff "$1/list.jsonl" <(backuptool list --json | jq -c '.[] | {name, time, host, target, tags, files, directories, others, size, errors}')
}

@test "golden stores are listed as they were" {
	for_each listed
}

whole() {
	run -0 backuptool check
	[[ $output == *"no damage found"* ]]
}

@test "golden stores are whole" {
	for_each whole
}

# Those with an entry that could not be read end with 3.
restored() {
	local name
	for name in $(snapshots_of "$1"); do
		bring "$name.json" out -q || [ $? = 3 ]
		as_listed "$1" "$name" out
		remove out
	done
}

@test "golden stores are restored, entry for entry" {
	for_each restored
}

# What could not be read when the snapshot was taken cannot be copied either.
mounted() {
	local name
	show
	for name in $(snapshots_of "$1"); do
		run cp -a "mnt/$name" out
		[ "$status" = 0 ] || [ "${#lines[@]}" = 1 ]
		as_listed "$1" "$name" out
		remove out
	done
	hide
}

@test "golden stores are mounted, and copied out of the mount" {
	for_each mounted
}

pruned() {
	local name
	name=$(snapshots_of "$1" | tail -n 1)
	backuptool prune --keep-last 1 -q
	whole
	[ "$(backuptool list --json | jq length)" = 1 ]
	bring "$name.json" out -q || [ $? = 3 ]
	as_listed "$1" "$name" out
}

@test "golden stores are pruned, and what stays is whole" {
	for_each pruned
}

# The contents of the newest snapshot are there, so that the same files cost nothing; but where a writer cuts large ones
# may change.
continued() {
	bring latest out -q || [ $? = 3 ]
	remove out/contents/chunk* out/troubles/torn
	run -0 backuptool snapshot --target-directory out --json
	[ "$(jq .new_bytes <<<"$output")" = 0 ]
	whole
}

@test "golden stores are continued: what they hold is not stored again" {
	for_each continued
}

read_by_reader() {
	local name
	is_root || return 0 # it makes devices
	for name in $(snapshots_of "$1"); do
		"$TESTS/reader.py" extract snapshots "$name.json" out
		as_listed "$1" "$name" out
		remove out
	done
}

@test "golden stores are read by the reader written from the format's text" {
	for_each read_by_reader
}
