#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The line of a crontab that docs/jobs.md gives.
# shellcheck disable=SC2154
load helper

setup() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	mkdir -p home/documents
	echo text >home/documents/file
	line=$(sed -n 's/^    \(0 3 \* \* \* .*\)$/\1/p' "$TOP/docs/jobs.md")
	[[ $line == "0 3 * * * backuptool job "* ]]
}

# The line's command, as cron would run it: with nothing in the environment but this.
run_line() {
	env -i "HOME=$WORK/home" LOGNAME=me SHELL=/bin/sh PATH=/usr/bin:/bin \
		/bin/sh -c "${line/#0 3 \* \* \* backuptool/$BUILD/tools/backuptool}" </dev/null
}

@test "cron runs the line of docs/jobs.md, and says something only if it fails" {
	run_line >first 2>&1
	[[ $(cat first) == "backuptool job: made a new store at $WORK/home/snapshots"* ]]
	run -0 run_line
	[ "$output" = "" ]
	[ "$(find home/snapshots -maxdepth 1 -name 'snapshot_*' | wc -l)" -ge 1 ]
	backuptool --store home/snapshots status
	mv home/documents away
	run -1 run_line
	[ "$output" = "backuptool job: there is no directory $WORK/home/documents" ]
}

@test "a cron that runs" {
	[ "${TEST_LONG:-0}" = 1 ] || skip "only with --long: it waits for a minute to pass"
	command -v cron >/dev/null || skip "no cron here"
	is_root && unshare -m true 2>/dev/null || skip "only root has mounts of its own"
	printf 'HOME=%s\nMAILTO=""\n%s\n' "$WORK/home" \
		"${line/#0 3 \* \* \* backuptool/* * * * * $BUILD/tools/backuptool}" >table
	run -0 unshare -m bash -ec '
		for place in /var/spool/cron /etc/cron.d /run; do mount -t tmpfs tmpfs "$place"; done
		mount --bind /dev/null /etc/crontab
		mkdir -m 1730 /var/spool/cron/crontabs
		crontab table
		cron -f 3>&- &
		cron=$!
		for ((tries = 0; tries < 1200; tries++)); do
			[ -z "$(find home/snapshots -maxdepth 1 -name "snapshot_*" 2>/dev/null)" ] || break
			sleep 0.1
		done
		kill "$cron"
		[ "$tries" -lt 1200 ]'
	run -0 backuptool --store home/snapshots list
}
