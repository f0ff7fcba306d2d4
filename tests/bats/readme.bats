#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every command line of the README and of each page in docs runs, in its order, in the home directory of somebody who has
# a few files and a few snapshots. A line that cannot run here fails the test, unless it stands among the adaptations.
# shellcheck disable=SC2034,SC2154
load helper
load pages

# The README, and the pages that say what each command does. Those in docs/how-to have tests of their own.
PAGES=(README.md docs/{jobs,keeping,looking,mounting,restoring,scripting,speed,taking}.md)

# The lines of all of them.
all_lines() {
	for page in "${PAGES[@]}"; do
		page_lines "$TOP/$page" --inline
	done
}

# What else their text names to be run: our programs, and those that install or show them.
named() {
	python3 - "$TOP" "$(backuptool help --json | jq -r '[.commands[].name] | join("|")')" "${PAGES[@]}" <<-'END'
		import os, re, sys
		top, commands, *pages = sys.argv[1:]
		ours = re.compile(rf'(meson|man|mount|apt|pkg-config|{commands}) [^|]')
		for page in pages:
		    text = re.sub(r'<!-- bench.*?<!-- end -->|^```.*?^```', '', open(f'{top}/{page}', encoding='utf-8').read(), flags=re.S | re.M)
		    for line in text.splitlines():
		        for code in [] if line.startswith('    ') else re.findall(r'`([^`]+)`', line):
		            if ours.match(code) or (re.match('(scripts|tests)/', code) and os.path.isfile(f'{top}/{code.split()[0]}')):
		                print(code)
	END
}

# Those by the file and the name of the test that runs each.
ELSEWHERE=(
	'0 3 * * * backuptool job --store ~/snapshots --target-directory ~/documents --duration 0 --quiet --keep-daily 30|cron|cron runs the line of docs/jobs.md, and says something only if it fails'
	'scripts/quickstart|quickstart|scripts/quickstart with its own sample'
	'scripts/quickstart DIR|quickstart|scripts/quickstart with a directory'
	'scripts/session-svg|readme|the picture in the README shows what the programs do today'
	'scripts/package|package|scripts/package makes a package that installs and removes cleanly'
	'backuptool schedule --remove NAME|schedule_timer|what is scheduled is removed, and nothing else'
	'sudo apt install ./backuptool_*.deb|package|the package in a Debian of its own'
	'meson install -C build|install|programs, man pages, completions, units, header files and the library are in place'
	'pkg-config backuptool|install|the examples build against the installed library, and run'
	'mount -t backupfs|install|mount -t backupfs and fstab, as installed'
	'man backuptool-snapshot|docs|every command and option is in its man page and its help'
	'ls -R --sha256|look|ls --sha256 is for sha256sum -c'
	'diff --exit-code|look|diff of two snapshots, and with the directory'
	"restore --salvage|repair|--salvage: a large file's sound parts, and which bytes are lost"
	'snapshot --birth-times|taken|--birth-times gives birth times to all entries, and without it the next snapshot has none'
	'tests/run|readme|tests/run knows its suites'
	'meson test -C build store|docs|one test can be chosen, as README.md says'
	'BUILD=$PWD/build bats tests/bats/prune.bats -f dry|docs|one test can be chosen, as README.md says'
	'tests/run fast|readme|tests/run knows its suites'
	'tests/bench/run|bench|tests/bench/run'
	'tests/bench/run --quick|bench|tests/bench/run'
	'tests/bench/mount|bench|tests/bench/mount'
	'tests/bench/watch|bench|tests/bench/watch'
	'tests/bench/compression|bench|tests/bench/compression'
	'tests/bench/at_rest|bench|tests/bench/at_rest'
	'tests/bench/hostile|bench|tests/bench/hostile'
	'tests/bench/duplicates|bench|tests/bench/duplicates'
	'check --repair|repair|--repair: a damaged block goes, the next snapshot brings it back, and old snapshots are whole again'
)

# What is done in another way here, and why.
CHANGES=(
	's/--interval [^ ]*/--interval 1s/; s/--duration [^ ]*/--duration 1s/; s/--at [0-9][^ ]*/& --at-start/' # nobody waits for hours
	's/--target-directory [~\/] /--target-directory ~\/documents /'         # all snapshots are of one directory
	's|/media/backup|~/disk|; s/@yesterday/@now/; s/2026-11-20T08-00-00Z/latest~1/'                 # no snapshot is as old as that here
	's/^backupfs STORE MOUNTPOINT$/mkdir -p ~\/other \&\& backupfs ~\/snapshots ~\/other \&\& umount ~\/other/' # placeholders
	's/^diff -r .*/& || [ $? = 1 ]/'                                       # there are differences to be shown
	's/--now/& --print/'                                                   # no systemd runs here; howto_systemd.bats has one
	's/umount /umount_here /'                                              # an ordinary user has fusermount3
	's/--host old-laptop/--host all/; s|--target /home/me|--target ~/documents|' # the snapshots are of this host
	's|/mnt/frozen|~/documents|'                                           # a snapshot of a file system
	's/pg_dumpall --globals-only/seq 3/; s/\(pg_dump\|mysqldump\) mydb/seq 9/; s/psql mydb/cat/' # no database runs here
	's/^backuptool job --config .*/& --duration 1s --at-start/'              # nobody waits for its end
	's/^backuptool \(run\|config\) .*/& --config ~\/.config\/backuptool\/config/' # that of root lies elsewhere
)

