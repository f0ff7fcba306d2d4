#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A store is told from all others: it says when it is made, and whoever knows its id takes no other one.
# shellcheck disable=SC2154
load helper

teardown() {
	mountpoint -q "$WORK/usb" && umount "$WORK/usb"
	remove_work
}

id_of() {
	jq -r .id "$1/id"
}

@test "a store gets an id when it is made, once, and says that it was made" {
	mkdir src
	run -0 --separate-stderr take src
	stderr_is "backuptool snapshot: made a new store at $WORK/snapshots"
	id=$(id_of snapshots)
	[[ $id =~ ^[0-9a-f]{32}$ ]]
	[ "$(jq -c keys_unsorted snapshots/id)" = '["format","id","created"]' ]
	[ "$(stat -c %a snapshots/id)" = 600 ]
	run -0 --separate-stderr take src
	[ "$stderr" = "" ]
	[ "$(id_of snapshots)" = "$id" ]
	take src --store second -q
	[ "$(id_of second)" != "$id" ]
}

@test "also in a quiet run, in a job, and in a directory that was there" {
	mkdir src there
	run -0 --separate-stderr take src -q --store there
	stderr_is "backuptool snapshot: made a new store at $WORK/there"
	run -0 --separate-stderr backuptool job --target-directory src --interval 1s --duration 0 --store job -q
	stderr_is "backuptool job: made a new store at $WORK/job"
	run -0 --separate-stderr take src -q --store there
	[ "$stderr" = "" ]
}

@test "programs are told, too" {
	mkdir src
	run -0 --separate-stderr take src --json
	[ "$stderr" = "" ]
	[ "$(jq -r '[.store_made, .store_id] | @tsv' <<<"$output")" = "true"$'\t'"$(id_of snapshots)" ]
	run -0 take src --json
	[ "$(jq -r '[.store_made, .store_id] | @tsv' <<<"$output")" = $'\t'"$(id_of snapshots)" ]
	run -0 backuptool job --target-directory src --interval 1s --duration 0 --store job --json
	[ "$(head -n 1 <<<"$output" | jq -r '[.store_made, .store_id] | @tsv')" = "true"$'\t'"$(id_of job)" ]
}

@test "a store without an id gets one with the next snapshot, in silence" {
	mkdir src
	take src -q
	rm snapshots/id
	run -0 --separate-stderr take src
	[ "$stderr" = "" ]
	[[ $(id_of snapshots) =~ ^[0-9a-f]{32}$ ]]
	# Where it can get none, it goes without.
	rm snapshots/id
	mkdir snapshots/id
	run -0 --separate-stderr take src --json
	[ "$stderr" = "" ]
	[ "$(jq .store_id <<<"$output")" = null ]
}

@test "two programs that make the same store agree, and one of them made it" {
	mkdir src
	for i in 1 2 3 4; do
		take src --json >"out$i" 3>&- &
		pids[i]=$!
	done
	wait "${pids[@]}"
	[ "$(jq -s '[.[].store_id] | unique | length' out?)" = 1 ]
	[ "$(jq -s 'map(select(.store_made)) | length' out?)" = 1 ]
	[ "$(jq -r .store_id out1)" = "$(id_of snapshots)" ]
}

@test "without random numbers there is no store, and nothing is left" {
	mkdir src
	run -1 --separate-stderr strace -qq -o calls -e trace=getrandom -e inject=getrandom:error=ENOSYS backuptool snapshot \
		--target-directory src
	[[ $stderr == *"get random bytes failed"* ]]
	[ ! -e snapshots ]
}

@test "with --store-id no other store is used, and none is made" {
	mkdir src
	take src -q
	take src -q --store other
	mkdir empty
	id=$(id_of snapshots)
	name=$(newest)
	take src -q --store-id "$id"
	for command in "snapshot --target-directory src" "snapshot --target-directory src -n" \
		"job --target-directory src --interval 1s --duration 0" "list" "ls latest" "cat latest:a" "find a" "versions a" \
		"diff latest" "stats" "restore --snapshot-file latest --output-directory out" "dump latest" "prune --keep-last 1" \
		"remove --yes $name" "tag latest --add a" "check" "check --repair" "mount empty" "export --classic latest out"; do
		for store in other missing empty; do
			sentence="there is no store at $store: is the disk mounted?"
			[ "$store" != other ] || sentence="the store at other is another one than $id: is the right disk mounted?"
			# shellcheck disable=SC2086
			run -10 --separate-stderr backuptool $command --store "$store" --store-id "$id"
			[[ $stderr == "backuptool ${command%% *}: $sentence" ]]
			[ "$output" = "" ]
		done
	done
	[ ! -e missing ]
	[ "$(find empty out 2>/dev/null | wc -l)" = 1 ]
	[ "$(find other -name 'snapshot_*' | wc -l)" = 1 ]
	run -2 backuptool list --store-id short
}

@test "the environment names a store and its id together" {
	mkdir src
	take src -q
	take src -q --store other
	export BACKUPTOOL_STORE=snapshots BACKUPTOOL_STORE_ID
	BACKUPTOOL_STORE_ID=$(id_of snapshots)
	backuptool list
	backuptool list --store other
	BACKUPTOOL_STORE_ID=$(id_of other)
	run -10 backuptool list
	BACKUPTOOL_STORE=missing run -10 take src
	[ ! -e missing ]
}

