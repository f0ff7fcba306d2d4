#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Timers, and what else is written for systemd, listed and removed again.
# shellcheck disable=SC2154
load helper

setup() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	export HOME=$WORK/home
	unset XDG_RUNTIME_DIR XDG_CONFIG_HOME
	units=$HOME/.config/systemd/user
	mkdir src
}

schedule() {
	backuptool schedule --target-directory "$@"
}

# The lines of the units that begin with one of the words.
lines_of() {
	schedule "${@:2}" --print | grep -E "^($1)="
}

@test "a timer: a service of one run, and when it is started" {
	run -0 schedule src --at 3:00,15:00 --at 'fri-mon 04:30' --timer --keep-daily 7 --print
	output_is "# Written by backuptool schedule: at 3:00,15:00; fri-mon 04:30" \
		"[Unit]" \
		"Description=Snapshot of $WORK/src" \
		"RequiresMountsFor=$WORK/snapshots" \
		"RequiresMountsFor=$WORK/src" \
		"" \
		"[Service]" \
		"Type=oneshot" \
		"ExecStart=$(realpath "$(command -v backuptool)") job --store=$WORK/snapshots --target-directory=$WORK/src --duration=0 --lock-wait=60s --keep-daily=7" \
		"TimeoutStopSec=5min" \
		"SuccessExitStatus=130" \
		"Nice=10" \
		"IOSchedulingClass=idle" \
		"" \
		"# Written by backuptool schedule: at 3:00,15:00; fri-mon 04:30" \
		"[Unit]" \
		"Description=Time for a snapshot of $WORK/src" \
		"" \
		"[Timer]" \
		"OnCalendar=*-*-* 03:00:00" \
		"OnCalendar=Sun,Mon,Fri,Sat *-*-* 04:30:00" \
		"OnCalendar=*-*-* 15:00:00" \
		"Persistent=true" \
		"RandomizedDelaySec=60s" \
		"" \
		"[Install]" \
		"WantedBy=timers.target"
}

@test "intervals that a timer can have" {
	while read -r interval calendar; do
		[ "$(lines_of OnCalendar src --interval "$interval" --timer)" = "OnCalendar=$calendar" ]
		! command -v systemd-analyze || systemd-analyze calendar "$calendar"
	done <<-'END'
		1m *-*-* *:00/1:00
		15m *-*-* *:00/15:00
		1h *-*-* 00/1:00:00
		60m *-*-* 00/1:00:00
		6h *-*-* 00/6:00:00
		1d *-*-* 00:00:00
		7d Mon *-*-* 00:00:00
	END
}

@test "what a timer cannot have is refused" {
	for interval in 500ms 90s 7m 7h 36h 2d; do
		run -2 schedule src --interval $interval --timer --print
		[[ $output == *"a timer can have an interval that divides an hour or a day in whole minutes, or 1w; give such a one, or --at"* ]]
	done
	for option in --watch '--give-up-after 3'; do
		run -2 schedule src --interval 1h --timer --print $option
		[[ $output == *"are for a job that goes on between two runs, and with --timer nothing does"* ]]
	done
	run -2 schedule src --interval 1h --inhibit-sleep --print
	[[ $output == *"--inhibit-sleep goes with --timer"* ]]
	[ ! -e home ]
}

@test "the service of a timer takes one snapshot whenever it is started, and prunes" {
	schedule src --interval 1h --timer --keep-last 2 --print >unit
	for _ in 1 2 3; do
		mapfile -d '' words < <("$TESTS/bats/exec_start.py" unit)
		run -0 "${words[@]}"
		[[ $output == *"1 run in "* ]]
	done
	[ "$(find snapshots -maxdepth 1 -name 'snapshot_*' | wc -l)" = 2 ]
}

