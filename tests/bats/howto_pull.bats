#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/how-to/pull.md: each line runs on a backup host, against the sshd of a host with a home directory of its own. No name is
# adapted: its name and its key stand in this host's configuration of ssh.
# shellcheck disable=SC2034,SC2154
load helper
load pages
load places

PAGE=$TOP/docs/how-to/pull.md

# on_web COMMAND…
on_web() {
	nsenter -t "$web" -m -- "$@"
}

# The host is one of its own files: /home and the keys. Both are at this network's 127.0.0.1.
start_web() {
	mkdir -p /run/sshd /run/web /run/root/.ssh
	mount --bind /run/root "$HOME"
	ip link set lo up
	echo '127.0.0.1 web' >>/etc/hosts
	ssh-keygen -q -t ed25519 -N '' -f /run/web/key
	echo "web $(cat /run/web/key.pub)" >/etc/ssh/ssh_known_hosts
	unshare --mount sleep infinity &
	web=$!
	wait_until web_is_apart
	on_web mount -t tmpfs tmpfs /home
	on_web mount -t tmpfs -o mode=700 tmpfs "$HOME"
	on_web mkdir -m 700 "$HOME/.ssh"
	printf '%s\n' 'HostKey /run/web/key' 'Subsystem sftp internal-sftp' 'PermitRootLogin prohibit-password' 'UsePAM no' \
		'PidFile none' "AuthorizedKeysFile $HOME/.ssh/authorized_keys" >/run/web/config
	on_web /usr/sbin/sshd -D -e -f /run/web/config >/run/web/log 2>&1 &
	on_web sh -c 'mkdir -p /home/me/letters && cd /home/me && echo "Dear Ann" >letters/may.txt && seq 100000 >numbers &&
		touch -d yesterday letters/may.txt numbers' # what is younger than the second that sshfs knows is read again
	# the admin's own key, which may do anything
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/.ssh/id_ed25519"
	allow '' "$HOME/.ssh/id_ed25519.pub"
	wait_until ssh root@web true 2>/dev/null || { ssh -v root@web true; cat /run/web/log; return 1; }
}

web_is_apart() {
	[ "$(readlink "/proc/$web/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]
}

# allow BEGINNING KEY: a line for authorized_keys.
allow() {
	on_web sh -c "cat >>$HOME/.ssh/authorized_keys && chmod 600 $HOME/.ssh/authorized_keys" <<<"$1 $(cat "$2")"
}

# What the page does by words: keys come to the host behind the beginnings that the page shows. And what becomes of what was
# done before.
before_line() {
	case $1 in
	'mkdir -p ~/web') allow "$(beginning sftp)" ~/.ssh/pull.pub ;;
	# what comes first is new, so that sshfs counts other inodes
	'backuptool run'*) on_web sh -c 'cd /home && mkdir first && echo new >first/file' ;;
	'mkdir -p ~/staging'*)
		counts 1 0 2 || echo "by run" >>wrong
		! is_read numbers || echo "numbers is read" >>wrong
		[ -e ~/.ssh/pull-rsync ] || ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/pull-rsync
		allow "$(beginning rrsync)" ~/.ssh/pull-rsync.pub
		;;
	'rsync -a '*root@web:/home/) on_web sh -c 'cp -a /home/me /run/web/before && rm -r /home/me' ;;
	esac
}

beginning() {
	sed -n 's/^\(restrict,.*'"$1"'.*"\) ssh-ed25519 .*/\1/p' "$PAGE"
}

# counts NEW CHANGED UNCHANGED: of the newest snapshot.
counts() {
	diff <(backuptool --store ~/snapshots list --json | jq -c '.[-1] | [.host, .target, .new, .changed, .unchanged, .errors]') \
		<(echo "[\"web\",\"/home\",$1,$2,$3,0]")
}

# Neither key can write, and neither gives a shell.
only_reading() {
	local key
	for key in pull pull-rsync; do
		timeout 20 ssh -i ~/.ssh/$key root@web 'touch /run/web/done' </dev/null && return 1
	done
	echo 'rm /home/me/numbers' | sftp -q -i ~/.ssh/pull -b - root@web && return 1
	rsync -a -e 'ssh -i ~/.ssh/pull-rsync' --delete /etc/ssh/ root@web:/me/ && return 1
	[ ! -e /run/web/done ]
	on_web diff -r /run/web/before /home/me
}

pull_page() {
	start_web
	mkdir /srv/inbox
	backuptool snapshot --store /srv/inbox/web --host web --as /inbox --target-directory /etc/ssh -q
	CHANGES=(
		's/^backuptool run .*/& --config ~\/.config\/backuptool\/config/' # that of root lies elsewhere
		"$TRACED"
	)
	run_page "$PAGE"
	[ ! -s wrong ]
	on_web diff -r /run/web/before /home/me
	only_reading
	# what is in a copy over rsync is not read again, either
	awk '/^## The files over rsync/ { on = 1 } /^## A host/ { on = 0 } on' "$PAGE" >section.md
	run_page section.md # what was a moment old when it was taken first is read once more
	run_page section.md
	counts 0 0 3
	! is_read numbers || return 1
	# a host that pushes deletes all that it can
	rm -r /srv/inbox/web
	backuptool check --store ~/snapshots
	backuptool restore --store ~/snapshots --target /inbox --snapshot-file latest --output-directory /srv/back -q
	diff -r /etc/ssh /srv/back
}

@test "pulling over sshfs and rsync: each line runs, the keys can only read, and the files come back" {
	[ -w /dev/fuse ] && command -v sshfs >/dev/null && [ -x /usr/sbin/sshd ] || skip "needs sshfs, /dev/fuse and sshd"
	apart pull_page
}