@test "the service of a schedule knows its store: while the disk is away none is made" {
	is_root || skip "mounts"
	mkdir src usb
	mount -t tmpfs none usb
	HOME=$WORK/home run -0 --separate-stderr backuptool schedule --target-directory src --store usb/st --interval 1h
	stderr_is "backuptool schedule: made a new store at $WORK/usb/st"
	id=$(id_of usb/st)
	mapfile -d '' words < <("$TESTS/bats/exec_start.py" home/.config/systemd/user/*)
	[[ " ${words[*]} " == *" --store-id=$id "* ]]
	run -0 "${words[@]/#--duration=forever/--duration=0}"
	umount usb
	run -10 --separate-stderr "${words[@]/#--duration=forever/--duration=0}"
	[ "$stderr" = "backuptool job: there is no store at $WORK/usb/st: is the disk mounted?" ]
	[ ! -e usb/st ]
	mkdir usb/st
	run -10 "${words[@]/#--duration=forever/--duration=0}"
	[ -z "$(ls -A usb/st)" ]
	# The store that was there keeps its id.
	mount -t tmpfs none usb
	take src -q --store usb/st
	HOME=$WORK/home backuptool schedule --target-directory src --store usb/st --interval 1h
	grep -q -e "--store-id=$(id_of usb/st)" home/.config/systemd/user/*
	[ "$(id_of usb/st)" != "$id" ]
}

@test "a printed service has the id of the store that is there, and none is made for it" {
	mkdir src
	run -0 backuptool schedule --target-directory src --interval 1h --print
	[[ $output != *store-id* ]]
	[ ! -e snapshots ]
	take src -q
	run -0 backuptool schedule --target-directory src --interval 1h --print
	[[ $output == *" --store-id=$(id_of snapshots) "* ]]
	run -10 backuptool schedule --target-directory src --interval 1h --print --store-id 00112233445566778899aabbccddeeff
	run -10 backuptool schedule --target-directory src --interval 1h --store missing --store-id 00112233445566778899aabbccddeeff
	[ ! -e missing ]
}

@test "a directory that cannot be opened leaves no store" {
	reachable_tool
	mkdir closed mine
	touch file
	chmod 000 closed
	is_root && chown -R 65534:65534 mine
	cd mine
	for command in snapshot "job --interval 1s --duration 0" "schedule --interval 1h"; do
		# shellcheck disable=SC2086
		{
			run -1 as_user backuptool $command --target-directory nohome
			[ "$output" = "backuptool ${command%% *}: there is no directory nohome" ]
			run -1 as_user backuptool $command --target-directory ../file
			[ "$output" = "backuptool ${command%% *}: ../file is a file; give its directory" ]
			run -1 as_user backuptool $command --target-directory ../closed
			[ "$output" = "backuptool ${command%% *}: ../closed cannot be read: Permission denied" ]
		}
	done
	[ -z "$(ls -A)" ]
}

@test "a damaged id is found, hides nothing else, and a repair gives a new one" {
	mkdir src
	take src -q
	id=$(id_of snapshots)
	backuptool check
	printf '!' | dd of=snapshots/id bs=1 seek=30 conv=notrunc status=none
	sentence="the id of the store at ./snapshots is damaged, so it may be another one than $id; if it is this one,"
	sentence="$sentence give it a new id with 'backuptool check --repair', without --store-id"
	run -1 --separate-stderr backuptool list --store-id "$id"
	stderr_is "backuptool list: $sentence"
	run -0 backuptool list
	run -1 backuptool check
	[[ $output == *"id: damaged: commands with --store-id, and services that 'schedule' made, cannot use it"*"'backuptool check --repair' does it"* ]]
	run -1 backuptool check --json
	[ "$(jq -r '.findings[] | [.file, .reason] | @tsv' <<<"$output")" = "id"$'\t'"bad-id" ]
	run -0 backuptool check latest
	run -1 backuptool check --repair --dry-run
	[[ $output == *"id: the store would get a new one"* ]]
	[ ! -e snapshots/damaged ]
	run -0 backuptool check --repair
	[[ $output == *"id: the store has a new id: make its services again with 'backuptool schedule'"* ]]
	[ -e snapshots/damaged/id ]
	[[ $(id_of snapshots) =~ ^[0-9a-f]{32}$ ]]
	[ "$(id_of snapshots)" != "$id" ]
	backuptool check
	backuptool list --store-id "$(id_of snapshots)"
	# Also what is no file, and more than once.
	rm snapshots/id
	mkdir snapshots/id
	run -1 backuptool check
	run -0 backuptool check --repair
	[ -d snapshots/damaged/id.1 ]
	run -0 backuptool check
}

@test "a link to a disk that is not mounted is told as that" {
	mkdir src usb
	ln -s usb/backups store
	for command in "snapshot --target-directory src" list "job --target-directory src --interval 1s --duration 0"; do
		# shellcheck disable=SC2086
		run -10 --separate-stderr backuptool $command --store store
		stderr_is "backuptool ${command%% *}: store is a link to a directory that is not there: is the disk mounted?"
	done
	[ -z "$(ls usb)" ]
}

@test "a store whose directory would be made where there is none is told as that" {
	mkdir src
	for command in "snapshot --target-directory src" "job --target-directory src --interval 1s --duration 0"; do
		# shellcheck disable=SC2086
		run -10 --separate-stderr backuptool $command --store usb/backups/store
		stderr_is "backuptool ${command%% *}: there is no directory in which the store usb/backups/store could be made: is the disk mounted?"
	done
	[ ! -e usb ]
}
