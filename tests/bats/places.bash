# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2016,SC2089,SC2090,SC2154
# Where pages of docs/how-to run that need more than a home directory. Each of these runs a function in $WORK, in a shell that has
# all functions of this one and $PAGE, until something fails; that fails the test.

# guest FUNCTION MODULE…: as root of a Linux of its own, for what the kernel of this machine may lack, such as NFS and LVM: Debian's
# user-mode-linux is an ordinary program. It sees the files of this machine, and can change only those of $WORK.
guest() {
	local name
	for name in linux.uml modprobe; do
		command -v "$name" >/dev/null || [ -x "/usr/sbin/$name" ] || skip "there is no $name"
	done
	! instrumented || skip "sanitizers need more addresses than a guest has"
	guest_script "$@" >guest.sh
	chmod 755 guest.sh
	: >guest.out
	timeout -k 5 240 linux.uml mem=512M rootfstype=hostfs rootflags=/ ro init="$WORK/guest.sh" quiet \
		uml_dir="$WORK/guest" con=null con0=null,fd:1 con1=null </dev/null >guest.console 2>&1 3>&- || true
	cat guest.out
	[ -e guest.status ] || cat guest.console
	[ "$(cat guest.status)" = 0 ]
}

# apart FUNCTION: as root of this machine's kernel, with a network, mounts and processes that end with it, and a copy of /etc.
apart() {
	is_root && unshare --mount true || skip "only root mounts"
	{
		shell_text
		echo 'own_places && mkdir /run/etc /run/work /run/lock'
		echo 'mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work overlay /etc'
		printf 'set -eE; cd "$WORK"; %s\n' "$1"
	} >apart.sh
	unshare --net --uts --mount --pid --fork --kill-child --mount-proc bash apart.sh 3>&-
}

# For CHANGES: strace sees what is opened, for is_read NAME. It does not work in a guest.
TRACED='s/^backuptool \(snapshot\|run\)/strace -f -qq --seccomp-bpf -e trace=openat,openat2 -o "$WORK\/calls" &/'
is_read() {
	grep -q "\"$1\"" "$WORK/calls"
}

# ordinary FUNCTION: as an ordinary user, to whom $WORK then belongs: servers of databases do not run as root.
ordinary() {
	mkdir -p home
	! is_root || chown 65534:65534 "$WORK" home
	reachable_tool
	{
		shell_text
		printf 'export HOME=$WORK/home PATH=$WORK:$PATH\nset -eE; cd; %s\n' "$1"
	} >ordinary.sh
	as_user bash ordinary.sh 3>&-
}

# The functions and variables of this shell without those of bats.
shell_text() {
	declare -p WORK TESTS TOP BUILD PAGE TRACED
	# shellcheck disable=SC2046
	declare -f $(compgen -A function | grep -v bats)
}

# guest_script FUNCTION MODULE…: what the guest's first process is.
guest_script() {
	echo '#!/bin/bash'
	shell_text
	printf 'modules=(%s)\n' "${*:2}"
	echo 'guest_begins'
	# Not within a condition, where bash would go on after a failure.
	printf '(set -eE; cd "$WORK"; %s) >"$WORK/guest.out" 2>&1\n' "$1"
	echo 'echo $? >"$WORK/guest.status"'
	# That is poweroff, which needs another program in some Debians.
	echo 'python3 -c "import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)"'
}

# Places in which there is nothing yet.
own_places() {
	local place
	for place in /run /home /mnt /srv; do
		mount -t tmpfs tmpfs "$place" || return 1
	done
}

guest_begins() {
	export PATH=$BUILD/tools:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TZ=UTC LC_ALL=C.UTF-8 TMPDIR=/run
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	own_places
	mount -t hostfs -o "$WORK" none "$WORK"
	mkdir -p /run/modules/lib /run/lock
	ln -s /proc/self/fd /dev/fd
	ln -s /usr/lib/uml/modules /run/modules/lib/modules
	modprobe -a -d /run/modules "${modules[@]}"
	ip link set lo up
}
