#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Snapshots of what commands print, and of standard input.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper

teardown() {
	end_holder
	remove_work
}

from() {
	backuptool snapshot --from-command "$@"
}

# What a store says of its newest snapshot.
header() {
	head -n 1 "snapshots/$(newest)" | sed 's/,$/}/' | jq -r "$1"
}

# That nothing was taken, and nothing is left of the command.
nothing_taken() {
	[ -z "$(newest)" ]
	[ "$(backuptool list --json | jq -c .)" = '[]' ]
}

@test "what a command prints is a file of a snapshot" {
	run -0 --separate-stderr from db.sql -- seq 300000
	[ "${lines[0]}" = "snapshot $(newest) of /command:db.sql" ]
	[ "$(header .target)" = /command:db.sql ]
	[ "$(header .streams)" = true ]
	[ "$(backuptool list --json | jq -c '[.[] | .target, .streams, .files, .size, .directories]')" = '["/command:db.sql",true,1,1988895,1]' ]
	grep -q '^  of: what commands gave$' <(backuptool list -v)
	diff <(backuptool cat latest:db.sql) <(seq 300000)
	[ "$(backuptool ls --json latest | jq -r '"\(.mode) \(.uid) \(.gid)"')" = "0600 $(id -u) $(id -g)" ]
	[ "$(backuptool find --hash "$(seq 300000 | sha256sum | cut -c 1-64)" | wc -l)" -ge 1 ]
	bring latest out
	diff out/db.sql <(seq 300000)
	[ "$(stat -c %a out/db.sql)" = 600 ]
	backuptool check -q
}

