#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A store whose files lie compressed does all that another one does.
# shellcheck disable=SC2154,SC2030,SC2031
load mount_helper

# This file also has tests without a mount.
setup() {
	helper_setup
	mkdir mnt
}

# The names of files that lie in one way, from the top of the store.
lie() {
	(cd "${2:-snapshots}" && find . -maxdepth 2 -name "*.json$1" -printf '%P\n' | sort)
}

# Two snapshots of a tree, in a store that was told once.
world() {
	small_tree src
	take src --at-rest zstd -q
	settle
	printf 'changed\n' >src/docs/a.txt
	printf 'added' >src/added
	take src -q
	[ "$(lie .zst | wc -l)" = 2 ]
	[ -z "$(lie '')" ]
}

name_of() {
	backuptool list --json | jq -r ".[$1].name"
}

@test "the store remembers how its files lie, and a snapshot has its name either way" {
	small_tree src
	take src -q
	plain=$(name_of 0)
	[ "$(lie '')" = "$plain" ]
	jq -e '.at_rest == null' snapshots/id
	printf 1 >src/more
	take src --at-rest zstd -q
	jq -e '.at_rest == "zstd" and .id and .created' snapshots/id
	printf 2 >src/more
	take src -q
	[ "$(lie '')" = "$plain" ]
	[ "$(lie .zst | wc -l)" = 2 ]
	[ "$(backuptool list --json | jq -r '.[].name' | grep -c '\.json$')" = 3 ]
	printf 3 >src/more
	take src --at-rest none -q
	jq -e '.at_rest == null and .id' snapshots/id
	printf 4 >src/more
	take src -q
	[ "$(lie '' | wc -l)" = 3 ]
	[ "$(lie .zst | wc -l)" = 2 ]
	run -0 backuptool check
	for number in 0 1 2 3 4; do
		[ "$number" = 4 ] || [ "$(backuptool cat "latest~$number:more")" = "$((4 - number))" ]
	done
	run -0 backuptool stats
	[[ $output == *"5 files, 2 of them compressed at rest"* ]]
	run -2 take src --at-rest gzip
	[[ $output == *"--at-rest 'gzip' is not zstd or none"* ]]
	run -0 take src --at-rest zstd --dry-run
	jq -e '.at_rest == null' snapshots/id
}

