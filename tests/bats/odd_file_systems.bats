#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stores on file systems that have less than others.
# shellcheck disable=SC2154
load helper

# odd LACKS ERRNO COMMAND…: "-" for the usual errno.
odd() {
	local number=()
	[ "$2" = - ] || number=("ODD_ERRNO=$2")
	env "ODD=$1" "${number[@]}" "LD_PRELOAD=$BUILD/tests/faults/libodd.so" \
		"ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0" "${@:3}"
}

number() {
	python3 -c 'import errno, sys; print(getattr(errno, sys.argv[1]))' "$1"
}

# What lies beside a snapshot's end is no damage of it: one byte of a block is.
damage_a_block() {
	local name
	name=$(newest)
	damage "snapshots/$name" "$(($(jq '.contents[0].at' "snapshots/$name") + 30))"
}

# every_command LACKS ERRNO: each command that writes, with a look at what it did.
every_command() {
	rm -rf src snapshots out
	small_tree src
	odd "$1" "$2" backuptool snapshot --target-directory src -q
	odd "$1" "$2" backuptool snapshot --target-directory src -q
	[ "$(find snapshots -name 'snapshot_*' | wc -l)" = 2 ]
	printf 'more\n' >src/more
	odd "$1" "$2" backuptool job --target-directory src --interval 1s --duration 0 -q --keep-last 2
	[ "$(backuptool list --names | wc -l)" = 2 ]
	odd "$1" "$2" backuptool tag latest --add kept
	[ "$(backuptool list --json | jq -c '.[1].tags')" = '["kept"]' ]
	odd "$1" "$2" backuptool prune --keep-last 1
	[ "$(backuptool list --names | wc -l)" = 1 ]
	odd "$1" "$2" backuptool snapshot --target-directory src -q
	odd "$1" "$2" backuptool remove --yes "$(newest)"
	[ "$(backuptool list --names | wc -l)" = 1 ]
	backuptool check
	odd "$1" "$2" backuptool export --classic latest out.json
	run -1 odd "$1" "$2" backuptool export --classic latest out.json
	[[ $output == *exists* ]]
	rm out.json
	odd "$1" "$2" backuptool restore --snapshot-file latest --output-directory out -q
	same src out
	odd "$1" "$2" backuptool snapshot --target-directory src -q
	damage_a_block
	odd "$1" "$2" backuptool check --repair >repaired || true
	ls -R snapshots >&2
	backuptool check --quick
	[ -d snapshots/damaged ]
	[ -z "$(find snapshots -name '.tmp-*')" ]
}

@test "directories that cannot be synced" {
	for error in EINVAL EOPNOTSUPP ENOSYS; do
		every_command fsync "$(number "$error")"
	done
}

@test "no hard links, with files without a name and without such" {
	every_command link -
	every_command link,tmpfile -
}

@test "no rename that does not replace" {
	every_command rename2 -
}

@test "neither hard links nor a rename that does not replace" {
	every_command link,rename2 -
	every_command link,rename2,tmpfile,fsync -
	every_command link,rename2,tmpfile "$(number EIO)"
}

@test "without locks nothing is written, the sentence says why, and the rest works" {
	small_tree src
	take src -q
	take src -q
	for error in ENOLCK ENOSYS EINVAL EOPNOTSUPP; do
		for command in "snapshot --target-directory src" "job --target-directory src --interval 1s --duration 0" \
			"prune --keep-last 1" "remove latest --yes" "tag latest --add a" "check --repair"; do
			# shellcheck disable=SC2086
			run -1 --separate-stderr odd lock "$(number $error)" backuptool $command
			[[ $stderr == *"lock: the file system of the store has no locks; keep the store on another one"* ]]
		done
		for command in "list" "check" "stats" "restore --snapshot-file latest --output-directory out$error" "cat latest:docs/a.txt"; do
			# shellcheck disable=SC2086
			run -0 odd lock "$(number $error)" backuptool $command
		done
		same src "out$error"
	done
	[ "$(find snapshots -name 'snapshot_*' | wc -l)" = 2 ]
}

@test "a umask that takes everything away takes nothing from a store" {
	mkdir src
	umask 0777
	run take src -q
	umask 022
	[ "$status" = 0 ]
	[ "$(stat -c %a snapshots)" = 700 ]
	[ -z "$(find snapshots -mindepth 1 -type d ! -perm 700)" ]
	[ -z "$(find snapshots -type f ! -perm 600)" ]
}

@test "nor from what an ordinary user restores" {
	mkdir -p src/docs out
	echo a >src/docs/a
	chmod 777 out
	take src -q
	chmod -R a+rX snapshots
	reachable_tool
	for mask in 0777 0222; do
		umask $mask
		run as_user ./backuptool restore --snapshot-file latest --output-directory "out/$mask/deep" -q
		umask 022
		[ "$status" = 0 ]
		same src "out/$mask/deep" --without uid,gid
	done
}
