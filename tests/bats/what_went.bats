#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A snapshot says what went since the one before, what rules left out, and what could not be read as it was.
# shellcheck disable=SC2154
load helper

teardown() {
	[ -z "${job:-}" ] || kill -KILL "$job" 2>/dev/null || true
	wait
	unmount_work
	remove_work
}

some_tree() {
	mkdir -p src/d/e src/kept
	touch src/d/e/{1,2,3} src/d/4 src/a src/b src/kept/c
	ln -s a src/link
	settle
}

# line PATTERN: one of the lines of `run`'s output.
line() {
	local each
	for each in "${lines[@]}"; do
		# shellcheck disable=SC2053
		[[ $each != $1 ]] || return 0
	done
	return 1
}

member() {
	jq -r ".$1" <<<"${lines[-1]}"
}

@test "entries that are gone are counted, those of a removed directory too; -v has a line for each that went" {
	some_tree
	take src -q
	rm -r src/d src/b src/link
	run -0 --separate-stderr take src -v
	line "files: 0 new files, 0 changed, 2 unchanged; 8 entries removed*"
	[ "$(grep ^D <<<"$output")" = $'D b  (0 B)\nD d  (0 B)\nD link' ]
	[ "$(tail -n 2 "snapshots/$(newest)" | head -n 1 | grep -o '"removed":[0-9]*')" = '"removed":8' ]
	run -0 --separate-stderr backuptool list
	[[ ${lines[2]} == *"  8 removed" ]]
	run -0 --separate-stderr backuptool list --json
	[ "$(jq '.[1].removed_entries' <<<"$output")" = 8 ]
	[ "$(jq '.[0].removed_entries' <<<"$output")" = null ]
	# What did not change since has nothing to say.
	run -0 --separate-stderr take src
	line "files: 0 new files, 0 changed, 2 unchanged"
	run -0 backuptool list
	[[ ${lines[3]} != *removed* ]]
}

@test "the sizes of files that are gone are counted, those below a removed directory too" {
	some_tree
	head -c 3000 /dev/zero >src/d/e/1
	head -c 500 /dev/zero >src/b
	head -c 70000 /dev/zero >src/a
	ln -sf nowhere src/link
	settle
	take src -q
	rm -r src/d src/b src/link
	: >src/a # smaller, but there
	run -0 --separate-stderr take src --dry-run
	line "files: *; 8 entries removed (3.4 KiB)*"
	run -0 --separate-stderr take src --json
	[ "$(member removed_bytes)" = 3500 ]
	[[ $(tail -n 2 "snapshots/$(newest)" | head -n 1) == *'"removed":8,"removed_bytes":3500,'* ]]
	[ "$(backuptool list --json | jq -c 'map(.removed_bytes)')" = "[null,3500]" ]
	run -0 backuptool list
	[[ ${lines[2]} == *"  8 removed (3.4 KiB)" ]]
}

@test "a dry run, --skip-if-unchanged and --json count them as well" {
	some_tree
	take src -q
	rm -r src/d
	run -0 --separate-stderr take src --dry-run
	line "files: 0 new files, 0 changed, 3 unchanged; 6 entries removed*"
	run -0 --separate-stderr take src --skip-if-unchanged --json
	[ "$(member skipped)" = false ]
	[ "$(member removed_entries)" = 6 ]
}

@test "a file in place of a directory: what was in that is gone" {
	some_tree
	take src -q
	rm -r src/d
	echo file >src/d
	run -0 --separate-stderr take src
	line "files: 1 new file, 0 changed, 3 unchanged; 5 entries removed*"
}

@test "what cannot be looked at is not gone" {
	reachable_tool
	some_tree
	mkdir -m 777 store
	if is_root; then chown -R 65534:65534 src; fi
	as_user backuptool --store store/s snapshot --target-directory src -q
	chmod 000 src/d
	run -3 --separate-stderr as_user backuptool --store store/s snapshot --target-directory src -v
	chmod 755 src/d
	[[ $output != *removed* ]]
	[ "$(grep -c ^D <<<"$output")" = 0 ]
	line "incomplete: 1 entry could not be read"
	run -0 --separate-stderr as_user backuptool --store store/s list
	[[ ${lines[2]} == *"  1 unread" ]]
}

