#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The store that is restored from lies in the output directory, and outlives the restore.
# shellcheck disable=SC2154
load helper

# Everything in a store but state/, where a check writes that it ran.
contents_of() {
	"$TESTS/tree_compare.py" "$1" | grep -v '^state'
}

# A store at $1, which is not in the snapshot, and two files: one of them came later.
world() {
	echo a >a
	mkdir -p "$(dirname "$1")"
	backuptool snapshot --target-directory . --store "$1" -q --exclude "/${1%%/*}"
	echo b >b
	kept=$(contents_of "$1")
}

# The snapshot's own rule would keep all that is in the store's directory.
restore_here() {
	backuptool restore --snapshot-file latest --store "$1" --output-directory . --delete --all-files --yes "${@:2}"
}

is_kept() {
	[ "$(contents_of "$1")" = "$kept" ]
	backuptool check --store "$1" -q
}

@test "the default store, in the directory itself" {
	world snapshots
	run -0 --separate-stderr restore_here snapshots -v
	[ "$stderr" = "" ]
	[[ $output == *$'D b\n'* ]]
	[[ $output == *", 1 deleted"* ]]
	is_kept snapshots
	[ ! -e b ]
	[ -e a ]
}

@test "a store deep inside: what lies beside it goes" {
	mkdir -p deep/sub/other/more deep/beside
	touch deep/sub/other/more/file deep/sub/file deep/beside/file
	world deep/sub/store
	run -0 --separate-stderr restore_here deep/sub/store -v
	[ "$stderr" = "" ]
	for gone in b deep/sub/other deep/sub/file deep/beside; do
		[[ $output == *"D $gone"$'\n'* ]]
		[ ! -e "$gone" ]
	done
	[[ $output == *", 7 deleted"* ]]
	is_kept deep/sub/store
	[ "$(find deep/sub -mindepth 1 -maxdepth 1)" = deep/sub/store ]
}

@test "a dry run tells the same and changes nothing" {
	mkdir -p deep/sub/other
	world deep/sub/store
	run -0 restore_here deep/sub/store -v -n
	told=$(grep '^D ' <<<"$output" | sort)
	[ -e b ]
	[ -e deep/sub/other ]
	run -0 restore_here deep/sub/store -v
	[ "$(grep '^D ' <<<"$output" | sort)" = "$told" ]
	[ "$told" = $'D b\nD deep/sub/other' ]
	is_kept deep/sub/store
}

@test "the store is where the snapshot has a file, or leads to there" {
	for size in 1 9000000; do
		mkdir src
		head -c $size /dev/zero | tr '\0' x >src/file
		echo a >src/a
		backuptool snapshot --target-directory src --store store -q
		mkdir -p out/file/other
		mv store out/file/store
		kept=$(contents_of out/file/store)
		for how in "-n" "" "--overwrite=always"; do
			run -3 --separate-stderr bring latest out --store out/file/store --delete ${how:+"$how"}
			stderr_is "backuptool restore: file: the store that is restored from is in the way"
			is_kept out/file/store
		done
		[ ! -e out/file/other ]
		[ -e out/a ]
		mv out/file/store store
		rmdir out/file
		mv store out/file
		kept=$(contents_of out/file)
		run -3 --separate-stderr bring latest out --store out/file --delete
		[[ $stderr == "backuptool restore: file: "*"the store that is restored from is in the way"* ]]
		is_kept out/file
		rm -r src out
	done
}

@test "the store is where the snapshot has a directory: nothing is written into it" {
	small_tree src
	take src
	mkdir out
	mv snapshots out/docs
	kept=$(contents_of out/docs)
	for how in "-n" "" "--delete" "--overwrite=never"; do
		run -3 --separate-stderr bring latest out --store out/docs ${how:+"$how"}
		[[ $stderr == "backuptool restore: docs: "*"the store that is restored from is in the way"* ]]
		is_kept out/docs
	done
	cmp src/photos/noise.bin out/photos/noise.bin
	run -3 bring latest out --store out/docs docs/notes
	is_kept out/docs
}

@test "another name of a file is where the store is" {
	mkdir src
	echo a >src/a
	ln src/a src/b
	take src
	mkdir out
	mv snapshots out/b
	kept=$(contents_of out/b)
	run -3 --separate-stderr bring latest out --store out/b --delete
	[[ $stderr == "backuptool restore: b: "*"is in the way"* ]]
	is_kept out/b
	[ "$(cat out/a)" = a ]
}

@test "the output directory may not lie in the store" {
	small_tree src
	take src
	kept=$(contents_of snapshots)
	ln -s snapshots inside
	for place in snapshots snapshots/new snapshots/contents inside inside/new; do
		run -2 --separate-stderr bring latest "$place" --delete -q
		stderr_is "backuptool restore: $place: the output directory may not lie in the store"
		is_kept snapshots
	done
}

@test "a classic file by its path: its directory stays" {
	local name=snapshot_2026-11-22T11-38-24.json
	mkdir -p out/old/deep out/more
	cp "$TESTS/data/classic/$name" out/old/deep/
	touch out/old/deep/beside out/old/gone
	run -0 --separate-stderr bring "out/old/deep/$name" out --delete --yes -q
	[ "$stderr" = "" ]
	cmp "$TESTS/data/classic/$name" "out/old/deep/$name"
	[ -e out/old/deep/beside ]
	[ ! -e out/old/gone ]
	[ ! -e out/more ]
}

@test "a classic file in the output directory itself stays" {
	local name=snapshot_2026-11-22T11-38-24.json
	mkdir -p out/more
	cp "$TESTS/data/classic/$name" out/
	cd out
	run -0 --separate-stderr backuptool restore --snapshot-file "$name" --output-directory . --delete --yes -q
	[ "$stderr" = "" ]
	cmp "$TESTS/data/classic/$name" "$name"
	[ ! -e more ]
	run -0 backuptool restore --snapshot-file "$name" --output-directory below
	[ -d below ]
}

@test "a snapshot's file that lies where the snapshot has something else is not replaced" {
	local name=snapshot_2020-01-02T03-04-05Z.json
	for kind in file directory; do
		mkdir src out
		[ $kind = file ] || mkdir "src/$name"
		[ $kind = directory ] || echo other >"src/$name"
		at 2020-01-02T03:04:05 backuptool snapshot --target-directory src -q
		cp "snapshots/$name" "out/$name"
		cp "out/$name" before
		run -3 --separate-stderr bring "out/$name" out --delete --yes -q
		[[ $stderr == "backuptool restore: $name: "*"is in the way"* ]]
		cmp before "out/$name"
		rm -r src out snapshots
	done
}
