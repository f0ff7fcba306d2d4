#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stores in which something else has the name of a file, or of a directory: nothing hangs, nothing is followed out of the
# store, and one sentence says what it is. For lock see lock.bats.
# shellcheck disable=SC2154
load mount_helper

# Three snapshots of ./src, of which one is removed: what the others need of it lies in contents/.
setup() {
	helper_setup
	mkdir src mnt
	for i in 1 2 3; do
		seq "$((i * 1000))" >"src/f$i"
		at "2026-01-0${i}T00:00:00" backuptool snapshot --target-directory src -q
	done
	backuptool remove snapshot_2026-01-01 --yes
	older=snapshot_2026-01-02T00-00-00Z.json
	newer=snapshot_2026-01-03T00-00-00Z.json
	volume=contents/$(ls snapshots/contents)
	mv snapshots whole
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
	looking=(list "ls $older" "find f1" "cat $older:f2" "diff $older latest" "versions f1" stats check "check --quick"
		"check --repair --dry-run" "restore --snapshot-file $older --output-directory out" "dump $older"
		"export --classic $older out.json" mount)
	writing=("snapshot --target-directory src" "tag $older --add a" "prune --keep-last 1" "remove $older --yes"
		"check --repair")
}

# All that the links lead to.
outside_sum() {
	find outside -printf '%p %y %i %m %U %s %T@ %C@ %l\n' -type f -exec sha256sum {} +
}

# become KIND NAME: in a fresh copy of the store, whose own is outside of it then. Fails where there is no such kind.
become() {
	local place=snapshots/$2
	rm -rf snapshots outside
	cp -a whole snapshots
	mkdir outside
	mv "$place" outside/there
	what="it is a $1"
	case $1 in
	link) ln -s "$WORK/outside/there" "$place" ;;
	hanging) ln -s "$WORK/outside/new" "$place" ;;
	directory) mkdir "$place" ;;
	file) echo text >"$place" ;;
	pipe) mkfifo "$place" ;;
	socket) ln socket "$place" ;;
	device) is_root && mknod "$place" c 1 3 2>/dev/null || return 1 ;;
	esac
	[[ $1 != link && $1 != hanging ]] || what="it is a symbolic link"
	sum=$(outside_sum)
}

# 1: there is no mount; 3: not all of it can be read.
mount_and_read() {
	local code=0
	timeout 60 backupfs "$WORK/snapshots" "$WORK/mnt" 3>&- || return
	timeout 60 ls mnt/* && timeout 20 cat mnt/*/f1 >/dev/null || code=3
	umount mnt
	return "$code"
}

# shellcheck disable=SC2086
go() {
	case $1 in
	mount) mount_and_read ;;
	cat* | dump*) timeout 60 backuptool $1 >/dev/null ;;
	restore* | export*)
		rm -rf out out.json
		timeout 60 backuptool $1
		;;
	*) timeout 60 backuptool $1 ;;
	esac
}

# try NAME KIND COMMAND: it ends as wanted tells, which sets code and sentence ("": nothing is said). Without run, which
# would take most of the time.
try() {
	local ended=0 others
	code=0 sentence=
	wanted "$3"
	[ "$3" != mount ] || [ -w /dev/fuse ] || return 0
	output=$(go "$3" 2>&1) || ended=$?
	echo "$2, $3: $ended, and $code wanted, with $sentence"$'\n'"$output"
	[ "$ended" = "$code" ]
	if [[ $3 == mount && $code == 3 ]]; then
		[[ $output == *"Input/output error"* ]]
	elif [ -n "$sentence" ]; then
		others=${output/"$sentence"/}
		[[ $output == *"$sentence"* && $others != *"$sentence"* ]]
	else
		[[ $output != *"$1"* && $output != *"it is a "* && $output != *damage*\(* ]]
	fi
}

# table NAME KIND…: every command with each of them.
table() {
	local name=$1 kind command
	shift
	for kind in "$@"; do
		become "$kind" "$name" || continue
		for command in "${looking[@]}"; do
			try "$name" "$kind" "$command"
		done
		[ "$(outside_sum)" = "$sum" ]
		for command in "${writing[@]}"; do
			become "$kind" "$name"
			try "$name" "$kind" "$command"
			[ "$(outside_sum)" = "$sum" ]
		done
	done
}

kinds=(link hanging directory pipe socket device)

@test "id: who asks for it is told, the rest needs none, and a repair makes a new one" {
	wanted() {
		case $1 in
		"check --repair") sentence="id: $what: commands with --store-id" ;;
		check*) code=1 sentence="id: $what: commands with --store-id" ;;
		"list --store-id"*) code=1 sentence="the id of the store at ./snapshots is damaged" ;;
		esac
	}
	looking+=("list --store-id $(jq -r .id whole/id)")
	table id "${kinds[@]}"
	become link id
	run -0 backuptool check --repair
	[ -L snapshots/damaged/id ]
	[ ! -L snapshots/id ]
	[ -f snapshots/id ]
	run -0 backuptool check
}

