#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Everything that threads of the mount do beside each other, in short: with the build for ThreadSanitizer it is the
# search for races (tests/suites/22-tsan).
load mount_helper

@test "readers, snapshots and a prune until the end of the mount" {
	mkdir -p src/fixed
	for i in $(seq 60); do seq "$i" 500 >"src/fixed/$i"; done
	head -c 3000000 /dev/urandom >src/fixed/large
	quietly src
	backupfs -f "$WORK/snapshots" "$WORK/mnt" -o versions 2>log 3>&- &
	local pid=$!
	wait_until is_mounted
	touch reading
	for reader in 1 2 3; do
		while [ -e reading ]; do
			diff -r src/fixed mnt/latest/fixed || true # there is nothing in the end
			find mnt/versions >/dev/null || true
			echo "$reader" >>rounds
			echo 3 >/proc/sys/vm/drop_caches || true
		done 3>&- 2>/dev/null &
	done
	for i in 1 2 3; do
		date +%N >src/moving
		quietly src
	done
	backuptool prune --keep-last 1 >/dev/null
	sleep 2
	kill "$pid"
	wait "$pid"
	rm reading
	wait
	[ "$(wc -l <rounds)" -ge 3 ]
	run ! grep ThreadSanitizer log
	not_mounted
}
