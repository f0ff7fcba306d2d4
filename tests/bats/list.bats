#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Listing.
# shellcheck disable=SC2154
load helper

@test "an empty store" {
	mkdir snapshots
	touch snapshots/lock
	run -0 --separate-stderr backuptool list
	output_is "no snapshots; 'backuptool snapshot --target-directory DIR' takes the first one"
	[ "$stderr" = "" ]
	run -0 backuptool list --json
	[ "$(jq -c . <<<"$output")" = "[]" ]
}

@test "a row a snapshot, newest last, with a total" {
	small_tree src
	take src --tag a --tag b
	first=$(newest)
	printf 'x' >src/new
	take src
	second=$(newest)
	run -0 --separate-stderr backuptool list
	[ "$stderr" = "" ]
	[[ ${lines[0]} =~ ^NAME\ +TIME\ +TARGET\ +FILES\ +SIZE\ +ADDED\ +TAGS$ ]]
	[[ ${lines[1]} =~ ^$first\ +20[0-9-]+\ [0-9:]+\ UTC\ +$WORK/src\ +5\ +399\.3\ KiB\ +[0-9.]+\ [KM]iB\ +a,b$ ]]
	[[ ${lines[2]} =~ ^$second\ +20[0-9-]+\ [0-9:]+\ UTC\ +$WORK/src\ +6\ +399\.3\ KiB\ +[0-9.]+\ KiB$ ]]
	[[ ${lines[3]} =~ ^2\ snapshots,\ .*\ added\ in\ all$ ]]
	[ "${#lines[@]}" = 4 ]
}

@test "times are local" {
	small_tree src
	at 2020-06-01T10:00:00 backuptool snapshot --target-directory src
	TZ=Asia/Kathmandu run -0 backuptool list
	[[ ${lines[1]} == *" +0545 "* ]]
}

@test "--json" {
	small_tree src
	take src --tag x
	run -0 --separate-stderr backuptool list --json
	[ "$(jq -c '.[0] | [.target, .files, .directories, .others, .size, .new, .classic, .tags]' <<<"$output")" = \
		"[\"$WORK/src\",5,5,1,408906,5,false,[\"x\"]]" ]
	[ "$(jq -r '.[0].name' <<<"$output")" = "$(newest)" ]
	[ "$(jq '.[0].file_size' <<<"$output")" = "$(stat -c %s "snapshots/$(newest)")" ]
}

@test "what a snapshot added is all that it brought to the disk: metadata, and its volumes" {
	mkdir src
	python3 -c 'for number in range(3000): open("src/%d" % number, "w").write("x")'
	take src
	run -0 backuptool list --json
	[ "$(jq '.[0].stored_bytes < 1000' <<<"$output")" = true ]
	[ "$(jq '.[0].added' <<<"$output")" = "$(stat -c %s "snapshots/$(newest)")" ]
	head -c 210M /dev/urandom >src/large
	take src
	on_disk=$(cat "snapshots/$(newest)" snapshots/contents/*.json | wc -c)
	added=$(backuptool list --json | jq '.[1].added')
	[ "$(find snapshots/contents -name '*.json' | wc -l)" = 1 ]
	[ "$added" -le "$on_disk" ]
	[ "$added" -gt "$((on_disk - on_disk / 1000))" ]
}

@test "an incomplete snapshot can be seen" {
	reachable_tool
	mkdir -m 777 store
	small_tree src
	as_user backuptool --store store/s snapshot --target-directory src --tag whole
	chmod 000 src/docs/a.txt src/docs/notes
	run -3 as_user backuptool --store store/s snapshot --target-directory src --tag part
	chmod 700 src/docs/a.txt src/docs/notes
	run -0 --separate-stderr backuptool --store store/s list
	[[ ${lines[0]} == *" TAGS" ]]
	[[ ${lines[1]} == *"  whole" ]]
	[[ ${lines[2]} == *"  part   2 unread" ]]
	[ "$(backuptool --store store/s list --json | jq -c 'map(.errors)')" = "[0,2]" ]
}

@test "a target with odd bytes" {
	odd=$'a\nb\033[31m\xff'
	small_tree "$odd"
	take "$odd"
	run -0 backuptool list
	[[ ${lines[1]} == *'/a\x0ab\x1b[31m\xff  '* ]]
	run -0 backuptool list --json
	[ "$(jq -r '.[0].target_b64' <<<"$output" | base64 -d)" = "$WORK/$odd" ]
}

@test "damaged files are named, and do not stop the rest" {
	small_tree src
	settle
	for n in 1 2 3 4; do
		at "2020-01-0${n}T00:00:00" backuptool snapshot --target-directory src
	done
	damage snapshots/snapshot_2020-01-02T00-00-00Z.json 40
	truncate -s -30 snapshots/snapshot_2020-01-03T00-00-00Z.json
	: >snapshots/snapshot_2020-01-05T00-00-00Z.json
	run -1 --separate-stderr backuptool list
	[ "$(wc -l <<<"$stderr")" = 3 ]
	for n in 2 3 5; do
		grep -q "^backuptool list: .*snapshot_2020-01-0${n}T00-00-00Z\.json.*: damaged" <<<"$stderr"
	done
	[ "${#lines[@]}" = 4 ]
	[[ ${lines[1]} == snapshot_2020-01-01* ]]
	[[ ${lines[2]} == snapshot_2020-01-04* ]]
	[[ ${lines[3]} == "2 snapshots, "*"; 3 damaged" ]]
	run -1 backuptool list --json
	[ "$(grep -v '^backuptool' <<<"$output" | jq -c 'map(has("damage"))')" = "[false,true,true,false,true]" ]
	bring 2020-01-04 out
	same src out
}

@test "files that are none of ours are left alone" {
	small_tree src
	take src
	touch snapshots/notes.txt snapshots/snapshot_x.json.bak
	run -0 backuptool list --json
	[ "$(jq length <<<"$output")" = 1 ]
}

@test "a store that may only be read" {
	is_root || skip "needs root for a read-only file system"
	small_tree src
	take src
	rm -rf snapshots/cache
	cat >read-only.sh <<-'EOS'
		set -e
		mount --bind snapshots snapshots
		mount -o remount,ro,bind snapshots
		backuptool list
		backuptool restore --snapshot-file latest --output-directory out
		code=0
		backuptool snapshot --target-directory src 2>err || code=$?
		cat err
		[ $code = 1 ]
		grep -q 'Read-only file system' err
	EOS
	unshare -m bash read-only.sh
	same src out
}

@test "--names" {
	small_tree src
	take src
	take src
	damage "snapshots/$(newest 1)"
	run -0 --separate-stderr backuptool list --names
	output_is "$(newest 1)" "$(newest)"
	[ "$stderr" = "" ]
}
