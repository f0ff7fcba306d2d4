#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The mount with -o group: a directory for each host, and in it one for each directory.
# shellcheck disable=SC2154
load mount_helper

took() {
	mkdir -p "$3"
	echo "$1 $2" >"$3/file"
	at "$1" backuptool snapshot -q --host "$2" --target-directory "$3" "${@:4}" >/dev/null
}

# What a directory of the working directory is called in the mount.
dashed() {
	tr / - <<<"${WORK#/}/$1"
}

@test "-o group shows each snapshot below its host and directory" {
	took 2026-01-01 laptop home/me
	took 2026-01-02 laptop etc
	took 2026-01-03 server etc
	took 2026-01-04 laptop etc
	show -o group
	run -0 ls mnt
	output_is laptop server
	run -0 ls mnt/laptop
	[ "$output" = "$(printf '%s\n' "$(dashed home/me)" "$(dashed etc)" | sort)" ]
	run -0 ls "mnt/laptop/$(dashed etc)"
	output_is latest snapshot_2026-01-02T00-00-00Z snapshot_2026-01-04T00-00-00Z
	cd "mnt/laptop/$(dashed etc)"
	[ "$(cat latest/file)" = "2026-01-04 laptop" ]
	[ "$(cat latest~1/file)" = "2026-01-02 laptop" ]
	[ "$(cat @2026-01-03/file)" = "2026-01-02 laptop" ]
	[ "$(cat 2026-01-02/file)" = "2026-01-02 laptop" ]
	[ "$(cat "../../server/$(dashed etc)/latest/file")" = "2026-01-03 server" ]
	[ ! -e snapshot_2026-01-03T00-00-00Z ]
	[ ! -e "$WORK/mnt/latest" ]
	[ ! -e "$WORK/mnt/snapshot_2026-01-02T00-00-00Z" ]
	[ "$(stat -c %F . ..)" = $'directory\ndirectory' ]
	run -1 touch new
	[ "$(find "$WORK/mnt" -name file | wc -l)" = 4 ]
	[ "$(find "$WORK/mnt" -type d -printf '%i\n' | sort | uniq -d)" = "" ]
}

@test "groups come and go while they are mounted" {
	took 2026-01-01 laptop etc
	show -o group
	cd mnt
	run -0 ls
	output_is laptop
	(cd "$WORK" && took 2026-01-02 server etc)
	[ "$(cat server/*/latest/file)" = "2026-01-02 server" ]
	(cd "$WORK" && took 2026-01-03 laptop etc)
	[ "$(readlink laptop/*/latest)" = snapshot_2026-01-03T00-00-00Z ]
	run -0 ls "laptop/$(dashed etc)"
	output_is latest snapshot_2026-01-01T00-00-00Z snapshot_2026-01-03T00-00-00Z
	backuptool --store "$WORK/snapshots" remove 2026-01-02T00-00-00Z --yes -q
	wait_until test ! -e server
	run -0 ls
	output_is laptop
	backuptool --store "$WORK/snapshots" remove 2026-01-01T00-00-00Z -q
	run -0 ls "laptop/$(dashed etc)"
	output_is latest snapshot_2026-01-03T00-00-00Z
}

@test "directories that come to one name, and odd names, are told apart" {
	took 2026-01-01 laptop a/b
	took 2026-01-02 laptop a-b
	took 2026-01-03 versions a/b
	took 2026-01-04 .. $'odd\nname'
	took 2026-01-05 x/y a/b
	long=$(printf 'd%.0s' {1..200})
	took 2026-01-06 laptop "$long/$long"
	show -o group,versions
	run -0 ls mnt
	output_is -. laptop versions 'versions~2' x-y
	[ "$(cat "mnt/laptop/$(dashed a/b)/latest/file")" = "2026-01-01 laptop" ]
	[ "$(cat "mnt/laptop/$(dashed a/b)~2/latest/file")" = "2026-01-02 laptop" ]
	[ "$(cat "mnt/versions~2/$(dashed a/b)/latest/file")" = "2026-01-03 versions" ]
	[ "$(cat mnt/-./*/latest/file)" = "2026-01-04 .." ]
	[ "$(cat mnt/x-y/*/latest/file)" = "2026-01-05 x/y" ]
	[ "$(cat mnt/laptop/*"${long:0:100}"*/latest/file)" = "2026-01-06 laptop" ]
	[ "$(ls mnt/laptop | wc -l)" = 3 ]
	[ -e mnt/versions/file ]
}

@test "-o group with a filter, with a subpath, as mount(8) calls it, and what it does not go with" {
	took 2026-01-01 laptop etc
	took 2026-01-02 server etc
	took 2026-01-03 server srv
	show -o group,host=server
	run -0 ls mnt
	output_is server
	[ "$(ls mnt/server | wc -l)" = 2 ]
	hide
	mkdir -p srv/below
	took 2026-01-04 server srv
	run -0 backuptool mount mnt --host server -o groups,subpath=below 3>&-
	run -0 ls mnt/server
	output_is "$(dashed srv)"
	run -0 ls mnt/server/*
	output_is latest snapshot_2026-01-04T00-00-00Z
	hide
	run -2 show -o group,snapshot=latest
	[[ $output == *"not with snapshot="* ]]
}

@test "a damaged snapshot does not keep the others from their groups" {
	took 2026-01-01 laptop etc
	took 2026-01-02 laptop etc
	damage snapshots/snapshot_2026-01-02T00-00-00Z.json
	show -o group
	run -0 ls mnt/laptop/*
	output_is latest snapshot_2026-01-01T00-00-00Z
	[ "$(readlink mnt/laptop/*/latest)" = snapshot_2026-01-01T00-00-00Z ]
}
