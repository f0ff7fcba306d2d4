#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/how-to/several-hosts.md: hosts with one store on NFS, by a server and clients of the kernel. A host is one to the
# server if it has a network and a name of its own.
# shellcheck disable=SC2034,SC2154
load helper
load pages
load places

teardown() {
	fusermount3 -uz "$WORK/backup" 2>/dev/null || true
	remove_work
}

PAGE=$TOP/docs/how-to/several-hosts.md

# The process of each host is in ${hosts[NAME]}.

# host NAME NUMBER
host() {
	unshare --net --uts --mount sleep infinity &
	hosts[$1]=$!
	wait_until host_is_apart "$!"
	ip link add "port$2" type veth peer name eth0 netns "$!"
	ip link set "port$2" master bridge up
	on "$1" hostname "$1"
	on "$1" ip address add "10.0.0.$2/24" dev eth0
	on "$1" ip link set lo up
	on "$1" ip link set eth0 up
	on "$1" mount -t tmpfs tmpfs /home
	on "$1" mount -t tmpfs tmpfs /mnt
}

host_is_apart() {
	[ "$(readlink "/proc/$1/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
}

on() { # HOST COMMAND…
	nsenter -t "${hosts[$1]}" -n -u -m --wdns="$PWD" -- "${@:2}"
}

# Two hosts, alpha and beta, and a server that exports nothing yet. A server that was never there before waits for nobody who
# had locks.
serve() {
	declare -gA hosts
	ip link add bridge type bridge
	ip link set bridge up
	ip address add 10.0.0.1/24 dev bridge
	host alpha 2
	host beta 3
	mkdir /srv/backup
	truncate -s 100M /srv/disk
	mkfs.ext4 -q /srv/disk
	mount -o loop /srv/disk /srv/backup
	: >/run/exports
	mount --bind /run/exports /etc/exports
	mount -t tmpfs tmpfs /var/lib/nfs
	mkdir /var/lib/nfs/v4recovery
	touch /var/lib/nfs/etab /var/lib/nfs/rmtab
	mount -t nfsd nfsd /proc/fs/nfsd
	echo 10 >/proc/fs/nfsd/nfsv4gracetime
	rpc.mountd -N 2 -N 3 -V 4
	rpc.nfsd -N 3 -V 4 2
	echo Y >/proc/fs/nfsd/v4_end_grace
}

mount_on() { # HOST
	on "$1" mkdir -p /mnt/backup
	on "$1" mount -t nfs -o vers=4.2,hard 10.0.0.1:/ /mnt/backup
}

# held HOST CALL TEXT ARGUMENT…: backuptool in the background, $held, which is stopped before that call.
held() {
	(exec nsenter -t "${hosts[$1]}" -n -u -m --wdns="$PWD" -- env "HOLD=$2 $3" "LD_PRELOAD=$BUILD/tests/faults/libhold.so" \
		backuptool "${@:4}" >/run/held 2>&1) &
	held=$!
	wait_until is_stopped "$held"
}

# refused HOST TEXT ARGUMENT…: backuptool ends with 11 and says that, since another host works.
refused() {
	local status=0
	on "$1" backuptool "${@:3}" --lock-wait 1s >/run/refused 2>&1 || status=$?
	cat /run/refused
	[ "$status" = 11 ]
	grep -q "$2" /run/refused
}

# A snapshot of alpha relies on what only the oldest snapshot has, which beta wants to remove.
locks_on_nfs() {
	export BACKUPTOOL_STORE=/mnt/backup/store-2
	mkdir part src
	head -c 200000 /dev/urandom >part/large
	cp part/large src
	on alpha backuptool snapshot --target-directory part -q
	rm part/large
	echo kept >part/kept
	on alpha backuptool snapshot --target-directory part -q
	held alpha renameat2 snapshot_ snapshot --target-directory src
	refused beta lock prune --keep-last 1
	kill -CONT "$held"
	wait "$held"
	on beta backuptool prune --keep-last 1
	on beta backuptool restore --snapshot-file latest --output-directory back -q
	diff -r src back
	# and the other way round
	on alpha backuptool snapshot --target-directory part -q
	held beta renameat2 .doomed prune --keep-last 1
	refused alpha lock snapshot --target-directory src
	kill -CONT "$held"
	wait "$held"
	on alpha backuptool snapshot --target-directory src -q
	on beta backuptool check
	on beta backuptool restore --snapshot-file latest --output-directory back -q
	diff -r src back
}

# The server has exportfs, and everything else is for alpha. Nothing is adapted.
page_on_nfs() {
	serve
	mkdir() { on alpha mkdir "$@"; }
	mount() { on alpha mount "$@"; }
	backuptool() { on alpha backuptool "$@"; }
	CHANGES=()
	on alpha sh -c 'cd /home && echo mine >file && seq 1000 >numbers && cp -a . /run/before'
	run_page "$PAGE"
	unset -f mkdir mount backuptool
	on alpha diff -r /run/before /home
	# the same after the files were lost, on the host that took the place of alpha
	mount_on beta
	on beta sh -c 'cd /home && echo yours >file && backuptool snapshot --store /mnt/backup/store --target-directory /home'
	on beta backuptool restore --store /mnt/backup/store --host alpha --target /home --snapshot-file latest \
		--output-directory /home --yes
	on beta diff -r /run/before /home
	locks_on_nfs
}

@test "on NFS each line of the page runs, a host gets the files of another back, and a prune and a snapshot wait for each other" {
	guest page_on_nfs nfsd nfsv4 veth bridge loop
}

# The server speaks over a pipe: no daemon, no key.
@test "what the page quotes is what a prune on sshfs says" {
	[ -w /dev/fuse ] && command -v sshfs >/dev/null || skip "needs sshfs and /dev/fuse"
	mkdir src share backup
	printf '#!/bin/sh\nexec /usr/lib/openssh/sftp-server -e\n' >server
	chmod 755 server
	sshfs -o ssh_command="$WORK/server" "x:$WORK/share" backup 3>&- || skip "sshfs does not mount"
	export BACKUPTOOL_STORE=backup/store
	take src
	take src
	run -1 --separate-stderr backuptool prune --keep-last 1
	quoted=$(sed -n 's/^> //p' "$PAGE")
	[ -n "$quoted" ]
	[[ $stderr == *": $quoted"* ]]
	backuptool prune --keep-last 1 --yes
}
