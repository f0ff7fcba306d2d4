#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The files themselves, looked at by other programs.
# shellcheck disable=SC2154,SC2030,SC2031
load helper

@test "every file that is written is JSON, one document, in UTF-8" {
	shallow_tree src
	take src
	printf 'x' >src/new
	take src --tag 'quote"back\slash'
	count=0
	for file in snapshots/*.json snapshots/contents/*.json; do
		[ -e "$file" ] || continue
		jq . <"$file" >/dev/null
		python3 -c 'import json, sys; json.loads(open(sys.argv[1], "rb").read().decode())' "$file"
		count=$((count + 1))
	done
	[ "$count" -ge 2 ]
}

@test "the reader written from the format's text agrees" {
	shallow_tree src
	rm -r src/deep
	take src
	printf 'changed' >src/sizes/2
	mkdir src/added
	take src
	run -0 "$TESTS/reader.py" list snapshots
	diff <(backuptool list --json | jq -r '.[] | "\(.name) \(.files) \(.directories) \(.others) \(.size)"') <(echo "$output")
	for before in 0 1; do
		"$TESTS/reader.py" extract snapshots "$(newest $before)" "by-reader-$before"
		bring "latest~$before" "by-tool-$before"
		same "by-tool-$before" "by-reader-$before"
	done
	same src by-reader-0
}

@test "the reader finds the names of users and groups" {
	mkdir src
	touch src/file
	take src
	run -0 "$TESTS/reader.py" names snapshots "$(newest)"
	[ "$output" = "user $(id -u) $(id -un)
group $(id -g) $(id -gn)" ]
}

@test "the reader finds any changed byte of a small store" {
	mkdir src
	printf 'some bytes' >src/file
	take src
	file=snapshots/$(newest)
	size=$(stat -c %s "$file")
	chmod u+w "$file"
	cp "$file" original
	for at in $(seq 0 101 $((size - 1))); do
		cp original "$file"
		printf '~' | dd of="$file" bs=1 seek="$at" conv=notrunc status=none
		if "$TESTS/reader.py" extract snapshots "$(newest)" out 2>/dev/null; then
			echo "byte $at was not noticed"
			return 1
		fi
		rm -rf out
	done
}

# The lines of that page between the markers of that name, without the fences.
page_block() {
	sed -n "/<!-- $1 -->/,/<!-- end -->/p" "$TOP/docs/how-to/without-the-program.md" | sed '/^<!--/d; /^```/d'
}

@test "the lines of docs/how-to/without-the-program.md for jq, base64 and zstd restore a whole snapshot" {
	small_tree src
	mkdir -p "src/with blank/ä€" src/many
	printf 'quoted' >"src/it's \$here"
	for n in $(seq 520); do printf '%s' "$n" >"src/many/$n"; done
	seq 11000000 >src/large
	truncate -s 5M src/sparse src/hole
	printf 'in the middle' | dd of=src/sparse bs=1 seek=3000000 conv=notrunc status=none
	printf 'at the end' >>src/sparse
	chmod 750 src/docs
	take src
	rm src/docs/zero
	printf 'later' >src/docs/a.txt
	take src
	page_block by-hand >by-hand.sh
	[ "$(wc -l <by-hand.sh)" -gt 5 ]
	export store='the store' snapshot out='by hand' TMPDIR="$WORK/of the work"
	snapshot=$(newest)
	mkdir "$TMPDIR"
	mv snapshots "$store"
	run -0 sh -eu by-hand.sh
	same src 'by hand' --without holes,sha256
	diff -r --no-dereference src 'by hand'
}

@test "the lines of docs/how-to/without-the-program.md name what they leave out, and end where something fails" {
	reachable_tool
	mkdir store
	chmod 777 store
	small_tree src
	mkfifo src/fifo
	: >$'src/\xff'
	chmod 000 src/docs/a.txt src/docs/notes
	run -3 as_user backuptool --store store/s snapshot --target-directory src
	chmod 644 src/docs/a.txt
	chmod 755 src/docs/notes
	page_block by-hand >by-hand.sh
	export store=store/s snapshot out=out TMPDIR=$WORK
	snapshot=$(basename store/s/snapshot_*.json)
	run -0 --separate-stderr sh -eu by-hand.sh
	stderr_is 'left out (EACCES): out/docs/a.txt' 'left out (EACCES): out/docs/notes' 'left out (fifo): out/fifo' \
		'left out (not UTF-8): out//w=='
	[ "$(cd out && find . | sort | tr '\n' ' ')" = '. ./docs ./docs/zero ./empty ./link ./photos ./photos/noise.bin ./photos/numbers.txt ' ]
	rm -r out
	cp "store/s/$snapshot" whole
	sed -i 's/^{"entries"/{"entry"/' "store/s/$snapshot"
	run ! sh -eu by-hand.sh
	[ ! -e out ]
	sed 's/"sha256":"......../"sha256":"00000000/' whole >"store/s/$snapshot"
	run ! sh -eu by-hand.sh
	[[ $output == *'/00000000'*': No such file or directory' ]]
}

@test "the lines of docs/how-to/without-the-program.md for looking" {
	small_tree src
	take src
	page_block look >look.sh
	[ -s look.sh ]
	store=snapshots snapshot=$(newest) run -0 sh -eu look.sh
	[[ $output == *a.txt* ]]
}
