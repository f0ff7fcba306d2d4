#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# prune --keep-free and --max-store: as many of the oldest snapshots go as it takes, and no more.
# shellcheck disable=SC2154

load helper

teardown() {
	unmount_work
	remove_work
}

# many N: snapshots of which each has half a megabyte of its own.
many() {
	local number=$1
	mkdir -p src
	while [ $((number--)) -gt 0 ]; do
		head -c 500000 /dev/urandom >src/own
		take src -q
	done
}

stored() {
	find "$BACKUPTOOL_STORE" -name '*.json' -printf '%s\n' | awk '{ sum += $1 } END { print sum }'
}

free_bytes() {
	df -B1 --output=avail "$1" | tail -n 1 | tr -d " "
}

left() {
	backuptool list --names | wc -l
}

# A file system of 48 MiB, with the store on it.
small_disk() {
	truncate -s 48M image
	mkfs.ext4 -q -m 5 image
	mkdir disk
	mount_or_skip -o loop image disk
	export BACKUPTOOL_STORE=$PWD/disk/store
}

@test "--max-store: the oldest go until the store is that small" {
	export BACKUPTOOL_STORE=$PWD/store
	many 6
	size=$(stored) oldest=$(backuptool list --names | head -n 1)
	run -0 backuptool prune --max-store 1G
	[[ ${lines[-1]} == "removed 0 snapshots, 6 kept; "*"; the store has "*" MiB" ]]
	most=$((size - 800000))
	run -0 --separate-stderr backuptool prune --max-store "$most" --dry-run --json
	[ "$(jq -c '[.dry_run, .removed, .kept, .room_reached, .snapshots[0].reasons, .snapshots[2].reasons]' <<<"$output")" = '[true,2,4,true,["room"],["last"]]' ]
	[ "$(left)" = 6 ]
	run -0 backuptool prune --max-store "$most"
	[ "${lines[1]%% *}" = "$oldest" ]
	[[ ${lines[1]} == *" remove "*" room" ]]
	[[ ${lines[-1]} == "removed 2 snapshots, 4 kept; "* ]]
	[ "$(stored)" -le "$most" ]
	backuptool check -q
}

@test "--max-store after the rules, and not below --keep-last, a pin or a tag" {
	export BACKUPTOOL_STORE=$PWD/store
	many 8
	mapfile -t names < <(backuptool list --names)
	backuptool tag "${names[2]}" --pin
	backuptool tag "${names[3]}" --add dear
	run -3 --separate-stderr backuptool prune --keep-last 2 --keep-daily 100 --keep-within 1d --keep-tag dear --max-store 10k
	[[ $stderr == "backuptool prune: the store has "*" MiB, more than 10.0 KiB, and no snapshot is left that may go: the others are the newest of their directories, or kept by --keep-last, a tag or a pin; remove other files, or ask for less" ]]
	[ "$(backuptool list --names | tr '\n' ' ')" = "${names[2]} ${names[3]} ${names[6]} ${names[7]} " ]
	run -3 --separate-stderr backuptool prune --max-store 10k --json
	[ "$(jq -c '[.room_reached, .removed, .kept]' <<<"$output")" = "[false,2,2]" ]
	[ "$(backuptool list --names | tr '\n' ' ')" = "${names[2]} ${names[7]} " ]
}

@test "--max-store: each directory keeps its newest complete snapshot" {
	export BACKUPTOOL_STORE=$PWD/store
	many 2
	mkdir other
	echo x >other/file
	take other -q
	many 2
	run -3 backuptool prune --max-store 1k
	[ "$(backuptool list --json | jq -r '.[].target' | sort | tr '\n' ' ')" = "$WORK/other $WORK/src " ]
}

@test "--keep-free: on a small file system" {
	small_disk
	many 12
	free=$(free_bytes disk)
	wanted=$((free + 3 * 680000))
	run -0 --separate-stderr backuptool prune --keep-free "$wanted" -n --json
	estimated=$(jq .free_bytes <<<"$output") gone=$(jq .removed <<<"$output")
	[ "$(jq -c '[.room_reached, .wanted_free_bytes]' <<<"$output")" = "[true,$wanted]" ]
	[ "$(left)" = 12 ]
	run -0 --separate-stderr backuptool prune --keep-free "$wanted" --json
	[ "$(jq .removed <<<"$output")" = "$gone" ]
	[ "$(left)" = $((12 - gone)) ]
	really=$(free_bytes disk)
	[ "$really" -ge "$wanted" ]
	[ "$really" -lt $((wanted + 700000)) ]
	[ $((really - estimated)) -lt 200000 ]
	[ $((estimated - really)) -lt 200000 ]
	run -0 backuptool prune --keep-free 10%
	[[ ${lines[-1]} == "removed 0 snapshots, "*" of the file system are free" ]]
	run -3 --separate-stderr backuptool prune --keep-free 99% --keep-last 2
	[[ $stderr == *" are free, less than "*", and no snapshot is left that may go: "* ]]
	[ "$(left)" = 2 ]
	backuptool check -q
}

@test "--keep-free: a full disk gets room again" {
	small_disk
	many 14
	head -c 50M /dev/zero >disk/filled 2>/dev/null || true
	[ "$(free_bytes disk)" = 0 ] # root fills what is reserved, too
	run -0 backuptool prune --keep-free 4M
	[ "$(free_bytes disk)" -ge 4194304 ]
	[ "$(free_bytes disk)" -lt $((4194304 + 700000)) ]
	take src -q
	backuptool check -q
}

@test "a job and a configuration make room, too" {
	export BACKUPTOOL_STORE=$PWD/store
	many 5
	most=$(($(stored) - 600000))
	run -0 --separate-stderr backuptool job --target-directory src --duration 0 --max-store "$most" --json
	[ "$(jq -c 'select(.event == "run") | .removed' <<<"$output")" -ge 1 ]
	[ "$(stored)" -le "$most" ]
	run -3 --separate-stderr backuptool job --target-directory src --duration 0 --max-store 1k
	[[ $stderr == *"the store has "*", more than 1.0 KiB, and no snapshot is left that may go"* ]]
	[ "$(left)" = 1 ]
	many 3
	most=$(($(stored) - 600000))
	printf '[source src]\ntarget-directory = %s/src\nstore = %s/store\nmax-store = %s\nkeep-free = 1%%\n' "$PWD" "$PWD" "$most" >config
	backuptool config check --config config
	run -0 backuptool run --config config
	[ "$(stored)" -le "$most" ]
	sed -i 's/^keep-free = .*/keep-free = 100%/' config
	run -1 backuptool config check --config config
	[[ $output == *"keep-free '100%' is not a size such as 20G, or from 1% to 99%"* ]]
}

@test "sizes that cannot be meant are refused" {
	export BACKUPTOOL_STORE=$PWD/store
	many 1
	for wrong in 0 0% 100% x 5X -3G; do
		run -2 backuptool prune --keep-free "$wrong"
		output_is "backuptool prune: --keep-free '$wrong' is not a size such as 20G, or from 1% to 99%; see 'backuptool prune --help'"
	done
	run -2 backuptool prune --max-store 0
	output_is "backuptool prune: --max-store '0' is not a size such as 500M or 20G; see 'backuptool prune --help'"
}
