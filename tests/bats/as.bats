#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Snapshots of a directory that is read somewhere else.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper

teardown() {
	end_holder
	remove_work
}

# What a store says of its newest snapshot.
header() {
	head -n 1 "snapshots/$(newest)" | sed 's/,$/}/' | jq -r "$1"
}

@test "a snapshot is recorded as one of the path that is given, and compared with the last one of that" {
	small_tree home
	settle
	take home
	first=$(newest)
	mv home frozen
	run -0 --separate-stderr take frozen --as "$WORK//home/." --json
	[ -z "$stderr" ]
	[ "$(jq -r .parent <<<"$output")" = "$first" ]
	[ "$(jq .unchanged <<<"$output")" = 5 ]
	[ "$(jq .new_bytes <<<"$output")" = 0 ]
	[ "$(header .target)" = "$WORK/home" ]
	[ "$(backuptool list --json | jq -r '.[].target' | sort -u)" = "$WORK/home" ]
	# So does one of the directory itself, later, and what looks for snapshots of it.
	mv frozen home
	run -0 --separate-stderr backuptool diff latest
	[ "$output$stderr" = "no differences" ]
	run -0 --separate-stderr take home --json
	[ -z "$stderr" ]
	[ "$(jq .unchanged <<<"$output")" = 5 ]
	run -0 backuptool list --target "$WORK/home"
	[ "${#lines[@]}" = 5 ]
	run -0 backuptool cat "latest:$WORK/home/docs/a.txt"
	[ "$output" = hello ]
}

@test "a path that is not absolute is refused" {
	mkdir src
	for path in '' x ./x ../x /a/../b /..; do
		run -2 --separate-stderr take src --as "$path"
		[ "$stderr" = "backuptool snapshot: --as '$path' is not a path that begins with / and has no ..; see 'backuptool snapshot --help'" ]
	done
	[ ! -e snapshots ]
	take src --as //
	[ "$(header .target)" = / ]
	take src --as /a..b/..c/
	[ "$(header .target)" = /a..b/..c ]
}

@test "the snapshot says of what it is and where it was read" {
	mkdir src
	run -0 --separate-stderr take src --as /home
	[ "${lines[0]}" = "snapshot $(newest) of /home, read from src" ]
	run -0 --separate-stderr take src --as /home --skip-if-unchanged
	[ "${lines[0]}" = "no snapshot of /home, read from src: nothing changed since $(newest)" ]
	run -0 backuptool status --json
	[ "$(jq -r '.directories[].target' <<<"$output")" = /home ]
}

@test "what is restored onto the path, with --delete, is in its place" {
	small_tree home
	settle
	cp -a home frozen
	take frozen --as "$WORK/home"
	touch home/new
	run -0 --separate-stderr bring latest home --delete
	[ ! -e home/new ]
	[ -z "$stderr" ]
}

@test "a pattern that begins with either path is told what to write" {
	mkdir -p src/scratch
	for path in "$WORK/home" "$WORK/src"; do
		run -0 --separate-stderr take src --as "$WORK/home" --exclude "$path/scratch" -n
		[[ $stderr == "backuptool snapshot: the pattern '$path/scratch' matches nothing: patterns begin at the directory, write '/scratch'"* ]]
	done
}

@test "a store in the directory that is read is left out, and a directory in the store is refused" {
	mkdir -p src
	backuptool snapshot --store src/store --target-directory src --as /home
	backuptool snapshot --store src/store --target-directory src --as /home
	[ "$(backuptool ls --store src/store latest)" = "" ]
	run -2 --separate-stderr backuptool snapshot --store src/store --target-directory src/store/contents --as /home
}

@test "a copy with other inodes is read again, unless size and mtime are trusted" {
	small_tree one
	settle
	cp -a one two
	sleep 2.1
	take one --as /home
	strace -f -qq -o calls -e trace=openat backuptool snapshot --target-directory two --as /home --trust mtime-size >/dev/null
	run ! grep -E '"(a.txt|noise.bin|numbers.txt)"' calls
	[ "$(backuptool list --json | jq -c '[.[].errors]')" = '[0,0]' ]
	strace -f -qq -o calls -e trace=openat backuptool snapshot --target-directory two --as /home >/dev/null
	grep -q '"noise.bin"' calls
	# --force reads all the same.
	strace -f -qq -o calls -e trace=openat backuptool snapshot --target-directory one --as /home --trust mtime-size -f >/dev/null
	grep -q '"noise.bin"' calls
	run -2 --separate-stderr take one --trust mtime
	[ "$stderr" = "backuptool snapshot: --trust 'mtime' is not mtime-size; see 'backuptool snapshot --help'" ]
}

