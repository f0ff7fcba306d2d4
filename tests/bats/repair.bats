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
	output_is "no damage found; 0 rewritten, 0 moved aside, 0 renamed; nothing is lost"
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
	[[ $output == *"$FIRST: would be rewritten without the damaged parts"* ]]
	would=$(sed -n 's/^would be lost: //p' <<<"$output")
	[ "$(grep -c 'photos/large.bin, bytes' <<<"$would")" = 2 ]
	[[ ${lines[-1]} == *"; lost: 0 snapshots, 2 paths at most. "* ]]
	cmp before "snapshots/$FIRST"
	run -3 backuptool check --repair
	[[ $output == *"$FIRST: rewritten without the damaged parts; "*" are kept, the file is now damaged/$FIRST"* ]]
	[[ $output == *"lost: $FIRST: photos/large.bin, bytes "* ]]
	[[ $output == *"lost: $SECOND: photos/large.bin, bytes "* ]]
	[ "$(sed -n 's/^lost: //p' <<<"$output")" = "$would" ]
	cmp before "snapshots/damaged/$FIRST"
	[[ ${lines[-1]} == *"; until then 'check' names what is lost and ends with 1. To give it up, remove the snapshots that have it" ]]
	run -1 backuptool check
	[[ $output == *"no file of the store has what is needed (missing-content)"* ]]
	# A second repair would change nothing.
	[[ ${lines[-1]} == "next: what the directory still has is stored again by 'backuptool snapshot --force --target-directory "*"'; to give up what is lost, remove the snapshots that have it, with 'backuptool remove'" ]]
	cp -a snapshots given_up
	run -0 backuptool remove --store given_up --yes "$FIRST" "$SECOND"
	run -0 backuptool check --store given_up
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
	run -1 backuptool check --repair --dry-run
	[[ $output == *"$FIRST: would be moved aside; the snapshot is lost"* ]]
	[[ $output == *"would be lost: $SECOND: "* && $output != *"would be lost: $FIRST"* ]]
	[[ ${lines[-1]} == *"; lost: 1 snapshot, "*" at most. "* ]]
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
	run -0 backuptool remove --yes "$FIRST"
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
fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 1, 0))  # F_OFD_SETLK: the first byte
open("held", "w").close()
time.sleep(60)' 3>&- &
	holder=$!
	wait_until test -e held
	run backuptool check --repair --lock-wait 0
	kill "$holder"
	[ "$status" = 11 ]
}

@test "--repair where there are no hard links: damaged files are copied, and nothing is left when they cannot be" {
	two_snapshots
	damage "snapshots/$FIRST" 2000000
	cp "snapshots/$FIRST" damaged
	run -1 strace -qq -o links -e trace=linkat,renameat2 -e inject=linkat:error=EPERM -e inject=renameat2:error=EIO \
		backuptool check --repair
	[ "$(find snapshots -name '.tmp-*' -o -path '*/damaged/*')" = "" ]
	cmp damaged "snapshots/$FIRST"
	run -3 without_links "$FIRST" "" check --repair
	cmp damaged "snapshots/damaged/$FIRST"
	[ "$(stat -c %h "snapshots/damaged/$FIRST")" = 1 ]
	run -0 take src
	run -0 backuptool check
	volume=$(basename "$(backuptool remove --yes "$FIRST" "$SECOND" >/dev/null && find snapshots/contents -name '*.json' -size +2M)")
	damage "snapshots/contents/$volume" 2000000
	cp "snapshots/contents/$volume" damaged
	run -3 without_links "$volume" "" check --repair
	[ ! -e "snapshots/contents/$volume" ]
	cmp damaged "snapshots/damaged/$volume"
}

@test "--salvage: a large file's sound parts, and which bytes are lost" {
	two_snapshots
	damage "snapshots/$FIRST" 2000000
	run -3 bring latest out
	[ ! -e out/photos/large.bin ]
	mkdir again
	cp -a src/. again
	run -3 bring latest again --salvage --overwrite always
	lost=$(sed -n 's/.*photos\/large\.bin: bytes \([0-9]*\) to \([0-9]*\) are lost.*/\1 \2/p' <<<"$output")
	[ "$(wc -l <<<"$lost")" = 1 ]
	[[ $output == *"photos/large.bin: what there is of it has the same name with .partial"* ]]
	cmp src/photos/large.bin again/photos/large.bin # the good one that was there
	python3 - $lost <<-'EOF'
		import os, sys
		first, last = int(sys.argv[1]), int(sys.argv[2])
		whole = open('src/photos/large.bin', 'rb').read()
		part = open('again/photos/large.bin.partial', 'rb').read()
		assert len(part) == len(whole) and 0 < last - first < 3000000, (first, last)
		assert part == whole[:first] + bytes(last + 1 - first) + whole[last + 1:]
	EOF
	rm again/photos/large.bin.partial
	diff -r src again
	run -0 bring latest out --salvage photos/numbers.txt
	[ ! -e out/photos/numbers.txt.partial ]
}

@test "--salvage: a snapshot whose lists and end are gone" {
	two_snapshots
	sed -i 's/^"end":.*/"end":{}}/' "snapshots/$FIRST"
	run -1 bring "$FIRST" out
	run -3 bring "$SECOND" out
	rm -rf out
	run -0 bring "$FIRST" out --salvage
	rm src/docs/later.txt
	diff -r src out
	at=$(grep -abo '"contents":' "snapshots/$FIRST" | cut -d : -f 1)
	cp "snapshots/$FIRST" cut
	truncate -s "$at" "snapshots/$FIRST"
	run -1 bring "$FIRST" out --salvage
	run -3 bring "$SECOND" out2 --salvage
	cmp cut <(cat "snapshots/$FIRST" <(tail -c "+$((at + 1))" cut)) # nothing is written
	[ -e out2/docs/later.txt ]
}

@test "--salvage: a page that is gone costs its directory" {
	two_snapshots
	sed -i 's/^{"entries":\[{"name":"b.txt"/{"entries":[{"name":"x.txt"/' "snapshots/$FIRST"
	run -3 bring latest out --salvage
	[[ $output == *"docs/notes"* ]]
	[ ! -e out/docs/notes/b.txt ]
	cmp src/photos/large.bin out/photos/large.bin
	cmp src/docs/later.txt out/docs/later.txt
}

@test "what is not needed is given up: a snapshot gains no privileges, a restore reaches nothing else" {
	mkdir src
	mkfifo src/fifo
	# it is asked while it waits for a lock
	take src -q
	python3 -c '
import fcntl, struct, time
lock = open("snapshots/lock", "r+b")
fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
open("held", "w").close()
time.sleep(60)' 3>&- &
	holder=$!
	wait_until test -e held
	backuptool snapshot --target-directory src -q 3>&- &
	taker=$!
	wait_until grep -q '^NoNewPrivs:.1' "/proc/$taker/status"
	kill "$holder"
	wait "$taker"
	run -0 bring latest out
	[ -p out/fifo ]
}
