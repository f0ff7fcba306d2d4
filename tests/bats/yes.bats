#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a restore asks before it removes much, or from a directory that was perhaps not meant; and what it warns of.
# shellcheck disable=SC2154
load helper

photos() {
	mkdir -p me/documents me/photos
	echo d >me/documents/d
	for n in {1..9}; do echo "$n" >"me/documents/d$n"; done
	for n in {1..4}; do echo "$n" >"me/photos/p$n"; done
	echo k >me/key
}

# refused WORDS OUTPUT: a restore of the newest snapshot asks, changes nothing, and goes on with --yes and as a dry run. By
# its name: latest would be of the output directory.
refused() {
	local before name
	before=$(find "$2" | sort)
	name=$(newest)
	run -0 --separate-stderr bring "$name" "$2" --delete -n
	[[ $stderr != *--yes* ]]
	run -1 --separate-stderr bring "$name" "$2" --delete
	[[ $stderr == *"$1"*": nothing was changed; give --yes to go on" ]]
	[ -z "$output" ]
	[ "$(find "$2" | sort)" = "$before" ]
	run -0 --separate-stderr bring "$name" "$2" --delete --yes
	[[ $stderr != *--yes* ]]
	[ "$(find "$2" | sort)" != "$before" ]
}

@test "--delete above the directory that the snapshot is of asks" {
	photos
	take me/documents -q
	refused "this removes 17 entries from me, and the snapshot is of $WORK/me/documents below it" me
	[ -e me/d ]
	[ ! -e me/photos ]
}

@test "--delete into a directory of which there are other snapshots asks" {
	photos
	take me/photos -q
	take me/documents -q
	fits=$(newest 1)
	refused "this removes 4 entries from me/photos, of which the newest snapshot is $fits; $(newest) is of $WORK/me/documents" me/photos
	[ -e me/photos/d ]
}

# A name that is not text stands in no snapshot: there the host is localhost.
@test "it asks as well on a host whose name is not UTF-8" {
	is_root || skip "needs root for another host's name"
	nameless() {
		unshare --uts python3 -c 'import os, socket, sys
socket.sethostname(b"\xff\xfe")
os.execvp(sys.argv[1], sys.argv[1:])' "$@"
	}
	photos
	for directory in photos documents; do
		nameless backuptool snapshot --target-directory me/$directory -q
	done
	run -1 --separate-stderr nameless backuptool restore --snapshot-file "$(newest)" --output-directory me/photos --delete
	[[ $stderr == *"of which the newest snapshot is $(newest 1)"*"give --yes to go on" ]]
	[ -e me/photos/p1 ]
}

@test "--delete of more entries than the snapshot has asks" {
	photos
	mkdir src
	echo a >src/a
	take src -q
	mkdir out
	touch out/{1..2}
	refused "this removes 2 entries from out, more than the 1 entry of the snapshot of $WORK/src" out
	same src out
	mkdir -p out/a.d/1/2
	refused "this removes 3 entries from out" out
	rm out/a
	mkdir -p out/a/in/the/way
	refused "this removes 4 entries from out" out
	same src out
	rm src/a
	take src -q || true
	echo back >src/a
	refused "more than the 0 entries" src
}

@test "--delete where most names are not those of the snapshot asks" {
	photos
	take me -q
	mkdir out
	touch out/{1..3} out/key
	refused "this removes 3 entries from out, where most names are not in the snapshot of $WORK/me" out
	same me out
	touch out/{1..3}
	run -0 --separate-stderr bring latest out --delete
	[ -z "$stderr" ]
	touch out/{1..9}
	run -0 --separate-stderr bring latest out --delete documents
	[ -z "$stderr" ]
	[ -e out/9 ]
}

@test "an ordinary restore with --delete does not ask" {
	photos
	take me -q
	touch me/extra me/photos/extra
	run -0 --separate-stderr bring latest me --delete
	[ -z "$stderr" ]
	[[ $output == *", 2 deleted"* ]]
	run -0 --separate-stderr bring latest new --delete
	[ -z "$stderr" ]
	touch me/photos/extra me/documents/{extra,more}
	run -0 --separate-stderr bring latest me --delete photos
	[[ $output == *", 1 deleted"* ]]
	take me/documents -q
	run -0 --separate-stderr bring latest me --delete -q
	[ "$output$stderr" = "" ]
	[ ! -e me/documents/extra ]
}

@test "a restore onto / asks, and is warned of" {
	photos
	take me -q
	run -1 --separate-stderr bring latest /
	[[ $stderr == *"3 new entries come into /, which has nothing of the same name; the snapshot is of $WORK/me"* ]]
	[[ $stderr == *"this restores the snapshot of $WORK/me onto /: nothing was changed; give --yes to go on" ]]
	run -0 --separate-stderr bring latest // -n
	[[ $stderr == *"new entries come into //"* ]]
	[[ $stderr != *--yes* ]]
}

@test "new entries in a directory that has nothing of the same name are counted" {
	photos
	take me -q
	mkdir out
	run -0 --separate-stderr bring latest out -n
	[ -z "$stderr" ]
	mkdir out/lost+found
	run -0 --separate-stderr bring latest out -n
	[ -z "$stderr" ]
	touch out/other
	run -0 --separate-stderr bring latest out -n
	stderr_is "backuptool restore: 3 new entries come into out, which has nothing of the same name; the snapshot is of $WORK/me"
	run -0 --separate-stderr bring latest out -n photos/p1
	[ -z "$stderr" ]
	run -0 --separate-stderr bring latest out -q
	[ -z "$stderr" ]
	run -0 --separate-stderr bring latest out
	[ -z "$stderr" ]
}

@test "what was deleted comes back to where it was without a word" {
	photos
	take me -q
	mv me lost
	mkdir me
	touch me/new
	run -0 --separate-stderr bring latest me photos
	[ -z "$stderr" ]
	rm -r me/photos
	run -0 --separate-stderr bring latest me
	[ -z "$stderr" ]
	diff -r me lost --exclude new
}

@test "--delete where there is nothing to delete asks nothing" {
	photos
	take me/photos -q
	take me/documents -q
	run -1 bring latest me --delete </dev/null
	mkdir empty
	for out in empty new; do
		run -0 bring latest $out --delete </dev/null
		diff -r me/documents $out
	done
}

@test "many problems of one cause are grouped after ten, and what to do is said" {
	mkdir src
	for n in {1..40}; do head -c 3000 /dev/urandom >"src/f$n"; done
	take src -q
	touch snapshots/kept
	rm -rf snapshots/contents snapshots/cache
	file=snapshots/$(newest)
	at=$(jq -n 'first(inputs | .contents? // empty | .[0].at)' "$file" | head -n 1)
	damage "$file" "$((at + 500))"
	run -3 --separate-stderr bring latest out
	[ "$(grep -c 'restore: f' <<<"$stderr")" = 10 ]
	[[ $stderr == *"backuptool restore: … and 30 more files: bad "* ]]
	[[ $stderr == *"next: 'backuptool check' tells what is damaged"* ]]
	run -3 --separate-stderr bring latest out -v
	[ "$(grep -c 'restore: f' <<<"$stderr")" = 40 ]
}
