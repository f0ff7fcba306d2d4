#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# How a mount begins and ends.
# shellcheck disable=SC2016,SC2154
load mount_helper

@test "what cannot be mounted is said in one sentence" {
	small_tree src
	quietly src
	run -10 --separate-stderr backupfs nowhere mnt
	stderr_is 'backupfs: nowhere: there is no store here'
	run -10 --separate-stderr backupfs src/link mnt
	stderr_is 'backupfs: src/link: there is no store here'
	run -10 --separate-stderr backupfs src/docs mnt
	stderr_is "backupfs: $WORK/src/docs: there is no store here"
	run -1 --separate-stderr backupfs snapshots nowhere
	stderr_is 'backupfs: nowhere: there is no such directory; make it with mkdir'
	run -1 --separate-stderr backupfs snapshots src/link
	stderr_is 'backupfs: src/link: not a directory'
	mkdir snapshots/inside
	for place in snapshots snapshots/inside . "$WORK/mnt/../snapshots"; do
		run -1 --separate-stderr backupfs snapshots "$place"
		stderr_is "backupfs: $place: the mount point and the store may not lie in each other"
	done
	run -2 --separate-stderr backupfs snapshots
	stderr_is 'backupfs: STORE and MOUNTPOINT are needed (see backupfs --help)'
	# No control character of a name reaches a terminal.
	run -1 --separate-stderr backupfs snapshots $'x\e[31m'
	stderr_is 'backupfs: x\x1b[31m: there is no such directory; make it with mkdir'
	run -2 --separate-stderr backupfs snapshots mnt -o $'cache=\e[31m'
	stderr_is 'backupfs: cache=\x1b[31m: not a size such as 64M'
	run -2 --separate-stderr backupfs snapshots mnt -o $'sur\e[31mprise'
	stderr_is "backupfs: there is no mount option 'sur\\x1b[31mprise'; see 'backupfs --help'"
	run -2 --separate-stderr backupfs snapshots mnt other
	run -2 --separate-stderr backupfs snapshots mnt -o cache=lots
	run -2 --separate-stderr backupfs snapshots mnt -o noexec,surprise,other
	stderr_is "backupfs: there is no mount option 'surprise'; see 'backupfs --help'"
	run -2 --separate-stderr backupfs snapshots mnt --surprise
	stderr_is "backupfs: there is no option '--surprise'; see 'backupfs --help'"
	run -2 --separate-stderr backupfs snapshots mnt -o max_read=lots
	[ "${#stderr_lines[@]}" = 1 ]
	run -2 --separate-stderr backupfs snapshots mnt -o snapshot=
	stderr_is 'backupfs: snapshot=: needs a name'
	run -2 --separate-stderr backupfs snapshots mnt -o versions,snapshot=latest
	stderr_is 'backupfs: versions: not with snapshot=: there would be one version of each file'
	not_mounted
	no_driver
}

@test "a name in what the foreground says reaches the terminal escaped" {
	mkdir src
	head -c 300000 /dev/urandom >$'src/x\e[31m'
	quietly src
	damage "snapshots/$(newest)" "$(($(jq '.contents[0].at' "snapshots/$(newest)") + 5000))"
	backupfs snapshots mnt -f 2>log 3>&- &
	wait_until is_mounted
	run -1 cat $'mnt/latest/x\e[31m'
	hide
	grep -qF 'x\x1b[31m: ' log
	! grep -q $'\e' log || false
}

@test "what cannot be read is named by its path, also in a directory of many pages" {
	mkdir -p src/sub/many
	for n in $(seq 400); do printf '%s' "$n" >"src/sub/many/$n"; done
	head -c 300000 /dev/urandom >src/sub/many/large
	quietly src
	damage "snapshots/$(newest)" "$(jq '.contents | max_by(.length) | .at + 5000' "snapshots/$(newest)")"
	backupfs snapshots mnt -f 2>log 3>&- &
	wait_until is_mounted
	run -1 cat mnt/latest/sub/many/large
	hide
	grep -q "^backupfs: $(newest | sed 's/.json//')/sub/many/large: " log
}

@test "a mount point that is in use already is refused" {
	small_tree src
	quietly src
	show
	run -1 --separate-stderr backupfs snapshots mnt
	stderr_is 'backupfs: mnt: a store is mounted here already; unmount it first'
	run -1 --separate-stderr backuptool mount mnt -o noexec
	stderr_is 'backupfs: mnt: a store is mounted here already; unmount it first'
	# What lies below it is no mount point, but may become one.
	mkdir below
	mount --bind below mnt/latest 2>/dev/null || skip "no right to mount"
	umount mnt/latest
	hide
	show
	is_mounted
	hide
}

