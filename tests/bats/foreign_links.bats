#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A symbolic link that is neither root's nor one's own leads where its owner likes: nobody follows it without being asked.
# shellcheck disable=SC2016,SC2154
load helper

NEIGHBOUR=1001
while getent passwd $NEIGHBOUR >/dev/null; do # no name is told of this one
	NEIGHBOUR=$((NEIGHBOUR + 1))
done

setup() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	is_root || skip "only root can be two users"
	small_tree src
	take src -q
	mkdir pub etc
	chown $NEIGHBOUR pub
}

# foreign TARGET LINK: one of the neighbour's.
foreign() {
	ln -sfn "$1" "$2"
	chown -h $NEIGHBOUR "$2"
}

# led LINK PLACE OUTPUT: a restore there asks, and writes nothing; as a dry run it only tells; with --yes it goes there.
led() {
	local sentence="this goes to $2 by $1, a symbolic link that belongs to user $NEIGHBOUR; name $2 itself if that is meant"
	run -1 --separate-stderr bring latest "$3"
	stderr_is "backuptool restore: $sentence: nothing was changed; give --yes to go on"
	[ -z "$output" ]
	run -0 --separate-stderr bring latest "$3" -n
	stderr_is "backuptool restore: $sentence"
	run -0 --separate-stderr bring latest "$3" -n -q
	[ -z "$stderr" ]
	[ -z "$(ls etc)" ]
	run -0 --separate-stderr bring latest "$3" --yes
	[ -z "$stderr" ]
	same src "$2"
	rm -rf etc/*
}

@test "restore: the output directory itself, one that leads there, and one that is to be made behind it" {
	foreign ../etc pub/out
	led pub/out "$WORK/etc" pub/out
	led "$WORK/src/../pub/./out" "$WORK/etc" "$WORK/src/..//pub/./out/"
	led pub/out "$WORK/etc/a" pub/out/a
	led pub/out "$WORK/etc/a/b" pub/out/a/b
	foreign "$WORK/etc" pub/out
	led pub/out "$WORK/etc" pub/out
	led pub/out "$WORK/etc/a" pub/out/a/
	foreign / pub/out
	led pub/out "$WORK/etc" "pub/out$WORK/etc"
}

@test "restore: a link in a chain of others" {
	ln -s pub/out mine
	foreign ../roots pub/out
	ln -s etc roots
	led pub/out "$WORK/etc" mine
	led pub/out "$WORK/etc/a" mine/a
	foreign other pub/out
	foreign ../etc pub/other
	led pub/out "$WORK/etc" mine
	# one of root's, where the neighbour put what it leads to
	ln -sfn pub/other mine
	led pub/other "$WORK/etc" mine
	mkdir way
	ln -s "$WORK/pub/" way/back
	led "$WORK/pub/other" "$WORK/etc/new" way/back/other/new
}

@test "restore: one that leads to nothing makes nothing" {
	foreign ../etc/new pub/out
	run -1 --separate-stderr bring latest pub/out
	stderr_is "backuptool restore: this goes to $WORK/etc/new by pub/out, a symbolic link that belongs to user $NEIGHBOUR; name $WORK/etc/new itself if that is meant: nothing was changed; give --yes to go on"
	run -1 --separate-stderr bring latest pub/out/more --yes
	stderr_is "backuptool restore: pub/out/more: make the directory failed: File exists"
	foreign out pub/out
	run -1 bring latest pub/out
	[[ $output == *"by pub/out, a symbolic link"* ]]
	run -1 bring latest pub/out --yes
	[[ $output == *"Too many levels of symbolic links"* ]]
	[ -z "$(ls etc)" ]
}

@test "restore: one's own links and root's are followed without a word, as far as the kernel does" {
	ln -s ../etc pub/roots
	mkdir theirs
	chown 65534 theirs
	ln -s ../theirs pub/own
	chown -h 65534 pub/own
	run -0 --separate-stderr bring latest pub/roots/a
	[ -z "$stderr" ]
	same src etc/a
	reachable_tool
	chmod -R a+rX snapshots
	for place in pub/own pub/own/a/b; do
		run -0 --separate-stderr as_user backuptool restore --snapshot-file latest --output-directory $place
		[[ $stderr != *link* ]]
		diff -r src/docs theirs/"${place#pub/own}"/docs
	done
	ln -s etc l0
	for i in {1..40}; do ln -s "l$((i - 1))" "l$i"; done
	run -0 bring latest l39/b
	same src etc/b
	run -1 --separate-stderr bring latest l40/c
	stderr_is "backuptool restore: l40/c: open failed: Too many levels of symbolic links"
}

@test "restore: an ordinary user is not led by another one, but by root" {
	mkdir theirs
	chown 65534 theirs
	reachable_tool
	chmod -R a+rX snapshots
	foreign ../theirs pub/out
	for option in "" --delete; do
		run -1 --separate-stderr as_user backuptool restore --snapshot-file latest --output-directory pub/out/a $option
		[[ $stderr == *"this goes to $WORK/theirs/a by pub/out, a symbolic link that belongs to user $NEIGHBOUR; "* ]]
		[ -z "$(ls theirs)" ]
	done
	run -0 --separate-stderr as_user backuptool restore --snapshot-file latest --output-directory pub/out/a --yes
	[[ $stderr != *link* ]]
	diff -r src/docs theirs/a/docs
	ln -s ../theirs pub/roots
	run -0 --separate-stderr as_user backuptool restore --snapshot-file latest --output-directory pub/roots/b
	[[ $stderr != *link* ]]
	diff -r src/docs theirs/b/docs
}

@test "restore: links of /proc are what the kernel knows them to be" {
	(cd etc && backuptool --store ../snapshots restore --snapshot-file latest --output-directory /proc/self/cwd/a)
	same src etc/a
	mkdir b
	bring latest /proc/self/fd/9 9<b
	same src b
	# one that says what is not so
	exec 8<b
	rm -r b
	run -1 bring latest /proc/self/fd/8/c
	exec 8<&-
	output_is "backuptool restore: /proc/self/fd/8/c: make the directory failed: No such file or directory"
	# where a process of the neighbour's is
	setpriv --reuid=$NEIGHBOUR --clear-groups sh -c 'cd etc && exec sleep 60' 3>&- &
	sleeper=$!
	wait_until sh -c "[ \"\$(readlink /proc/$sleeper/cwd)\" = '$WORK/etc' ]"
	run -1 --separate-stderr bring latest "/proc/$sleeper/cwd/c"
	kill "$sleeper"
	[[ $stderr == *"by /proc/$sleeper/cwd, a symbolic link that belongs to user $NEIGHBOUR; "* ]]
	[ ! -e etc/c ]
}

@test "restore: a terminal is asked once, and what it was asked about is what is done" {
	foreign ../etc pub/out
	mkdir etc/own elsewhere
	touch etc/own/{1..20}
	mkfifo answer
	script -qefc 'backuptool restore --snapshot-file latest --output-directory pub/out --delete' asked <answer >/dev/null 3>&- &
	asking=$!
	exec 9>answer
	wait_until grep -qs 'Go on' asked
	foreign ../elsewhere pub/out
	echo y >&9
	wait "$asking"
	exec 9>&-
	[ "$(grep -c 'Go on' asked)" = 1 ]
	grep -q "this goes to $WORK/etc by pub/out" asked
	grep -q "this removes 21 entries from" asked
	same src etc
	[ -z "$(ls elsewhere)" ]
}

@test "export: the directory of the file" {
	foreign ../etc pub/out
	for file in pub/out/x.json "$WORK/pub/out/x.json"; do
		run -1 --separate-stderr backuptool export --classic latest "$file"
		stderr_is "backuptool export: this goes to $WORK/etc by ${file%/*}, a symbolic link that belongs to user $NEIGHBOUR; name $WORK/etc itself if that is meant: nothing was changed; give --yes to go on"
		[ -z "$(ls etc)" ]
	done
	run -0 --separate-stderr backuptool export --classic latest pub/out/x.json --yes
	[ "$stderr" = "" ]
	[[ $output == "wrote "*" to pub/out/x.json"* ]]
	[ -s etc/x.json ]
	# the file's own name is never one that is followed
	foreign ../etc/y.json pub/y.json
	run -1 --separate-stderr backuptool export --classic latest pub/y.json --yes
	stderr_is "backuptool export: pub/y.json: exists already"
	run -1 --separate-stderr backuptool export --classic latest pub/none/y.json
	stderr_is "backuptool export: pub/none: open failed: No such file or directory"
	ln -s ../etc pub/roots
	run -0 --separate-stderr backuptool export --classic latest pub/roots/z.json
	[ "$stderr" = "" ]
	[ -s etc/z.json ]
}

@test "a store that is reached so is named, whoever reads it or writes to it" {
	foreign ../snapshots pub/store
	words="backuptool %s: pub/store is a symbolic link that belongs to user $NEIGHBOUR, who can put another store in the place of this one; name $WORK/snapshots itself to be sure of it"
	export BACKUPTOOL_STORE=pub/store
	for command in "list" "snapshot --target-directory src" "check" "cat latest:docs/a.txt"; do
		# shellcheck disable=SC2086
		run -0 --separate-stderr backuptool $command
		# shellcheck disable=SC2059
		stderr_is "$(printf "$words" "${command%% *}")"
	done
	run -0 --separate-stderr backuptool check -q
	[ -z "$stderr" ]
	SUDO_UID=$NEIGHBOUR run -0 --separate-stderr backuptool list
	[ -z "$stderr" ]
	chown -h 0 pub/store
	for asker in "" $NEIGHBOUR; do
		SUDO_UID=$asker run -0 --separate-stderr backuptool list
		[ -z "$stderr" ]
	done
	unset BACKUPTOOL_STORE
	foreign ../snapshots pub/store
	run -0 --separate-stderr backuptool ls "pub/store/$(newest)"
	[[ $stderr == *"pub/store is a symbolic link that belongs to user $NEIGHBOUR, who can "* ]]
	foreign "../snapshots/$(newest)" pub/file
	run -0 --separate-stderr backuptool ls pub/file
	[[ $stderr == *"pub/file is a symbolic link that belongs to user $NEIGHBOUR, who can "* ]]
}
