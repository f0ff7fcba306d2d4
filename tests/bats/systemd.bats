#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is scheduled, under a systemd that runs: one of a user, in a mount name space of its own, where /run is empty.
# shellcheck disable=SC2154
load helper

setup() {
	command -v systemctl >/dev/null && [ -x /usr/lib/systemd/systemd ] || skip "no systemd here"
	is_root && unshare -m true 2>/dev/null || skip "only root has mounts of its own"
	grep -qs systemd /proc/1/comm && skip "the systemd of this machine has its groups of processes"
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	export HOME=$WORK/home
	unset XDG_CONFIG_HOME
	mkdir -p src home
}

teardown() {
	[ -z "${WORK:-}" ] || remove_work
}

# under_systemd SCRIPT: runs it (bash -e) beside the systemd of a user, which ends with it.
under_systemd() {
	cat >"$WORK/script" <<-'END'
		set -e
		mount -t tmpfs tmpfs /run
		mkdir -p /run/systemd/system /run/user
		chmod 700 /run/user
		export XDG_RUNTIME_DIR=/run/user
		for groups in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
			! mkdir "$groups/backuptool-test-$$" 2>/dev/null || echo $$ >"$groups/backuptool-test-$$/cgroup.procs" || true
		done
		/usr/lib/systemd/systemd --user </dev/null >systemd.log 2>&1 3>&- &
		manager=$!
		ended() {
			kill "$manager"
			wait "$manager" || true
			for groups in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
				echo $$ >"$groups/cgroup.procs" || true
				find "$groups/backuptool-test-$$" -depth -type d -exec rmdir {} + || true
			done 2>/dev/null
		}
		trap ended EXIT
		for ((tries = 0; tries < 300; tries++)); do
			! systemctl --user is-system-running >/dev/null 2>&1 || break
			sleep 0.1
		done
		[ "$tries" -lt 300 ] || exit 77
	END
	echo "$1" >>"$WORK/script"
	run unshare -m bash "$WORK/script"
	[ "$status" != 77 ] || skip "systemd does not start here: $(tail -n 1 systemd.log)"
	echo "$output"
	[ "$status" = 0 ]
}

# Waits for what the next words say, in the script of under_systemd.
AWAIT='await() {
	for ((tries = 0; tries < 600; tries++)); do
		! eval "$1" >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	return 1
}
not() { ! "$@"; }
snapshots() { find snapshots -maxdepth 1 -name "snapshot_*" | wc -l; }
'

@test "a timer starts its service, failures are the service's, and all is listed and removed" {
	under_systemd "$AWAIT"'
		backuptool schedule --target-directory src --interval 1m --timer --keep-last 2 --json >made
		name=$(jq -r .name made) timer=$(basename "$(jq -r .timer_path made)")
		# Nobody waits for a minute.
		sed -i "s/^OnCalendar=.*/OnCalendar=*:*:0\/1/; s/^Random.*/AccuracySec=1ms/" "$(jq -r .timer_path made)"
		printf "[Service]\nType=oneshot\nExecStart=/usr/bin/touch %s/failed\n" "$PWD" >"$HOME/.config/systemd/user/failure.service"
		sed -i "s/^\[Unit\]/[Unit]\nOnFailure=failure.service/" "$(jq -r .path made)"
		jq -r ".commands[0, 1]" made | bash -e
		await "[ \$(snapshots) = 2 ]"
		backuptool schedule --list --json >running
		jq -e ".[0] | .active == \"active\" and .result == \"success\" and .exit == 0" running
		mv src away
		await "test -e failed"
		await "backuptool schedule --list --json | jq -e \".[0] | .result == \\\"exit-code\\\" and .exit == 1\""
		mv away src
		await "backuptool schedule --list --json | jq -e \".[0].result == \\\"success\\\"\""
		backuptool schedule --remove "$name" >removed 2>&1
		not systemctl --user is-active "$timer"
		not systemctl --user cat "$name"
		not ls "$HOME/.config/systemd/user/timers.target.wants/$timer"
		[ "$(wc -l <removed)" = 2 ]'
}

@test "a job runs as a service, and is removed" {
	under_systemd "$AWAIT"'
		backuptool schedule --target-directory src --at 03:00 --json >made
		name=$(jq -r .name made)
		jq -r ".commands[0, 1]" made | bash -e
		await "[ \$(snapshots) = 1 ]"
		[ "$(systemctl --user is-active "$name")" = active ]
		systemctl --user show --property StatusText "$name" | grep "next at .* 03:00:00"
		backuptool schedule --list --json | jq -e ".[0] | .active == \"active\" and .kind == \"job\" and .when == \"at 03:00\""
		backuptool schedule --target-directory src --at 03:00 --timer >/dev/null
		not systemctl --user is-active "$name"
		backuptool schedule --remove "$name"'
}

@test "a disk that is there before the login starts its timer, and one that is not starts it later" {
	under_systemd "$AWAIT"'
		disk="/run/media/me/My 5% \"\$disk"
		# As at the next login.
		again() {
			kill "$manager"
			wait "$manager" || true
			/usr/lib/systemd/systemd --user </dev/null >systemd.log 2>&1 3>&- &
			manager=$!
			await "systemctl --user is-system-running"
		}
		mkdir -p "$disk"
		mount -t tmpfs tmpfs "$disk"
		backuptool schedule --target-directory src --store "$disk/store" --at 03:00 --timer --now --json >made
		timer=$(basename "$(jq -r .timer_path made)")
		systemctl --user is-active "$timer"
		again
		await "systemctl --user is-active $timer"
		umount "$disk"
		await "! systemctl --user is-active $timer"
		again
		backuptool schedule --list
		not systemctl --user is-active "$timer"
		[ "$(systemctl --user is-system-running)" = running ]
		mount -t tmpfs tmpfs "$disk"
		await "systemctl --user is-active $timer"'
}

@test "a disk that is plugged in starts what it missed, and ends it when it goes" {
	under_systemd "$AWAIT"'
		disk=/run/media/me/disk
		mkdir -p "$disk"
		mount -t tmpfs tmpfs "$disk"
		backuptool schedule --target-directory src --store "$disk/store" --interval 1d --timer --json >made
		name=$(jq -r .name made) timer=$(basename "$(jq -r .timer_path made)")
		jq -r ".commands[0]" made | bash -e
		systemctl --user enable "$timer"
		cp -a "$disk/store" kept
		umount "$disk"
		await "! systemctl --user is-active run-media-me-disk.mount"
		# It ran last two days ago.
		mkdir -p "$HOME/.local/share/systemd/timers"
		touch -d "2 days ago" "$HOME/.local/share/systemd/timers/stamp-$timer"
		sed -i "s/^Random.*/AccuracySec=1ms/" "$(jq -r .timer_path made)"
		systemctl --user daemon-reload
		mount -t tmpfs tmpfs "$disk"
		cp -a kept "$disk/store"
		await "systemctl --user is-active $timer"
		await "[ \$(find $disk/store -maxdepth 1 -name \"snapshot_*\" | wc -l) = 1 ]"
		umount "$disk"
		await "! systemctl --user is-active $timer"'
}
