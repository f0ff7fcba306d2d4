#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Proving that a store is whole, and saying what is not.
# shellcheck disable=SC2154
load helper

# Two snapshots: FIRST brings most, SECOND a little and needs both.
two_snapshots() {
	small_tree src
	head -c 4000000 /dev/urandom >src/photos/large.bin
	for number in $(seq 300); do
		echo "note $number" >"src/docs/notes/$number"
	done
	settle
	take src -q >/dev/null
	FIRST=$(newest)
	echo later >src/docs/later.txt
	take src -q >/dev/null
	SECOND=$(newest)
}

# offset_of FILE TEXT: where it stands.
offset_of() {
	grep -abo -m 1 -- "$2" "$1" | head -n 1 | cut -d : -f 1
}

@test "a clean store: everything is read, and the summary says so" {
	two_snapshots
	run -0 backuptool check
	echo "$output"
	[ "${#lines[@]}" = 1 ]
	[[ $output =~ ^2\ snapshots\ in\ 2\ files:\ [0-9]+\ pages,\ 3[01][0-9]\ contents\;\ 4\.2\ MiB\ in\ .*\ s\ \(.*/s\)\;\ no\ damage\ found$ ]]
	run -0 backuptool check -q
	[ -z "$output" ]
	run -0 backuptool check --json
	[ "$(jq -c '[.findings, .summary.snapshots, .summary.findings, .summary.complete, .summary.quick]' <<<"$output")" = '[[],2,0,true,false]' ]
}

@test "--quick reads no contents and says so" {
	two_snapshots
	run -0 backuptool check --quick
	[[ $output == *"--quick: what the contents hold was not read; no damage found" ]]
	damage "snapshots/$FIRST" 2000000
	run -0 backuptool check --quick
	run -1 backuptool check
	run -2 backuptool check --quick --subset 1/2
}

@test "--subset: the parts together read everything" {
	two_snapshots
	damage "snapshots/$FIRST" 2000000
	found=0
	for part in 1 2 3 4 5; do
		run backuptool check --subset "$part/5"
		[[ $output == *"part $part of 5 of the contents was read"* ]]
		found=$((found + status))
	done
	[ "$found" = 1 ]
	run backuptool check --subset 3/5 --json
	[ "$(jq -r .summary.subset <<<"$output")" = 3/5 ]
	run -2 backuptool check --subset 8/7
	run -2 backuptool check --subset 0/7
	run -2 backuptool check --subset 0%
	run -2 backuptool check --subset much
}

@test "--subset N%: taken at random, others each time" {
	two_snapshots
	for number in $(seq 64); do
		head -c 300000 /dev/urandom >"src/photos/$number"
	done
	take src -q
	for share in 34% 60% 12.5%; do
		run -0 backuptool check --subset "$share"
		[[ $output == *"; $share of the contents, taken at random, were read; "* ]]
	done
	for _ in 1 2 3 4 5 6; do
		run -0 backuptool check --subset 50% --json
		jq -r .summary.bytes <<<"$output"
		[ "$(jq -r .summary.subset <<<"$output")" = 50% ]
	done | sort -u >bytes
	[ "$(wc -l <bytes)" -gt 1 ]
	damage "snapshots/$FIRST" 2000000
	run -1 backuptool check --subset 100%
	for share in 0% 0.001% 100.01% 101% 1000% % 5%x -1% 1e1% 1.2.3% ' 5%'; do
		run -2 backuptool check --subset "$share"
	done
}

@test "a damaged block: exit 1, with file, bytes, snapshots and path; everything else restores" {
	two_snapshots
	damage "snapshots/$FIRST" 2000000
	run -1 backuptool check
	[[ ${lines[0]} =~ ^damage\ hurts\ 2\ paths\ in\ 2\ snapshots:\ .*$ && ${lines[0]} == *"$FIRST"* && ${lines[0]} == *"$SECOND"* ]]
	[[ ${lines[1]} =~ ^$FIRST:\ damaged\ at\ byte\ [0-9]+\ .*\ in\ bytes\ [0-9]+\ to\ [0-9]+$ ]]
	[[ ${lines[2]} =~ ^\ \ hurts\ snapshot_[^:]*:\ photos/large.bin,\ bytes\ .*\;\ the\ same\ in\ 1\ more$ ]]
	[[ ${lines[3]} == *"; 1 finding" ]]
	[[ ${lines[4]} == "next: 'backuptool check --repair --dry-run' "*"'backuptool snapshot --force --target-directory $PWD/src'" ]]
	[ "${#lines[@]}" = 5 ]
	run -1 backuptool check --json
	[ "$(jq -r '.findings[0] | [.file, .hurts[0].snapshot, .hurts[1].snapshot, .hurts[0].path] | join(" ")' <<<"$output")" = "$FIRST $SECOND $FIRST photos/large.bin" ]
	[ "$(jq -c '.summary | [.hurt_paths, .hurt_snapshots]' <<<"$output")" = "[2,2]" ]
	[ "$(jq '.findings[0] | .offset <= 2000000 and .offset + .length > 2000000' <<<"$output")" = true ]
	run -0 backuptool list
	run -3 bring "$SECOND" out
	cmp src/docs/later.txt out/docs/later.txt
	cmp src/photos/numbers.txt out/photos/numbers.txt
	run -0 diff -r src/docs out/docs
	# Where the directory is no more, nothing can be stored again.
	mv src elsewhere
	run -1 backuptool check
	[[ ${lines[4]} == "next: 'backuptool check --repair --dry-run' "* && $output != *--target-directory* ]]
	mv elsewhere src
}

