#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Signals to all processes of a mount at once, as the end of a service, a session or a machine sends them, leave no dead
# mount; and what is left when they are killed is no obstacle.
# shellcheck disable=SC2016,SC2154
load mount_helper

# rounds N OPTION…: mounts and ends, as root or as a user, every second time with somebody inside.
rounds() {
	local count=$1 round signal inside
	shift
	everybody() {
		pgrep -f "^[^ ]*backupfs .*$WORK/" | while read -r pid; do
			grep -q "^State:.*Z" "/proc/$pid/status" 2>/dev/null || echo "$pid"
		done
	}
	is_inside() { [ "$(readlink "/proc/$1/cwd")" != "$PWD" ]; }
	mounted() { mountpoint -q "$WORK/mnt"; }
	ended() { [ -z "$(everybody)" ]; }
	for round in $(seq "$count"); do
		signal=$(echo TERM INT HUP | cut -d " " -f $((round % 3 + 1)))
		if [ "${1:-}" = -f ]; then
			env --default-signal=INT backupfs -f "$WORK/snapshots" "$WORK/mnt" &
			wait_until mounted
		else
			backupfs "$WORK/snapshots" "$WORK/mnt" "$@"
		fi
		inside=
		if [ $((round % 2)) = 0 ]; then
			env -C "$WORK/mnt/latest/docs" sleep 30 &
			inside=$!
			wait_until is_inside "$inside"
		fi
		everybody | xargs kill -"$signal"
		wait_until ended
		rmdir "$WORK/mnt" && mkdir "$WORK/mnt" || { echo "round $round: $signal left a mount" && return 1; }
		[ -z "$inside" ] || { kill -9 "$inside" && wait "$inside"; } 2>/dev/null || true
	done
}

# as_user_with_device FUNCTION ARGUMENT…: as an ordinary user, in a mount namespace where the device is open to everybody.
as_user_with_device() {
	chmod -R a+rX snapshots
	chown 65534 mnt .
	cp "$BUILD/fs/backupfs" .
	unshare -m --propagation private bash -euc '
		cd "$WORK"
		mknod fuse c 10 229
		chmod 666 fuse
		mount --bind fuse /dev/fuse
		exec setpriv --reuid=65534 --regid=65534 --clear-groups env PATH="$WORK:$PATH" WORK="$WORK" bash -euc "$@"
	' bash "$(declare -f wait_until "$1")"'; "$@"' bash "$@" 3>&-
}

@test "signals to all processes of root's mount" {
	small_tree src
	quietly src
	rounds 20 3>&-
	rounds 10 -f 3>&-
}

@test "signals to all processes of an ordinary user's mount" {
	is_root || skip "runs as a user anyway"
	small_tree src
	quietly src
	export WORK
	as_user_with_device rounds 20
	rm fuse
	as_user_with_device rounds 10 -f
}

@test "a mount that was moved, or whose directory was renamed, is ended where it is" {
	is_root || skip "moves a mount"
	small_tree src
	quietly src
	odd=$'dir/a b\\c\nd'
	mkdir -p dir/inner/mnt
	backupfs "$WORK/snapshots" dir/inner/mnt 3>&-
	mv dir/inner "$odd"
	is_mounted "$odd/mnt"
	kill "$(drivers)"
	wait_until no_driver
	rmdir "$odd/mnt"
	mkdir place
	mount -t tmpfs none place
	mount --make-private place
	mkdir place/one place/two
	backupfs "$WORK/snapshots" place/one 3>&-
	mount --move place/one place/two
	mkdir again
	mount --bind place/two again
	for name in $(drivers) $(processes backupfs-end); do kill "$name"; done
	wait_until no_driver
	rmdir place/two again
}

@test "what lies on top of a mount that ends stays" {
	is_root || skip "needs another mount"
	small_tree src
	quietly src
	show
	mount -t tmpfs none mnt
	echo mine >mnt/file
	kill "$(drivers)"
	wait_until no_driver
	[ "$(cat mnt/file)" = mine ]
}

@test "a signal that comes while it starts leaves nothing behind" {
	small_tree src
	quietly src
	# to the driver as soon as there is one, before it has done anything
	strace -f -qq -o calls -e trace=setsid -e inject=setsid:signal=TERM:when=1 \
		backupfs "$WORK/snapshots" "$WORK/mnt" 3>&- || true
	grep -q setsid calls
	wait_until no_driver
	rmdir mnt
}

no_unmounter() {
	[ -z "$(processes backupfs-end)" ]
}

# killed [OPTION…]: a mount whose processes were killed.
killed() {
	show "$@"
	processes backupfs-end | xargs kill -9
	wait_until no_unmounter
	drivers | xargs kill -9
	wait_until no_driver
	run ! --separate-stderr stat mnt
	[[ $stderr == *'Transport endpoint is not connected' ]]
}

@test "where a mount of one's own was killed, the next one takes its place" {
	small_tree src
	quietly src
	killed
	show
	[ "$(cat mnt/latest/docs/a.txt)" = hello ]
	hide
	killed
	backuptool mount mnt/ 3>&-
	[ "$(cat mnt/latest/docs/a.txt)" = hello ]
	hide
	not_mounted
	# whatever the store is called
	mv snapshots user_id=7
	ln -s user_id=7 snapshots
	killed
	show
	hide
}

dead_of_a_user() {
	backupfs "$WORK/snapshots" "$WORK/mnt"
	pgrep -f "^[^ ]*backupfs .*$WORK/" | tac | xargs kill -9
	for _ in {1..500}; do ls mnt 2>/dev/null || break; done
	backupfs "$WORK/snapshots" "$WORK/mnt"
	[ "$(cat mnt/latest/docs/a.txt)" = hello ]
	fusermount3 -u mnt
}

@test "the same as an ordinary user" {
	is_root || skip "runs as a user anyway"
	small_tree src
	quietly src
	export WORK
	as_user_with_device dead_of_a_user
}

@test "somebody else's mount that was killed is named, and stays" {
	is_root || skip "needs two users"
	small_tree src
	quietly src
	killed -o allow_other
	cp "$BUILD/fs/backupfs" .
	chmod -R a+rX snapshots
	run -1 --separate-stderr as_user ./backupfs snapshots mnt
	stderr_is 'backupfs: mnt: a mount whose program has ended is left here: umount mnt'
	is_mounted || [ -n "$(findmnt "$WORK/mnt")" ]
}
