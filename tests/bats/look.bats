#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Looking into snapshots: ls, cat, find, versions, diff, stats, dump.
# shellcheck disable=SC2154
load helper

# Two snapshots, the second with a difference of each kind.
two_snapshots() {
	small_tree src
	printf 'x' >src/mode
	settle
	take src -q
	first=$(newest)
	printf 'hello\nworld\n' >src/docs/a.txt
	printf 'n' >src/new
	rm -r src/docs/notes src/link
	mkdir src/link
	chmod 600 src/mode
	settle
	take src -q
	second=$(newest)
}

short() {
	local name=${1#snapshot_}
	printf '%s' "${name%.json}"
}

@test "ls: names, paths, one file, and what find(1) says" {
	shallow_tree src
	take src -q
	run -0 --separate-stderr backuptool ls
	[ "$output" = "$(cd src && find . -mindepth 1 -maxdepth 1 -printf '%P\n' | LC_ALL=C sort)" ]
	[ "$stderr" = "" ]
	backuptool ls latest -R -0 | LC_ALL=C sort -z >listed
	(cd src && find . -mindepth 1 -printf '%P\0') | LC_ALL=C sort -z >there
	cmp listed there
	backuptool ls latest:wide -0 | tr '\0' '\n' >listed
	(cd src/wide && find . -mindepth 1 -printf '%P\n') | LC_ALL=C sort >there
	cmp listed there
	run -0 backuptool ls latest:sizes/4096
	output_is "4096"
	run -0 backuptool ls "latest:$PWD/src/sizes/4096"
	output_is "4096"
	run -0 backuptool ls latest:names
	[[ $output == *'new\x0aline'* ]]
}

@test "ls -l" {
	mkdir -m 1777 src
	printf 'hello\n' >src/a
	chmod 4755 src/a
	ln -s 'to
	there' src/l
	mkdir -m 2750 src/d
	touch -h -d '2020-01-02 03:04:05' src/*
	take src -q
	run -0 backuptool ls -l latest
	owner=$(printf '%-17s' "$(id -un):$(id -gn)")
	output_is "-rwsr-xr-x  $owner            6  2020-01-02 03:04:05  a" \
		"drwxr-s---  $owner            0  2020-01-02 03:04:05  d" \
		"lrwxrwxrwx  $owner           12  2020-01-02 03:04:05  l -> to\\x0a\\x09there" ||
		output_is "-rwsr-xr-x  $owner            6  2020-01-02 03:04:05  a" \
			"drwxr-s---  $owner            0  2020-01-02 03:04:05  d" \
			"lrwxrwxrwx  $owner            0  2020-01-02 03:04:05  l -> to\\x0a\\x09there"
}

@test "ways to print that exclude each other are refused" {
	small_tree src
	take src -q
	for pair in "--long --null" "--long --sha256" "--json --null" "--json --long" "--json --sha256"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr backuptool ls $pair
		stderr_is "backuptool ls: ${pair/ / and } do not go together; see 'backuptool ls --help'"
	done
	for command in "find x" "diff latest"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr backuptool $command --json -0
		stderr_is "backuptool ${command% *}: --json and --null do not go together; see 'backuptool ${command% *} --help'"
	done
	[ "$(backuptool ls latest:docs --sha256 -0 | tr '\0' '\n' | wc -l)" = 2 ]
}

@test "ls --sha256 is for sha256sum -c" {
	shallow_tree src
	rm src/holes/huge
	take src -q
	backuptool ls latest -R --sha256 >sums
	[ "$(wc -l <sums)" = "$(find src -type f -printf x | wc -c)" ]
	(cd src && sha256sum --quiet -c ../sums)
	printf 'X' >>src/sizes/4096
	run -1 bash -c 'cd src && sha256sum --quiet -c ../sums 2>/dev/null'
	output_is "sizes/4096: FAILED"
}

@test "ls --json: a line each" {
	two_snapshots
	run -0 backuptool ls latest:docs --json
	[ "$(jq -r '.path' <<<"$output" | tr '\n' ' ')" = "docs/a.txt docs/zero " ]
	[ "$(head -n 1 <<<"$output" | jq -c '[.type, .mode, .size, .sha256]')" = \
		"[\"file\",\"0644\",12,\"$(sha256sum <src/docs/a.txt | cut -c 1-64)\"]" ]
}

@test "cat: the bytes, of several snapshots, and what is none" {
	two_snapshots
	run -0 backuptool cat latest~1:docs/a.txt latest:docs/a.txt
	output_is hello hello world
	backuptool cat latest:photos/noise.bin | cmp - src/photos/noise.bin
	backuptool cat "snapshots/$first:photos/noise.bin" | cmp - src/photos/noise.bin
	run -1 backuptool cat latest:docs latest:mode
	[[ $output == *"backuptool cat: latest:docs is not a file, but a directory; 'backuptool ls' lists it"* ]]
	[[ $output == *x ]]
	run -1 backuptool cat "$first:link"
	[[ $output == "backuptool cat: $first:link is not a file, but a symbolic link to "* ]]
	run -2 backuptool cat
	truncate -s 3M src/hole
	take src -q
	backuptool cat latest:hole | cmp - src/hole
}

@test "cat gives an error rather than a wrong byte" {
	two_snapshots
	at=$(jq '.contents[0].at' "snapshots/$first")
	for file in snapshots/snapshot_*.json; do
		damage "$file" "$((at + 40))"
	done
	run -1 --separate-stderr backuptool cat latest:photos/noise.bin
	[ "$output" = "" ]
	[[ $stderr == *"damaged"* ]]
}

@test "cat and dump of a file that could not be read" {
	reachable_tool
	mkdir store
	chmod 777 store
	small_tree src
	chmod 000 src/docs/a.txt
	as_user backuptool --store store/s snapshot --target-directory src -q || [ $? = 3 ]
	chmod 644 src/docs/a.txt
	export BACKUPTOOL_STORE=store/s
	why="it could not be read when the snapshot was taken (permission denied)"
	run -1 backuptool cat latest:docs/a.txt
	output_is "backuptool cat: a.txt: $why"
	run -3 --separate-stderr bash -c 'backuptool dump latest >src.tar'
	stderr_is "backuptool dump: ./docs/a.txt: $why"
}

@test "a wrong snapshot or path names the nearest" {
	two_snapshots
	run -1 backuptool ls latest:dcos/a.txt
	output_is "backuptool ls: there is no dcos/a.txt in $second; the nearest is docs"
	run -1 backuptool cat latest:docs/b.txt
	output_is "backuptool cat: there is no docs/b.txt in $second; the nearest is docs/a.txt"
	run -1 backuptool ls latest:/elsewhere
	output_is "backuptool ls: /elsewhere is not in $second, which is of $WORK/src"
	run -1 backuptool ls 2020-01-01
	output_is "backuptool ls: there is no snapshot '2020-01-01'; the nearest is $first"
	run -1 backuptool ls latset
	output_is "backuptool ls: there is no snapshot 'latset'; did you mean latest?"
	run -1 backuptool ls yesterday
	output_is "backuptool ls: there is no snapshot 'yesterday'; did you mean @yesterday?"
	run -1 backuptool cat docs/a.txt
	output_is "backuptool cat: there is no snapshot 'docs/a.txt'; did you mean latest:docs/a.txt?"
	run -1 backuptool cat "$WORK/src/docs/a.txt"
	output_is "backuptool cat: there is no snapshot '$WORK/src/docs/a.txt'; did you mean latest:$WORK/src/docs/a.txt?"
	run -1 backuptool cat :docs/a.txt
	output_is "backuptool cat: ':docs/a.txt' names no snapshot; did you mean latest:docs/a.txt?"
	touch docs.json
	run -1 backuptool cat docs.json
	output_is "backuptool cat: docs.json is not a snapshot: its name must be snapshot_TIME.json, as it was written"
	cd src/docs
	run -1 backuptool cat a.txt --store ../../snapshots
	output_is "backuptool cat: a.txt is not a snapshot: its name must be snapshot_TIME.json, as it was written"
	cd ..
	run -1 backuptool ls docs --store ../snapshots
	output_is "backuptool ls: there is no snapshot 'docs'; did you mean latest:docs?"
	cd ..
	run -1 backuptool versions nothing
	output_is "backuptool versions: no snapshot has nothing"
	run -1 backuptool versions src/dcos/a.txt
	output_is "backuptool versions: no snapshot has src/dcos/a.txt; the nearest is docs"
	run -1 backuptool versions docs/b.txt
	output_is "backuptool versions: no snapshot has docs/b.txt; the nearest is docs/a.txt"
}

@test "colons in names, times and paths" {
	mkdir -p 'a:b/c'
	printf 'x' >'a:b/c/d:e'
	take 'a:b' --store 'st:ore' -q
	name=$(cd st:ore && ls snapshot_*)
	for place in 'latest:c/d:e' "@$(date -u +%Y-%m-%dT%H:%M:%SZ):c/d:e" "@$(date +%Y-%m-%d):c/d:e" "$(short "$name"):c/d:e" \
		"st:ore/$name:c/d:e"; do
		run -0 backuptool cat "$place" --store st:ore
		output_is x
	done
}

@test "times as people say them" {
	mkdir src
	for time in 2025-06-01T10:00 2026-10-20T10:00 2026-11-23T10:00 2026-11-27T10:00 2026-11-29T10:15 2026-11-30T09:00; do
		echo "$time" >src/file
		at "$time" backuptool snapshot --target-directory src -q
	done
	mkdir src/10
	# a Monday
	while read -r time text; do
		run -0 at 2026-11-30T10:20 backuptool cat "@$text:file"
		output_is "$time"
		run -0 at 2026-11-30T10:20 backuptool ls "@$text"
		output_is file
	done <<-'END'
		2026-11-30T09:00 10:15
		2026-11-30T09:00 10:20:00
		2026-11-29T10:15 10:25
		2026-11-29T10:15 yesterday
		2026-11-27T10:00 yesterday 10:10
		2026-11-29T10:15 sunday
		2026-11-23T10:00 monday
		2026-11-23T10:00 Mon 10:00
		2026-10-20T10:00 monday 09:59
		2026-11-27T10:00 3 days ago
		2026-11-27T10:00 2d
		2026-10-20T10:00 1month
		2026-10-20T10:00 2026-10
		2026-11-30T09:00 2026-11
		2025-06-01T10:00 2025
		2026-11-30T09:00 2026
		2025-06-01T10:00 1 year ago
		2026-11-29T10:15 @1796029000
		2026-11-29T10:15 1796029000
	END
	run -2 at 2026-11-30T10:20 backuptool cat @6m:file
	output_is "backuptool cat: '@6m' is not clear: m could be minutes or months; write min or months"
	run -2 backuptool cat @10:file
	[[ $output == *"'@10' is not a time such as "* ]]
	run -1 backuptool ls monday
	output_is "backuptool ls: there is no snapshot 'monday'; did you mean @monday?"
	run -2 backuptool find --newer 6m
	[[ $output == *"--newer '6m' is not clear: m could be minutes or months"* ]]
	run -0 at 2026-11-30T10:20 backuptool find --newer 2027 file
	[[ $output != *file ]]
	run -0 at 2026-11-30T10:20 backuptool find --newer @2000 file
	[[ $output == *":file"* ]]
	[[ $(backuptool help) == *"monday is the last one before today"* ]]
}

@test "a time before the oldest snapshot is a time, with a path behind it, too" {
	two_snapshots
	for place in @2020-01-01 @2020-01-01T10:30 @2020-01-01T10:30:15 @2020-01-01T10:30:15+01:00 @1500000000; do
		for path in '' : :docs :a:b:c; do
			run -1 backuptool ls "$place$path"
			output_is "backuptool ls: there is no snapshot '$place'; the oldest is $first"
		done
	done
	now=$(TZ=Europe/Berlin date -d '+1 minute' +%Y-%m-%dT%H:%M:%S%:z)
	run -0 backuptool cat "@$now:docs/a.txt"
	output_is hello world
	run -2 backuptool ls @2020-01-01T10:docs
	output_is "backuptool ls: '@2020-01-01T10' is not a time such as 2026-11-20, 2026-11-20T10:30, 2026-11, 10:30, yesterday, monday, 2h or '3 days ago'"
}

@test "find: each version once, in the newest that has it" {
	two_snapshots
	run -0 backuptool find '*.txt' -0
	[ "$(tr '\0' '\n' < <(backuptool find '*.txt' -0))" = "$(short "$second"):docs/a.txt
$(short "$second"):photos/numbers.txt
$(short "$first"):docs/a.txt
$(short "$first"):docs/notes/b.txt" ]
	backuptool find '*.txt' -0 | xargs -0 backuptool cat >all
	[ "$(wc -l <all)" = 20004 ]
	run -0 backuptool find a.txt --snapshot latest~1 --json
	[ "$(jq -r '[.snapshot, .path] | join(" ")' <<<"$output")" = "$first docs/a.txt" ]
	run -0 backuptool find --hash "$(printf 'other\n' | sha256sum | cut -c 1-20)"
	[[ $output == *"$(short "$first"):docs/notes/b.txt" ]]
	[ "${#lines[@]}" = 1 ]
	touch -d 2030-01-01 src/new
	take src -q
	run -0 --separate-stderr backuptool find --newer 2029-01-01
	[[ $output == *:new ]]
	for since in 2030-01-01 2030-01-01T00:00 2030-01-01T00:00:00 2029-12-31T23:59; do
		run -0 backuptool find --newer "$since"
		[[ $output == *:new ]]
	done
	for since in 2030-01-02 2030-01-01T00:01 2030-01-01T00:00:01; do
		run -0 --separate-stderr backuptool find --newer "$since"
		output_is ""
	done
	run -2 backuptool find
	output_is "backuptool find: say what to find: a PATTERN, --hash, --newer, --older, --size, --type or --deleted; see 'backuptool find --help'"
	run -2 backuptool find --hash XYZ
	for pattern in "$WORK/src/docs/a.txt" ./docs/a.txt; do
		run -0 --separate-stderr backuptool find "$pattern"
		output_is ""
		stderr_is "backuptool find: the pattern '$pattern' matches nothing: patterns begin at the directory, write '/docs/a.txt'"
	done
	run -0 --separate-stderr backuptool find nowhere
	output_is ""
	[[ $stderr == "backuptool find: nothing found in "?" snapshots; the name has to be whole: "* ]]
	run -0 --separate-stderr backuptool find nowhere --snapshot latest --json
	output_is ""
	stderr_is "backuptool find: nothing found in 1 snapshot; the name has to be whole: '*nowhere*' finds it as a part of names"
	run -0 --separate-stderr backuptool find /docs/nothing
	[[ $stderr == "backuptool find: nothing found in "* ]]
	run -2 backuptool find x --newer nonsense
}

@test "versions" {
	two_snapshots
	cp src/docs/a.txt keep
	take src -q
	third=$(newest)
	run -0 backuptool versions docs/a.txt
	[[ ${lines[0]} =~ ^MODIFIED\ +SIZE\ +SHA-256\ +SNAPSHOTS\ +FROM\ +TO$ ]]
	# The columns are as wide as their names, which are longer for snapshots of one second.
	mapfile -t rows < <(tr -s ' ' <<<"$output")
	[[ ${rows[1]} == *" 6 B $(printf 'hello\n' | sha256sum | cut -c 1-12) 1 $(short "$first") $(short "$first")" ]]
	[[ ${rows[2]} == *" 12 B $(sha256sum <keep | cut -c 1-12) 2 $(short "$second") $(short "$third")" ]]
	first_output=$output
	run -0 backuptool versions src/docs/a.txt
	[ "$output" = "$first_output" ]
	run -0 backuptool versions "$PWD/src/docs/a.txt" --json
	[ "$(jq -r '.snapshots | join(" ")' <<<"$output")" = "$first
$second $third" ]
}

@test "versions of what is gone, and as it is called here" {
	two_snapshots
	backuptool versions docs/notes/b.txt >expected
	[ "$(wc -l <expected)" = 2 ]
	rm -r src/docs
	ln -s src link
	for path in src/docs/notes/b.txt ./src/docs/notes/b.txt link/docs/notes/b.txt "$WORK/link/docs/notes/b.txt"; do
		diff expected <(backuptool versions "$path")
		[ "$(backuptool versions "$path" --json | jq -r .path)" = "$path" ]
	done
	cd src
	diff ../expected <(backuptool versions ./docs/notes/b.txt --store ../snapshots)
	cd photos
	diff ../../expected <(backuptool versions ../docs/notes/b.txt --store ../../snapshots)
	run -1 backuptool versions newfile --store ../../snapshots
	output_is "backuptool versions: no snapshot has newfile"
	run -1 backuptool versions noise.bni --store ../../snapshots
	output_is "backuptool versions: no snapshot has noise.bni; the nearest is photos/noise.bin"
	cd ../..
	backuptool remove "$first" "$second" -q --yes
	run -1 backuptool versions x
	output_is "backuptool versions: no snapshot has x"
}

@test "diff of two snapshots, and with the directory" {
	two_snapshots
	expected="M docs/a.txt
- docs/notes/
- docs/notes/b.txt
T link/
U mode
+ new
1 added, 2 removed, 1 changed, 1 of another type, 1 only in metadata; +7 B, -6 B"
	run -0 backuptool diff latest~1 latest
	[ "$output" = "$expected" ]
	run -0 backuptool diff latest~1
	[ "$output" = "$expected" ]
	run -0 backuptool diff latest~1 ./src
	[ "$output" = "$expected" ]
	run -0 backuptool diff latest
	output_is "no differences"
	run -0 backuptool diff latest~1:docs/a.txt
	output_is "M a.txt" "0 added, 0 removed, 1 changed, 0 of another type, 0 only in metadata; +6 B, -0 B"
	run -0 backuptool diff latest~1:docs latest:docs -0
	[ "$(tr '\0' '\n' < <(backuptool diff latest~1:docs latest:docs -0))" = "M a.txt
- notes/
- notes/b.txt" ]
	run -4 backuptool diff latest~1 latest --exit-code -q
	output_is ""
	run -0 backuptool diff latest latest --exit-code
	output_is "no differences"
	run -0 backuptool diff latest~1 --json
	[ "$(jq -r 'select(.change != "totals") | "\(.change) \(.path)"' <<<"$output" | head -n 1)" = "content docs/a.txt" ]
	[ "$(tail -n 1 <<<"$output" | jq -c '[.change, .added, .removed, .content, .types, .metadata]')" = \
		'["totals",1,2,1,1,1]' ]
	run -0 backuptool diff latest~1 --exclude /docs/ --exclude new
	output_is "- docs/" "- docs/a.txt" "- docs/notes/" "- docs/notes/b.txt" "- docs/zero" "T link/" "U mode" \
		"0 added, 5 removed, 0 changed, 1 of another type, 1 only in metadata; +0 B, -12 B"
}

@test "diff with a directory or a file as it is now, however it is named" {
	two_snapshots
	for place in src ./src "$WORK/src" src/; do
		run -0 backuptool diff latest "$place"
		output_is "no differences"
	done
	cd src
	run -0 backuptool diff latest . --store ../snapshots
	output_is "no differences"
	cd docs
	run -0 backuptool diff latest .. --store ../../snapshots
	output_is "no differences"
	cd ../..
	run -0 backuptool diff latest:docs src/docs
	output_is "no differences"
	changed="1 added, 0 removed, 0 changed, 0 of another type, 0 only in metadata; +1 B, -0 B"
	mkdir latest
	run -0 backuptool diff latest~1:docs latest:docs
	[[ $output == *"2 removed, 1 changed"* ]]
	run -0 backuptool diff latest latest
	output_is "no differences"
	cp -a src copy
	printf 'n' >copy/more
	touch -r src copy
	run -0 backuptool diff latest copy
	output_is "+ more" "$changed"
	for place in src/docs/a.txt "$WORK/src/docs/a.txt"; do
		run -0 backuptool diff latest:docs/a.txt "$place"
		output_is "no differences"
	done
	printf 'hello\nWorld\n' >a.txt
	run -0 backuptool diff latest:docs/a.txt a.txt --content
	[ "${lines[0]}" = "M a.txt" ]
	[[ $output == *$'\n-world\n+World\n'* ]]
	run -1 backuptool diff latest a.txt
	output_is "backuptool diff: a.txt is not a snapshot: its name must be snapshot_TIME.json, as it was written"
	run -1 backuptool diff latest nothing
	output_is "backuptool diff: there is no snapshot 'nothing'; the newest is $second"
}

@test "diff --content" {
	two_snapshots
	printf '\0' >>src/photos/noise.bin
	run -0 backuptool diff latest~1 --content
	[ "$(head -n 7 <<<"$output")" = "M docs/a.txt
--- a/docs/a.txt
+++ b/docs/a.txt
@@ -1 +1,2 @@
 hello
+world
- docs/notes/" ]
	[[ $output == *"M photos/noise.bin"$'\n'"Binary files a/photos/noise.bin and b/photos/noise.bin differ"* ]]
	run -2 backuptool diff latest~1 --content --json
	run -0 backuptool diff latest~1:docs latest:docs --content
	[ "${lines[5]}" = "+world" ]
	run -0 backuptool diff latest~1:docs/a.txt latest:docs/a.txt --content
	[ "$(head -n 3 <<<"$output")" = "M a.txt
--- a/a.txt
+++ b/a.txt" ]
}

@test "diff of two snapshots leaves nothing out" {
	two_snapshots
	for option in --exclude=x --exclude-if-present=x --exclude-caches --one-file-system; do
		run -2 backuptool diff latest~1 latest "$option"
		output_is "backuptool diff: ${option%=*} goes with a directory; here both are snapshots; see 'backuptool diff --help'"
		backuptool diff latest~1 src "$option" >/dev/null
	done
}

@test "diff says of any two trees what diff -r says" {
	shallow_tree src
	rm -rf src/holes src/links src/special src/deep src/modes
	settle
	take src -q
	cp -a src old
	rm src/sizes/4097 src/wide/*7
	printf 'X' >src/names/plain
	printf 'X' >>src/sizes/65536
	printf 'n' >src/wide/neu
	settle
	take src -q
	backuptool diff latest~1 latest -0 | tr '\n\0' '?\n' | sed -n 's/^[-+M] //p' | LC_ALL=C sort >ours
	LC_ALL=C diff -rq old src | sed -E 's/^Only in (old|src)\/?([^:]*): /\2\//; s/^Files old\/(.*) and .*/\1/; s/^\///' |
		LC_ALL=C sort >theirs
	diff ours theirs
	[ "$(wc -l <ours)" -gt 50 ]
}

@test "3,000 levels, and 100,000 entries in a directory" {
	MAKE_TREE_ENTRIES=10 "$TESTS/bats/make_tree.py" src
	rm -r src/holes src/sizes
	mkdir src/many
	python3 -c 'import os; [os.mknod("src/many/%d" % number) for number in range(1, 100001)]'
	settle
	take src -q
	: >src/many/new
	rm src/many/77
	run -0 backuptool diff latest
	output_is "+ many/new" "- many/77" "1 added, 1 removed, 0 changed, 0 of another type, 0 only in metadata; +0 B, -0 B" ||
		output_is "- many/77" "+ many/new" "1 added, 1 removed, 0 changed, 0 of another type, 0 only in metadata; +0 B, -0 B"
	(
		instrumented || ulimit -s 256 -v 600000
		[ "$(backuptool ls latest -R -0 | tr -dc '\0' | wc -c)" -gt 103000 ]
		[ "$(backuptool find 77 -0 | tr -dc '\0' | wc -c)" = 1 ]
		backuptool dump latest:deep >/dev/null
		backuptool stats --json >/dev/null
	)
}

@test "stats: what there is more of is not called less, and no advice where there is nothing to do" {
	mkdir src
	head -c 600000 /dev/urandom >src/noise
	take src -q
	run -0 backuptool stats
	[[ ${lines[1]} =~ ^unique\ .*\ in\ contents\ that\ differ$ ]]
	[[ ${lines[2]} =~ ^stored\ .*\ of\ contents\ in\ the\ store:\ 1\.3\ times\ more$ ]]
	[[ ${lines[4]} =~ ^dead\ +0\ B\ \ that\ no\ snapshot\ needs$ ]]
	cp src/noise src/again
	take src -q
	run -0 backuptool stats
	[[ ${lines[1]} =~ ^unique\ .*\ in\ contents\ that\ differ:\ 3\.0\ times\ less$ ]]
}

@test "stats" {
	two_snapshots
	run -0 backuptool stats --json
	[ "$(jq -c '[.snapshots, .files, .dead, .store_files]' <<<"$output")" = '[2,12,0,2]' ]
	[ "$(jq '.store_bytes' <<<"$output")" = "$(cat snapshots/snapshot_* | wc -c)" ]
	[ "$(jq '.logical == ([.each[].size] | add) and .unique == ([.each[].new_bytes] | add)' <<<"$output")" = true ]
	[ "$(jq -r '.largest[0].path, .grown[0].path' <<<"$output")" = "photos/noise.bin
docs/a.txt" ]
	run -0 backuptool stats
	[[ ${lines[0]} =~ ^logical\ .*2\ snapshots,\ as\ restored$ ]]
	[[ $output == *"█"* && $output == *"░"* ]]
	backuptool remove "$first" --quiet --yes >/dev/null
	[ "$(backuptool stats --json | jq .snapshots)" = 1 ]
}

@test "dump: tar finds no difference, and brings everything back" {
	shallow_tree src
	rm -f src/holes/huge src/special/socket
	touch -d '1950-01-01 12:00:00.25' src/times/early
	rm -f src/times/2
	# Bytes above 0x7e in an attribute's name stand there as %FF, which GNU tar does not turn back (the next test).
	python3 -c 'import os; p = b"src/xattrs/file"; [os.removexattr(p, n) for n in os.listxattr(p) if not n.isprintable()]'
	take src -q
	run -0 --separate-stderr bash -c 'set -o pipefail; backuptool dump latest >src.tar'
	[ "$stderr" = "" ]
	# The mode of a file with an ACL is in a tar that of the group's entry, not of the mask.
	tar --compare -f src.tar -C src >compared 2>&1 || [ $? = 1 ]
	run -1 grep -v -e 'Ignoring unknown extended header' -e 'implausibly old' -e '^./xattrs/file: Mode differs' compared
	[ "$(stat -c %s src.tar)" -lt 30000000 ]
	if is_root; then
		mkdir out
		tar -x --xattrs --xattrs-include='*' --acls --same-owner -p -f src.tar -C out 2>/dev/null
		same src out --without holes
		[ "$(stat -c %b out/holes/all)" -lt 16 ]
	fi
	run -0 bash -c 'backuptool dump latest:sizes | tar -t'
	[[ $output == *./4096* ]]
	run -0 bash -c 'backuptool dump latest:sizes/4096 | tar -xO | cmp - src/sizes/4096'
}

@test "dump of a socket, of an odd name of an attribute, and of what cannot be read" {
	shallow_tree src
	take src -q
	run -0 bash -c 'backuptool dump latest:special 2>&1 >/dev/null'
	output_is "backuptool dump: ./socket is a socket, which a tar cannot have: left out"
	backuptool dump latest:xattrs >xattrs.tar
	[ "$(grep -ac 'LIBARCHIVE.xattr.user.%FF%FEname=b2Rk' xattrs.tar)" = 1 ]
	small_tree other
	take other -q
	damage "snapshots/$(newest)" "$(($(jq '.contents[-1].at' "snapshots/$(newest)") + 30))"
	run -3 bash -c 'backuptool dump latest >damaged.tar'
	[[ $output == *damaged* ]]
	tar -tf damaged.tar >/dev/null
}

@test "no store: 10" {
	for command in ls "cat latest:x" "find x" "versions x" "diff latest" stats "dump latest"; do
		# shellcheck disable=SC2086
		run -10 bash -c "backuptool $command | cat; exit \${PIPESTATUS[0]}"
		[[ $output == *"there is no store at ./snapshots"* ]]
	done
}

@test "ls of a directory that could not be read does not look like one of an empty one" {
	mkdir -p src/closed
	echo a >src/closed/a
	chmod 000 src/closed
	chmod 777 .
	reachable_tool
	as_user ./backuptool snapshot --target-directory src -q || [ $? = 3 ]
	for options in "" -R --json; do
		# shellcheck disable=SC2086
		run -3 --separate-stderr backuptool ls $options latest:closed
		stderr_is "backuptool ls: closed: it could not be read when the snapshot was taken (permission denied)"
	done
	run -0 backuptool ls latest
	[ "$output" = closed ]
}