@test "help and version are printed" {
	run -0 backupfs --help
	[ "${lines[0]}" = 'Usage: backupfs STORE MOUNTPOINT [-f] [-o OPTION,...]' ]
	run -0 backupfs -V
	[[ $output =~ ^backupfs\ [0-9.]+$ ]]
}

@test "it returns when the mount answers, and holds nothing of the caller" {
	small_tree src
	quietly src
	output=$(show 2>&1 && ls mnt) # would wait for ever if the driver kept the pipe
	[ -n "$output" ]
	local pid
	pid=$(drivers)
	[ "$(readlink "/proc/$pid/cwd")" = / ]
	[ "$(readlink "/proc/$pid/fd/0")" = /dev/null ]
}

@test "it has no rights but to read the store" {
	small_tree src
	quietly src
	echo elsewhere >outside
	show
	local pid
	pid=$(drivers)
	grep -q '^NoNewPrivs:.*1' "/proc/$pid/status"
	# what comes later is read, too
	mkdir -p snapshots/contents
	mv "snapshots/$(newest)" snapshots/contents/0123456789abcdef0123456789abcdef.json
	sed -i 's/hello/again/' src/docs/a.txt
	quietly src
	wait_until grep -qs again mnt/latest/docs/a.txt
	[ "$(readlink mnt/@now)" = "$(readlink mnt/latest)" ]
	cmp src/photos/noise.bin mnt/latest/photos/noise.bin
	cp "$TESTS/data/classic/"snapshot*.json snapshots/ # and derived from
	wait_until test -e mnt/snapshot_2026-11-22T11-38-24
	[ -n "$(ls mnt/snapshot_2026-11-22T11-38-24/)" ]
	[ -n "$(find snapshots/cache -name "classic-*")" ]
	kill "$pid"
	wait_until no_driver
	not_mounted
}

@test "whoever mounts on the same place after an unmount keeps it" {
	small_tree src
	mkdir other
	echo other >other/file
	quietly src
	is_root || skip "needs another mount"
	for i in 1 2 3 4 5; do
		show
		umount mnt
		mount --bind other mnt
		wait_until no_driver
		[ "$(cat mnt/file)" = other ]
		umount mnt
	done
}

@test "the foreground, and signals" {
	small_tree src
	quietly src
	for signal in TERM INT HUP; do
		env --default-signal=INT backupfs -f "$WORK/snapshots" "$WORK/mnt" 3>&- &
		local pid=$!
		wait_until is_mounted
		cat mnt/latest/docs/a.txt
		kill -$signal $pid
		wait $pid
		not_mounted
	done
}

@test "a signal ends it also when somebody is inside" {
	small_tree src
	quietly src
	show
	exec 9<mnt/latest/photos/noise.bin
	kill "$(drivers)"
	wait_until no_driver
	not_mounted
	exec 9<&-
}

@test "a hundred mounts in a row" {
	small_tree src
	quietly src
	for i in $(seq 100); do
		show
		[ "$(cat mnt/latest/docs/a.txt)" = hello ]
		umount mnt
	done
	wait_until no_driver
}

@test "after kill -9 nothing hangs, and it can be mounted again" {
	small_tree src
	head -c 20000000 /dev/urandom >src/large
	quietly src
	for i in 1 2 3 4 5; do
		show
		cat mnt/latest/large >/dev/null 2>&1 &
		grep -r x mnt >/dev/null 2>&1 &
		kill -9 "$(drivers)"
		wait
		wait_until not_mounted
	done
	show
	cmp src/large mnt/latest/large
}

@test "after kill -9 nothing hangs where the kernel cannot close all descriptors at once" {
	small_tree src
	quietly src
	strace -f -qq -o /dev/null -e trace=close_range -e inject=close_range:error=ENOSYS \
		backupfs "$WORK/snapshots" "$WORK/mnt" 3>&- &
	wait_until test -e mnt/latest/docs
	local other until=$((SECONDS + 60))
	other=$(processes backupfs-end)
	kill -9 "$(drivers)"
	until no_driver; do
		[ "$SECONDS" -lt "$until" ] || { kill -9 "$other" && false; }
		sleep 0.1
	done
	not_mounted
}

