#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# find by what an entry is: size, type, age, letter case, and whether it is gone.

load helper

teardown() {
	unmount_work
	remove_work
}

setup() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	cd "$WORK" || return 1
	mkdir -p src/Letters/old
	printf 'a\n' >src/Letters/May.TXT
	printf 'bb\n' >src/Letters/old/june.txt
	: >src/none
	head -c 20000 /dev/urandom >src/large
	ln -s none src/link
	touch -d 2001-02-03 src/none
	settle
}

short() {
	local name=${1#snapshot_}
	printf '%s' "${name%.json}"
}

# found ARGUMENT…: the paths that find prints, in one line.
found() {
	backuptool find -0 "$@" | tr '\0' '\n' | sed 's/^[^:]*://' | tr '\n' ' '
}

@test "find: sizes, types and times, as find(1) has them" {
	take src -q
	[ "$(found --size +2)" = "Letters/old/june.txt large " ]
	[ "$(found --size 2)" = "Letters/May.TXT " ]
	[ "$(found --size -2)" = "none " ]
	[ "$(found --size +0 --size -10k)" = "Letters/May.TXT Letters/old/june.txt " ]
	[ "$(found --size +10KiB)" = "large " ]
	[ "$(found --type d)" = "Letters Letters/old " ]
	[ "$(found --type l,dir)" = "Letters Letters/old link " ]
	[ "$(found --type f --type l)" = "Letters/May.TXT Letters/old/june.txt large link none " ]
	[ "$(found --older 2001-02-04)" = "none " ]
	[ "$(found --older 2001-02-03)" = "" ]
	[ "$(found --newer 2001-02-04 --type f --size -1k)" = "Letters/May.TXT Letters/old/june.txt " ]
	[ "$(backuptool find --size 0 --json | jq -r '[.type, .size, .path] | join(" ")')" = "file 0 none" ]
	for wrong in x -0 10X +; do
		run -2 backuptool find --size "$wrong"
		output_is "backuptool find: --size '$wrong' is not a size such as +10M (larger), -10k (smaller) or 0; see 'backuptool find --help'"
	done
	run -2 backuptool find --type f,x
	output_is "backuptool find: --type 'f,x' is not f, d, l, p, s, c or b, or several of them such as f,l; see 'backuptool find --help'"
	run -2 backuptool find --older nonsense
}

@test "find -i: small and capital letters are alike" {
	mkdir src/ÄRGER
	: >src/ÄRGER/Übung.odt
	take src -q
	[ "$(found may.txt)" = "" ]
	[ "$(found -i may.txt)" = "Letters/May.TXT " ]
	[ "$(found --ignore-case '*.Txt')" = "Letters/May.TXT Letters/old/june.txt " ]
	[ "$(found -i '/letters/OLD/*')" = "Letters/old/june.txt " ]
	[ "$(found -i 'ärger/')" = "ÄRGER " ]
	[ "$(found -i 'üBUNG.*')" = "ÄRGER/Übung.odt " ]
}

@test "find --deleted: what the newest snapshot of the directory has no more, once" {
	take src -q
	printf 'longer\n' >src/Letters/old/june.txt
	settle
	take src -q
	rm -r src/Letters/old src/large
	take src -q
	mkdir other
	: >other/file
	take other -q
	second=$(newest 2) first=$(newest 3)
	[ "$(found --deleted)" = "Letters/old Letters/old/june.txt large " ]
	[ "$(backuptool find --deleted june.txt -0 | tr -d '\0')" = "$(short "$second"):Letters/old/june.txt" ]
	[ "$(backuptool cat "$(backuptool find --deleted june.txt -0 | tr -d '\0')")" = longer ]
	[ "$(found --deleted --type f --size +1k)" = "large " ]
	[ "$(found --deleted --snapshot "$first" --snapshot latest june.txt)" = "Letters/old/june.txt " ]
	run -0 --separate-stderr backuptool find --deleted May.TXT
	output_is ""
	[ "$(found --deleted --target "$WORK/other")" = "" ]
}

@test "find --deleted: what could not be read is not called deleted" {
	mkdir src/closed
	: >src/closed/file
	if is_root; then
		chmod -R a+rX "$WORK"
		mkdir -m 777 theirs
		reachable_tool
		export BACKUPTOOL_STORE=$WORK/theirs/store
	fi
	as_user backuptool snapshot -q --target-directory src 2>/dev/null
	chmod 0 src/closed
	run -3 as_user backuptool snapshot -q --target-directory src
	run -0 --separate-stderr as_user backuptool find --deleted
	output_is ""
}

@test "find --deleted: what lies on a file system that was not entered is not called deleted" {
	mkdir src/other
	: >src/other/file
	take src -q
	mount_or_skip -t tmpfs tmpfs src/other
	rm src/large
	take src -q -x
	[ "$(found --deleted)" = "large " ]
}
