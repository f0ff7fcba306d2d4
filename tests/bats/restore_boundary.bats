#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What lies on another file system below the output directory, and the snapshot did not enter, stays as it is.
# shellcheck disable=SC2154
load mount_helper
eval "$(declare -f teardown | sed '1s/teardown/mount_teardown/')"

teardown() {
	silence_ends
	mount_teardown
}

# A tree whose inner is another file system, in a snapshot that did not enter it.
world() {
	mkdir -p tree/inner tree/etc
	echo conf >tree/etc/conf
	mount_or_skip -t tmpfs -o mode=750 tmpfs tree/inner
	mkdir tree/inner/me
	echo thesis >tree/inner/me/thesis
	take tree --one-file-system -q
	chmod 711 tree/inner
	touch -d @1000000000 tree/inner
}

is_kept() {
	[ "$(cat tree/inner/me/thesis)" = thesis ]
	[ "$(stat -c '%a %Y' tree/inner)" = "711 1000000000" ]
}

said() {
	[ "$(grep -c "restore: $1: another file system, left as it is" <<<"$stderr")" = 1 ]
}

@test "--delete leaves what the snapshot did not enter, with its root, and says so once" {
	world
	echo more >tree/etc/more
	for how in "" --dry-run "--overwrite always"; do
		# shellcheck disable=SC2086
		run -0 --separate-stderr bring latest tree --delete -v $how
		said inner
		[[ $output != *inner/* ]]
		[ "$(grep -c '^B inner$' <<<"$output")" = 1 ]
		[[ $output == *", 1 other file system left as it is"* ]]
		is_kept
		[ -n "$how" ] || { [ ! -e tree/etc/more ] && echo more >tree/etc/more; }
	done
	run -0 --separate-stderr bring latest tree --delete --json
	[ "$(jq .boundaries <<<"$output")" = 1 ]
	[ "$(jq .errors <<<"$output")" = 0 ]
}

@test "the mount point named as a PATH, and below a directory that is" {
	mkdir -p tree/srv/www
	mount_or_skip -t tmpfs tmpfs tree/srv/www
	echo page >tree/srv/www/page
	take tree --one-file-system -q
	for path in srv/www srv; do
		run -0 --separate-stderr bring latest tree --delete "$path"
		said srv/www
		[ "$(cat tree/srv/www/page)" = page ]
	done
}

@test "a bind mount of the same file system is left as well, also in what is removed" {
	mkdir -p tree/data tree/old/deep elsewhere
	echo precious >elsewhere/file
	take tree --exclude /old -q
	mount_or_skip --bind elsewhere tree/data
	echo x >tree/old/x
	mkdir tree/old/deep/mounted
	mount --bind elsewhere tree/old/deep/mounted
	echo below >tree/old/deep/file
	mount --bind elsewhere/file tree/old/deep/file
	mkdir tree/unknown
	mount --bind elsewhere tree/unknown
	run -0 --separate-stderr bring latest tree --delete --all-files --yes -n
	told=$stderr
	[[ $output == *", 1 would be deleted, 4 other"* || $output == *", 1 deleted, 4 other"* ]]
	run -0 --separate-stderr bring latest tree --delete --all-files --yes
	said data
	said old/deep/mounted
	said old/deep/file
	said unknown
	[ "$(sort <<<"$told")" = "$(sort <<<"$stderr")" ]
	[ "$(cat elsewhere/file)" = precious ]
	[ ! -e tree/old/x ]
	[[ $output == *", 1 deleted, 4 other file systems left as they are"* ]]
}

@test "a btrfs subvolume is left" {
	is_root || skip "only root mounts"
	command -v mkfs.btrfs >/dev/null && command -v btrfs >/dev/null || skip "there is no btrfs"
	truncate -s 120M image
	mkfs.btrfs -q image
	mkdir disk
	mount_or_skip -o loop image disk
	mkdir disk/tree
	btrfs -q subvolume create disk/tree/inner
	echo doc >disk/tree/inner/doc
	take disk/tree --one-file-system -q
	btrfs -q subvolume create disk/tree/later
	run -0 --separate-stderr bring latest disk/tree --delete
	said inner
	said later
	[ "$(cat disk/tree/inner/doc)" = doc ]
}

@test "mounted snapshots below the output directory are left, and everything else comes back" {
	mkdir -p tree/mnt tree/data
	for n in {1..100}; do echo "$n" >"tree/data/f$n"; done
	take tree -q
	backupfs snapshots tree/mnt 3>&-
	take tree -q
	find tree/data -type f -exec sh -c 'echo broken >"$1"' _ {} \;
	run -0 --separate-stderr bring latest tree --delete
	said mnt
	[ -z "$(grep -rlx broken tree/data)" ]
	[ -e tree/mnt/latest/data/f1 ]
	umount tree/mnt
}

@test "mounted snapshots over what is to be brought back are in the way, which is said once" {
	mkdir -p tree/mnt/sub tree/data
	echo a >tree/mnt/a
	echo b >tree/mnt/sub/b
	echo d >tree/data/d
	take tree -q
	backupfs snapshots tree/mnt 3>&-
	rm tree/data/d
	for how in -n "" --delete "--delete mnt/sub" "mnt/sub/b"; do
		# shellcheck disable=SC2086
		run -3 --separate-stderr bring latest tree $how --yes
		stderr_is "backuptool restore: mnt: another file system is in the way: unmount it"
	done
	[ -e tree/mnt/latest/mnt/a ]
	[ "$(cat tree/data/d)" = d ]
	umount tree/mnt
	run -0 bring latest tree --delete
}

@test "a mount that keeps this user out, or does not answer, is left without being asked" {
	world
	umount tree/inner
	for how in "65534" "0 allow_other"; do
		touch tree/mine
		# shellcheck disable=SC2086
		silent tree/inner $how
		run -0 --separate-stderr timeout 60 backuptool restore --snapshot-file latest --output-directory tree --delete
		silence_ends
		said inner
		[ ! -e tree/mine ]
		umount tree/inner
	done
}

@test "where the snapshot did enter the other file system it is brought back as everything else" {
	mkdir -p tree/inner
	mount_or_skip -t tmpfs tmpfs tree/inner
	echo one >tree/inner/one
	take tree -q
	echo two >tree/inner/one
	echo extra >tree/inner/extra
	run -0 --separate-stderr bring latest tree --delete
	[ -z "$stderr" ]
	[ "$(cat tree/inner/one)" = one ]
	[ ! -e tree/inner/extra ]
}