@test "the words after -- are those of the command, whatever is in them" {
	from words -- printf '%s\n' "it's" '$HOME' '*' '' ' a  b ' '-n' $'new\nline' '\' '=' </dev/null
	diff <(backuptool cat latest:words) <(printf '%s\n' "it's" '$HOME' '*' '' ' a  b ' '-n' $'new\nline' '\' '=')
	from shell='echo $((2 * 3)) | tr 6 7'
	[ "$(backuptool cat latest:shell)" = 7 ]
	from 'a b'='echo x=y' # the first = ends the name
	[ "$(backuptool cat 'latest:a b')" = x=y ]
}

@test "the next one is compared with it: the same is stored once, and versions and diff show what changed" {
	from db.sql='seq 300000'
	run -0 from db.sql='seq 300000' --json
	[ "$(jq -c '[.new_bytes, .unchanged]' <<<"$output")" = '[0,1]' ]
	[ "$(backuptool versions --json db.sql | jq -s 'length')" = 1 ]
	run -0 from db.sql='seq 300001' --json
	[ "$(jq .changed <<<"$output")" = 1 ]
	[ "$(jq .new_bytes <<<"$output")" -lt 1000000 ]
	[ "$(backuptool versions --json db.sql | jq -s 'length')" = 2 ]
	run -0 backuptool diff latest~1 latest --content
	grep -qx '+300001' <<<"$output"
	run -1 --separate-stderr backuptool diff latest
	[ "$stderr" = "backuptool diff: $(newest) has what commands gave, so there is no directory to compare it with; compare it with another snapshot, as in 'backuptool diff latest~1 latest'" ]
	mkdir out
	run -0 backuptool diff latest out
	grep -qx -e '- db.sql' <<<"$output"
}

@test "with --skip-if-unchanged no snapshot is taken of the same" {
	# More than what is read again for nothing.
	from db.sql='seq 4000000' --skip-if-unchanged
	run -0 --separate-stderr from db.sql='seq 4000000' --skip-if-unchanged
	[ "${lines[0]}" = "no snapshot of /command:db.sql: nothing changed since $(newest)" ]
	[ "$(backuptool list --json | jq length)" = 1 ]
	from db.sql='seq 4000001' --skip-if-unchanged
	[ "$(backuptool list --json | jq length)" = 2 ]
}

@test "several commands are several files of one snapshot, run one after the other" {
	from b.sql='test ! -e running && touch running && sleep 0.2 && rm running && echo b' \
		--from-command a.sql='test ! -e running && touch running && sleep 0.2 && rm running && echo a' --as "$WORK/dumps//"
	[ "$(header .target)" = "$WORK/dumps" ]
	[ "$(backuptool ls latest)" = $'a.sql\nb.sql' ]
	[ "$(backuptool cat latest:a.sql)" = a ]
	[ "$(backuptool cat latest:b.sql)" = b ]
	run -0 --separate-stderr from a.sql='echo a' --as "$WORK/dumps" --json
	[ "$(jq -c '[.unchanged, .removed_entries]' <<<"$output")" = '[1,1]' ]
	echo two | backuptool snapshot --stdin in --from-command out='echo one' --as "$WORK/dumps"
	[ "$(backuptool ls latest)" = $'in\nout' ]
	[ "$(backuptool cat latest:in)" = two ]
}

@test "a command that fails leaves no snapshot: as mysqldump does, after half of its output" {
	run -1 --separate-stderr from db.sql='seq 300000; echo "mysqldump: Error 2013: Lost connection to server" >&2; exit 2'
	[ -z "$output" ]
	stderr_is "backuptool snapshot: made a new store at $WORK/snapshots" \
		"mysqldump: Error 2013: Lost connection to server" \
		"backuptool snapshot: no snapshot: the command for db.sql ended with 2"
	nothing_taken
	run -1 --separate-stderr from db.sql='echo x; kill -9 $$'
	[ "$stderr" = "backuptool snapshot: no snapshot: the command for db.sql was ended by signal 9 (Killed)" ]
	run -1 --separate-stderr from db.sql -- no-such-program --version
	[[ $stderr == *"no-such-program"*$'\n'"backuptool snapshot: no snapshot: the command for db.sql ended with 127" ]]
	# One that failed after others that did not.
	run -1 --separate-stderr from a='echo a' --from-command b=false --from-command c='touch late'
	[ "$stderr" = "backuptool snapshot: no snapshot: the command for b ended with 1" ]
	[ ! -e late ]
	# One that fails when all is read.
	run -1 --separate-stderr from db.sql='echo x; exec >&-; sleep 0.2; exit 3'
	[ "$stderr" = "backuptool snapshot: no snapshot: the command for db.sql ended with 3" ]
	nothing_taken
	run -1 --separate-stderr from db.sql=false --json
	[ "$(jq -r .error.message <<<"$output")" = "no snapshot: the command for db.sql ended with 1" ]
	# The next one is as if nothing had been.
	from db.sql='seq 300000' -q
	backuptool check -q
}

@test "nothing at all is a snapshot, but not a good one" {
	run -3 --separate-stderr from db.sql=true
	[[ $stderr == *"backuptool snapshot: there was nothing for db.sql, so the snapshot has an empty file: did the program do its work? if this is right, give --allow-empty" ]]
	[ "$(backuptool list --json | jq '.[0].files')" = 1 ]
	run -3 --separate-stderr from db.sql=true --skip-if-unchanged
	run -3 --separate-stderr from a=true --from-command b='echo b' --from-command c=true --json
	[ "$(jq -c .empty_files <<<"$output")" = '["a","c"]' ]
	run -0 --separate-stderr from db.sql=true --allow-empty
	[ -z "$stderr" ]
	run -3 --separate-stderr backuptool snapshot --stdin x </dev/null
	[[ $stderr == *"there was nothing for x,"* ]]
}

@test "standard input is a file of a snapshot" {
	seq 300000 | backuptool snapshot --stdin numbers
	diff <(backuptool cat latest:numbers) <(seq 300000)
	# From a file, which is always ready.
	seq 9 >nine
	backuptool snapshot --stdin numbers <nine
	diff <(backuptool cat latest:numbers) nine
	run -1 --separate-stderr backuptool snapshot --stdin numbers <.
	[ "$stderr" = "backuptool snapshot: no snapshot: standard input for numbers cannot be read: Is a directory" ]
	on_terminal 80 "backuptool snapshot --stdin x || true"
	[[ $output == *"standard input is a terminal; --stdin takes what another program gives"* ]]
}

@test "a command reads nothing of what is for others" {
	echo secret | from x='cat; echo done'
	[ "$(backuptool cat latest:x)" = "done" ]
	echo in | backuptool snapshot --stdin in --from-command a='cat; echo a' --as /x
	[ "$(backuptool cat latest:in)" = in ]
}

@test "a broken pipe in a command is its own affair" {
	from x='yes | head -n 100000' 2>errors
	[ ! -s errors ] || ! grep -i 'broken pipe' errors
	[ "$(backuptool cat latest:x | wc -l)" = 100000 ]
	# A command that outlives its output is waited for.
	from x='echo first; exec >&-; sleep 0.3; touch late'
	[ -e late ]
}

@test "what a command leaves behind is waited for while it writes, and no snapshot is taken if it never ends" {
	from x='(sleep 0.2; echo second; sleep 0.2; echo third) & echo first'
	[ "$(backuptool cat latest:x)" = $'first\nsecond\nthird' ]
	rm -r snapshots
	run -1 --separate-stderr timeout 60 backuptool snapshot -q --from-command x='sleep 1000 & echo $! >left; echo first'
	[[ $stderr == *"backuptool snapshot: no snapshot: the command for x has ended, but something that it started still has its output open" ]]
	kill "$(cat left)"
	nothing_taken
}

@test "Ctrl-C ends the command, too" {
	backuptool snapshot -q --from-command x='echo $$ >pid; trap "" TERM; echo x; sleep 1000; sleep 1000' 2>errors &
	holder=$!
	wait_until test -s pid
	kill -INT $holder
	wait $holder && code=0 || code=$?
	[ "$code" = 130 ]
	run ! kill -0 "$(cat pid)"
	nothing_taken
	mkfifo in
	backuptool snapshot -q --stdin x <in 2>errors &
	holder=$!
	exec 9>in
	head -c 200000 /dev/zero >&9 # more than a pipe holds: some of it was read
	kill -TERM $holder
	wait $holder && code=0 || code=$?
	[ "$code" = 130 ]
	exec 9>&-
	nothing_taken
}

@test "options about a directory are refused, and so are names that are none" {
	while IFS='|' read -r options sentence; do
		eval "run -2 --separate-stderr backuptool snapshot $options"
		[ "$stderr" = "backuptool snapshot: $sentence; see 'backuptool snapshot --help'" ]
	done <<-'EOS'
		--from-command x=true --target-directory .|--target-directory and --from-command do not go together: one is about a directory, and the other takes what a program gives
		--stdin x -e y|--exclude and --stdin do not go together: one is about a directory, and the other takes what a program gives
		--from-command x=true --trust mtime-size|--trust and --from-command do not go together: one is about a directory, and the other takes what a program gives
		--from-command x|the command is missing: --from-command NAME=CMD, or --from-command NAME -- CMD ARG…
		--from-command x --from-command y -- true|only one command can be given after --; write the others as --from-command NAME=CMD
		--from-command x=true true|'true' is one argument too many
		--from-command x=true --from-command x=false|two files cannot have the name 'x'
		--from-command x=true --stdin x|two files cannot have the name 'x'
		--from-command a/b=true|--from-command 'a/b=true' is not NAME=CMD, where NAME is a name of a file, without /
		--from-command =true|--from-command '=true' is not NAME=CMD, where NAME is a name of a file, without /
		--from-command ..=true|--from-command '..=true' is not NAME=CMD, where NAME is a name of a file, without /
		--stdin a/b|--stdin 'a/b' is not a name of a file, without /
	EOS
	[ ! -e snapshots ]
	run -2 --separate-stderr backuptool snapshot x
	[ "$stderr" = "backuptool snapshot: --target-directory DIR is missing; did you mean --target-directory x?; see 'backuptool snapshot --help'" ]
	run -2 --separate-stderr backuptool job --from-command x=true --watch --interval 1h --duration 0
	[ "$stderr" = "backuptool job: --watch follows a directory, and a command has none; see 'backuptool job --help'" ]
}

@test "a dry run runs the command and writes nothing" {
	run -0 --separate-stderr from x='touch ran; echo x' -n --before 'touch hook'
	[ -e ran ]
	[ ! -e hook ]
	[ ! -e snapshots ]
	run -1 --separate-stderr from x=false -n
}

@test "a job, a configuration and a service take what commands print" {
	run -0 --separate-stderr backuptool job --from-command x='echo "$BACKUPTOOL_TARGET"' --duration 0 --before 'touch before' --json
	[ -e before ]
	[ "$(backuptool cat latest:x)" = /command:x ]
	run -1 --separate-stderr backuptool job --from-command x=false --duration 0 --json
	[ "$(jq -r 'select(.event == "run") | .error' <<<"$output")" = "no snapshot: the command for x ended with 1" ]
	printf '%s\n' '[source a]' "store = $WORK/snapshots" 'from-command = x=echo one' 'from-command = y=echo two' "as = $WORK/dumps" \
		'[source b]' "store = $WORK/snapshots" 'from-command = z=exit 3' >config
	run -0 --separate-stderr backuptool config check --config config
	run -1 --separate-stderr backuptool run --config config --all
	[[ $stderr == *"no snapshot: the command for z ended with 3"* ]]
	[ "$(backuptool cat "latest:$WORK/dumps/y")" = two ]
	[ "$(backuptool list --json | jq length)" = 2 ]
	printf '%s\n' '[source a]' "store = $WORK/snapshots" 'from-command = x' >config
	run -1 --separate-stderr backuptool config check --config config
	[ "$stderr" = "backuptool config: config:1: of the source a: the command is missing: --from-command NAME=CMD, or --from-command NAME -- CMD ARG…" ]
	run -0 --separate-stderr backuptool schedule --print --from-command x='pg_dump db' --interval 1h
	grep -q '^ExecStart=.* job --store=.*snapshots .*"--from-command=x=pg_dump db"' <<<"$output"
	grep -q '^Description=Snapshots of /command:x' <<<"$output"
	! grep -q -e --target-directory <<<"$output"
}

@test "a command of a job that gave up its rights runs with those it had" {
	run -0 --separate-stderr backuptool job --from-command x='grep NoNewPrivs /proc/self/status' --duration 0
	[ "$(backuptool cat latest:x)" = "$(grep NoNewPrivs /proc/self/status)" ]
}

@test "1 GiB of a command takes bounded memory" {
	! instrumented || skip "sanitizers take what they want"
	on_two_processors python3 - <<-'EOS'
		import resource, subprocess
		subprocess.run(['backuptool', 'snapshot', '-q', '--from-command', 'large=head -c 1073741824 /dev/zero'], check=True)
		peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
		print('peak: %d MiB' % peak)
		assert peak < 150
	EOS
	[ "$(backuptool list --json | jq '.[0].size')" = 1073741824 ]
	# More chunks than an entry holds.
	grep -q '"chunk_pages":' "snapshots/$(newest)"
	[ "$(backuptool cat latest:large | head -c 100000000 | tr -d '\0' | wc -c)" = 0 ]
}

@test "an ordinary user takes snapshots of commands" {
	reachable_tool
	mkdir mine
	chmod 777 mine
	cd mine
	as_user backuptool snapshot -q --from-command who='id -u'
	[ "$(as_user backuptool cat latest:who)" = "$(as_user id -u)" ]
}
