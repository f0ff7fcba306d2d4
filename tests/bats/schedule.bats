#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The service that runs a job.
# shellcheck disable=SC2154
load helper

schedule() {
	backuptool schedule --target-directory "$@"
}

# The service's command with another duration, as systemd would start it.
run_service() {
	local words
	mapfile -d '' words < <("$TESTS/bats/exec_start.py" "$1")
	(cd / && "${words[@]/#--duration=forever/--duration=0}")
}

@test "the whole service" {
	mkdir src
	run -0 schedule src --interval 1h --keep-daily 7 -e '*.tmp' --print
	output_is "# Written by backuptool schedule: every 1h" \
		"[Unit]" \
		"Description=Snapshots of $WORK/src" \
		"RequiresMountsFor=$WORK/snapshots" \
		"RequiresMountsFor=$WORK/src" \
		"" \
		"[Service]" \
		"Type=notify" \
		"ExecStart=$(realpath "$(command -v backuptool)") job --store=$WORK/snapshots --target-directory=$WORK/src --duration=forever --lock-wait=60s --interval=1h --keep-daily=7 \"--exclude=*.tmp\"" \
		"Restart=on-failure" \
		"RestartSec=1min" \
		"RestartPreventExitStatus=2" \
		"TimeoutStopSec=5min" \
		"SuccessExitStatus=130" \
		"Nice=10" \
		"IOSchedulingClass=idle" \
		"" \
		"[Install]" \
		"WantedBy=default.target"
	[ ! -e snapshots ]
}

@test "it is written where systemd looks, and how to start it is said" {
	mkdir src
	HOME=$WORK/home run -0 --separate-stderr schedule src --interval 1h
	[[ ${lines[0]} =~ ^wrote\ ($WORK/home/\.config/systemd/user/(backuptool-[A-Za-z0-9._-]+-src-[0-9a-f]{8}\.service))$ ]]
	path=${BASH_REMATCH[1]} name=${BASH_REMATCH[2]}
	[[ $output == *$'\n'"  systemctl --user daemon-reload"$'\n'"  systemctl --user enable --now $name"$'\n'* ]]
	[[ $output == *"loginctl enable-linger"* ]]
	[[ $output == *$'\n'"See how it goes with:"$'\n'"  systemctl --user status $name"$'\n'"  journalctl --user -u $name" ]]
	diff "$path" <(schedule src --interval 1h --print)
	HOME=$WORK/home run -0 schedule src --interval 2h
	[[ $output == "replaced $path"*"restart $name"* ]]
	grep -q -- --interval=2h "$path"
	XDG_CONFIG_HOME=$WORK/config run -0 schedule src --interval 1h --store other
	[ "$(find home config -type f | wc -l)" = 2 ]
	[ ! -e "$WORK/config/systemd/user/$name" ]
	HOME='' run -1 schedule src --interval 1h
	[[ $output == *--print* ]]
}

@test "a dry run shows the service, writes nothing, and is no part of it" {
	mkdir src home
	schedule src --interval 1h --print >unit
	for option in -n --dry-run '--dry-run --print'; do
		diff unit <(HOME=$WORK/home schedule src --interval 1h $option)
	done
	[ "$(find home -type f | wc -l)" = 0 ]
}

@test "paths and tags of every kind arrive as they are" {
	mkdir store
	for name in 'with blank' '50%off' "quote's" '"double"' $'new\nline\ttab' '$HOME' "\${X}" ';' '#' $'\xff\xfe' 'ünï' \
		' leading' 'trailing ' 'back\slash\'; do
		mkdir -p "dir/$name"
		schedule "dir/$name" --store store --interval 1 --tag '50% "$USER" \' --print >unit
		run_service unit
		echo "$name"
		[ "$(backuptool list --store store --json | jq -r '.[-1] | .target_b64 // (.target | @base64)')" = \
			"$(printf %s "$WORK/dir/$name" | base64 -w 0)" ]
	done
	backuptool list --store store --json | jq -e '[.[].tags] | unique == [["50% \"$USER\" \\"]]'
}

@test "a store that is not there yet" {
	mkdir src sub
	for store in other ./other sub/../other other/ "$WORK/other" "$WORK//sub/..//other//"; do
		[[ $(schedule src --store "$store" --interval 1 --print) == *" --store=$WORK/other "* ]]
	done
	[[ $(schedule src --store /not-there-backuptool --interval 1 --print) == *" --store=/not-there-backuptool "* ]]
	run -1 schedule src --store not/there --interval 1 --print
	[ ! -e other ]
}

@test "files of patterns are found from everywhere" {
	mkdir src
	touch src/a.tmp src/b
	echo '*.tmp' >patterns
	schedule src --interval 1 --exclude-from patterns --print >unit
	run_service unit
	bring latest out -q
	[ "$(ls out)" = b ]
	run -2 schedule src --interval 1 --exclude-from - --print </dev/null
}

# What is written for the user or for the machine, looked at by systemd.
systemd_finds_nothing() {
	local units
	rm -rf home
	HOME=$WORK/home schedule "$@" >/dev/null
	units=("$WORK"/home/.config/systemd/user/*)
	run -0 env SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no "${units[@]}"
	[[ $output != *backuptool-* ]]
}

@test "systemd finds nothing wrong with it" {
	command -v systemd-analyze || skip "no systemd here"
	mkdir 'a %n "b" src' $'\xff\tüx\\'
	for directory in 'a %n "b" src' $'\xff\tüx\\'; do
		systemd_finds_nothing "$directory" --interval 1h --keep-last 3
		systemd_finds_nothing "$directory" --at 03:00,15:00 --at 'Sat-Mon 3:30' --timer --no-battery --inhibit-sleep
		for interval in 1m 10m 1h 3h 1d 1w; do
			systemd_finds_nothing "$directory" --interval $interval --timer
		done
	done
}

@test "systemd would complain" {
	command -v systemd-analyze || skip "no systemd here"
	mkdir src
	HOME=$WORK/home schedule src --at 03:00 --timer >/dev/null
	sed -i 's/^OnCalendar=.*/OnCalendar=sometimes/' home/.config/systemd/user/*.timer
	run systemd-analyze verify --man=no home/.config/systemd/user/*.timer
	[[ $output == *backuptool-*"sometimes"* ]]
}

@test "what cannot work is refused" {
	mkdir src
	run -2 schedule src
	run -2 schedule src --interval 0
	run -1 schedule missing --interval 1h --print
	[ "$output" = "backuptool schedule: there is no directory missing" ]
	touch file
	run -1 schedule file --interval 1h --print
	run -2 schedule src --interval 1h --duration forever
}
