#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Bringing files back.
# shellcheck disable=SC2154
load helper

@test "everything comes back equal in every field" {
	full_tree src
	run -0 --separate-stderr take src
	stderr_is "backuptool snapshot: made a new store at $WORK/snapshots"
	run -0 --separate-stderr bring latest out
	[ "$stderr" = "" ]
	same src out
}

@test "everything comes back for an ordinary user, too" {
	reachable_tool
	mkdir mine
	is_root && chown 65534:65534 mine
	cd mine
	as_user env MAKE_TREE_LEVELS=100 "$TESTS/bats/make_tree.py" src
	as_user backuptool snapshot --target-directory src
	run -0 --separate-stderr as_user backuptool restore --snapshot-file latest --output-directory out
	[ "$stderr" = "" ]
	same src out
}

@test "what an ordinary user cannot set is told, and is no error" {
	is_root || skip "needs root to make what an ordinary user cannot"
	reachable_tool
	shallow_tree src
	take src
	chmod -R a+rX snapshots
	chmod a+r snapshots/* snapshots/*/*
	mkdir mine
	chown 65534:65534 mine
	run -0 --separate-stderr as_user backuptool restore --snapshot-file latest --output-directory mine/out
	grep -qE '^backuptool restore: [^:]+: no right to set the owner \([0-9]+ entries\)$' <<<"$stderr"
	[ "$(wc -l <<<"$stderr")" -lt 10 ]
	cmp src/sizes/large-noise mine/out/sizes/large-noise
}

@test "the summary, -q and --json" {
	small_tree src
	take src
	name=$(newest)
	run -0 bring latest out
	[ "${lines[0]}" = "restored $name of $WORK/src to out" ]
	[ "${lines[1]}" = "5 files, 5 directories, 1 other: 11 written (399.3 KiB), 0 left as they were" ]
	[[ ${lines[2]} =~ ^time:\ [0-9.]+\ s$ ]]
	run -0 bring latest out
	[ "${lines[1]}" = "5 files, 5 directories, 1 other: 0 written (0 B), 11 left as they were" ]
	run -0 bring latest out -q
	[ "$output" = "" ]
	run -0 bring latest again --json
	[ "$(jq -c '[.snapshot, .files, .bytes, .errors]' <<<"$output")" = "[\"$name\",5,408906,0]" ]
}

@test "a snapshot by name, prefix, latest, latest~1, @TIME" {
	mkdir src
	echo one >src/file
	at 2020-01-02T10:00:00 backuptool snapshot --target-directory src
	echo two >src/file
	at 2020-02-03T11:00:00 backuptool snapshot --target-directory src
	for text in snapshot_2020-01-02T10-00-00Z.json snapshot_2020-01-02T10-00-00Z snapshot_2020-01 2020-01 latest~1 \
		@2020-01-02 @2020-02-02 "@2020-02-03T10:59:59" "@2020-01-02 10:00"; do
		bring "$text" "out $text"
		[ "$(cat "out $text/file")" = one ]
	done
	for text in latest latest~0 2020-02 @now @2020-02-03T11:00 @2020-02-03 @2h; do
		bring "$text" "out $text"
		[ "$(cat "out $text/file")" = two ]
	done
}

@test "a snapshot that does not exist, or is not clear" {
	mkdir src
	take src
	take src
	name=$(newest)
	for text in latest~2 snapshot_1999 @1999-01-01 nothing; do
		run -1 --separate-stderr bring "$text" out
		[[ $stderr == "backuptool restore: there is no snapshot '$text'; the "*" snapshot_"*.json ]]
	done
	run -2 --separate-stderr bring snapshot_2 out
	[[ $stderr == "backuptool restore: 'snapshot_2' begins the names of 2 snapshots: snapshot_"*"$name" ]]
	run -2 --separate-stderr bring @nonsense out
	stderr_is "backuptool restore: '@nonsense' is not a time such as 2026-11-20, 2026-11-20T10:30, 2026-11, 10:30, yesterday, monday, 2h or '3 days ago'"
	run -1 --separate-stderr bring nowhere/snapshot_x.json out
	stderr_is "backuptool restore: nowhere/snapshot_x.json: No such file or directory; give a snapshot's name or the path of its file"
	[ ! -e out ]
}

@test "a snapshot by the path of its file, wherever the store is" {
	small_tree src
	backuptool --store elsewhere snapshot --target-directory src
	name=$(basename elsewhere/snapshot_*)
	bring "elsewhere/$name" out1
	bring "$WORK/elsewhere/$name" out2
	ln -s "elsewhere/$name" here.json
	bring here.json out3
	(cd elsewhere && backuptool restore --snapshot-file "$name" --output-directory ../out4)
	for n in 1 2 3 4; do same src out$n; done
	cp "elsewhere/$name" other.json
	run -1 bring ./other.json out5
	output_is "backuptool restore: ./other.json is not a snapshot: its name must be snapshot_TIME.json, as it was written"
}

@test "a single file copied away restores without its store" {
	small_tree src
	take src
	mkdir copied
	mv "snapshots/$(newest)" copied/
	rm -r snapshots
	bring copied/snapshot_*.json out
	same src out
}