@test "what is trusted is a file of the same size, mtime, mode and owner, that was old enough" {
	mkdir one
	for name in mode mtime owner same size young; do echo "$name" >one/$name; done
	touch -d '2020-01-01' one/*
	cp -a one two
	touch -d '+1 second' one/young two/young
	touch -r one/young two/young
	take one --as /home
	for name in mode mtime owner same size young; do # other bytes, with what gives them away
		tr a-z A-Z <one/$name | cat >two/$name
		touch -r one/$name two/$name
	done
	chmod 600 two/mode
	touch -d 2021-01-01 two/mtime
	echo more >>two/size
	touch -r one/size two/size
	! is_root || chown 1 two/owner
	take two --as /home --trust mtime-size
	[ "$(backuptool cat latest:same)" = same ] # the risk that the help tells
	for name in mode mtime young; do [ "$(backuptool cat latest:$name)" = "${name^^}" ]; done
	! is_root || [ "$(backuptool cat latest:owner)" = OWNER ]
	[ "$(backuptool cat latest:size)" = $'SIZE\nmore' ]
	# A run that trusts nothing sees it: what was trusted gave no fingerprint.
	take two --as /home
	[ "$(backuptool cat latest:same)" = SAME ]
}

@test "a job takes snapshots of what a hook makes" {
	small_tree home
	settle
	for _ in 1 2; do
		run -0 --separate-stderr backuptool job --target-directory frozen --as "$WORK/home" --duration 0 \
			--before 'cp -a home frozen; echo "$BACKUPTOOL_TARGET" >of' --after 'rm -r frozen'
		[ "$(cat of)" = "$WORK/home" ]
	done
	[ "$(backuptool list --json | jq -c '[.[].target] | unique')" = "[\"$WORK/home\"]" ]
	[ "$(header .parent)" = "$(newest 1)" ]
	# The job goes on from the last snapshot, though the directory is not there when it starts.
	timeout 60 backuptool job --target-directory frozen --as "$WORK/home" --interval 1h --duration forever --before false >out 2>&1 &
	holder=$!
	wait_until grep -q "^next snapshot at .* one interval after $(newest)" out
	kill -TERM $holder
	wait
	# Without a hook it has to be there.
	run -1 --separate-stderr timeout 60 backuptool job --target-directory frozen --as "$WORK/home" --duration 0
	[ "$stderr" = "backuptool job: there is no directory frozen" ]
	run -1 --separate-stderr timeout 60 backuptool job --target-directory frozen --as "$WORK/home" --duration 0 --before true
	[[ $stderr == *"there is no directory frozen"* ]]
}

@test "a job that watches is refused" {
	mkdir home
	sentence="--watch follows one directory, and --as is for copies of it, of which each is another one; leave one of them out"
	run -2 --separate-stderr backuptool job --target-directory home --as /home --watch --duration 0
	[ "$stderr" = "backuptool job: $sentence; see 'backuptool job --help'" ]
	run -2 --separate-stderr backuptool schedule --print --target-directory home --as /home --watch --interval 1h
	[ "$stderr" = "backuptool schedule: $sentence; see 'backuptool schedule --help'" ]
	printf '%s\n' '[source a]' "store = $WORK/store" "target-directory = $WORK/home" 'as = /home' 'watch = yes' 'interval = 1h' >config
	run -1 --separate-stderr backuptool config check --config config
	[ "$stderr" = "backuptool config: config:1: of the source a: $sentence" ]
	run -2 --separate-stderr backuptool job --config config
	[ "$stderr" = "backuptool job: config:1: of the source a: $sentence" ]
}

@test "two jobs for one path are one too many, wherever they read" {
	mkdir a b
	backuptool job --target-directory a --as /home --interval 1h --duration forever >out 2>&1 &
	holder=$!
	wait_until grep -q '^run 1: snapshot' out
	run -11 --separate-stderr timeout 60 backuptool job --target-directory b --as /home --interval 1h --duration forever
	[[ $stderr == *"another job protects /home in this store already"* ]]
	kill -TERM $holder
	wait
}

@test "a configuration and a service have the path, and the directory need not be there" {
	small_tree home
	printf '%s\n' '[source a]' "store = $WORK/snapshots" "target-directory = $WORK/frozen" "as = $WORK/home" 'trust = mtime-size' \
		"before = cp -a $WORK/home $WORK/frozen" "after = rm -r $WORK/frozen" >config
	run -0 --separate-stderr backuptool config check --config config
	run -0 --separate-stderr backuptool run --config config --all
	[ "$(header .target)" = "$WORK/home" ]
	run -0 --separate-stderr backuptool schedule --print --target-directory frozen --as "$WORK/home" --interval 1h \
		--before 'btrfs subvolume snapshot -r home frozen'
	grep -q "^ExecStart=.* --target-directory=$WORK/frozen .* --as=$WORK/home" <<<"$output"
	grep -q "^Description=Snapshots of $WORK/home" <<<"$output"
	! grep -q RequiresMountsFor <<<"$output"
}
