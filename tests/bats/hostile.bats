#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Broken snapshot files, whose names begin with the reason for which they must be refused, through the commands and the
# mount.
# shellcheck disable=SC2154
load mount_helper

setup() {
	helper_setup
	mkdir mnt
}

NAME=snapshot_2026-11-22T10-30-00Z.json

# each_file FUNCTION: calls it in turn for a store of each file, with its name and its reason.
each_file() {
	local file name
	for file in "$TESTS"/data/hostile/*.json; do
		name=$(basename "$file" .json)
		rm -rf snapshots out
		mkdir snapshots
		cp "$file" "snapshots/$NAME"
		"$1" "$name" "${name%%_*}" || {
			printf '%s: %s ended with %s:\n%s\n' "$name" "$1" "$status" "$output"
			return 1
		}
	done
}

is_checked() {
	run backuptool check
	case $2:$status in
	none:0) true ;;
	unknown-need:3 | unknown-version:3) grep -q "^$NAME: .*($2)" <<<"$output" ;;
	*:1) [ "$2" != none ] && grep -Eq "^$NAME: damaged.*\($2\)" <<<"$output" ;;
	*) false ;;
	esac
}

# What comes back is right. Files that only some have are as b.txt.
nothing_wrong() {
	local file name
	while read -r file; do
		name=${file#out/}
		cmp "$file" "right/${name/#b[0-9][0-9]/b}" || return 1
	done < <(find out -type f 2>/dev/null)
}

# What names users and groups had is not needed. Damage in the lists takes all away that they list, and the digest of a block
# as it is stored is looked at by nobody but check.
is_restored() {
	run bring "$NAME" out
	nothing_wrong || return 1
	case $1:$status in
	none_index-page-nested:0) [ -e out/b15.txt ] ;;
	none*:0 | *_names*:0 | digest-mismatch_xxh3:0) diff -r right out ;;
	digest-mismatch_holds:3) [[ $output == *"(missing-content)"* ]] ;;
	*:3) [[ $output == *"($2)"* || $output == *" .: damaged (missing-page)"* ]] ;;
	*:1) [[ $output == *"($2)"* ]] && [ ! -e out ] ;;
	*) false ;;
	esac
}

# A list reads no more than the header and the end.
is_listed() {
	run backuptool list
	case $status in
	0) [[ $output == *"$NAME"* && $output != *damaged* ]] ;;
	1) [[ $output == *"$NAME"*"($2)"* ]] ;;
	3) [[ $2 == unknown-@(need|version) && $output == *"$NAME: a newer version of this program is needed"*"($2)"* ]] ;;
	*) false ;;
	esac
}

take_right() {
	mkdir snapshots
	cp "$TESTS/data/hostile/none.json" "snapshots/$NAME"
	run -0 bring "$NAME" right
	[ "$(sha256sum <right/a.txt)" = "$(echo hello | sha256sum)" ]
}

# A file of this size is made where it is needed.
@test "a summary of more than 16 MiB is refused" {
	mkdir snapshots
	PYTHONPATH=$TESTS/data python3 -c 'import make_hostile, sys
sys.stdout.buffer.write(make_hostile.make(summary=lambda text: text[:-1] + ",\"more\":\"" + "x" * (16 << 20) + "\"}"))' \
		>"snapshots/$NAME"
	run -1 backuptool check
	[[ $output == *"$NAME: damaged at byte "*" (too-large)"* ]]
}

@test "check refuses each for its own reason" {
	each_file is_checked
}

@test "restore brings what is right and says why the rest is missing" {
	take_right
	each_file is_restored
}

@test "list shows it, or says why not" {
	each_file is_listed
}

# The mount shows nothing that ls does not, and all where ls finds no damage.
is_mounted_alike() {
	run backuptool ls latest -R --json
	jq -r .path <<<"$(grep '^{"path"' <<<"$output")" | sort >listed
	show
	find "mnt/${NAME%.json}" -mindepth 1 -printf '%P\n' 2>/dev/null | sort >shown || true
	hide
	[ -z "$(comm -13 listed shown)" ] || return 1
	[ "$status" != 0 ] || diff listed shown
}

@test "the mount shows what ls shows, and refuses what it refuses" {
	[ -w /dev/fuse ] || skip "no /dev/fuse"
	each_file is_mounted_alike
}

@test "contents that do not fit their digests: neither cat nor the mount gives a byte of them" {
	[ -w /dev/fuse ] || skip "no /dev/fuse"
	take_right
	for name in content exchanged holds; do
		rm -rf snapshots
		mkdir snapshots
		cp "$TESTS/data/hostile/digest-mismatch_$name.json" "snapshots/$NAME"
		run -1 --separate-stderr backuptool cat latest:a.txt
		[ -z "$output" ]
		[[ $stderr == *"(digest-mismatch)"* || $name$stderr == holds*"(missing-content)"* ]]
		show
		run -1 --separate-stderr cat "mnt/${NAME%.json}/a.txt"
		[ -z "$output" ]
		[[ $stderr == *"Input/output error"* ]]
		cmp right/sub/c.bin "mnt/${NAME%.json}/sub/c.bin"
		hide
	done
}

@test "what a newer program has written besides stays through tags and a repair" {
	mkdir snapshots
	cp "$TESTS/data/hostile/none_further.json" "snapshots/$NAME"
	backuptool tag latest --add kept
	head -1 "snapshots/$NAME" >header
	grep -q '"tags":\["a","b","kept"\],"more":{"a":\[true\]},$' header
	grep -q '^"summary":.*,"xattrs":false,"more":1},$' "snapshots/$NAME"
	rm -r snapshots
	mkdir snapshots
	cp "$TESTS/data/hostile/none_further-root.json" "snapshots/$NAME"
	backuptool tag latest --add kept
	grep -q '^"summary":{"root":{[^{}]*,"more":1},"files"' "snapshots/$NAME"
	rm -r snapshots
	mkdir snapshots
	sed '0,/"uid":1000/s//"uid":1001/' "$TESTS/data/hostile/none_further.json" >"snapshots/$NAME"
	run backuptool check --repair
	grep -q '"tags":\["a","b"\],"more":{"a":\[true\]},$' "snapshots/$NAME"
	grep -q '^"summary":.*,"xattrs":false,"more":1},$' "snapshots/$NAME"
}

@test "a file that needs a newer program is told by that, and left as it is" {
	mkdir -p snapshots/contents
	cp "$TESTS/data/hostile/unknown-need.json" "snapshots/$NAME"
	sed 's/"kind":"snapshot"/"kind":"volume"/' "snapshots/$NAME" >snapshots/contents/0123456789abcdef0123456789abcdef.json
	cp -r snapshots before
	run -3 --separate-stderr backuptool list
	stderr_is "backuptool list: $NAME: a newer version of this program is needed, one that knows the feature 'holograms' (unknown-need)"
	run -1 backuptool restore --snapshot-file latest --output-directory out
	[[ $output == *"the feature 'holograms' (unknown-need)" ]]
	run -3 --separate-stderr backuptool check
	stderr_is "backuptool check: 2 files made by a newer version of this program could not be checked"
	[[ $output == *"the feature 'holograms' (unknown-need)"* && $output != *"hurts snapshot"* && $output != *next:* ]]
	[ "$(backuptool check --json 2>/dev/null | jq -c '[.summary.newer, .summary.hurt_snapshots]')" = "[2,0]" ]
	run backuptool check --repair
	[[ $output == *"; 0 rewritten, 0 moved aside,"* && $output == *"the feature 'holograms' (unknown-need)"* && $output != *lost:\ snapshot* ]]
	diff -r before snapshots --exclude cache --exclude lock --exclude id --exclude state
	[ ! -e snapshots/damaged ]
}

@test "contents that are right, but together another file: all who read it whole say so" {
	mkdir snapshots
	cp "$TESTS/data/hostile/digest-mismatch_whole.json" "snapshots/$NAME"
	run -1 --separate-stderr backuptool cat latest:a.txt
	[ "$output" = hello ]
	[[ $stderr == *"(digest-mismatch): every content is right, but together they are another file" ]]
	run -1 backuptool check --json latest
	[ "$(jq -c '.findings[] | [.reason, (.hurts[] | .path)]' <<<"$output")" = '["digest-mismatch","a.txt"]' ]
	run -0 backuptool check --quick
	run -1 backuptool check --repair --dry-run
	[[ $output == *"would be lost: $NAME: a.txt"* ]]
	run -3 backuptool check --repair
	[[ $output == *"lost: $NAME: a.txt"* ]]
}

@test "a directory that has uncountable paths: check and find end, and say what they left out" {
	mkdir snapshots
	python3 "$TESTS/bats/make_shared.py" "snapshots/$NAME"
	run -0 timeout 60 backuptool check
	run -3 timeout 60 backuptool find zzz
	[[ $output == *"$NAME: damaged (bad-size)"* ]]
	run timeout 60 backuptool stats
	[[ $output == *"$NAME: damaged (bad-size)"* ]]
	run -3 timeout 60 backuptool ls --recursive
	[[ $output == *"$NAME: damaged (bad-size)"* ]]
	[ "${#lines[@]}" -lt 30 ]
	python3 "$TESTS/bats/make_shared.py" "snapshots/$NAME" missing
	run -1 timeout 60 backuptool check --json
	[ "$(jq -c '[.findings[].reason] | sort' <<<"$output")" = '["missing-content","too-large"]' ]
	[ "$(jq '[.findings[] | .hurts | length] | add' <<<"$output")" = 40 ]
}

@test "the reader written from the format's text refuses the same files" {
	local file name
	for file in "$TESTS"/data/hostile/*; do
		name=$(basename "$file")
		rm -rf snapshots out
		mkdir snapshots
		cp "$file" "snapshots/$NAME$([[ $name != *.zst ]] || echo .zst)"
		run "$TESTS/reader.py" extract snapshots "$NAME" out
		[[ $output != *Traceback* ]]
		if [[ $name == none* ]]; then
			[ "$status" = 0 ]
		else
			[ "$status" != 0 ]
		fi || { echo "$name: $output"; return 1; }
	done
}
