#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Files of patterns, as editors of all systems write them.

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
