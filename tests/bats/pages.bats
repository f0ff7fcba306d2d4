#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Large directories, whose pages are cut by the names: what a change writes, and what goes by pages.
# shellcheck disable=SC2154,SC2030,SC2031
load helper

# many DIR COUNT: so many files of some bytes, as they were a while ago.
many() {
	mkdir -p "$1"
	python3 - "$1" "$2" <<-'END'
		import os, sys
		for i in range(int(sys.argv[2])):
		    with open("%s/file-%07d.txt" % (sys.argv[1], i * 7919 % 1000003), "w") as out:
		        out.write("text %d\n" % i)
	END
	settle
}

# written DIR FILE: the bytes of all that a snapshot after one change adds to the store, without what is derived.
written() {
	before=$(du -sb --exclude=cache snapshots | cut -f1)
	printf 'changed\n' >>"$1/$2"
	settle
	take "$1" >&2
	echo "$(($(du -sb --exclude=cache snapshots | cut -f1) - before))"
}

@test "one changed file writes at most 8 KB in a directory of 200 files, and 16 KB in one of 2,000" {
	many src/200 200
	many other/2000 2000
	take src/200
	take other/2000
	for name in file-0007919.txt file-0158380.txt file-0720629.txt; do
		[ -e "src/200/$name" ]
		bytes=$(written src/200 "$name")
		echo "# 200: $bytes"
		[ "$bytes" -le 8192 ]
		bytes=$(written other/2000 "$name")
		echo "# 2,000: $bytes"
		[ "$bytes" -le 16384 ]
	done
}

@test "diff, find, check and prune go by the pages of a large directory" {
	many src/deep/large 3000
	mkdir src/deep/large/sub
	echo below >src/deep/large/sub/file
	settle
	take src
	echo changed >src/deep/large/file-0007919.txt
	rm src/deep/large/file-0015838.txt
	echo new >src/deep/large/file-9.txt
	echo below too >src/deep/large/sub/file
	settle
	take src
	cp -a src src-2
	rm src/deep/large/file-00[0-4]*
	take src
	run -0 backuptool diff --json latest~2 latest~1
	[ "$(jq -r '.path // empty' <<<"$output" | LC_ALL=C sort | tr '\n' ' ')" = "deep/large/file-0007919.txt \
deep/large/file-0015838.txt deep/large/file-9.txt deep/large/sub/file " ]
	run -0 backuptool find 'file-*'
	[ "${#lines[@]}" -eq 3002 ] # each version once
	run -0 backuptool find file
	[ "${#lines[@]}" -eq 2 ]
	backuptool check -q
	backuptool prune -q --snapshot-number 2
	backuptool check -q
	bring latest~1 out-2
	same src-2 out-2
	bring latest out
	same src out
	run -0 "$TESTS/reader.py" extract snapshots "$(newest 0)" by-reader
	same src by-reader
}

@test "a directory that is again as it was has the same pages" {
	many src 1000
	take src
	tree() { tail -n 2 "snapshots/$(newest 0)" | grep -ao '"tree":"[0-9a-f]*"' | head -n 1; }
	first=$(tree)
	take src --exclude file-0007919.txt
	[ "$(tree)" != "$first" ]
	take src
	[ "$(tree)" = "$first" ]
	run -0 backuptool diff latest~2 latest
}

@test "damage of one page of a large directory hurts what is on it, and no more" {
	many src 1000
	take src
	file=snapshots/$(newest 0)
	chmod u+w "$file"
	sed -i '0,/"name":"file-0158380.txt","type":"file","mode":"06/s//"name":"file-0158380.txt","type":"file","mode":"07/' "$file"
	run -1 backuptool check
	[[ "$output" == *digest-mismatch* ]]
	run -3 backuptool restore --snapshot-file latest --output-directory out
	count=$(find out -type f | wc -l)
	[ "$count" -ge 900 ]
	[ "$count" -lt 1000 ]
	[ -e out/file-0007919.txt ]
	[ ! -e out/file-0158380.txt ]
}

@test "a store of a draft of the format, whose index pages did not nest, is read as ever" {
	mkdir snapshots
	cp "$TESTS"/data/draft/*.json snapshots/
	run -0 backuptool ls -R latest~1
	[ "${#lines[@]}" -eq 523 ]
	run -0 backuptool ls latest:many
	[ "${#lines[@]}" -eq 520 ]
	run -0 backuptool diff --json latest~1 latest
	[ "$(jq -r '.path // empty' <<<"$output" | tr '\n' ' ')" = "a.txt many/f7 " ]
	[ "$(backuptool cat latest~1:many/g.txt)" = hello ]
	backuptool check -q
	run -0 "$TESTS/reader.py" list snapshots
	[ "${lines[1]%% *}" = "$(newest 0)" ]
	bring latest~1 out
	[ "$(find out/many -type p | wc -l)" -eq 520 ]
	take out # beside them, with pages of its own
	run -0 backuptool diff "$(newest 2)" latest # names of snapshots: they are of different directories
	backuptool check -q
}
