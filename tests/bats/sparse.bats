#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Files with holes so large that nobody hashes their zeros: what has no digest of the whole is compared by its pieces.
load helper

# image NAME [PLACE]: 3 GiB of which 1 MiB, at the place, is there; always of one time.
image() {
	rm -f "$1"
	truncate -s 3G "$1"
	yes "${3:-data}" | head -c 1M | dd of="$1" bs=1M seek="${2:-5}" conv=notrunc status=none
	touch -d 2024-03-01 "$1"
}

digests() {
	backuptool ls latest -R --json | python3 -c '
import json, sys
for line in sys.stdin:
	entry = json.loads(line)
	if entry["type"] == "file":
		print(entry["path"], "yes" if entry.get("sha256") else "no")'
}

@test "a file that is nearly all holes costs what is in it, also when it was touched" {
	mkdir src
	truncate -s 60G src/hole
	image src/image
	echo text >src/text
	take src -q
	[ "$(digests | sort | paste -sd ' ')" = "hole no image no text yes" ]
	touch src/hole src/image
	settle
	strace -f -qq -e trace=pread64 -o trace "$(command -v backuptool)" snapshot --target-directory src -q ||
		skip "there is no strace here"
	[ "$(awk '$NF ~ /^[0-9]+$/ { sum += $NF } END { print sum + 0 }' trace)" -lt 8000000 ]
	run -0 bring latest out
	same src out
	[ "$(du -sk out | cut -f 1)" -lt 2000 ]
	run -0 backuptool check
	[[ $output == *"no damage found"* ]]
}

@test "without a digest nothing that differs is taken for the same" {
	mkdir src
	image src/data
	image src/place
	image src/same
	take src -q
	settle
	image src/data 5 other
	image src/place 6
	image src/same
	run -0 backuptool diff latest src
	[ "$(grep -c '^M' <<<"$output")" = 2 ]
	[[ $output == *"M "*data* && $output == *"M "*place* && $output != *same* ]]
	take src -q
	run -0 backuptool diff latest~1 latest
	[ "$(grep -c '^M' <<<"$output")" = 2 ]
	# files of one size and time
	run -0 backuptool versions data --json
	[ "$(wc -l <<<"$output")" = 2 ]
	run -0 backuptool versions place --json
	[ "$(wc -l <<<"$output")" = 2 ]
	run -0 backuptool versions same --json
	[ "$(wc -l <<<"$output")" = 1 ]
	# what was named is compared by its content
	run -0 backuptool restore --snapshot-file latest~1 --output-directory src place data same
	[[ $output == *"2 "* ]]
	run -0 backuptool diff latest~1 src
	[ "$(grep -c '^M' <<<"$output")" = 0 ]
}

@test "what needs a digest says that there is none" {
	mkdir src
	image src/image
	echo text >src/text
	take src -q
	run -3 backuptool ls latest --sha256
	[[ $output == *"image has no digest in the snapshot, because nearly all of it is holes"* ]]
	run -3 backuptool export --classic latest out.json
	[[ $output == *"image: it has very large holes and no digest, which this layout needs"* ]]
	[ "$(stat -c %s out.json)" -lt 10000 ]
	run -0 backuptool find image
	run backuptool find --hash "$(sha256sum <src/text | cut -c 1-64)"
	[[ $output == *text* ]]
}
