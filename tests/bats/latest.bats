#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Which snapshot latest, latest~N and @TIME mean.
# shellcheck disable=SC2154
load helper

@test "a file whose name says another time than its header is damaged, and repair gives it its name" {
	mkdir src
	at 2026-01-02T00:00:00 backuptool snapshot --target-directory src -q
	mv snapshots/snapshot_2026-01-02T00-00-00Z.json snapshots/snapshot_2030-01-01T00-00-00Z.json
	reason="snapshot_2030-01-01T00-00-00Z.json: damaged (bad-name): the file's name states another time than its first line"
	run -1 --separate-stderr backuptool list
	stderr_is "backuptool list: $reason"
	for command in "ls 2030" "cat 2030:x" "dump 2030" "diff 2030" "stats" \
		"restore --snapshot-file 2030 --output-directory out"; do
		run --separate-stderr backuptool $command
		[ "$status" != 0 ]
		[[ $stderr == *"$reason"* ]]
	done
	run -1 --separate-stderr backuptool prune --keep-last 1
	[[ $stderr == *"mend the store with 'backuptool check --repair'"* ]]
	run -1 backuptool check
	[[ $output == *"$reason"* ]]
	backuptool restore --salvage --snapshot-file 2030 --output-directory out -q
	run -0 backuptool check --repair
	[ "$(backuptool list --names)" = snapshot_2026-01-02T00-00-00Z.json ]
	run -0 backuptool check
}

# on HOST COMMAND…: the same as if this were another host.
on() {
	unshare --uts sh -c 'hostname "$1" && shift && exec "$@"' sh "$@"
}

# took_on HOST TIME DIR: a snapshot that was taken there and then.
took_on() {
	at "$2" unshare --uts sh -c 'hostname "$1" && exec backuptool snapshot -q --target-directory "$2"' sh "$1" "$3"
}

two_hosts() {
	is_root || skip "needs root for another host's name"
	mkdir -p docs/deep photos
	for n in 1 2; do
		for place in laptop:docs server:docs laptop:photos; do
			echo "$place $n" >"${place#*:}/file"
			took_on "${place%:*}" "2026-01-0${n}T0$((++hour)):00:00" "$PWD/${place#*:}"
		done
	done
}

@test "latest is of this host and of the directory where the user is" {
	two_hosts
	export BACKUPTOOL_STORE=$PWD/snapshots
	cd docs/deep
	run -0 --separate-stderr on laptop backuptool cat latest:file
	output_is "laptop:docs 2"
	stderr_is ""
	run -0 --separate-stderr on laptop backuptool cat latest~1:file @2026-01-01:file
	output_is "laptop:docs 1" "laptop:docs 1"
	stderr_is ""
	run -0 --separate-stderr on server backuptool cat latest:file
	output_is "server:docs 2"
	stderr_is ""
	cd ../../photos
	run -0 --separate-stderr on laptop backuptool cat latest:file
	output_is "laptop:photos 2"
	run -0 --separate-stderr on laptop backuptool diff latest~1 latest --content
	[[ $output == *"-laptop:photos 1"*"+laptop:photos 2"* ]]
	stderr_is ""
}

@test "latest of nobody knows which directory is the newest of all, with a line that says so, once" {
	two_hosts
	others="the store has snapshots of 2 other directories, too: server:$PWD/docs, laptop:$PWD/docs"
	for command in "cat latest:file" "ls latest" "diff latest~1 latest" "dump latest:file" "check latest --quick" \
		"find file --snapshot latest" "restore --snapshot-file latest --output-directory out"; do
		run --separate-stderr on laptop backuptool $command
		[ "$status" = 0 ]
		line=$(grep " is of " <<<"$stderr")
		[[ $line == "backuptool ${command%% *}: latest"*" is of laptop:$PWD/photos; $others" ]]
	done
	run -0 --separate-stderr on laptop backuptool cat latest:file latest:file
	[ "$(wc -l <<<"$stderr")" = 1 ]
	name=$(backuptool list --names | tail -n 1)
	run -0 --separate-stderr on laptop backuptool cat "$name:file"
	stderr_is ""
}

@test "what deletes does not guess" {
	two_hosts
	mkdir out
	touch out/mine
	for command in "remove latest" "restore --snapshot-file latest --output-directory out --delete" \
		"tag latest --remove x"; do
		run -1 --separate-stderr on laptop backuptool $command </dev/null
		[[ $stderr == *"latest is snapshot_2026-01-02T06-00-00Z.json of laptop:$PWD/photos"*"server:$PWD/docs, laptop:$PWD/docs"*"--target"* ]]
		run -1 --separate-stderr on laptop backuptool $command --yes
		[[ $stderr == *"nothing was changed" ]]
	done
	[ "$(backuptool list --names | wc -l)" = 6 ]
	[ -e out/mine ]
	run -0 on laptop backuptool tag latest --add x
	run -0 on laptop backuptool remove latest --dry-run
	run -0 on laptop backuptool remove latest --target photos
	[ "$(backuptool list --names | tail -n 1)" = snapshot_2026-01-02T05-00-00Z.json ]
	(cd docs && run -0 on laptop backuptool --store ../snapshots remove latest)
	[ "$(backuptool list --names | wc -l)" = 4 ]
	[ ! -e snapshots/snapshot_2026-01-02T04-00-00Z.json ]
}