@test "cache: it only helps, so nobody says a word" {
	wanted() { :; }
	table cache link hanging file pipe socket device
	become link cache
	take src -q
	backuptool list
	[ -L snapshots/cache ]
}

@test "contents: a store without its half is none" {
	wanted() {
		code=1 sentence="contents: $what, not a directory, so what the store has there is out of reach; put the directory in its place, or remove it to go on without"
	}
	table contents link hanging file pipe socket device
	# what it says helps; and whoever salvages gets the rest
	become link contents
	run -3 backuptool restore --snapshot-file "$older" --output-directory out --salvage
	cmp src/f2 out/f2
	rm snapshots/contents
	mv outside/there snapshots/contents
	run -0 backuptool check
	become pipe contents
	rm snapshots/contents
	run -0 take src
	run -0 backuptool restore --snapshot-file latest --output-directory out
	same src out
}

@test "a snapshot: it is a damaged one, and nothing that it may need goes" {
	wanted() {
		sentence="$newer: damaged (not-a-file): $what"
		case $1 in
		*"$newer --yes") sentence="what others may need of 1 damaged snapshot went to contents/" ;;
		"check --repair") code=3 ;;
		check* | list | prune* | remove* | *"$newer"*) code=1 ;;
		find* | versions* | stats | mount) code=3 ;;
		diff*) sentence="passed over, so that latest is $older: $sentence" ;;
		*) sentence= ;;
		esac
	}
	looking+=("ls $newer" "cat $newer:f3" "diff $newer" "restore --snapshot-file $newer --output-directory out" "dump $newer"
		"export --classic $newer out.json" "tag $newer --add a")
	writing+=("remove $newer --yes")
	table "$newer" "${kinds[@]}"
	# that repaired is what was left
	become link "$newer"
	run -3 backuptool check --repair
	[ -L "snapshots/damaged/$newer" ]
	run -0 backuptool check
	run -0 backuptool restore --snapshot-file "$older" --output-directory out
	# given up by its name it goes the way of all damaged files
	become directory "$newer"
	mkdir "snapshots/$newer/below"
	run -0 backuptool remove "$newer" --yes
	[ ! -e "snapshots/$newer" ]
	run -0 backuptool check --repair
	run -0 backuptool check
	[ -n "$(find snapshots/damaged -name below)" ]
}

@test "a file of contents: it is a damaged one, and what it held is stored again" {
	wanted() {
		sentence="$volume: damaged (not-a-file): $what"
		case $1 in
		"check --repair" | stats | mount) code=3 ;;
		check*) code=1 ;;
		restore* | dump* | export*) code=3 sentence="f1: damaged (missing-content)" ;;
		*) sentence= ;;
		esac
	}
	table "$volume" "${kinds[@]}"
	become link "$volume"
	take src -q
	run -0 backuptool restore --snapshot-file latest --output-directory out
	same src out
	run -0 backuptool check --repair
	[ -L "snapshots/damaged/${volume#*/}" ]
	run -0 backuptool check
}
