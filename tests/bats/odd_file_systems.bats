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

# Files that are nearly all holes: 200 MiB with data at both ends of them, one hole, and what fits into a page.
sparse_tree() {
	mkdir src
	truncate -s 200M src/image
	seq 100000 | dd of=src/image bs=1M seek=150 conv=notrunc status=none
	echo begin | dd of=src/image conv=notrunc status=none
	truncate -s 64M src/hole
	truncate -s 300K src/small
	echo middle | dd of=src/small bs=1K seek=150 conv=notrunc status=none
	seq 1000 >src/text
}

# digests STORE: of the newest snapshot's files.
digests() {
	backuptool ls latest -R --json --store "$1" | jq -c '[.path, .size, .sha256]'
}

# A file system without the question fails; one that does not know its own holes says that there are none.
@test "holes that nobody tells of are zeros: the files are the same, and nothing is stored twice" {
	sparse_tree
	settle
	run -0 take src -q --store told
	run -0 sha256sum src/image
	wanted=${output%% *}
	for lack in holes solid; do
		run -0 odd $lack - backuptool snapshot --target-directory src --store $lack -q
		digests $lack >digests
		diff <(digests told) digests
		grep -qF "\"$wanted\"" digests
		# zeros are one content, as often as they come
		[ "$(du -sk --apparent-size $lack | cut -f 1)" -lt 400 ]
		run -0 odd $lack - backuptool snapshot --target-directory src --store $lack --json
		[ "$(jq -c '[.new, .changed, .unchanged, .new_bytes]' <<<"$output")" = "[0,0,4,0]" ]
		run -0 odd $lack - backuptool snapshot --target-directory src --store $lack --force --json
		[ "$(jq .new_bytes <<<"$output")" = 0 ]
		run -0 backuptool check --store $lack
		run -0 odd $lack - backuptool restore --snapshot-file latest --output-directory "out-$lack" --store $lack
		same src "out-$lack" --without holes
	done
}

@test "where holes cannot be asked for, they are restored and compared" {
	sparse_tree
	settle
	take src -q
	for lack in holes solid; do
		run -0 odd $lack - backuptool diff latest src
		[[ $output == *"no differences"* ]]
		run -0 odd $lack - backuptool restore --snapshot-file latest --output-directory $lack
		same src $lack
		[ "$(du -sk $lack | cut -f 1)" -lt 4000 ]
		# what differs is seen by its content, and nothing else is written
		touch src/image src/hole
		echo other | dd of=src/hole bs=1M seek=40 conv=notrunc status=none
		run -0 odd $lack - backuptool diff latest src
		[ "$(grep -c '^M' <<<"$output")" = 1 ]
		[[ $output == *"M "*hole* ]]
		run -0 odd $lack - backuptool restore --snapshot-file latest --output-directory src --overwrite always
		run -0 cmp src/hole $lack/hole
	done
}

# With more than a gigabyte of holes it has no digest, and is compared by its pieces.
@test "a file without a digest is compared with its zeros, where nobody tells of holes" {
	mkdir src
	truncate -s 1030M src/image
	seq 1000 | dd of=src/image bs=1M seek=5 conv=notrunc status=none
	take src -q
	run -3 backuptool ls latest --sha256
	[[ $output == *"image has no digest"* ]]
	for lack in holes solid; do
		touch src/image
		run -0 odd $lack - backuptool diff latest src
		[[ $output == *" 0 changed, "*" 1 only in metadata"* ]]
	done
	printf x | dd of=src/image bs=1M seek=1029 conv=notrunc status=none
	for lack in holes solid; do
		run -0 odd $lack - backuptool diff latest src
		[[ $output == "M "*image* ]]
	done
}