@test "any decoder of zstd gives the JSON back, and other readers agree" {
	world
	for file in snapshots/*.zst; do
		zstd -dcq "$file" | jq . >/dev/null
		zstd -dcq "$file" >plain
		[ "$(zstd -lv "$file" 2>/dev/null | grep -c XXH64)" -gt 0 ]
		[ "$(stat -c %s "$file")" -lt "$(stat -c %s plain)" ]
	done
	run -0 "$TESTS/reader.py" list snapshots
	diff <(backuptool list --json | jq -r '.[] | "\(.name) \(.files) \(.directories) \(.others) \(.size)"') <(echo "$output")
	for before in 0 1; do
		"$TESTS/reader.py" extract snapshots "$(name_of $((1 - before)))" "by-reader-$before"
		bring "latest~$before" "by-tool-$before" -q
		same "by-tool-$before" "by-reader-$before"
	done
	same src by-reader-0
}

@test "the lines for reading by hand bring a snapshot back that lies compressed" {
	world
	sed -n '/<!-- by-hand -->/,/<!-- end -->/p' "$TOP/docs/how-to/without-the-program.md" | sed '/^<!--/d; /^```/d' >by-hand.sh
	export store=snapshots snapshot out='by hand' TMPDIR=$WORK
	snapshot=$(name_of 1)
	run -0 sh -eu by-hand.sh
	same src 'by hand' --without holes,sha256
	diff -r --no-dereference src 'by hand'
	zstd -dc "$store/$snapshot.zst" 2>/dev/null | jq -e '.summary.files' >/dev/null
}

@test "list, ls, cat, find, diff, versions, dump, export and restore" {
	world
	first=$(name_of 0)
	second=$(name_of 1)
	run -0 backuptool ls "$first.zst:docs"
	[[ $output == *a.txt* ]]
	run -0 backuptool cat "$first:docs/a.txt"
	[ "$output" = hello ]
	run -0 backuptool cat "$second.zst:docs/a.txt"
	[ "$output" = changed ]
	backuptool cat "$first:photos/noise.bin" | cmp - src/photos/noise.bin
	backuptool cat "$PWD/snapshots/$first:docs/a.txt" | cmp - <(echo hello)
	mkdir elsewhere
	cp "snapshots/$first.zst" elsewhere
	bring "elsewhere/$first.zst" alone -q
	bring "elsewhere/$first" alone-too -q
	diff -r --no-dereference alone alone-too
	run -0 backuptool find added
	[[ $output == *added* ]]
	run -0 backuptool diff "$first.zst" "$second"
	[[ $output == *docs/a.txt* ]]
	run -0 backuptool versions docs/a.txt
	bring "$second.zst" out -q
	same src out
	backuptool dump "$second" >out.tar
	mkdir untarred
	tar -xf out.tar -C untarred
	diff -r --no-dereference src untarred
	run -0 backuptool export --classic "$second" classic.json --yes
	jq -e '.files' classic.json >/dev/null
}

@test "prune: a removed snapshot becomes a volume, volumes are compacted, and both lie as they did" {
	world
	run -0 backuptool remove "$(name_of 0)" --yes
	[ "$(lie .zst | grep -c ^contents/)" = 1 ]
	[ -z "$(lie '')" ]
	run -0 backuptool check
	rm -r src/photos
	take src -q
	run -0 backuptool prune --keep-last 1 --max-dead 1 --yes
	[ -z "$(lie '')" ]
	[ "$(backuptool list --json | jq length)" = 1 ]
	run -0 backuptool check
	bring latest out -q
	same src out
	[ "$(find snapshots -name '*.doomed*' | wc -l)" = 0 ]
}

@test "tags: the new file lies as the one that it replaces" {
	world
	run -0 backuptool tag latest --add kept
	[ "$(lie .zst | wc -l)" = 3 ]
	[ -z "$(lie '')" ]
	take src --at-rest none --force -q
	run -0 backuptool tag latest~1 --add more
	[ "$(backuptool list --json | jq -r '.[1].tags | join(" ")')" = "kept more" ]
	[ "$(lie '' | wc -l)" = 1 ]
	run -0 backuptool check
}

@test "damage: check names the frame, restore --salvage brings the rest, repair mends" {
	small_tree src
	head -c 4000000 /dev/urandom >src/large
	take src --at-rest zstd -q
	file=$(lie .zst)
	at=$(($(stat -c %s "snapshots/$file") / 2))
	damage "snapshots/$file" "$at"
	run -1 backuptool check
	[[ $output == *"$file: damaged at byte "*"(bad-frame)"* ]]
	run -3 --separate-stderr bring latest out -q
	[ -s out/docs/a.txt ]
	run -3 backuptool check --repair
	[ "$(lie .zst | grep -v ^damaged/)" = "$file" ]
	[ -s "snapshots/damaged/$file" ]
	take src -q
	run -0 backuptool check
	bring latest again -q
	same src again
}

@test "a file without its end is refused, and salvaged" {
	small_tree src
	take src --at-rest zstd -q
	file=$(lie .zst)
	truncate -s -1 "snapshots/$file"
	run -1 backuptool check
	[[ $output == *"$file: damaged at byte "*"(bad-seek-table)"* ]]
	run -0 restore_salvage
	same src out
	run -3 backuptool check --repair
	take src -q
	run -0 backuptool check
	bring latest again -q
	same src again
}

restore_salvage() {
	backuptool restore --snapshot-file latest --output-directory out --salvage -q
}

@test "of two files of one snapshot the plain one counts, and the other is told, made a volume, or removed with it" {
	world
	name=$(name_of 1)
	cp "snapshots/$name.zst" copy
	zstd -dq "snapshots/$name.zst"
	[ "$(backuptool list --json | jq length)" = 2 ]
	run -0 backuptool cat "$name:added"
	run -1 backuptool check
	[[ $output == *"$name.zst: damaged (duplicate-name)"* ]]
	run -1 backuptool check --repair --dry-run
	[[ $output == *"$name.zst: would be made a volume"* ]]
	run -0 backuptool check --repair
	[[ $output == *"$name.zst: made a volume"*": contents/"*".json.zst"* ]]
	run -0 backuptool check
	[ "$(lie '')" = "$name" ]
	cp copy "snapshots/$name.zst"
	run -0 backuptool remove "$name" --yes
	[ "$(backuptool list --json | jq length)" = 1 ]
	run -0 backuptool check
}

@test "a plain file that is cut gives way to the one that lies compressed" {
	world
	name=$(name_of 1)
	zstd -dcq "snapshots/$name.zst" | head -c 1000 >"snapshots/$name"
	run -0 backuptool check --repair
	[[ $output == *"$name: moved aside;"* ]]
	[[ $output != *"the snapshot is lost"* ]]
	[ "$(lie .zst | grep -c ^snapshot_)" = 2 ]
	run -0 backuptool check
	bring latest out -q
	same src out
}

@test "a file that somebody compressed in another way is refused" {
	small_tree src
	take src -q
	zstd -q --rm "snapshots/$(name_of 0)"
	run -1 backuptool check
	[[ $output == *"(bad-seek-table)"* ]]
}

@test "the mount reads it" {
	[ -w /dev/fuse ] || skip "no /dev/fuse"
	seq 300000 >numbers
	world
	cp numbers src/numbers
	take src -q
	backupfs snapshots mnt 3>&-
	cmp src/numbers mnt/latest/numbers
	diff -r --no-dereference src mnt/latest/
	[ -e "mnt/$(basename "$(name_of 0)" .json)/docs/a.txt" ]
	[ "$(find mnt -maxdepth 1 -name '*zst*' | wc -l)" = 0 ]
	printf 'news' >src/news
	take src -q
	wait_until [ -e mnt/latest/news ]
	umount mnt
}

@test "an ordinary user's store" {
	reachable_tool
	mkdir store
	chmod 777 store
	small_tree src
	run -0 as_user backuptool --store store/s snapshot --target-directory src --at-rest zstd -q
	run -0 as_user backuptool --store store/s snapshot --target-directory src --force -q
	[ "$(lie .zst store/s | wc -l)" = 2 ]
	run -0 as_user backuptool --store store/s check
	run -0 as_user backuptool --store store/s prune --keep-last 1 --yes
	run -0 as_user backuptool --store store/s check
}

@test "killed at any moment, the next run goes on" {
	small_tree src
	take src --at-rest zstd -q
	for wait in 0.00 0.02 0.04 0.06 0.08 0.10; do
		head -c 2000000 /dev/urandom >src/noise
		backuptool snapshot --target-directory src -q 3>&- &
		sleep "$wait"
		kill -KILL $! || true
		wait $! || true
		run -0 backuptool check
	done
	take src -q
	run -0 backuptool prune --keep-last 1 --max-dead 1 --yes
	run -0 backuptool check
	bring latest out -q
	same src out
}

@test "a full disk leaves the store whole" {
	mkdir disk
	mount_or_skip -t tmpfs -o size=3m tmpfs disk
	small_tree src
	backuptool --store disk/s snapshot --target-directory src --at-rest zstd -q
	head -c 6000000 /dev/urandom >src/noise
	run -1 backuptool --store disk/s snapshot --target-directory src -q
	[[ $output == *"No space left"* ]]
	run -0 backuptool --store disk/s check
	rm src/noise
	run -0 backuptool --store disk/s snapshot --target-directory src -q
	bring_from_disk
	same src out
	umount disk
}

bring_from_disk() {
	backuptool --store disk/s restore --snapshot-file latest --output-directory out -q
}