@test "when what was to unmount is gone, it is said" {
	small_tree src
	quietly src
	backupfs -f "$WORK/snapshots" "$WORK/mnt" 2>log 3>&- &
	local pid=$!
	wait_until is_mounted
	kill -9 "$(processes backupfs-end)"
	wait_until grep -q 'mnt: what was to unmount it has ended: please use umount$' log
	[ "$(cat mnt/latest/docs/a.txt)" = hello ]
	kill "$pid"
	wait "$pid"
	not_mounted || grep -q 'the mount point is left, and answers nothing: please use umount$' log
}

@test "killed while data is handed to the kernel, nothing is stuck" {
	mkdir src
	for i in $(seq 400); do head -c $((RANDOM % 9000)) /dev/urandom >"src/$i"; done
	quietly src
	for i in 1 2 3 4 5 6 7 8 9 10; do
		show
		for _ in 1 2 3 4; do
			(while cat mnt/latest/*; do :; done >/dev/null 2>&1) 3>&- &
		done
		sleep "0.$((RANDOM % 4))"
		drivers | xargs kill -9
		wait
		wait_until not_mounted
	done
	timeout 300 sync
	show
	diff -r src mnt/latest/
}

@test "auto_unmount" {
	small_tree src
	quietly src
	show -o auto_unmount
	is_mounted
	processes backupfs-end | xargs kill -9
	drivers | xargs kill -9 # only the program of the option is left
	wait_until not_mounted
}

@test "mount, umount and fstab" {
	is_root || skip "only root mounts by type"
	small_tree src
	quietly src
	# a mount namespace with the driver where mount looks for it
	unshare -m --propagation private bash -euc '
		mount -t tmpfs none /usr/local/bin
		cp "$2/fs/backupfs" /usr/local/bin/
		mount -t fuse.backupfs "$1/snapshots" "$1/mnt" -o allow_other,noexec
		[ "$(cat "$1/mnt/latest/docs/a.txt")" = hello ]
		findmnt -no OPTIONS "$1/mnt" | grep -q "^ro,nosuid,nodev,noexec"
		umount "$1/mnt"
		cp "$3/fs/mount.backupfs" /usr/local/bin/
		ln -s mount.backupfs /usr/local/bin/mount.fuse.backupfs
		mount -t tmpfs none /usr/sbin
		cp /usr/local/bin/mount.* /usr/sbin/
		ln -s /usr/local/bin/backupfs /usr/sbin/backupfs
		for type in backupfs fuse.backupfs; do
			mount -t $type "$1/snapshots" "$1/mnt" -o snapshot=latest,relatime,x-a=b
			[ "$(cat "$1/mnt/docs/a.txt")" = hello ]
			[ "$(findmnt -no FSTYPE "$1/mnt")" = fuse.backupfs ]
			mount -o remount,noexec,noatime "$1/mnt"
			findmnt -no OPTIONS "$1/mnt" | grep -q "^ro,nosuid,nodev,noexec,noatime"
			[ "$(cat "$1/mnt/docs/a.txt")" = hello ]
			umount "$1/mnt"
		done
		umount /usr/sbin
		echo "$1/snapshots $1/mnt fuse.backupfs noauto,nofail,snapshot=latest 0 0" >"$1/fstab"
		mount --fstab "$1/fstab" "$1/mnt"
		[ "$(cat "$1/mnt/docs/a.txt")" = hello ]
		umount "$1/mnt"
	' bash "$WORK" "$BUILD" "$TOP"
}

@test "backuptool mount" {
	small_tree src
	quietly src
	run -0 --separate-stderr backuptool mount mnt 3>&-
	end=umount
	is_root || end="fusermount3 -u"
	output_is "mnt shows the snapshots until '$end mnt'"
	[ "$(cat mnt/latest/docs/a.txt)" = hello ]
	umount mnt
	run -0 --separate-stderr backuptool mount -q -o snapshot=latest mnt 3>&-
	[ -z "$output$stderr" ]
	[ "$(cat mnt/docs/a.txt)" = hello ]
	umount mnt
	run -1 --separate-stderr backuptool mount nowhere 3>&-
	[ -z "$output" ]
	[[ $stderr == "backupfs: "* ]]
}

@test "options that are for others do no harm" {
	small_tree src
	quietly src
	show -o relatime,strictatime,user,x-systemd.automount,nofail
	[ "$(cat mnt/latest/docs/a.txt)" = hello ]
}

@test "the size of requests can be limited" {
	small_tree src
	quietly src
	for options in '' -f; do
		# shellcheck disable=SC2086
		backupfs snapshots mnt $options -o max_read=65536 3>&- &
		wait_until is_mounted
		cmp src/photos/noise.bin mnt/latest/photos/noise.bin
		findmnt -no OPTIONS mnt | grep -q max_read=65536
		hide
		wait
	done
}

@test "a mount that the kernel does not answer is a failure" {
	instrumented && skip "nothing can be put before a sanitizer"
	small_tree src
	quietly src
	for options in '' -f; do
		# shellcheck disable=SC2086
		run -1 --separate-stderr env LD_PRELOAD="$BUILD/tests/faults/libdeaf.so" backupfs snapshots mnt $options
		[[ ${stderr_lines[0]} == 'backupfs: ended before the mount answered'* ]]
		not_mounted
		wait_until no_driver
	done
}

@test "options as /proc/mounts shows them" {
	is_root || skip "only root mounts so"
	small_tree src
	quietly src
	show -o "$(show -o allow_other && findmnt -no OPTIONS mnt && hide),mand,iversion,symfollow"
	[ "$(cat mnt/latest/docs/a.txt)" = hello ]
}

@test "no link is followed with nosymfollow" {
	is_root || skip "only root mounts so"
	small_tree src
	quietly src
	show -o nosymfollow
	findmnt -no OPTIONS mnt | grep -q nosymfollow
	run -1 cat mnt/latest/docs/a.txt
	[ "$(cat "mnt/$(readlink mnt/latest)/docs/a.txt")" = hello ]
	run -1 cat "mnt/$(readlink mnt/latest)/link"
	hide
	show -o snapshot=latest,nosymfollow
	[ "$(cat mnt/docs/a.txt)" = hello ]
	hide
	# refused where it cannot be had, and nothing is mounted
	run -1 --separate-stderr strace -f -qq -o calls -e trace=mount_setattr -e inject=mount_setattr:error=EPERM \
		backupfs snapshots mnt -o nosymfollow
	stderr_is 'backupfs: nosymfollow: only root can mount so'
	not_mounted
}

@test "whose the store is, his is what is derived from it" {
	is_root || skip "needs two users"
	small_tree src
	quietly src
	rm -rf snapshots/cache
	chown -R 65534:65534 snapshots
	show
	[ -d snapshots/cache ]
	[ "$(stat -c '%u %g' snapshots/cache)" = '65534 65534' ]
}

@test "whoever may not open the device is told so" {
	is_root || skip "needs a device of its own"
	small_tree src
	quietly src
	# as where there is no such device, and as where it is closed to users
	run -1 --separate-stderr unshare -m --propagation private bash -euc '
		mount -t tmpfs none /dev
		exec "$2/fs/backupfs" "$1/snapshots" "$1/mnt"
	' bash "$WORK" "$BUILD"
	stderr_is 'backupfs: /dev/fuse: this system cannot mount it: the kernel has no FUSE'
	chmod -R a+rX snapshots
	cp "$BUILD/fs/backupfs" .
	run -1 --separate-stderr unshare -m --propagation private bash -euc '
		cd "$1"
		mknod fuse c 10 229
		chmod 600 fuse
		mount --bind fuse /dev/fuse
		exec setpriv --reuid=65534 --regid=65534 --clear-groups ./backupfs snapshots mnt
	' bash "$WORK"
	stderr_is 'backupfs: /dev/fuse: you may not mount here: this device would have to be open to you'
}

@test "an ordinary user's mount" {
	is_root || skip "runs as a user anyway"
	small_tree src
	mkdir user
	chown 65534 user
	quietly src
	chmod -R a+rX snapshots
	cp "$BUILD/fs/backupfs" .
	# a mount namespace where the device is open to everybody, as it is on most systems
	unshare -m --propagation private bash -euc '
		cd "$1"
		mknod fuse c 10 229
		chmod 666 fuse
		mount --bind fuse /dev/fuse
		exec setpriv --reuid=65534 --regid=65534 --clear-groups bash -euc "
			gone() { for i in {1..6000}; do mountpoint -q user || return 0; sleep 0.01; done; return 1; }
			for end in \"kill\" \"kill -9\"; do
				./backupfs -f \"$1/snapshots\" \"$1/user\" &
				pid=\$!
				until mountpoint -q user; do sleep 0.01; done
				[ \"\$(cat user/latest/docs/a.txt)\" = hello ]
				\$end \$pid
				wait \$pid || true
				gone
			done
			./backupfs \"$1/snapshots\" \"$1/user\"
			[ \"\$(cat user/latest/docs/a.txt)\" = hello ]
			fusermount3 -u user
			gone
		"
	' bash "$WORK" 3>&-
}

@test "permissions count" {
	is_root || skip "needs two users"
	small_tree src
	chmod 700 src/docs
	setfacl -m u:65534:rx src/photos
	chmod o= src/photos
	quietly src
	show -o allow_other
	as_user cat mnt/latest/link 2>/dev/null && false
	as_user ls mnt/latest/docs 2>/dev/null && false
	[ "$(as_user head -n 1 mnt/latest/photos/numbers.txt)" = 1 ]
	hide
	show
	as_user ls mnt 2>/dev/null && false
	true
}

@test "what umask, uid and gid take away no list of permissions gives back" {
	is_root || skip "needs two users"
	small_tree src
	chmod 600 src/docs/a.txt
	setfacl -m u:65534:r src/docs/a.txt
	quietly src
	show -o allow_other
	[ "$(as_user cat mnt/latest/docs/a.txt)" = hello ]
	hide
	for options in umask=077 uid=1 gid=1; do
		show -o "allow_other,$options"
		run -1 as_user cat mnt/latest/docs/a.txt
		[ -z "$(getfattr -d -m 'posix_acl' mnt/latest/docs/a.txt)" ]
		run -1 getfattr -n system.posix_acl_access mnt/latest/docs/a.txt
		hide
	done
}

as_other() {
	setpriv --reuid="$1" --regid="$2" --clear-groups "${@:3}"
}

@test "without its list of permissions a file grants no more than with it" {
	is_root || skip "needs several users"
	mkdir -p src src2/closed
	echo secret >src2/group
	chmod 600 src2/group
	chown 0:65533 src2/group
	setfacl -m u:65532:r,g::- src2/group
	echo secret >src2/named
	setfacl -m u:65531:- src2/named
	chmod 700 src2/closed
	chown 0:65533 src2/closed
	setfacl -m u:65532:rx,g::- src2/closed
	echo secret >src2/closed/file
	nobody_reads() {
		run -1 as_other 65530 65533 cat mnt/latest/group
		run -1 as_other 65531 65531 cat mnt/latest/named
		run -2 as_other 65530 65533 ls mnt/latest/closed/
		[ "$(cat mnt/latest/group)" = secret ]
	}
	quietly src
	show -o allow_other
	ls -l mnt/latest/
	run getfattr -d mnt/latest/ # none so far
	quietly src2
	wait_until test -e mnt/latest/group
	nobody_reads
	hide
	for options in xattr=off umask=022 uid=7 gid=7; do
		show -o "allow_other,$options"
		nobody_reads
		hide
	done
	show -o allow_other,versions # whose directories have no lists
	ls mnt/versions/closed
	run -2 as_other 65530 65533 ls mnt/versions/closed
	# served, they hold, also when a mode is asked for before any list
	[ "$(stat -c %a mnt/latest/group)" = 640 ]
	[ "$(as_other 65532 65532 cat mnt/latest/group)" = secret ]
	nobody_reads
}

@test "attributes that are root's are listed to root alone" {
	is_root || skip "needs two users"
	small_tree src
	setfattr -n trusted.one -v 1 src/docs/a.txt
	setfattr -n user.two -v 2 src/docs/a.txt
	quietly src
	show -o allow_other
	[ "$(getfattr -hm - mnt/latest/docs/a.txt | grep -v '^#')" = $'trusted.one\nuser.two' ]
	[ "$(as_user getfattr -hm - mnt/latest/docs/a.txt | grep -v '^#')" = user.two ]
}

@test "memory stays within its limit" {
	for i in $(seq 40); do
		mkdir -p "src/d$i"
		(cd "src/d$i" && seq "$i" 60000 | split -l 300 -a 3)
	done
	head -c 150000000 /dev/zero | openssl enc -aes-128-ctr -pass pass:x -nosalt 2>/dev/null >src/large
	quietly src
	show -o cache=16M
	tar -cf - -C mnt latest/ | wc -c
	cmp src/large mnt/latest/large
	"$TESTS/bats/mount_reads.py" --threads 3 src mnt/latest/
	instrumented || [ "$(awk '/VmHWM/ { print $2 }' "/proc/$(drivers)/status")" -lt $((64 << 10)) ]
}
