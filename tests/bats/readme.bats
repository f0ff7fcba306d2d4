#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every command line of the README runs, in its order, in the home directory of somebody who has a few files and a
# few snapshots. A line that cannot run here fails the test, unless it stands among the adaptations.
# shellcheck disable=SC2154
load helper

# The lines to run, of indented examples and of `code`, each that has backuptool or backupfs as a command, and those
# between the mount and its end.
command_lines() {
	python3 - "$TOP/README.md" <<-'END'
		import re, sys
		mounted = fenced = False
		for line in open(sys.argv[1], encoding='utf-8'):
		    fenced ^= line.startswith('```')
		    if fenced:
		        continue  # those are run by format.bats
		    if re.match(r'    (mkdir|ls|diff|cp|umount|fusermount3|backup|export|cat|meson|man|sha256sum|tar|mount|sudo)', line):
		        if re.search(r'\b(backuptool|backupfs) [^ ]', line) or '~/mnt' in line:
		            print(re.sub(r'  +#.*', '', line.strip()))
		    elif not line.startswith('    '):
		        for code in re.findall(r'`((?:backuptool|backupfs) [^`]+)`', line):
		            print(code)
	END
}

# What is done in another way here, and why.
ADAPTATIONS=(
	's/--interval [^ ]*/--interval 1s/; s/--duration [^ ]*/--duration 1s/' # nobody waits for hours
	's/--target-directory [~\/] /--target-directory ~\/documents /'         # all snapshots are of one directory
	's/@yesterday/@now/; s/2026-11-20T08-00-00Z/latest~1/'                 # no snapshot is as old as that here
	's/^backupfs STORE MOUNTPOINT$/mkdir -p ~\/other \&\& backupfs ~\/snapshots ~\/other \&\& umount ~\/other/' # placeholders
	's/^diff -r .*/& || [ $? = 1 ]/'                                       # there are differences to be shown
	's/umount /umount_here /'                                              # an ordinary user has fusermount3
)

# A home with files and two snapshots.
prepare_home() {
	export HOME=$WORK/home
	mkdir -p "$HOME/documents/letters" "$HOME/documents/photos/2024" "$HOME/Downloads"
	cd "$HOME" || return 1
	echo 'Dear Ann' >documents/letters/may.txt
	seq 1000 >documents/photos/2024/beach.raw
	echo temporary >documents/a.tmp
	umask 077
	for letter in April May; do
		echo "$letter" >>documents/letters/may.txt
		backuptool snapshot --target-directory ~/documents >/dev/null
	done
}

teardown() {
	for place in mnt other; do
		! mountpoint -q "$WORK/home/$place" || umount_here "$WORK/home/$place"
	done
	cd /
	rm -rf "$WORK"
}

umount_here() {
	if is_root; then umount "$1"; else fusermount3 -u "$1"; fi
}

@test "each command line of the README runs" {
	[ -w /dev/fuse ] || skip "/dev/fuse may not be used"
	prepare_home
	PATH=$BUILD/fs:$PATH
	command_lines >lines
	[ "$(wc -l <lines)" -ge 25 ]
	failed=0
	while IFS= read -r line; do
		adapted=$line
		for change in "${ADAPTATIONS[@]}"; do
			adapted=$(sed "$change" <<<"$adapted")
		done
		echo "\$ $adapted"
		# somebody works there, so that no snapshot is left out
		[[ $line != 'backuptool snapshot '* ]] || echo more >>~/documents/letters/may.txt
		status=0
		eval "$adapted" </dev/null >output 2>&1 3>&- || status=$?
		if [ "$status" != 0 ]; then
			echo "not as the README says: it ended with $status"
			tail -n 20 output
			failed=$((failed + 1))
		fi
	done <lines
	[ "$failed" = 0 ]
}

@test "every command is in the README, and every command of the README is one" {
	for command in $(backuptool help --json | jq -r '.commands[].name'); do
		echo "$command"
		[ "$command" = help ] || grep -qE "backuptool (--store [^ ]* )?$command\b" "$TOP/README.md"
	done
	while read -r _ command; do
		[[ $command == -* || $command == COMMAND ]] || backuptool help "$command" >/dev/null
	done < <(command_lines | grep -oE '^backuptool [^ ]+')
}

@test "a new user: a home directory, backed up, scheduled, mounted, pruned and restored" {
	[ -w /dev/fuse ] || skip "/dev/fuse may not be used"
	prepare_home
	rm -rf snapshots
	backuptool snapshot --target-directory ~ --exclude '*.tmp' --exclude /Downloads/ --exclude-caches --one-file-system
	backuptool schedule --store ~/snapshots --target-directory ~ --interval 1h --skip-if-unchanged --keep-hourly 48 --print >unit
	mapfile -d '' -t words < <("$TESTS/bats/exec_start.py" unit)
	# what the service would do, for one run
	echo 'and greetings' >>documents/letters/may.txt
	"${words[@]/--duration=forever/--duration=1s}" 3>&-
	run -0 --separate-stderr backuptool list --names
	[ "${#lines[@]}" = 2 ]
	mkdir mnt
	backuptool mount ~/mnt 3>&-
	first=mnt/$(basename "${lines[0]}" .json)
	run -1 diff "$first/documents/letters/may.txt" mnt/latest/documents/letters/may.txt
	[[ $output == *'> and greetings'* ]]
	[ ! -e "$first/Downloads" ]
	rm documents/letters/may.txt
	cp -a mnt/latest/documents/letters/may.txt documents/letters/
	grep -q greetings documents/letters/may.txt
	umount_here ~/mnt
	backuptool prune --snapshot-number 1
	[ "$(backuptool list --names | wc -l)" = 1 ]
	backuptool check
	backuptool restore --snapshot-file latest --output-directory ~/back
	grep -q greetings back/documents/letters/may.txt
}