@test "the output directory is made with those that lead to it, but none in the store" {
	small_tree src
	take src -q
	bring latest a/b//c/ -q
	same src a/b/c
	[ "$(stat -c %a a a/b)" = $'755\n755' ]
	bring latest "$WORK/d/e" -q
	same src d/e
	ln -s a link
	bring latest link/f/g -q
	same src a/f/g
	run -0 bring latest new/er -n
	[ ! -e new ]
	ln -s nowhere dangling
	run -1 bring latest dangling/x
	output_is "backuptool restore: dangling/x: make the directory failed: File exists"
	run -1 bring latest src/link/x/y
	output_is "backuptool restore: src/link/x/y: open failed: Not a directory"
	for place in snapshots/x snapshots/x/y snapshots/x/../../y; do
		run -2 bring latest "$place"
		output_is "backuptool restore: $place: the output directory may not lie in the store"
	done
	[ ! -e snapshots/x ]
	[ ! -e nowhere ]
	[ ! -e y ]
}

@test "some paths" {
	small_tree src
	take src
	bring latest out docs/notes photos/numbers.txt
	run -0 find out -type f
	[ "$(sort <<<"$output")" = $'out/docs/notes/b.txt\nout/photos/numbers.txt' ]
	cmp src/photos/numbers.txt out/photos/numbers.txt
	bring latest out2 "$WORK/src/docs/notes" ./docs//a.txt
	run -0 find out2 -type f
	[ "$(sort <<<"$output")" = $'out2/docs/a.txt\nout2/docs/notes/b.txt' ]
	bring latest:docs out3
	same src/docs out3/docs
	[ "$(ls out3)" = docs ]
	name=$(newest)
	bring "snapshots/$name:docs/a.txt" out4 link --salvage
	[ "$(find out4 | sort | tr '\n' ' ')" = "out4 out4/docs out4/docs/a.txt out4/link " ]
	run -1 --separate-stderr bring latest missing docs/notes docs/ntoes
	stderr_is "backuptool restore: there is no docs/ntoes in $name; the nearest is docs/notes"
	run -1 --separate-stderr bring latest:docs/xyz missing
	stderr_is "backuptool restore: there is no docs/xyz in $name, which is of $WORK/src; see 'backuptool ls'"
	run -1 --separate-stderr bring latest missing /elsewhere
	stderr_is "backuptool restore: /elsewhere is not in $name, which is of $WORK/src"
	run -1 --separate-stderr bring :docs missing
	stderr_is "backuptool restore: ':docs' names no snapshot; did you mean latest:docs?"
	[ ! -e missing ]
}

@test "into a directory that has something: only what differs is written" {
	small_tree src
	take src
	bring latest out
	inode=$(stat -c %i out/photos/noise.bin)
	printf 'spoiled' >out/docs/a.txt
	rm out/docs/zero
	chmod 600 out/photos/numbers.txt
	touch out/extra
	run -0 bring latest out --json
	[ "$(jq .bytes <<<"$output")" = 6 ]
	[ "$(stat -c %i out/photos/noise.bin)" = "$inode" ]
	[ -e out/extra ]
	rm out/extra
	touch -r src out
	same src out
}

@test "capabilities and trusted attributes that the snapshot does not have go; what else is the system's stays" {
	is_root || skip "only root sets them"
	mkdir -p src/folder
	echo program >src/folder/program
	ln -s program src/folder/link
	take src
	bring latest out -q
	python3 - <<-'EOF' || skip "this file system does not have them, or root is none here"
		import os
		os.setxattr("out/folder/program", "security.capability", bytes.fromhex("010000028000000000000000" + 16 * "0"))
		for name in ("program", "link", "."):
		    os.setxattr("out/folder/" + name, "trusted.extra", b"x", follow_symlinks=False)
		os.setxattr("out/folder/program", "security.label", b"x")
	EOF
	run -0 bring latest out
	run -0 getfattr -hRd -m - --absolute-names out
	[ "$(grep '=' <<<"$output")" = 'security.label="x"' ]
	run -0 bring latest out
	[[ ${lines[1]} == *" 0 written (0 B), 4 left as they were" ]]
}

