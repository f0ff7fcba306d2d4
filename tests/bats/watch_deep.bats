#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What others do elsewhere on the file system does not stop a job that watches its directory.

load helper

setup() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	is_root || skip 'needs root'
	truncate -s 200M image
	mkfs.ext4 -q -F -N 30000 image
	mkdir fs
	mount -o loop image fs || skip 'no loop device'
	job=
}

teardown() {
	[ -z "$job" ] || kill -KILL "$job" 2>/dev/null || true
	[ -z "$job" ] || wait "$job" 2>/dev/null || true
	umount "$WORK/fs" 2>/dev/null || umount -l "$WORK/fs" 2>/dev/null || true
	remove_work
}

runs() {
	wc -l <runs
}

more_runs_than() {
	[ "$(runs)" -gt "$1" ]
}

ended() {
	! kill -0 "$job" 2>/dev/null
}

# deep NAME [LEVELS [LEVEL]]: makes a directory 6,000 levels deep, as an ordinary user.
deep() {
	mkdir "fs/$1"
	chown 65534 "fs/$1"
	as_user perl -e 'my ($top, $levels, $name) = @ARGV; chdir $top or die;
		for (1..$levels) { mkdir $name; chdir $name or die $! }' "fs/$1" "${2:-6000}" "${3:-d}"
}

@test "a directory that is made very deep elsewhere does not stop the runs, nor a signal" {
	mkdir fs/target
	echo a >fs/target/a
	backuptool job --store st --target-directory fs/target --interval 300ms --duration forever --watch --json \
		>runs 2>errors 3>&- &
	job=$!
	wait_until more_runs_than 2
	deep elsewhere
	local before
	before=$(runs)
	wait_until more_runs_than $((before + 3))
	echo b >>fs/target/a
	before=$(runs)
	wait_until more_runs_than $((before + 1))
	deep again
	kill -TERM "$job"
	wait_until ended
	wait "$job" || true
	[ "$(backuptool cat latest:a --store st)" = $'a\nb' ]
}

@test "what changes in the target is seen beside a deep directory" {
	# So few levels that all of them may be told of at once: neither the kernel's queue nor what is allowed in one
	# run is full then, however slow the machine is. Their names are long enough for paths that have no name.
	local level=twenty-bytes-of-name
	mkdir fs/target
	echo a >fs/target/a
	deep elsewhere 1000 $level
	backuptool job --store st --target-directory fs/target --interval 300ms --duration forever --watch --json \
		>runs 2>errors 3>&- &
	job=$!
	wait_until more_runs_than 2
	for i in 1 2 3; do
		echo $i >fs/target/f$i
		wait_until more_runs_than $(($(runs) + 1))
	done
	# What happens there does not make it look at everything.
	deep again 1000 $level
	wait_until more_runs_than $(($(runs) + 1))
	[[ $(tail -n 1 runs) == *'"walk":"changes"'* ]]
	kill -TERM "$job"
	wait_until ended
	[ "$(backuptool ls latest --store st | wc -l)" = 4 ]
}
