#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Files of patterns, as editors of all systems write them; and patterns that match nothing.
# shellcheck disable=SC2154,SC2088

load helper

source_tree() {
	mkdir -p src/cache src/build src/keep
	touch src/cache/c src/build/b src/keep/k
}

kept() {
	backuptool ls latest --store st | tr -d / | tr '\n' ' '
}

@test "a mark of the byte order in front of the first pattern is none of the pattern" {
	source_tree
	printf '\xef\xbb\xbfcache/\nbuild/\n' >patterns
	run -0 take src --store st --exclude-from patterns
	[ "$(kept)" = 'keep ' ]
	printf '\xef\xbb\xbf\r\ncache/\r\nbuild/\r\n' >patterns
	run -0 take src --store st --exclude-from - <patterns
	[ "$(kept)" = 'keep ' ]
	# Anywhere else it is a character like any other.
	printf 'cache/\n\xef\xbb\xbfbuild/\n' >patterns
	run -0 take src --store st --exclude-from patterns
	[ "$(kept)" = 'build keep ' ]
}

@test "a file that is no text in UTF-8 is refused before anything happens, by every command that reads it" {
	source_tree
	run -0 take src --store st
	printf 'cache/\n' | iconv -t UTF-16 >utf16
	printf 'cache/\n' | iconv -t UTF-16LE >utf16le
	printf '\xfe\xff\x63\x63' >big
	printf 'cache/\n\0build/\n' >nul
	for file in utf16 utf16le big nul; do
		run -2 take src --store st --exclude-from $file
		[[ $output == *"--exclude-from '$file' is not text in UTF-8"* ]]
		run -2 backuptool diff latest --store st --exclude-from $file
		run -2 backuptool job --store st --target-directory src --interval 1s --duration 1s --exclude-from $file
	done
	[ "$(backuptool list --store st --json | grep -c '"name"')" = 1 ]
}

@test "patterns of other encodings are bytes, as names are" {
	source_tree
	touch "src/$(printf 'caf\xe9')"
	printf 'caf\xe9\n' >patterns
	run -0 take src --store st --exclude-from patterns
	[ "$(kept)" = 'build cache keep ' ]
}

@test "a file without patterns, or without an end of its last line, is fine" {
	source_tree
	: >patterns
	run -0 take src --store st --exclude-from patterns
	[ "$(kept)" = 'build cache keep ' ]
	printf '\xef\xbb\xbf' >patterns
	run -0 take src --store st --exclude-from patterns
	[ "$(kept)" = 'build cache keep ' ]
	printf '\xef\xbb\xbfcache/' >patterns
	run -0 take src --store st --exclude-from patterns
	[ "$(kept)" = 'build keep ' ]
}

@test "a pattern that takes in what lies below a directory that is left out is named, with what to add" {
	mkdir -p src/Documents/letters src/a/b/c
	touch src/Documents/letters/may src/Documents/bills src/a/b/c/x
	mkdir empty
	take empty -q
	blocked="backuptool snapshot: the pattern '!/Documents/letters' can match nothing: /Documents is left out; add '!/Documents/' and '/Documents/*' before it"
	for how in --dry-run --force; do
		run -0 --separate-stderr take src -e '/*' -e '!/Documents/letters' "$how"
		stderr_is "$blocked"
		[[ $output == *"files: 0 new files, "*"2 entries left out"* ]]
	done
	run -0 --separate-stderr take src -e '/*' -e '!/Documents/' -e '/Documents/*' -e '!/Documents/letters'
	stderr_is "backuptool snapshot: the rules differ from those of the last snapshot"
	run -0 --separate-stderr backuptool ls latest:Documents
	output_is letters
	# each directory on the way, whatever leaves it out, and however it is written
	run -0 --separate-stderr take src -n -e '[ab]' -e '!a/b/c/x*'
	[ "${stderr_lines[0]}" = "backuptool snapshot: the pattern '!a/b/c/x*' can match nothing: /a is left out; add '!/a/', '/a/*', '!/a/b/', '/a/b/*', '!/a/b/c/' and '/a/b/c/*' before it" ]
	run -0 --separate-stderr backuptool job --target-directory src --store other --interval 1s --duration 1s -e '/*' -e '!/a/b/'
	[[ $stderr == *"'!/a/b/' can match nothing: /a is left out; add '!/a/' and '/a/*' before it"* ]]
	# these can match
	run -0 --separate-stderr take src -n -e '/a/*' -e '!/a/b' -e '/Doc*/*' -e '!/*/letters' -e '!c'
	[[ $stderr != *"can match nothing"* ]]
}

@test "patterns that match nothing in a first snapshot or a dry run are named" {
	source_tree
	HOME=$WORK run -0 --separate-stderr take src -n -e '~/src/cache' -e '~/other'
	stderr_is "backuptool snapshot: the pattern '~/src/cache' matches nothing: patterns begin at the directory, write '/cache'" \
		"backuptool snapshot: nothing here matches the pattern '~/other'"
	printf '%s\n' '# comment' '' '/build' '*.o' '!nothing' '[' >patterns
	run -0 --separate-stderr take src -n --exclude-from patterns --json
	[ "$(jq -c .unused_patterns <<<"$output")" = '["*.o","!nothing","["]' ]
	stderr_is "backuptool snapshot: nothing here matches the patterns '*.o', '!nothing', '['"
	take src/keep -q
	run -0 --separate-stderr take src -q -e '*.o'
	stderr_is ""
	# later ones need not match each time
	run -0 --separate-stderr take src -e '*.o' -e '*.tmp'
	[[ $stderr != *matches* ]]
	run -0 --separate-stderr take src -n -e 1 -e 2 -e 3 -e 4 -e 5 -e 6 -e 7
	[[ $stderr == *"the patterns '1', '2', '3', '4', '5' and 2 more"* ]]
	run -0 backuptool job --target-directory src --store other --interval 1s --duration 1s -e '*.o' --json
	[[ $output == *'"unused_patterns":["*.o"]'* ]]
	: >'~'
	HOME=$WORK run -0 --separate-stderr take . -n -e '~/other'
	[[ $stderr == *"nothing here matches the pattern '~/other'"* ]]
}
