#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the index says is a hint: nothing counts as stored because of it, whoever wrote it.
# shellcheck disable=SC2154
load helper

teardown() {
	unmount_work
	remove_work
}

# A store of another directory, whose index says that it holds all files of src.
lying_store() {
	mkdir old src
	echo hi >old/x
	take old -q
	head -c 300000 /dev/urandom >src/secret.bin
	echo "my precious text" >src/note
	seq 3000 >src/numbers
	lie
}

lie() {
	rm -rf snapshots/cache
	# shellcheck disable=SC2046
	"$BATS_TEST_DIRNAME/make_index_lie.py" snapshots $(cd src && sha256sum -- * | while read -r digest name; do
		echo "$digest:$(stat -c %s "$name")"
	done)
}

restores() {
	rm -rf out
	run -0 bring "snapshots/$(newest)" out
	diff -r src out
}

@test "the next snapshot stores everything all the same, and so do those after it" {
	lying_store
	run -0 take src
	[[ $output == *"3 new"* ]]
	restores
	# what the lie would have been merged into
	lie
	echo more >src/more
	run -0 take src
	restores
	run -0 backuptool check
	rm -rf snapshots/cache
	restores
}

@test "job: the same" {
	lying_store
	run -0 backuptool job --target-directory src --interval 1 --duration 0
	restores
	run -0 backuptool check
}

@test "what reads only finds what is there, and prune loses nothing" {
	mkdir src mnt
	seq 3000 >src/numbers
	head -c 300000 /dev/urandom >src/noise
	take src -q
	cp src/noise src/copy
	seq 100 >src/more
	settle
	take src -q
	lie
	run -0 backuptool cat latest:numbers
	diff <(printf '%s\n' "$output") src/numbers
	lie
	run -0 backuptool remove "$(newest 1)" --yes
	restores
	lie
	run -0 backuptool check
	lie
	run -0 backuptool stats
	lie
	run -0 backuptool export --classic latest out.json
	if is_root; then
		lie
		"$BUILD/fs/backupfs" snapshots mnt
		diff -r src mnt/latest
		umount mnt
	fi
}

@test "a cache of others is not used, and nothing is put into it" {
	is_root || skip "only root gives things away"
	lying_store
	for way in "chown -R 65534:65534" "chmod go+w" "chmod g+w"; do
		chown -R 0:0 snapshots/cache
		chmod 700 snapshots/cache
		rm -f snapshots/cache/*
		run -0 bash -c "$way snapshots/cache"
		echo "$way" >src/way
		run -0 take src
		restores
		[ -z "$(ls snapshots/cache)" ]
	done
	# nor is a file of others in a directory of one's own
	chown 0:0 snapshots/cache
	chmod 700 snapshots/cache
	take src -q
	segment=$(find snapshots/cache -name 'index-*' | head -1)
	chown 65534:65534 "$segment"
	inode=$(stat -c %i "$segment")
	echo last >src/way
	run -0 take src
	restores
	[ ! -e "$segment" ] || [ "$(stat -c %i "$segment")" != "$inode" ]
}

# What others write into a store counts as stored only when it has been read.
@test "a snapshot of another user that says to hold what it does not: the next one stores it" {
	is_root || skip "only root takes snapshots as others"
	mkdir src
	seq 3000 >src/numbers
	head -c 300000 /dev/urandom >src/noise
	mkdir other
	cp src/* other
	take other --store honest -q
	mkdir snapshots
	"$BATS_TEST_DIRNAME/make_liar.py" honest ../snapshots/snapshot_2020-11-22T10-30-00Z.json 2>/dev/null ||
		"$BATS_TEST_DIRNAME/make_liar.py" honest snapshot_2020-11-22T10-30-00Z.json
	[ -e snapshots/snapshot_2020-11-22T10-30-00Z.json ] || mv honest/snapshot_2020* snapshots/
	chown 65534:65534 snapshots/snapshot_2020-11-22T10-30-00Z.json
	run -0 take src
	restores
}

# A store is one user's; root and, as far as modes allow, others may read it. Two who share a group can both write.
@test "two users, one group, umask 002: each one's snapshots can be restored, none relies on the other's cache" {
	is_root || skip "only root can be two users"
	reachable_tool
	mkdir src
	seq 3000 >src/numbers
	chmod -R a+rX src
	mkdir -m 2770 snapshots
	chgrp 65534 snapshots
	one() {
		setpriv --reuid=1001 --regid=65534 --clear-groups -- bash -c "umask 002; $*"
	}
	two() {
		setpriv --reuid=1002 --regid=65534 --clear-groups -- bash -c "umask 002; $*"
	}
	one "backuptool snapshot --target-directory src -q"
	first=$(newest)
	[ "$(stat -c %u snapshots/cache)" = 1001 ]
	[ "$(($(stat -c '0%a' snapshots/cache) & 077))" = 0 ]
	# the store is the first one's alone
	run -1 two "backuptool snapshot --target-directory src -q"
	[[ $output == *"Permission denied; run it as a user who may do this"* ]]
	[ "$(newest)" = "$first" ]
	# unless its owner lets the group in
	chmod g+rw snapshots/lock
	chmod g+r "snapshots/$first"
	chmod g+rx snapshots/contents
	sleep 1.1
	echo more >>src/numbers
	run -0 two "backuptool snapshot --target-directory src -q"
	[ "$(newest)" != "$first" ]
	[ -z "$(find snapshots/cache -user 1002)" ]
	mkdir -m 777 out2
	two "backuptool restore --snapshot-file snapshots/$(newest) --output-directory out2/x -q"
	diff src/numbers out2/x/numbers
	one "backuptool restore --snapshot-file snapshots/$first --output-directory out2/y -q"
}
