#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stores that earlier versions made: each later version lists, mounts, restores, checks, prunes and continues them.
# tests/data/make_golden made them; beside each store lies what was said of it, and a listing of each of its snapshots.
# shellcheck disable=SC2154,SC2030,SC2031
load mount_helper

# The restored flags would keep the files.
remove() {
	chattr -R -f -i -a "$@" 2>/dev/null || true
	rm -rf "$@"
}

# That of version 1 lies elsewhere.
store_of() {
	if [ -e "${1}store" ]; then
		echo "${1}store"
	else
		echo "$TESTS/data/$(basename "$1")"
	fi
}

# for_each COMMAND…: with the directory of each golden store; ./snapshots is a copy of it meanwhile.
for_each() {
	local golden
	for golden in "$TESTS"/data/golden/*/; do
		echo "# $(basename "$golden")"
		cp -r "$(store_of "$golden")" snapshots
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

# What could be read when the snapshot was taken; the rest is restored as far as it goes, or is empty in a copy.
readable() {
	grep -v '^troubles/\(unreadable\|closed\) '
}

# as_listed GOLDEN NAME DIRECTORY: only root can bring everything back.
as_listed() {
	! is_root || diff <(zstd -dcq "$1/$2.tree.zst" | readable) <("$TESTS/tree_compare.py" --without holes "$3" | readable)
}

# as_said WHAT-WAS-SAID <NOW: rows of JSON, of which later versions may say more, but not less.
as_said() {
	jq -S -c . "$1" >before
	jq -S -c --slurpfile before "$1" -n '[inputs] | to_entries[] | .key as $i | .value | with_entries(select(.key | in($before[$i] // {})))' >now
	diff before now
}

listed() {
	backuptool list --json | jq -c '.[]' | as_said "$1/list.jsonl"
}

@test "golden stores are listed as they were" {
	for_each listed
}

# The draft has no such listings.
shown() {
	local name
	for name in $(snapshots_of "$1"); do
		[ -e "$1/$name.ls.zst" ] || continue
		zstd -dcq "$1/$name.ls.zst" >said
		backuptool ls -R "$name.json" --json | as_said said
	done
}

@test "the entries of golden stores are shown with all that was said of them" {
	for_each shown
}

# Each version of a file in a listing, with its path.
found_in() {
	jq -r 'select(.sha256) | [.path // .path_b64, .sha256, (.mtime | tostring)] | @tsv'
}

found() {
	local name
	backuptool find '*' --json | found_in | sort -u >versions
	for name in $(snapshots_of "$1"); do
		[ -e "$1/$name.ls.zst" ] || continue
		zstd -dcq "$1/$name.ls.zst" | found_in | sort -u >said
		[ -s said ]
		[ -z "$(comm -23 said versions)" ]
	done
}

@test "what golden stores hold is found" {
	for_each found
}

dumped() {
	local name
	for name in $(snapshots_of "$1"); do
		[ -e "$1/$name.ls.zst" ] || continue
		backuptool dump "$name.json" -q >tar || [ $? = 3 ]
		"$TESTS/data/golden_dump.py" "$1/$name.ls.zst" <tar
	done
	rm -f tar
}

@test "golden stores are dumped, entry for entry" {
	for_each dumped
}

# The paths in a listing, but for those below what the first snapshot did not enter, of which it says nothing.
paths_in() {
	zstd -dcq "$1" | jq -r '.path // .path_b64' | grep -v '^other/' | sort
}

# came OLDER NEWER: the paths that are only in the second listing.
came() {
	comm -13 <(paths_in "$1") <(paths_in "$2")
}

# The last snapshot with the first one of the same directory.
compared() {
	local first last
	first=$(jq -rs '.[-1].target as $target | map(select(.target == $target))[0].name | rtrimstr(".json")' "$1/list.jsonl")
	last=$(snapshots_of "$1" | tail -n 1)
	[ -e "$1/$first.ls.zst" ] || return 0
	backuptool diff "$first.json" "$last.json" --json >differences || [ $? = 4 ]
	diff <(came "$1/$first.ls.zst" "$1/$last.ls.zst") <(jq -r 'select(.change == "added") | .path // .path_b64' differences | sort)
	diff <(came "$1/$last.ls.zst" "$1/$first.ls.zst") <(jq -r 'select(.change == "removed") | .path // .path_b64' differences | sort)
	[ "$(jq -s 'map(select(.change == "content")) | length' differences)" -gt 0 ]
}

@test "snapshots of golden stores are compared" {
	for_each compared
}

@test "every member of the format is in a golden store" {
	run -0 "$TESTS/data/golden_members.py" "$TESTS"/data/golden/*/store "$TESTS/data/classic"
	[ -z "$output" ]
	# It says what is missing.
	run -1 "$TESTS/data/golden_members.py" "$TESTS"/data/golden/draft/store
	[[ $output == *"no golden store has entry: btime"* ]]
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
		cp -a "mnt/$name" out 2>errors || true
		run ! grep -v troubles/ errors
		as_listed "$1" "$name" out
		remove out
	done
	hide
}

@test "golden stores are mounted, and copied out of the mount" {
	for_each mounted
}

pruned() {
	local name kept
	name=$(snapshots_of "$1" | tail -n 1)
	kept=$(backuptool list --json | jq -c '[.[:-1][] | select(.pinned)] + .[-1:] | map(.name)')
	backuptool prune --keep-last 1 --all -q
	whole
	[ "$(backuptool list --json | jq -c 'map(.name)')" = "$kept" ]
	bring "$name.json" out -q || [ $? = 3 ]
	as_listed "$1" "$name" out
}

@test "golden stores are pruned, and what stays is whole" {
	for_each pruned
}

# The contents of the newest snapshot are there, so that the same files cost nothing; but where a writer cuts large ones
# may change.
continued() {
	[ "$(basename "$1")" != classic ] || return 0 # new snapshots do not rely on files of version 1
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
	[ "$(basename "$1")" != classic ] || return 0 # the text says less of these than is to be compared
	for name in $(snapshots_of "$1"); do
		"$TESTS/reader.py" extract snapshots "$name.json" out
		as_listed "$1" "$name" out
		remove out
	done
}

@test "golden stores are read by the reader written from the format's text" {
	for_each read_by_reader
}
