#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A lock that was lost: a host that has the store alone is suspended or cut off in the middle of its work, another one gets
# the lock and writes, and the first one goes on. Both hosts are processes here; the first one is held before a call, and its
# lock is taken from it then.
# shellcheck disable=SC2154
load helper

teardown() {
	local pid
	for pid in $holder; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait
	remove_work
}

# held CALL TEXT COMMAND…: in the background, until it is stopped before that call.
held() {
	local what="$1 $2"
	shift 2
	instrumented && skip "nothing is preloaded into an instrumented program"
	rm -f pid result out err
	bash -c '"$@" & echo $! >pid.new; mv pid.new pid; wait $!; echo $? >result.new; mv result.new result' - \
		env HOLD="$what" HOLD_LOSES=1 LD_PRELOAD="$BUILD/tests/faults/libhold.so" backuptool "$@" >out 2>err 3>&- &
	wait_until test -e pid
	holder=$(cat pid)
	wait_until is_stopped "$holder"
}

# More than a second goes by for the held one before it goes on.
go_on() {
	sleep "${1:-1.1}"
	kill -CONT "$holder"
	wait_until test -e result
	result=$(cat result)
}

lost_it() {
	[ "$result" = 11 ]
	grep -q "the store's lock was lost" err
	grep -q "run it again" err
}

# Two snapshots of src, of which the older one alone has what src has again now.
two_snapshots() {
	small_tree src
	take src -q --tag old
	old=$(newest)
	mv src src.all
	mkdir src
	echo kept >src/kept
	take src -q
	rm -r src
	mv src.all src
}

# A third one, which relies on what the held one is about to delete; it is whole then and stays so.
another_host_writes() {
	take src -q
	new=$(newest)
}

new_one_is_whole() {
	run -0 backuptool check
	rm -rf back
	bring "$new" back -q
	same src back
	[ -z "$(find snapshots -name '*.doomed')" ]
}

@test "remove is held before it dooms a file: it ends, and the other host's snapshot is whole" {
	two_snapshots
	held renameat2 .doomed remove "${old%.json}"
	another_host_writes
	go_on 0
	lost_it
	new_one_is_whole
	backuptool remove "${old%.json}" -q || [ ! -e "snapshots/$old" ]
	backuptool prune --snapshot-number 1 -q
	new_one_is_whole
}

@test "remove is held in the deletion itself: nobody relies on what is doomed" {
	two_snapshots
	held unlinkat .doomed remove "${old%.json}"
	[ ! -e "snapshots/$old" ]
	another_host_writes
	go_on
	[ "$result" = 0 ] || lost_it
	new_one_is_whole
}

@test "prune is held between its deletions: the rest stays" {
	mkdir all
	for i in 1 2 3 4; do
		head -c 200000 /dev/urandom >all/noise-$i
		rm -rf src
		mkdir src
		cp all/noise-$i src/noise
		take src -q
	done
	rm -r src
	cp -r all src
	held unlinkat .doomed prune --keep-last 1
	another_host_writes
	go_on
	lost_it
	new_one_is_whole
	[ "$(find snapshots/contents -type f | wc -l)" -ge 2 ]
}

@test "prune is held before it writes volumes anew" {
	two_snapshots
	backuptool remove "${old%.json}" -q
	take src -q
	rm src/photos/noise.bin
	take src -q
	head -c 300000 /dev/urandom >src/photos/noise.bin
	held renameat2 .doomed prune --keep-last 1
	another_host_writes
	go_on 0
	lost_it
	new_one_is_whole
}

@test "what a prune counts on, another host removes: it ends" {
	two_snapshots
	mkdir -p snapshots/contents
	cp "snapshots/$old" snapshots/contents/00000000000000000000000000000001.json
	held renameat2 .doomed prune --snapshot-number 2
	backuptool remove "${old%.json}" -q
	go_on 0
	lost_it
	run -0 backuptool check
	[ -z "$(find snapshots -name '*.doomed')" ]
}

@test "tag is held before it replaces: a snapshot that another host removed does not come back" {
	two_snapshots
	held renameat "$old" tag "${old%.json}" --add x
	backuptool remove "${old%.json}" -q
	go_on
	[ "$result" != 0 ]
	[ ! -e "snapshots/$old" ]
	run -0 backuptool check
	[ -z "$(find snapshots -name '.tmp-*')" ]
}

@test "tag: of two hosts that tag different snapshots, none gives its file to the other's snapshot" {
	two_snapshots
	other=$(newest)
	held renameat "$old" tag "${old%.json}" --add x
	backuptool tag "${other%.json}" --add y
	go_on 0
	run -0 backuptool check
	[ "$(backuptool list --json | jq -c 'map(.files)')" = "[$(find src -type f | wc -l),1]" ]
	run -0 bash -c "backuptool list --json | jq -e '.[1].tags == [\"y\"]'"
}

@test "check --repair is held before it takes a name away: it ends, and the other host's snapshot is whole" {
	two_snapshots
	damage "snapshots/$(newest)"
	held unlinkat snapshot_ check --repair
	another_host_writes
	go_on
	[ "$result" = 11 ] || [ "$result" = 3 ]
	rm -rf back
	bring "$new" back -q
	same src back
}

@test "a job's retention: it says that it did not prune, and goes on" {
	small_tree src
	take src -q --tag old
	rm -r src
	mkdir src
	for i in 1 2 3 4 5 6 7; do head -c 100000 /dev/urandom >"src/$i"; done
	held renameat2 .doomed job --target-directory src --interval 1s --duration 0 --keep-last 1
	mkdir other
	take other -q
	go_on 0
	[ "$result" != 0 ]
	grep -q "the store's lock was lost" err
	run -0 backuptool check
	bring "$(newest 1)" back -q
	same src back
}

@test "a snapshot is held before it appears, and what it relies on is removed: it is taken again" {
	small_tree src
	take src -q
	held linkat snapshot_ snapshot --target-directory src
	backuptool remove latest -q --yes
	[ -z "$(find snapshots -name 'snapshot_*')" ]
	go_on
	[ "$result" = 0 ]
	new=$(newest)
	new_one_is_whole
}

@test "a snapshot is held before it is published, and its volume is pruned: it is taken again" {
	small_tree src
	take src -q
	old=$(newest)
	head -c 3000000 /dev/urandom >src/large
	held linkat snapshot_ snapshot --target-directory src
	mkdir other
	take other -q
	backuptool remove "${old%.json}" -q --yes
	go_on
	[ "$result" = 0 ]
	new=$(newest)
	new_one_is_whole
}

@test "a killed deletion leaves a whole store, and the next one tidies up" {
	two_snapshots
	held unlinkat .doomed remove "${old%.json}"
	kill -KILL "$holder"
	wait_until test -e result
	[ -n "$(find snapshots -name '*.doomed')" ]
	run -0 backuptool check
	another_host_writes
	run -0 backuptool check
	backuptool prune --snapshot-number 9 -q
	new_one_is_whole
}

@test "locks that do not reach the other host: what is doomed is not relied on, and what came is seen" {
	two_snapshots
	held unlinkat .doomed remove "${old%.json}"
	env HOLD_LOCAL=1 LD_PRELOAD="$BUILD/tests/faults/libhold.so" backuptool snapshot --target-directory src -q
	new=$(newest)
	go_on
	new_one_is_whole
}