@test "an absolute path means the newest that covers it, a restore that of its output directory" {
	two_hosts
	run -0 --separate-stderr on laptop backuptool cat "latest:$PWD/docs/file"
	output_is "laptop:docs 2"
	stderr_is ""
	run -0 --separate-stderr on server backuptool cat "latest~1:$PWD/docs/file"
	output_is "server:docs 1"
	stderr_is ""
	run -0 --separate-stderr on laptop backuptool restore --snapshot-file latest --output-directory out "$PWD/docs/file"
	stderr_is ""
	[ "$(cat out/file)" = "laptop:docs 2" ]
	rm -r docs
	run -0 --separate-stderr on laptop backuptool restore --snapshot-file latest --output-directory docs/ --delete
	stderr_is ""
	[ "$(cat docs/file)" = "laptop:docs 2" ]
	run -0 --separate-stderr on laptop backuptool diff latest docs
	output_is "no differences"
	# of a third host nothing is there: what covers the path, and of which host that is
	run -0 --separate-stderr on third backuptool cat "latest:$PWD/docs/file"
	output_is "server:docs 2"
	[[ $stderr == *" is of server:$PWD/docs; "* ]]
}

@test "a store of one directory has one latest, wherever the user is" {
	mkdir src
	for day in 1 2; do
		echo "$day" >src/file
		at "2026-01-0$day" backuptool snapshot --target-directory src -q
	done
	cd /
	run -0 --separate-stderr backuptool --store "$WORK/snapshots" cat latest:file latest~1:file @2026-01-01:file
	output_is 2 1 1
	stderr_is ""
}

@test "a snapshot from the future is latest only where there is no other, and is marked" {
	mkdir src
	at 2098-01-01 backuptool snapshot --target-directory src -q
	future=snapshot_2098-01-01T00-00-00Z.json
	run -0 --separate-stderr backuptool ls latest
	stderr_is "backuptool ls: $future is in the future"
	for day in 1 2; do
		echo "$day" >src/file
		at "2026-01-0$day" backuptool snapshot --target-directory src -q
	done
	run -0 --separate-stderr backuptool cat latest:file latest~1:file @now:file @2100-01-01:file
	output_is 2 1 2 2
	stderr_is "backuptool cat: $future is in the future and was passed over"
	for command in "diff latest" "dump latest" "restore --snapshot-file latest --output-directory out"; do
		run --separate-stderr backuptool $command
		[ "$status" = 0 ]
		[[ $stderr == *"$future is in the future and was passed over"* ]]
	done
	same src out
	for command in list stats "prune --keep-last 9 -n"; do
		run -0 backuptool $command
		[ "$(grep -c 'in the future$' <<<"$output")" = 1 ]
		run -0 backuptool $command --json
		[ "$(grep -o '"future":true' <<<"$output" | wc -l)" = 1 ]
	done
	run -0 --separate-stderr backuptool ls 2098
	stderr_is "backuptool ls: $future is in the future"
}

@test "what cannot be read is passed over with a line" {
	mkdir src
	for day in 1 2; do
		echo "$day" >src/file
		at "2026-01-0$day" backuptool snapshot --target-directory src -q
	done
	damage snapshots/snapshot_2026-01-02T00-00-00Z.json
	run -0 --separate-stderr backuptool cat latest:file
	output_is 1
	[[ $stderr == "backuptool cat: passed over, so that latest is snapshot_2026-01-01T00-00-00Z.json: "*"snapshot_2026-01-02T00-00-00Z.json: damaged"* ]]
	run -1 --separate-stderr backuptool remove latest </dev/null
	[[ $stderr == *"only because snapshots that may be newer cannot be read"* ]]
	[ "$(backuptool list --names | wc -l)" = 2 ]
	damage snapshots/snapshot_2026-01-01T00-00-00Z.json
	run -1 --separate-stderr backuptool cat latest:file
	[[ $stderr == *"snapshot_2026-01-02T00-00-00Z.json: damaged"* ]]
}

@test "latest in a mount: the newest that can be read and is not in the future, the others of its directory" {
	[ -w /dev/fuse ] || skip "no /dev/fuse"
	mkdir src other mnt
	at 2026-01-01 backuptool snapshot --target-directory src -q
	at 2026-01-02 backuptool snapshot --target-directory other -q
	at 2026-01-03 backuptool snapshot --target-directory src -q
	at 2098-01-01 backuptool snapshot --target-directory src -q
	cp snapshots/snapshot_2026-01-01T00-00-00Z.json snapshots/snapshot_2026-01-04T00-00-00Z.json
	"$BUILD/fs/backupfs" snapshots mnt 3>&-
	run bash -c 'readlink mnt/latest mnt/latest~1 mnt/@2026-01-02; ls mnt/latest~2'
	umount mnt || fusermount3 -u mnt
	[ "${lines[0]}" = snapshot_2026-01-03T00-00-00Z ]
	[ "${lines[1]}" = snapshot_2026-01-01T00-00-00Z ]
	[ "${lines[2]}" = snapshot_2026-01-01T00-00-00Z ]
	[[ ${lines[3]} == *"No such file"* ]]
}
