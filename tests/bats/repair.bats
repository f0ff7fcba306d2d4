#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Making a damaged store sound, and reading from one that is not.
# shellcheck disable=SC2154
load helper

# Two snapshots: FIRST brings most, SECOND a little and needs both.
two_snapshots() {
	small_tree src
	head -c 4000000 /dev/urandom >src/photos/large.bin
	settle
	take src -q >/dev/null
	FIRST=$(newest)
	echo later >src/docs/later.txt
	settle
	take src -q >/dev/null
	SECOND=$(newest)
}

@test "--repair: nothing to do" {
	two_snapshots
	run -0 backuptool check --repair
	output_is "no damage found; 0 written anew, 0 moved aside, 0 renamed; nothing is lost"
	[ ! -e snapshots/damaged ]
	run -2 backuptool check --repair --quick
	run -2 backuptool check --repair latest
	run -2 backuptool check --dry-run
}

@test "--repair: a damaged block goes, the next snapshot brings it back, and old snapshots are whole again" {
	two_snapshots
	damage "snapshots/$FIRST" 2000000
	cp "snapshots/$FIRST" before
	run -1 backuptool check --repair --dry-run
	[[ $output == *"$FIRST: would be written anew without what is damaged"* ]]
	cmp before "snapshots/$FIRST"
	run -3 backuptool check --repair
	[[ $output == *"$FIRST: written anew without what is damaged; "*" are kept, the file is now damaged/$FIRST"* ]]
	[[ $output == *"lost: $FIRST: photos/large.bin, bytes "* ]]
	[[ $output == *"lost: $SECOND: photos/large.bin, bytes "* ]]
	cmp before "snapshots/damaged/$FIRST"
	run -1 backuptool check
	[[ $output == *"no file of the store has what is needed (missing-content)"* ]]
	run -0 take src
	run -0 backuptool check
	run -0 bring "$FIRST" out1
	cmp src/photos/large.bin out1/photos/large.bin
	run -0 bring "$SECOND" out2
	same src out2
}

@test "--repair: a snapshot whose end is gone is lost, but not what others need of it" {
	two_snapshots
	truncate -s -700 "snapshots/$FIRST"
	run -3 bring "$SECOND" out
	run -3 backuptool check --repair --json
	[ "$(jq -c '[.repairs[] | [.action, .file, .to]]' <<<"$output")" = "[[\"aside\",\"$FIRST\",\"damaged/$FIRST\"]]" ]
	[ "$(jq -c '[.lost, .summary.snapshots_lost, .summary.dry_run]' <<<"$output")" = "[[],1,false]" ]
	run -0 backuptool check
	run -0 bring "$SECOND" out2
	same src out2
	[ "$(find snapshots/contents -name '*.json' | wc -l)" = 1 ]
}

@test "--repair: damage in a volume, and a store in use" {
	two_snapshots
	run -0 backuptool remove "$FIRST"
	volume=$(find snapshots/contents -name '*.json')
	damage "$volume" 2000000
	run -3 backuptool check --repair
	[[ $output == *"contents/$(basename "$volume"): moved aside; "*" are kept, the file is now damaged/$(basename "$volume")"* ]]
	[ ! -e "$volume" ]
	take src -q
	run -0 backuptool check
	python3 -c '
import fcntl, struct, time
lock = open("snapshots/lock", "rb")
fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0))  # F_OFD_SETLK
open("held", "w").close()
time.sleep(60)' 3>&- &
	holder=$!
	wait_until test -e held
	run backuptool check --repair --lock-wait 0
	kill "$holder"
	[ "$status" = 11 ]
}
