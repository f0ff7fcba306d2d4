#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/how-to/cron-and-systemd.md, with a systemd of the machine and one of a user that really run, in namespaces of
# their own.
# shellcheck disable=SC2034,SC2154
load helper
load pages

setup() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	{ is_root && unshare --mount --pid --cgroup --fork true; } 2>/dev/null || skip "only root has namespaces of its own"
	command -v systemctl >/dev/null || skip "no systemd here"
	mkdir -p home/documents
	echo 'Dear Ann' >home/documents/may.txt
	chown -R nobody home
	start_systemd
}

teardown() {
	if [ -n "${systemd:-}" ]; then
		kill -9 "$systemd"
		wait "$systemd" || true
	fi
	remove_work
}

# One of the machine, and below it one of the user nobody, at /run/nobody.
start_systemd() {
	unshare --mount --pid --cgroup --fork --kill-child "$BATS_TEST_DIRNAME/own_systemd" >systemd.log 2>&1 3>&- &
	systemd=$!
	wait_until quietly inside systemctl is-active tests.target
	inside systemd-run --quiet --unit=nobody --uid=nobody -p Delegate=yes -p RuntimeDirectory=nobody \
		--setenv=XDG_RUNTIME_DIR=/run/nobody --setenv=HOME="$WORK/home" /lib/systemd/systemd --user
	wait_until quietly as_nobody systemctl --user is-active basic.target
}

quietly() {
	"$@" >/dev/null 2>&1
}

# A command there, as root or as that user.
inside() {
	local inner=
	read -r inner <"/proc/$systemd/task/$systemd/children" || [ -n "$inner" ]
	nsenter --target "${inner% }" --all -- "$@"
}

as_nobody() {
	inside setpriv --reuid=nobody --regid=nogroup --clear-groups env XDG_RUNTIME_DIR=/run/nobody HOME="$WORK/home" "PATH=$PATH" "$@"
}

@test "docs/how-to/cron-and-systemd.md" {
	reachable_tool
	cd home
	HOME=$WORK/home
	CHANGES=(
		"s|/var/backups/snapshots|$WORK/store|; s|--target-directory /etc|--target-directory $TOP/docs|" # this machine's files stay
		's/\bsystemctl\b/as_nobody &/g; s/sudo as_nobody/inside/'                                       # there, and as the one who types
		's/\bjournalctl --user -u\b/inside journalctl _SYSTEMD_USER_UNIT=/; s/_UNIT= "/_UNIT="/; s/journalctl \(.*\)name.)"$/journalctl \1name'"'"').service"/'
		's/sudo backuptool/inside backuptool/g; s/^backuptool schedule/as_nobody &/; s/(backuptool schedule/(as_nobody backuptool schedule/g'
	)
	run_page "$TOP/docs/how-to/cron-and-systemd.md"
	# the user's timer is there, and its service took a snapshot
	as_nobody systemctl --user is-enabled "$(as_nobody backuptool schedule --list --json | jq -r '.[0].name').timer"
	[ "$(backuptool --store snapshots list --names | wc -l)" = 1 ]
	# that of the machine is gone again
	run -0 inside systemctl list-timers 'backuptool-*'
	[[ $output == *"0 timers listed"* ]]
}

@test "schedule --now starts a job and a timer, says so, and says what systemd says against it" {
	reachable_tool
	run -0 --separate-stderr inside backuptool schedule --now --system --interval 1h --store "$WORK/store" --target-directory "$WORK/home/documents"
	[[ $output == *"It is started, now and at each boot"* && $output != *"Start it"* ]]
	wait_until sh -c "backuptool --store '$WORK/store' list --names | grep -q snapshot"
	name=$(inside backuptool schedule --list --json | jq -r '.[0].name')
	inside systemctl is-active "$name"
	run -0 inside backuptool schedule --now --system --interval 2h --store "$WORK/store" --target-directory "$WORK/home/documents" --json
	[ "$(jq -c '[.started, .replaced]' <<<"$output")" = '[true,true]' ]
	[[ $(inside systemctl show --property=ExecStart "$name") == *--interval=2h* ]]
	run -0 inside backuptool schedule --now --system --timer --at 03:00 --store "$WORK/store" --target-directory "$WORK/home/documents"
	inside systemctl is-active "$name.timer"
	run ! inside systemctl is-active "$name.service"
	# a timer that systemd does not take
	inside sh -c "mkdir '/etc/systemd/system/$name.timer.d' &&
		printf '[Unit]\nAssertPathExists=/nowhere\n' >'/etc/systemd/system/$name.timer.d/here.conf'"
	run -3 --separate-stderr inside backuptool schedule --now --system --timer --at 04:00 --store "$WORK/store" --target-directory "$WORK/home/documents"
	[ "$stderr" = "backuptool schedule: systemd could not start it, 'systemctl status $name.service' says why; the units are written" ]
	[[ $output == *"systemctl restart $name.timer"* ]]
}

@test "schedule --now where no systemd runs" {
	run -3 --separate-stderr env -u XDG_RUNTIME_DIR HOME="$WORK/home" backuptool schedule --now --interval 1h --target-directory home/documents
	[ "${stderr##*$'\n'}" = "backuptool schedule: the systemd of this user does not run here, so nothing is started; the units are written" ]
	[[ $output == *"enable --now"* ]]
}
