#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Which directories take how much, and what only this snapshot has.
# shellcheck disable=SC2154
load helper

world() {
	mkdir -p src/photos/2024 src/photos/2025 src/letters/old 'src/odd '$'\n''name'
	head -c 3000000 /dev/urandom >src/photos/2024/large
	head -c 2000 /dev/urandom >src/photos/2025/small
	cp src/photos/2025/small src/letters/same
	echo hello >src/letters/old/text
	ln src/letters/old/text 'src/odd '$'\n''name/hard'
	take src -q
	head -c 50000 /dev/urandom >src/photos/2025/new
	rm src/letters/old/text
	take src -q
}

@test "sizes of the first level, and of others; the largest last, above the sum" {
	world
	run -0 backuptool du --json
	[ "$(jq -r '.[] | select(.path | startswith("odd") | not) | "\(.path) \(.size) \(.files) \(.own)"' <<<"$output")" = "letters 2000 1 0
photos 3052000 3 50000
. 3054006 5 50000" ]
	[ "$(jq -r '.[] | select(.path | startswith("odd")) | .size' <<<"$output")" = 6 ]
	run -0 backuptool du latest~1 -d 2 --json
	[ "$(jq -r '.[] | "\(.path) \(.size)"' <<<"$output" | grep /)" = "letters/old 6
photos/2025 2000
photos/2024 3000000" ]
	run -0 backuptool du latest:photos
	[[ ${lines[0]} =~ ^\ +SIZE\ +ONLY\ HERE\ +FILES\ +DIRECTORY$ ]]
	[[ ${lines[-1]} == *" ." ]]
	[ "${#lines[@]}" = 4 ]
	run -0 backuptool du -s
	[ "${#lines[@]}" = 2 ]
	run -0 backuptool du
	[[ $output == *'odd \x0aname'* ]]
}

@test "what only one snapshot has is freed with it" {
	world
	own=$(backuptool du -s --json | jq '.[0].own')
	[ "$own" = 50000 ]
	before=$(du -sb snapshots | cut -f1)
	backuptool remove latest --yes -q
	after=$(du -sb snapshots | cut -f1)
	[ "$((before - after))" -ge 50000 ]
	# the only snapshot that is left has everything for itself
	[ "$(backuptool du -s --json | jq '.[0].own')" = 3002006 ]
}

@test "a file has no table, and what cannot be read is said" {
	world
	run -1 backuptool du latest:letters/same
	[[ $output == *"is not a directory; 'backuptool ls -l' shows its size" ]]
	run -1 backuptool du latest:nowhere
	run -2 backuptool du -d x
	[[ $output == *"a whole number above 0"* ]]
	damage "snapshots/$(newest 1)"
	run -3 --separate-stderr backuptool du -s --json
	[ -n "$stderr" ]
}