@test "battery and sleep" {
	run -0 lines_of 'ConditionACPower|ExecStart' src --interval 1h --timer --no-battery --inhibit-sleep
	[ "${lines[0]}" = ConditionACPower=true ]
	[[ ${lines[1]} == 'ExecStart=/usr/bin/systemd-inhibit --what=sleep --who=backuptool "--why=A snapshot is being taken" /'*"/backuptool job "* ]]
	[[ ${lines[1]} != *--no-battery* && ${lines[1]} != *--inhibit-sleep* ]]
	run -0 lines_of 'ConditionACPower|ExecStart' src --interval 1h --no-battery
	[[ ${lines[0]} == "ExecStart=/"*" --no-battery" ]]
}

# with_supplies COMMAND…: with ./supplies in place of the machine's.
with_supplies() {
	is_root && unshare -m true 2>/dev/null || skip "only root has mounts of its own"
	unshare -m sh -c 'mount -t tmpfs tmpfs /sys/class && cp -r supplies /sys/class/power_supply && exec "$@"' sh "$@"
}

# supply NAME FILE TEXT…
supply() {
	mkdir -p "supplies/$1"
	for ((i = 2; i < $#; i += 2)); do
		echo "${@:i+1:1}" >"supplies/$1/${!i}"
	done
}

@test "a job puts a run off while the machine runs on its battery" {
	once='backuptool job --target-directory src --duration 0 --no-battery'
	supply BAT0 type Battery status Discharging
	supply AC type Mains online 0
	run -0 --separate-stderr with_supplies $once
	[ "${lines[0]}" = "run 1: put off: the machine runs on its battery" ]
	[[ ${lines[1]} == *" 1 put off;"* ]]
	run -0 --separate-stderr with_supplies $once --json
	jq -s -e '.[0] | .put_off and .exit == 0 and .error == "the machine runs on its battery"' <<<"$output"
	[ -z "$(find snapshots -maxdepth 1 -name 'snapshot_*')" ]
	run -0 with_supplies backuptool job --target-directory src --duration 0
	[[ $output == *"run 1: snapshot_"* ]]
	supply AC online 1
	run -0 with_supplies $once
	[[ $output == "run 1: snapshot_"* ]]
	supply AC online 0
	supply BAT0 status Charging
	run -0 with_supplies $once
	[[ $output == "run 1: snapshot_"* ]]
	supply mouse type Battery status Discharging scope Device
	run -0 with_supplies $once
	[[ $output == "run 1: snapshot_"* ]]
}

@test "--before brings what it needs by itself" {
	run -1 lines_of 'RequiresMountsFor' src --interval 1h --before true
}

# on_disk PLACE COMMAND…: with a disk mounted there for the desktop's user.
on_disk() {
	is_root && unshare -m true 2>/dev/null || skip "only root has mounts of its own"
	unshare -m sh -c 'mount -t tmpfs tmpfs /run && mkdir -p "$1" && mount -t tmpfs tmpfs "$1" && shift && exec "$@"' sh "$@"
}

@test "a disk that can be pulled out starts its units, and ends them" {
	command -v systemd-escape || skip "no systemd here"
	for disk in '/run/media/me/My Disk' '/run/media/me/a-b.c_d:e' $'/run/media/.x/\xff\\%é' "/run/media/'\"\$"; do
		mount=$(systemd-escape --path --suffix=mount "$disk")
		echo "$mount"
		run -0 on_disk "$disk" backuptool schedule --target-directory src --store "$disk/store" --at 03:00 --timer --print
		[ "$(grep -cxF "BindsTo=$mount" <<<"$output")" = 2 ]
		[ "$(grep -cxF "After=$mount" <<<"$output")" = 2 ]
		[ "$(grep -cxF "WantedBy=$mount" <<<"$output")" = 1 ]
		[[ $output != *timers.target* ]]
		[[ $output == *"WantedBy=default.target" ]] # at the login
		[ "$(grep -c "^ExecCondition=mountpoint -q .*/run/media/" <<<"$output")" = 1 ]
		run -0 on_disk "$disk" backuptool schedule --target-directory src --store "$disk/store" --at 03:00 --print
		[ "$(grep -cxF "BindsTo=$mount" <<<"$output")" = 1 ]
		[ "$(grep -cxF "WantedBy=$mount" <<<"$output")" = 1 ]
		run -0 on_disk "$disk" backuptool schedule --target-directory src --store "$disk/store" --at 03:00 --print --before true
		[[ $output != *BindsTo* ]]
	done
	run -0 --separate-stderr on_disk /run/media/me/disk backuptool schedule --target-directory src --store /run/media/me/disk/store --at 03:00
	[[ $output == *"The disk at /run/media/me/disk can be pulled out: it starts when that is mounted, and ends with it"* ]]
	[[ $output == *"enable --now "*".service "*".login.service"* ]]
	run -1 lines_of 'BindsTo|After|ExecCondition' src --at 03:00
	run -0 on_disk /run/media/me/disk backuptool schedule --target-directory src --store /run/media/me/disk/store --at 03:00 --print --system
	[[ $output == *BindsTo* && $output != *ExecCondition* ]]
}

@test "what looks for the disk at the login is listed with its job, and goes with it or with the disk" {
	run -0 --separate-stderr on_disk /run/media/me/disk sh -c '
		backuptool schedule --target-directory src --store /run/media/me/disk/store --at 03:00 --timer --json >written
		backuptool schedule --list --json >list
		backuptool schedule --remove "$(jq -r ".[0].name" list)"'
	diff <(jq -r '.login_path, .timer_path, .path' written | sed 's/^/removed /') <(echo "$output")
	[ "$(jq length list)" = 1 ]
	[ -z "$(find "$HOME" "${XDG_CONFIG_HOME:-$HOME}" -name "*.login.service")" ]
}

@test "what is scheduled is listed" {
	run -0 --separate-stderr backuptool schedule --list
	[ "$output" = "nothing is scheduled" ]
	[ "$stderr" = "" ]
	run -0 --separate-stderr backuptool schedule --list --json
	[ "$(jq length <<<"$output")" = 0 ]
	mkdir 'a "b" % $'
	schedule src --interval 1h --skip-if-unchanged >/dev/null
	schedule 'a "b" % $' --at 03:00,15:00 --at 'Mon 12:00' --timer >/dev/null
	printf '[Service]\nExecStart=/bin/true\n' >"$units/backuptool-other.service"
	run -0 --separate-stderr backuptool schedule --list
	[[ ${lines[0]} == TARGET*NAME*OF*KIND*STORE*WHEN*ACTIVE*RESULT*EXIT ]]
	[ "${#lines[@]}" = 3 ]
	[ "$stderr" = "backuptool schedule: the systemd of this user does not run here, so it is not known what is active" ]
	run -0 --separate-stderr backuptool schedule --list --json
	jq -e --arg work "$WORK" '[.[] | [.of, .kind, .target, .store, .when]] == [
		["user", "timer", $work + "/a \"b\" % $", $work + "/snapshots", "at 03:00,15:00; Mon 12:00"],
		["user", "job", $work + "/src", $work + "/snapshots", "every 1h"]]' <<<"$output"
}

@test "a timer of a configuration runs its sources" {
	printf '[source a]\ntarget-directory = %s/src\nstore = %s/store\n[source b]\ntarget-directory = %s/src\nstore = %s/store\nhost = b\n' \
		"$WORK" "$WORK" "$WORK" "$WORK" >config
	run -0 --separate-stderr backuptool schedule --config config --timer --at 03:00 --no-battery --print
	grep -qx "Description=Time for a snapshot as $WORK/config says" <<<"$output"
	grep -qx OnCalendar='\*-\*-\* 03:00:00' <<<"$output"
	grep -qx ConditionACPower=true <<<"$output"
	mapfile -d '' -t words < <("$TESTS/bats/exec_start.py" /dev/stdin <<<"$output")
	[ "${words[*]:1}" = "run --config=$WORK/config --all" ]
	run -0 "${words[@]}"
	[ "$(find store -maxdepth 1 -name 'snapshot_*' | wc -l)" = 2 ]
	run -0 --separate-stderr backuptool schedule --config config --timer --at 03:00 --print b
	[[ $output == *" run --config=$WORK/config b"$'\n'* ]]
	backuptool schedule --config config --timer --at 03:00 >/dev/null
	run -0 --separate-stderr backuptool schedule --list --json
	jq -e --arg config "$WORK/config" '.[0] | .config == $config and .when == "at 03:00" and .target == null' <<<"$output"
	run -0 --separate-stderr backuptool schedule --list
	[[ ${lines[1]} == "$WORK/config "* ]]
	run -2 backuptool schedule --config config --timer --print
	run -2 backuptool schedule --config config --timer --at 03:00 --keep-last 3
	[[ $output == *"with --config, --keep-last stands in the configuration"* ]]
}

@test "what is scheduled is removed, and nothing else" {
	mkdir other
	schedule src --interval 1h --timer >/dev/null
	schedule other --interval 1h >/dev/null
	timer=$(cd "$units" && echo *.timer) name=${timer%.timer}
	mkdir "$units/timers.target.wants"
	ln -s "$units/$timer" "$units/timers.target.wants/$timer"
	printf '[Service]\nExecStart=/bin/true\n' >"$units/backuptool-mine.service"
	for wrong in backuptool-mine nothing "${name}x" "$name.socket" ../"$name"; do
		run -1 --separate-stderr backuptool schedule --remove "$wrong"
		[ "$stderr" = "backuptool schedule: this program has made no unit $wrong; 'backuptool schedule --list' shows those that it made" ]
	done
	run -0 --separate-stderr backuptool schedule --remove "$name"
	output_is "removed $units/$timer" "removed $units/$name.service"
	[ "$stderr" = "backuptool schedule: the systemd of this user does not run here: only the files were removed" ]
	[ "$(find "$units" -name "*$name*")" = "" ]
	[ "$(find "$units" -type f | wc -l)" = 2 ]
	run -0 --separate-stderr backuptool schedule --remove "$(basename "$units"/*-other-*.service)" --json
	[ "$(jq '.removed | length' <<<"$output")" = 1 ]
	[ "$(find "$units" -type f -printf '%f\n')" = backuptool-mine.service ]
}

@test "a job that becomes a timer is not enabled any more, and the other way" {
	schedule src --interval 1h >/dev/null
	name=$(basename "$units"/*.service .service)
	mkdir "$units/default.target.wants"
	ln -s "$units/$name.service" "$units/default.target.wants/$name.service"
	run -0 schedule src --interval 1h --timer
	[[ $output == "wrote "*"enable --now $name.timer"* ]]
	[ ! -L "$units/default.target.wants/$name.service" ]
	run -0 schedule src --interval 2h --timer
	[[ $output == "replaced "*"restart $name.timer"* ]]
	run -0 schedule src --interval 1h
	[[ $output == "wrote "*"enable --now $name.service"* ]]
	[ ! -e "$units/$name.timer" ]
}

@test "for the whole machine" {
	is_root && unshare -m true 2>/dev/null || skip "only root has mounts of its own"
	run -0 schedule src --interval 1h --system --print
	[[ $output == *"WantedBy=multi-user.target" ]]
	run -0 --separate-stderr unshare -m sh -c 'mount -t tmpfs tmpfs /etc/systemd &&
		backuptool schedule --target-directory src --interval 1h --timer --system --json >written &&
		backuptool schedule --list --json >list && stat -c %a /etc/systemd/system/*.timer &&
		backuptool schedule --remove "$(jq -r .name written)" && ls /etc/systemd/system'
	output_is 644 "removed $(jq -r .timer_path written)" "removed $(jq -r .path written)"
	jq -e '(.path | startswith("/etc/systemd/system/")) and (.commands | length == 2 and all(contains("--user") | not)) and
		(.look | all(contains("--user") | not))' written
	jq -e '.[0].of == "system"' list
	[ ! -e home ]
}
