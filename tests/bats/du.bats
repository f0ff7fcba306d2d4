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

@test "stats --frees: what removing each snapshot alone frees, as du says it of each" {
	world
	cp -r src other
	echo own >other/own
	take other -q
	rm src/photos/2024/large
	take src -q
	backuptool stats --json | jq -e 'all(.each[]; has("frees_bytes") | not)'
	run -0 backuptool stats --frees --json
	for name in $(backuptool list --names); do
		[ "$(jq --arg name "$name" '.each[] | select(.name == $name).frees_bytes' <<<"$output")" = "$(backuptool du "$name" -s --json | jq '.[0].own')" ]
	done
	[ "$(jq -c '[.each[].frees_bytes]' <<<"$output")" = '[0,0,4,0]' ]
	[ "$(jq -c '.targets[] | [.target, .snapshots, .files, .new_bytes]' <<<"$output")" = "[\"$WORK/src\",3,4,3052006]
[\"$WORK/other\",1,6,4]" ]
	run -0 backuptool stats --frees --target "$WORK/other" --json
	[ "$(jq -c '[.each[].frees_bytes]' <<<"$output")" = '[4]' ]
	run -0 backuptool stats --frees
	grep -q '^SNAPSHOT .* FREES' <<<"$output"
	run -0 backuptool stats
	! grep -q FREES <<<"$output" || false
	grep -q 'SNAPSHOTS .* NEW IN ALL' <<<"$output"
}

@test "stats: the largest directories, without those below" {
	world
	run -0 backuptool stats --json
	[ "$(jq -c '.largest_directories[] | [.bytes, .path]' <<<"$output" | head -n 3)" = '[3000000,"photos/2024"]
[52000,"photos/2025"]
[2000,"letters"]' ]
	echo top >src/top
	take src -q
	backuptool stats --json | jq -e '.largest_directories[] | select(.path == ".").bytes == 4'
}

@test "du --ncdu: what ncdu reads, with links, holes and odd names" {
	world
	truncate -s 1M src/photos/holes
	mkfifo src/fifo
	: >$'src/odd"\\\xff'
	ln -s fifo src/link
	take src -q
	backuptool du --ncdu >exported
	python3 - "$WORK" <<-'END'
		import json, sys
		def entries(folder, above):
		    for item in folder[1:]:
		        info = item[0] if isinstance(item, list) else item
		        path = above + [info["name"]]
		        yield "/".join(path), info, isinstance(item, list)
		        if isinstance(item, list):
		            yield from entries(item, path)
		major, minor, meta, root = json.loads(open("exported", "rb").read().decode("latin-1"))
		assert (major, minor, meta["progname"]) == (1, 2, "backuptool"), (major, minor, meta)
		assert root[0]["name"] == sys.argv[1] + "/src", root[0]
		found = {path: (info, folder) for path, info, folder in entries(root, [])}
		assert found["photos/2024/large"][0]["asize"] == 3000000
		assert found["photos/holes"][0]["asize"] == 1 << 20 and found["photos/holes"][0]["dsize"] == 0
		assert found["photos"][1] and not found["fifo"][1] and found["fifo"][0]["notreg"] and found["link"][0]["notreg"]
		assert 'odd"\\\xff' in found, list(found)
		assert found["odd \n\name/hard" if "odd \n\name/hard" in found else "odd \nname/hard"][0]["asize"] == 6
	END
	[ "$(backuptool ls latest -R -0 | tr -dc '\0' | wc -c)" = "$(grep -c '^.*{"name":' exported | awk '{ print $1 - 1 }')" ]
	run -0 backuptool du latest:photos --ncdu
	[[ ${lines[1]} == "[{\"name\":\"$WORK/src/photos\","* ]]
	run -2 backuptool du --ncdu -s
	run -1 backuptool du latest:letters/same --ncdu
	[ -z "$(backuptool du --ncdu 2>&1 >/dev/full | grep -v 'No space')" ]
}

@test "ncdu itself reads it, and writes the same" {
	command -v ncdu >/dev/null || skip "ncdu is not installed"
	world
	ln src/photos/2025/new src/letters/hard
	truncate -s 1M src/photos/holes
	take src -q
	backuptool du --ncdu >exported
	ncdu -e -f exported -o - >again
	for file in exported again; do
		python3 - "$file" <<-'END'
			import json, sys
			def plain(item):
			    if isinstance(item, list):
			        return [plain(part) for part in item]
			    return {key: value for key, value in item.items() if key != "dev" and value != 0}
			print(json.dumps(plain(json.load(open(sys.argv[1]))[3]), sort_keys=True, indent=1))
		END
	done >both
	half=$(($(wc -l <both) / 2))
	diff <(head -n "$half" both) <(tail -n "$half" both)
}