@test "a file that changes while it is read is torn, not unread" {
	mkdir src
	head -c 40000000 /dev/urandom >src/busy
	(while :; do touch src/busy; done) 3>&- &
	writer=$!
	run -3 --separate-stderr take src
	json=$(take src --json 2>/dev/null) || true
	kill "$writer"
	wait "$writer" || true
	line "incomplete: 1 file changed while being read"
	[ "$(jq .errors,.torn <<<"$json" | tr '\n' ' ')" = "1 1 " ]
	run -0 --separate-stderr backuptool list
	[[ ${lines[1]} == *"  1 torn" && $output != *unread* ]]
	[ "$(backuptool list --json | jq -c '.[0] | [.errors, .torn]')" = "[1,1]" ]
}

@test "what rules left out is in the list and in the file" {
	some_tree
	take src -q --exclude /d/ --exclude b
	[[ $(tail -n 2 "snapshots/$(newest)" | head -n 1) == *'"left_out":2,'* ]]
	run -0 --separate-stderr backuptool list
	[[ ${lines[1]} == *"  2 left out" ]]
	[ "$(backuptool list --json | jq '.[0].excluded')" = 2 ]
}

# One run or several saw it.
all_are_gone() {
	[ "$(jq -s -c 'map(select(.walk == "changes")) | [map(.removed_entries), map(.removed_bytes)] | map(add)' "$1")" = "[6,40]" ]
}

@test "a job counts them, also while it watches" {
	alone own
	some_tree
	head -c 40 /dev/zero >src/d/e/2
	settle
	take src -q
	rm src/b
	run -0 --separate-stderr backuptool job --target-directory src --interval 1 --duration 0
	[[ ${lines[0]} == *" 0 new, 0 changed, 6 unchanged; "*"; 1 entry removed; "* ]]
	backuptool job --target-directory src --interval 100ms --duration forever --watch --full-scan-every 99999 \
		--skip-if-unchanged --json >lines 3>&- &
	job=$!
	wait_until grep -q '"walk":"changes"' lines
	rm -r src/d
	wait_until all_are_gone lines
	kill "$job"
	wait "$job" || true
}

@test "another file system that was not entered is named in one line, and counted everywhere" {
	some_tree
	mkdir src/d/usb
	touch src/d/usb/below
	settle
	take src -q -x
	mount_or_skip -t tmpfs none src/d/usb
	touch src/d/usb/on_it
	run -0 --separate-stderr take src -x -v
	line "B d/usb"
	line "files: 0 new files, 0 changed, 7 unchanged; 1 entry removed; 1 other file system not entered (d/usb: tmpfs)"
	[[ $(tail -n 2 "snapshots/$(newest)" | head -n 1) == *'"removed":1,"boundaries":1,'* ]]
	run -0 --separate-stderr take src -x --json --skip-if-unchanged
	[ "$(jq -c '[.boundaries, .removed_entries, .skipped]' <<<"$output")" = "[1,null,true]" ]
	run -0 --separate-stderr backuptool list
	[[ ${lines[2]} == *"  1 removed, 1 not entered" ]]
	[ "$(backuptool list --json | jq '.[1].boundaries')" = 1 ]
	run -0 --separate-stderr backuptool ls -l latest:d
	[[ $output == *" usb  (not entered: tmpfs)"* ]]
	[ "$(backuptool ls --json latest:d | jq -r 'select(.path | endswith("usb")).boundary')" = tmpfs ]
	run -0 --separate-stderr backuptool job --target-directory src -x --interval 1 --duration 0
	[[ ${lines[0]} == *"; 1 other file system not entered (d/usb: tmpfs); "* ]]
	mkdir src/kept/two
	mount -t tmpfs none src/kept/two
	run -0 --separate-stderr take src -x
	[[ ${lines[1]} == *"; 2 other file systems not entered (d/usb: tmpfs, …)" ]]
	umount src/d/usb
	# What is there is known again.
	run -0 --separate-stderr take src -x
	[[ ${lines[1]} == "files: 1 new file, 0 changed, 7 unchanged; 1 other file system not entered (kept/two: tmpfs)" ]]
}