@test "a damaged page" {
	two_snapshots
	damage "snapshots/$FIRST" "$(($(offset_of "snapshots/$FIRST" '{"entries":\[{"name":"1"') + 30))"
	for option in --no-progress --quick; do
		run -1 backuptool check "$option"
		[[ ${lines[1]} =~ ^$FIRST:\ damaged\ at\ byte\ [0-9]+ ]]
		[[ ${lines[2]} =~ ^\ \ hurts\ snapshot_[^:]*:\ docs/notes.*the\ same\ in\ 1\ more$ ]]
	done
	run -3 bring latest out
	cmp src/photos/large.bin out/photos/large.bin
}

@test "a damaged header, list or end: the snapshot is lost and named" {
	two_snapshots
	cp "snapshots/$SECOND" whole
	for text in '"host"' '"tree_index":\[' '"summary"' '"index_sha256":"'; do
		cp whole "snapshots/$SECOND"
		damage "snapshots/$SECOND" "$(($(offset_of "snapshots/$SECOND" "$text") + ${#text} + 3))"
		run -1 backuptool check
		[[ $output == *"$SECOND: damaged"* ]]
		[[ $output == *"  hurts $SECOND: all of it"* ]]
		[[ $output != *"hurts $FIRST"* ]]
	done
	run -0 bring "$FIRST" out
	cp whole "snapshots/$SECOND"
	run -0 backuptool check
}

@test "damage where it hurts nothing is found, too" {
	two_snapshots
	damage "snapshots/$FIRST" "$(($(offset_of "snapshots/$FIRST" '{"zstd":"') + 3))"
	run -1 backuptool check
	[[ ${lines[0]} == "damage hurts no snapshot"* ]]
	[[ ${lines[1]} == "$FIRST: damaged at byte "* ]]
	[ "${lines[2]}" = "  hurts no snapshot" ]
	run -0 bring latest out
	same src out
}

@test "a volume that is gone or cut short" {
	two_snapshots
	run -0 backuptool remove --yes "$FIRST"
	volume=$(find snapshots/contents -name '*.json')
	run -0 backuptool check
	cp "$volume" whole
	truncate -s -1 "$volume"
	run -1 backuptool check
	[[ $output == *"contents/$(basename "$volume"): damaged "*"(truncated)"* ]]
	rm "$volume"
	for option in --no-progress --quick; do
		run -1 backuptool check "$option"
		[[ $output == *"no file of the store has what is needed (missing-page)"*"  hurts $SECOND: photos"* ]]
	done
	cp whole "$volume"
	run -0 backuptool check
}

@test "many paths are counted, not listed" {
	mkdir src
	for number in $(seq 1000); do
		echo "note $number" >"src/$number"
	done
	take src -q >/dev/null
	damage "snapshots/$(newest)" 300
	run -1 backuptool check
	[ "$(grep -c '^  hurts ' <<<"$output")" = 20 ]
	[[ $output == *"  and 980 more"* ]]
	[ "${lines[0]}" = "damage hurts 1000 paths in 1 snapshot: $(newest)" ]
}

@test "only what a named snapshot needs" {
	two_snapshots
	rm -r src/photos
	take src -q >/dev/null
	damage "snapshots/$FIRST" 2000000
	run -0 backuptool check latest
	run -0 backuptool check latest latest "$(newest)"
	[[ ${lines[-1]} == "1 snapshot in "* ]]
	run -1 backuptool check "$SECOND"
	[[ $output == *"hurts $SECOND: photos/large.bin"* ]]
	[[ $output != *"hurts $FIRST"* ]]
	run -1 backuptool check latest "$FIRST"
	run -1 backuptool check nonsense
	[[ $output == "backuptool check: there is no snapshot 'nonsense'; the newest is snapshot_"* ]]
}

@test "classic snapshots are read whole, whatever cache/ has" {
	mkdir snapshots
	cp "$TESTS"/data/classic/*.json snapshots/
	run backuptool check
	before=$status
	name=$(newest)
	backuptool list >/dev/null
	cp -p "snapshots/$name" whole
	content=$(grep -abo '"file_contents"' "snapshots/$name" | cut -d : -f 1)
	at=$(tail -c "+$((content + 1))" "snapshots/$name" | grep -abo -m 1 '": *"[A-Za-z0-9+/]' | head -n 1 | cut -d : -f 1)
	damage "snapshots/$name" "$((content + at + 5))"
	touch -r whole "snapshots/$name"
	run -1 backuptool check
	[[ $output == *"$name: damaged"* ]]
	[[ $output == *"  hurts $name: "* ]]
	cp -p whole "snapshots/$name"
	run "-$before" backuptool check
}

@test "derived data counts for nothing" {
	two_snapshots
	backuptool check -q
	for file in snapshots/cache/*; do
		damage "$file" 10
		damage "$file" 1000
	done
	run -0 backuptool check
	run -0 bring latest out
	same src out
}

@test "a store that may only be read" {
	is_root || skip "needs root to give a store to nobody"
	two_snapshots
	chmod -R a+rX snapshots
	rm snapshots/lock
	reachable_tool
	run -0 as_user "$WORK/backuptool" check
	[[ $output == *"no damage found" ]]
	run -0 as_user "$WORK/backuptool" check --repair --dry-run
	[[ $output == "no damage found; would be: 0 rewritten"* ]]
}

@test "no store; an interrupted check" {
	run -10 backuptool check
	mkdir src
	head -c 60000000 /dev/urandom >src/noise
	take src -q >/dev/null
	interrupted pread64 '' backuptool check
	[ "$status" = 130 ]
	stderr_is "backuptool check: ending: the store is left whole; press again to end at once" "backuptool check: interrupted"
	[[ $output != *"no damage found"* ]]
}