# A home with files and two snapshots.
prepare_home() {
	export HOME=$WORK/home
	mkdir -p "$HOME/disk" "$HOME/documents/letters" "$HOME/documents/photos/2024" "$HOME/Downloads"
	cd "$HOME" || return 1
	echo 'Dear Ann' >documents/letters/may.txt
	seq 1000 >documents/photos/2024/beach.raw
	echo temporary >documents/a.tmp
	umask 077
	for letter in April May; do
		echo "$letter" >>documents/letters/may.txt
		backuptool snapshot --target-directory ~/documents --tag before-upgrade >/dev/null
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

# Whether a line is for here: those that other tests run are not. Before a snapshot somebody works in the directory, so
# that none is left out.
before_line() {
	! printf '%s\n' "${ELSEWHERE[@]%%|*}" | grep -qxF -e "$1" || return 1
	[[ $1 != 'backuptool snapshot '* ]] || echo more >>~/documents/letters/may.txt
}

# The lines of one of PAGES, in that home.
runs() {
	[[ " ${PAGES[*]} " == *" $1 "* ]]
	[ -w /dev/fuse ] || skip "/dev/fuse may not be used"
	prepare_home
	PATH=$BUILD/fs:$PATH
	run_page "$TOP/$1" --inline
}

@test "each command line of README.md runs" {
	runs README.md
}

@test "each command line of docs/jobs.md runs" {
	runs docs/jobs.md
}

@test "each command line of docs/keeping.md runs" {
	runs docs/keeping.md
}

@test "each command line of docs/looking.md runs" {
	runs docs/looking.md
}

@test "each command line of docs/mounting.md runs" {
	runs docs/mounting.md
}

@test "each command line of docs/restoring.md runs" {
	runs docs/restoring.md
}

@test "each command line of docs/taking.md runs" {
	runs docs/taking.md
}

@test "every page has its test" {
	diff <(printf '%s\n' "${PAGES[@]:1}" | sort) <(cd "$TOP" && ls docs/*.md)
	for page in "${PAGES[@]}"; do
		[ "$(page_lines "$TOP/$page" --inline | wc -l)" = 0 ] || grep -qx "	runs $page" "$BATS_TEST_FILENAME"
	done
	for page in "$TOP"/docs/how-to/*.md; do
		grep -rqF "docs/how-to/${page##*/}" "$TESTS/bats" --include='*.bats'
		grep -qF "(docs/how-to/${page##*/})" "$TOP/README.md"
		page=${page##*/}
		[ -s "$BUILD/scripts/docs/backuptool-${page%.md}.7" ]
	done
}

@test "every command is on a page, and every command of a page is one" {
	for command in $(backuptool help --json | jq -r '.commands[].name'); do
		echo "$command"
		[ "$command" = help ] || cat "${PAGES[@]/#/$TOP/}" | grep -E "backuptool (--store [^ ]* )?$command\b" >/dev/null
	done
	all_lines | grep -oE '^backuptool [^ ]+' | while read -r _ command; do
		[[ $command == -* || $command == COMMAND ]] || backuptool help "$command" >/dev/null
	done
}

@test "whatever else the pages tell to run is run by a test" {
	printf '%s\n' "${ELSEWHERE[@]%%|*}" | sort >elsewhere
	all_lines | sort -u >lines
	named | sort -u >named
	echo 'nobody runs these:'
	run -0 comm -23 named <(sort -u lines elsewhere)
	echo "$output"
	[ "$output" = "" ]
	echo 'no page has these:'
	run -0 comm -23 elsewhere <(sort -u lines named)
	echo "$output"
	[ "$output" = "" ]
	for entry in "${ELSEWHERE[@]}"; do
		echo "$entry"
		IFS='|' read -r _ file name <<<"$entry"
		grep -qxF "@test \"$name\" {" "$TESTS/bats/$file.bats"
	done
}

@test "tests/run knows its suites" {
	run -0 python3 "$TESTS/suites/runner.py" --list
	[[ $output == build$'\n'*bats* ]]
	[[ $output != *fast* ]] # has nothing that the others do not have
	[ -x "$TESTS/suites/fast" ]
	grep -qx 'exec python3 tests/suites/runner.py "$@"' "$TESTS/run"
}

# texts PICTURE: its lines, with the numbers that differ from run to run taken out, and owners.
texts() {
	sed -nE 's|^<text [^>]*>(.*)</text>$|\1|p' "$1" | sed -E 's/ [a-z_][a-z0-9_-]*:[a-z_][a-z0-9_-]* / N:N /; s/[0-9]+(\.[0-9]+)?/N/g; s/  +/ /g'
}

@test "the picture in the README shows what the programs do today" {
	[ -w /dev/fuse ] || skip "/dev/fuse may not be used"
	is_root || skip "an ordinary user does not unmount by umount"
	run -0 "$TOP/scripts/session-svg" drawn.svg 3>&-
	[ "$(texts drawn.svg | grep -c '^\$ ')" -ge 10 ]
	diff <(texts "$TOP/scripts/session.svg") <(texts drawn.svg) || {
		echo "draw it again: scripts/session-svg scripts/session.svg"
		false
	}
}

@test "the tables of both benchmarks are there" {
	for mark in bench bench-mount bench-short; do
		echo "$mark"
		cat "$TOP"/{README,docs/speed}.md | sed -n "/^<!-- $mark -->\$/,/^<!-- end -->\$/p" | grep -qE '^\|(---\|)+$'
	done
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
	"${words[@]/--duration=forever/--duration=1s}" --at-start 3>&-
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
