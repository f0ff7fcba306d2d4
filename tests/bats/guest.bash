# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2016,SC2154
# A Linux of its own, for what the kernel of this machine may lack, such as NFS and LVM: Debian's user-mode-linux is an
# ordinary program. What it sees are the files of this machine, of which it can change only those of $WORK.

# guest FUNCTION MODULE…: runs it there as root, in $WORK, with all functions of this shell and $PAGE, until it fails somewhere.
# Its first failure is that of the test.
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

# guest_script FUNCTION MODULE…: what the guest's first process is.
guest_script() {
	echo '#!/bin/bash'
	declare -p WORK TESTS TOP BUILD PAGE
	# without those of bats
	# shellcheck disable=SC2046
	declare -f $(compgen -A function | grep -v bats)
	printf 'wanted=%s\nmodules=(%s)\n' "$1" "${*:2}"
	echo 'guest_begins'
	# Not within a condition, where bash would go on after a failure.
	echo '(set -eE; cd "$WORK"; "$wanted") >"$WORK/guest.out" 2>&1'
	echo 'echo $? >"$WORK/guest.status"'
	# That is poweroff, which needs another program in some Debians.
	echo 'python3 -c "import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)"'
}

# In /home, /mnt and /srv there is nothing yet.
guest_begins() {
	export PATH=$BUILD/tools:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run TZ=UTC LC_ALL=C.UTF-8 TMPDIR=/run
	local place
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	for place in /run /home /mnt /srv; do
		mount -t tmpfs tmpfs "$place"
	done
	mount -t hostfs -o "$WORK" none "$WORK"
	mkdir -p /run/modules/lib /run/lock
	ln -s /usr/lib/uml/modules /run/modules/lib/modules
	modprobe -a -d /run/modules "${modules[@]}"
	ip link set lo up
}
