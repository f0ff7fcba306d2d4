#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Commands that read for long, and what is deleted beside them.
# shellcheck disable=SC2154
load helper

teardown() {
	[ -z "$reader" ] || kill -KILL "$reader" 2>/dev/null || true
	wait
	remove_work
}

# Files that stay lie in volumes with much that is needed no more: prune writes them anew and deletes the old ones.
make_store() {
	mkdir src
	for s in 1 2 3 4 5 6; do
		for i in 1 2 3 4; do head -c 200000 /dev/urandom >"src/$s-$i"; done
		head -c 2000000 /dev/urandom >src/gone
		take src -q
	done
	rm src/gone
	take src -q
}

# reads COMMAND…: into a pipe that nobody reads yet, until it has begun to write.
reads() {
	mkfifo pipe
	bash -c '"$@" >pipe 2>read.err & echo $! >pid; wait $!; echo $? >read.new; mv read.new read.result' - \
		backuptool "$@" 3>&- &
	exec 4<pipe
	head -c 1000 <&4 >first
	wait_until test -s pid
	reader=$(cat pid)
}

@test "a prune beside a dump that is slow waits for it and says so; the dump is whole, and a snapshot is not kept waiting" {
	make_store
	reads dump latest
	backuptool snapshot --target-directory src -q --lock-wait 0
	run -11 --separate-stderr backuptool prune --keep-last 1 --lock-wait 2s
	[[ $stderr == *"waiting for backuptool dump"* ]]
	[[ $stderr == *"locked by backuptool dump"* ]]
	cat first - <&4 >all.tar
	wait_until test -e read.result
	[ "$(cat read.result)" = 0 ]
	[ ! -s read.err ]
	mkdir out
	tar -xf all.tar -C out
	diff -r src out
	backuptool prune --keep-last 1 -q --lock-wait 0
	run -0 backuptool check
}

@test "cat to a slow reader is whole" {
	make_store
	names=()
	for f in src/*; do names+=("latest:${f#src/}"); done
	reads cat "${names[@]}"
	run -11 backuptool prune --keep-last 1 --lock-wait 0
	cat first - <&4 | cmp - <(cat src/*)
	wait_until test -e read.result
	[ "$(cat read.result)" = 0 ]
}

@test "a job's retention beside a dump: this time it does not prune, and goes on" {
	make_store
	reads dump latest
	seq 1000 >src/new
	run --separate-stderr backuptool job --target-directory src --interval 1s --duration 0 --keep-last 1 --lock-wait 0
	[ "$status" != 0 ]
	[[ $stderr == *"locked by backuptool dump"* ]]
	[ "$(find snapshots -name 'snapshot_*' | wc -l)" -ge 8 ]
	cat <&4 >/dev/null
}

@test "a store that may only be read, or that somebody has for himself, is read all the same" {
	make_store
	reachable_tool
	chmod -R a+rX snapshots src
	rm -f snapshots/lock
	run -0 as_user backuptool ls latest
	run -0 as_user backuptool dump latest
	python3 -c '
import fcntl, struct, time
lock = open("snapshots/lock", "a+")
fcntl.fcntl(lock, fcntl.F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
open("held", "w").close()
time.sleep(600)' 3>&- &
	reader=$!
	wait_until test -e held
	run -0 backuptool ls latest --lock-wait 0
	run -0 backuptool find '1-*' --lock-wait 0
}