@test "files with several names, of which some lead to the wrong one: they do not become one" {
	mkdir src out
	echo same >src/a1
	echo same >src/b1
	mkfifo src/c1 src/d1
	touch -d @1600000000 src/*
	cp -p src/a1 out/a1
	cp -p src/a1 out/a2
	cp -pR src/c1 out/c1
	cp -pR src/c1 out/c2
	for file in a b c d; do
		ln src/${file}1 src/${file}2
	done
	for number in 1 2; do
		ln out/a$number out/b$number
		ln out/c$number out/d$number
	done
	take src
	bring latest out
	same src out
	run -0 bring latest out
	[[ ${lines[1]} == *" 0 written (0 B), "* ]]
}

@test "--overwrite never and always" {
	small_tree src
	take src
	bring latest out
	printf 'mine' >out/docs/a.txt
	rm out/docs/notes/b.txt
	bring latest out --overwrite never
	[ "$(cat out/docs/a.txt)" = mine ]
	[ "$(cat out/docs/notes/b.txt)" = other ]
	inode=$(stat -c %i out/photos/noise.bin)
	bring latest out --overwrite=always
	[ "$(stat -c %i out/photos/noise.bin)" != "$inode" ]
	same src out
}

@test "--delete removes what the snapshot does not have, and nothing else" {
	small_tree src
	take src
	bring latest out
	mkdir -p out/more/and/more outside
	touch out/more/and/more/file out/docs/extra outside/kept
	ln -s ../outside out/to-outside
	run -0 bring latest out --delete
	[[ ${lines[1]} == *" deleted" ]]
	same src out
	[ -e outside/kept ]
}

@test "--delete with paths looks only there" {
	small_tree src
	take src
	bring latest out
	touch out/extra out/docs/extra
	bring latest out --delete docs
	[ -e out/extra ]
	[ ! -e out/docs/extra ]
}

@test "--dry-run changes nothing and says what it would do" {
	small_tree src
	take src
	bring latest out
	printf 'spoiled' >out/docs/a.txt
	touch out/extra
	before=$("$TESTS/tree_compare.py" out)
	run -0 bring latest out --dry-run --delete -v
	[[ $output != *$'\n= '* ]]
	run -0 bring latest out --dry-run --delete -vv
	[[ $'\n'$output == *$'\nM docs/a.txt  (6 B)\n'* ]]
	[[ $'\n'$output == *$'\nD extra\n'* ]]
	[[ $'\n'$output == *$'\n= photos/noise.bin  (293.0 KiB)\n'* ]]
	[[ $output == *"a dry run of restoring $(newest) of $WORK/src to out"* ]]
	[ "$("$TESTS/tree_compare.py" out)" = "$before" ]
	run -0 bring latest nothing -n
	[ ! -e nothing ]
}

@test "another type is in the way" {
	small_tree src
	take src
	bring latest out
	rm -r out/docs/notes out/docs/a.txt
	touch out/docs/notes
	mkdir -p out/docs/a.txt/deep
	run -0 bring latest out --delete
	same src out
}

@test "symlinks in the output directory are not followed" {
	small_tree src
	take src
	mkdir -p out outside/notes
	ln -s ../outside out/docs
	run bring latest out
	[ -z "$(find outside -type f)" ]
	same src out --without mtime
}

@test "a damaged content: the file is named, exit 3, everything else is there" {
	mkdir src
	head -c 3000000 /dev/urandom >src/bad
	head -c 3000000 /dev/urandom >src/good
	take src
	file=snapshots/$(newest)
	digest=$(sha256sum src/bad | cut -d' ' -f1)
	at=$(jq --arg digest "$digest" '.trees[].entries[]? | select(.name == "bad") | (.chunks[0][0] // $digest) as $first |
		input.contents[] | select(any(.holds[]; .[0] == $first)).at' "$file" "$file")
	damage "$file" "$((at + 5000))"
	run -3 --separate-stderr bring latest out
	[[ $stderr == *bad* ]]
	[[ $stderr != *good* ]]
	cmp src/good out/good
	[ ! -e out/bad ]
}

@test "Ctrl-C: exit 130, and no half-written file has a name" {
	mkdir src
	for n in {1..12}; do head -c 20000000 /dev/urandom >"src/$n"; done
	take src
	interrupted openat .backuptool- backuptool restore --snapshot-file latest --output-directory out
	[ "$status" = 130 ]
	stderr_is "backuptool restore: ending: what is restored so far stays; press again to end at once" "backuptool restore: interrupted"
	has_file out
	[ "$(find out -type f -name '[0-9]*' | wc -l)" -lt 12 ]
	for file in out/[0-9]*; do cmp "$file" "src/${file#out/}"; done
	bring latest out
	same src out
}

@test "what a killed restore left behind is removed by the next, but not under one that is at work" {
	mkdir -p src/below out/below
	echo a >src/below/a
	take src
	local left=out/below/.backuptool-0123456789abcdef
	touch "$left" out/below/.backuptool-mine out/.backuptool-fedcba9876543210
	exec 8<out/below
	flock -s 8
	bring latest out
	[ -e "$left" ]
	[ ! -e out/.backuptool-fedcba9876543210 ]
	exec 8<&-
	run -0 --separate-stderr bring latest out
	[ ! -e "$left" ]
	[ -e out/below/.backuptool-mine ]
	cmp src/below/a out/below/a
}

has_file() {
	compgen -G "$1/[0-9]*" >/dev/null
}

@test "a large file is brought back in bounded memory" {
	mkdir src
	python3 -c '
import random
chance = random.Random(1)
words = [b"%x " % chance.getrandbits(chance.randrange(8, 60)) for _ in range(5000)]
with open("src/text", "wb") as file:
    for _ in range(60):
        file.write(b"".join(chance.choices(words, k=400000)))'
	take src -q
	bounded 200 backuptool restore --snapshot-file latest --output-directory back -q
	cmp src/text back/text
}
