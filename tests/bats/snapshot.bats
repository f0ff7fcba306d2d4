#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Taking snapshots.
# shellcheck disable=SC2154
load helper

@test "the first snapshot makes the store and says what it did" {
	small_tree src
	run -0 --separate-stderr take src
	[ "$stderr" = "backuptool snapshot: made a new store at $WORK/snapshots" ]
	[[ ${lines[0]} =~ ^snapshot\ (snapshot_[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z\.json)\ of\ src$ ]]
	name=${BASH_REMATCH[1]}
	[ "${lines[1]}" = "files: 5 new files, 0 changed, 0 unchanged" ]
	[[ ${lines[2]} == "added: 399.3 KiB of new data, stored in "*" written in all" ]]
	[[ ${lines[3]} =~ ^time:\ [0-9.]+\ s$ ]]
	[ "${#lines[@]}" = 4 ]
	[ -f "snapshots/$name" ]
	[ "$(stat -c %a snapshots)" = 700 ]
	[ "$(stat -c %a "snapshots/$name")" = 600 ]
}

@test "a second snapshot of an unchanged tree adds less than 1 KiB" {
	shallow_tree src
	take src
	wait_until tree_is_settled
	take src
	run -0 backuptool snapshot --target-directory src --json
	[ "$(jq .unchanged <<<"$output")" = "$(jq .files <<<"$output")" ]
	[ "$(jq -c '[.new, .changed, .new_bytes, .stored_bytes]' <<<"$output")" = '[0,0,0,0]' ]
	[ "$(stat -c %s "snapshots/$(newest)")" -lt 1024 ]
}

# Files that were written in the moment of the snapshot are read again by the next one.
tree_is_settled() {
	[ "$(date +%s)" -gt "$(($(find src -printf '%C@\n' | sort -n | tail -n 1 | cut -d. -f1) + 2))" ]
}

@test "what changed is counted and stored, once" {
	small_tree src
	take src
	printf 'changed\n' >src/docs/a.txt
	cp src/photos/noise.bin src/photos/copy.bin
	printf 'new\n' >src/new
	rm src/docs/zero
	run -0 backuptool snapshot --target-directory src --json
	[ "$(jq -c '[.new, .changed, .files, .errors]' <<<"$output")" = '[2,1,6,0]' ]
	[ "$(jq .new_bytes <<<"$output")" = 12 ]
	bring latest out
	same src out
}

@test "a file that keeps size and mtime but has other bytes is noticed" {
	mkdir src
	printf 'aaaa' >src/file
	take src
	sleep 0.02
	touch -r src/file stamp
	printf 'bbbb' >src/file
	touch -r stamp src/file
	take src
	bring latest out
	[ "$(cat out/file)" = bbbb ]
}

@test "the store inside the target is not part of a snapshot" {
	small_tree .
	run -0 take .
	run -0 backuptool snapshot --target-directory . --json
	[ "$(jq .files <<<"$output")" = 5 ]
	bring latest "$WORK.out"
	[ ! -e "$WORK.out/snapshots" ]
	[ -e "$WORK.out/docs/a.txt" ]
	rm -rf "$WORK.out"
}

@test "a target that is the store, or lies in it, is refused" {
	small_tree src
	take src
	mkdir -p snapshots/below/deep elsewhere
	ln -s ../snapshots/below elsewhere/link
	find snapshots | sort >before
	for target in snapshots snapshots/below/deep elsewhere/link ./snapshots/../snapshots/; do
		run -2 --separate-stderr take "$target"
		[ "$stderr" = "backuptool snapshot: $(realpath $target): the target lies in the store" ]
	done
	run -2 take snapshots --dry-run
	find snapshots | sort | diff before -
	mkdir snapshots2
	run -0 take snapshots2
}

@test "a target in what would be the store is refused before there is a store" {
	mkdir -p nas/docs
	echo a >nas/docs/a
	for command in snapshot "job --interval 1s --duration 0" "schedule --interval 1h"; do
		# shellcheck disable=SC2086
		run -2 --separate-stderr backuptool $command --store nas --target-directory nas/docs
		[ "$stderr" = "backuptool ${command%% *}: $WORK/nas/docs: the target lies in the store" ]
		[ "$(ls -A nas)" = docs ]
	done
}

@test "a store elsewhere: before the command, after it, by the environment" {
	small_tree src
	mkdir stores
	backuptool --store stores/one snapshot --target-directory src
	backuptool snapshot --store=stores/two --target-directory src
	BACKUPTOOL_STORE=stores/three backuptool snapshot --target-directory=src
	for store in one two three; do
		backuptool list --store stores/$store --json | jq -e 'length == 1'
	done
	[ ! -e snapshots ]
}

@test "--print-name prints the name of the new file, and nothing where there is none" {
	small_tree src
	for how in --force --quiet --no-progress; do
		run -0 --separate-stderr take src --print-name $how
		[ "$output" = "$(newest)" ]
	done
	for how in --skip-if-unchanged --dry-run "--before=exit 75"; do
		run -0 --separate-stderr take src --print-name "$how"
		[ -z "$output" ]
	done
	[ "$(find snapshots -name 'snapshot_*' | wc -l)" = 3 ]
	for how in json verbose; do
		run -2 --separate-stderr take src --print-name --$how
		[[ $stderr == *"--print-name and --$how do not go together"* ]]
	done
}

@test "-v prints a line for each change with its size, -vv one for each entry" {
	small_tree src
	take src
	printf 'changed' >src/docs/a.txt
	printf 'new' >src/$'new\tname'
	printf '%01500d' 1 >src/docs/left-out
	run -0 backuptool snapshot -v --target-directory src --exclude docs/notes --exclude left-out
	[[ $'\n'$output == *$'\nM docs/a.txt  (7 B)\n'* ]]
	[[ $'\n'$output == *$'\nA new\\x09name  (3 B)\n'* ]]
	[[ $'\n'$output == *$'\nX docs/left-out  (1.5 KiB)\n'* ]]
	[[ $'\n'$output == *$'\nX docs/notes\n'* ]]
	[[ $'\n'$output != *$'\n= '* ]]
	rm -r src/photos
	run -0 backuptool snapshot --verbose --verbose --target-directory src
	[[ $'\n'$output == *$'\nD photos  (399.3 KiB)\n'* ]]
	[[ $'\n'$output == *$'\n= docs/a.txt  (7 B)\n'* ]]
	[[ $(backuptool snapshot --help | tr -s '\n ' ' ') == *": A new, M changed, D removed, X left out, B not entered, V vanished, K kept under this name; twice: = as it was, too"* ]]
}

@test "a pattern as other programs write it, which matches nothing, is named" {
	small_tree src
	ln -s src link
	take src -q
	printf '%s\n' '# ./comment' './docs/' "!$WORK/src/docs" '/docs' 'docs' "$WORK/other/docs" >patterns
	named="the pattern './docs/' matches nothing: patterns begin at the directory, write '/docs/'"
	taken="the pattern '!$WORK/src/docs' matches nothing: patterns begin at the directory, write '!/docs'"
	for command in "snapshot --target-directory link/" "job --interval 1s --duration 1s --target-directory $WORK/src/" \
		"schedule --interval 1s --print --target-directory src" "diff latest src"; do
		how="--exclude-from patterns"
		[[ $command != diff* ]] || how="--exclude ./docs/ --exclude !$WORK/src/docs --exclude docs"
		# shellcheck disable=SC2086
		run -0 --separate-stderr backuptool $command $how
		stderr=$(grep -v 'the rules differ' <<<"$stderr")
		stderr_is "backuptool ${command%% *}: $named" "backuptool ${command%% *}: $taken"
	done
	run -0 --separate-stderr take "$WORK/link" -n --exclude "$WORK/link/docs"
	stderr=$(grep -v 'the rules differ' <<<"$stderr")
	stderr_is "backuptool snapshot: the pattern '$WORK/link/docs' matches nothing: patterns begin at the directory, write '/docs'"
	# A directory may have its own path below it.
	mkdir -p "src$WORK/src/docs"
	run -0 --separate-stderr take src -v --exclude "$WORK/src/docs"
	stderr_is 'backuptool snapshot: the rules differ from those of the last snapshot'
	run -0 backuptool ls "latest:${WORK:1}/src"
	[ "$output" = "" ]
}

@test "excludes: patterns, files of patterns, standard input, the last one wins" {
	small_tree src
	mkdir src/cache src/marked src/tagged
	touch src/a.tmp src/keep.tmp src/b.log src/cache/x src/marked/.nobackup src/marked/x src/tagged/x
	printf 'Signature: 8a477f597d28d172789f06886806bc55\n' >src/tagged/CACHEDIR.TAG
	printf '# a comment\n\n*.log\n/cache/\n' >patterns
	printf '!keep.tmp\n' | backuptool snapshot --target-directory src --exclude '*.tmp' --exclude-from patterns \
		--exclude-from - --exclude-if-present .nobackup --exclude-caches
	bring latest out
	[ ! -e out/a.tmp ]
	[ -e out/keep.tmp ]
	[ ! -e out/b.log ]
	[ ! -e out/cache ]
	[ -e out/docs/a.txt ]
	[ -d out/marked ]
	[ ! -e out/marked/x ]
	[ -e out/tagged/CACHEDIR.TAG ]
	[ ! -e out/tagged/x ]
}

@test "--dry-run compares with the snapshots of a store that may only be read" {
	reachable_tool
	small_tree src
	take src
	chmod -R go+rX src snapshots
	chmod 600 snapshots/lock
	printf x >src/new
	run -0 as_user "$WORK/backuptool" --store "$WORK/snapshots" snapshot --target-directory "$WORK/src" --dry-run
	[[ ${lines[1]} == "files: 1 new file, 0 changed, 5 unchanged" ]]
}

@test "--dry-run writes nothing, even without a store" {
	small_tree src
	run -0 --separate-stderr backuptool snapshot --target-directory src --dry-run
	[ "${lines[0]}" = "a dry run over src: nothing was written" ]
	[ "${lines[1]}" = "files: 5 new files, 0 changed, 0 unchanged" ]
	[ "$stderr" = "" ]
	[ ! -e snapshots ]
	take src
	before=$(find snapshots -printf '%p %s %T@\n' | sort)
	printf x >src/new
	run -0 backuptool snapshot --target-directory src -n
	[[ ${lines[1]} == "files: 1 new file, 0 changed, 5 unchanged" || ${lines[1]} == "files: 1 new file, "* ]]
	[ "$(find snapshots -name 'snapshot_*' | wc -l)" = 1 ]
	[ "$(find snapshots -type f -name '*.json' -printf '%p %s %T@\n' | sort)" = "$(grep json <<<"$before")" ]
}

@test "--skip-if-unchanged" {
	small_tree src
	take src
	name=$(newest)
	run -0 backuptool snapshot --target-directory src --skip-if-unchanged
	[ "${lines[0]}" = "no snapshot of src: nothing changed since $name" ]
	run -0 backuptool snapshot --target-directory src --skip-if-unchanged --json
	[ "$(jq -c '[.skipped, .name]' <<<"$output")" = "[true,\"$name\"]" ]
	[ "$(find snapshots -name 'snapshot_*' | wc -l)" = 1 ]
	touch src/new
	run -0 backuptool snapshot --target-directory src --skip-if-unchanged --json
	[ "$(jq .skipped <<<"$output")" = false ]
	[ "$(find snapshots -name 'snapshot_*' | wc -l)" = 2 ]
	run -0 backuptool snapshot --target-directory src --skip-if-unchanged -n
	[ "${lines[0]}" = "no snapshot of src: nothing changed since $(newest)" ]
}

@test "--skip-if-unchanged: a tag that is not set is told, and how to set it" {
	small_tree src
	take src --tag here
	run -0 --separate-stderr take src --skip-if-unchanged --tag here --tag a --tag b
	stderr_is "backuptool snapshot: nothing changed, so nothing was tagged; 'backuptool tag $(newest) --add a --add b' tags the last snapshot"
	bash -c "$(sed "s/.*'\(.*\)'.*/\1/" <<<"$stderr")"
	for quiet in '--tag here --tag a --tag b' '--tag c -q' '--tag c -n' ''; do
		run -0 --separate-stderr take src --skip-if-unchanged $quiet
		stderr_is ''
	done
	touch src/new
	run -0 --separate-stderr take src --skip-if-unchanged --tag c
	stderr_is ''
}

@test "a snapshot from the future is compared with only as long as there is no other" {
	small_tree src
	settle
	future=snapshot_2999-01-01T00-00-00Z.json
	at 2999-01-01T00:00:00 backuptool snapshot --target-directory src
	run -0 --separate-stderr take src --json
	[ "$(jq -r .parent <<<"$output")" = "$future" ]
	name=$(jq -r .name <<<"$output")
	run -0 --separate-stderr take src --skip-if-unchanged --json
	[ "$(jq -c '[.skipped, .parent]' <<<"$output")" = "[true,\"$name\"]" ]
	run -0 --separate-stderr bring latest out
	[ "${lines[0]}" = "restored $name of $WORK/src to out" ]
	[[ $stderr == *"${future%.json}"*'in the future'* ]]
}

@test "tags are kept, sorted, each once" {
	small_tree src
	take src --tag weekly --tag=before-upgrade --tag weekly
	run -0 backuptool list --json
	[ "$(jq -c '.[0].tags' <<<"$output")" = '["before-upgrade","weekly"]' ]
}

@test "holes are found where blocks behind the end make up for them" {
	local size
	mkdir src
	for size in 64 4096; do
		head -c "${size}K" /dev/urandom >src/$size
		fallocate --punch-hole --offset 16K --length 16K src/$size || skip "this file system makes no holes"
	done
	fallocate --keep-size --offset 64K --length 64K src/64
	fallocate --keep-size --offset 4096K --length 16K src/4096
	[ "$(($(stat -c %b src/4096) * 512))" -ge 4194304 ]
	take src
	bring latest out -q
	same src out
}

@test "a large insertion costs little" {
	mkdir src
	head -c 40000000 /dev/urandom >src/large
	take src
	{ head -c 20000000 src/large; head -c 300000 /dev/urandom; tail -c +20000001 src/large; } >larger
	mv larger src/large
	run -0 backuptool snapshot --target-directory src --json
	[ "$(jq '.new_bytes < 8000000' <<<"$output")" = true ]
	bring latest out
	cmp src/large out/large
}

@test "a target that is missing, a file, or a symlink to a directory" {
	run -1 --separate-stderr take nowhere
	[ "$stderr" = "backuptool snapshot: there is no directory nowhere" ]
	touch file
	for how in --dry-run --quiet; do
		run -1 --separate-stderr take file $how
		[ "$stderr" = "backuptool snapshot: file is a file; give its directory" ]
		run -1 --separate-stderr take nowhere $how
		[ "$stderr" = "backuptool snapshot: there is no directory nowhere" ]
	done
	small_tree real
	ln -s real there
	take there
	bring latest out
	same real out
}

@test "what an ordinary user cannot read is named once; exit 3; the rest is there" {
	reachable_tool
	small_tree src
	mkdir src/closed
	touch src/closed/inside
	chmod 000 src/docs/a.txt src/closed
	mkdir mine
	is_root && chown -R 65534:65534 src mine
	cd mine
	run -3 --separate-stderr as_user backuptool snapshot --target-directory ../src
	[ "$(grep -c 'docs/a\.txt' <<<"$stderr")" = 1 ]
	[ "$(grep -c closed <<<"$stderr")" = 1 ]
	[ "$(grep -vc 'made a new store' <<<"$stderr")" = 2 ]
	[[ $stderr == *"Permission denied"* ]]
	[[ ${lines[-1]} == "incomplete: 2 entries could not be read" ]]
	run -3 --separate-stderr as_user backuptool snapshot --target-directory ../src --exclude closed
	[[ ${lines[-1]} == "incomplete: 1 entry could not be read" ]]
	run as_user backuptool restore --snapshot-file latest --output-directory out
	[ "$(cat out/docs/notes/b.txt)" = other ]
	cmp out/photos/noise.bin ../src/photos/noise.bin
}

@test "two snapshots at once" {
	shallow_tree src
	take src >one.log 2>&1 &
	first=$!
	take src >two.log 2>&1 &
	second=$!
	wait $first
	wait $second
	run -0 backuptool list --json
	[ "$(jq length <<<"$output")" = 2 ]
	for name in $(jq -r '.[].name' <<<"$output"); do
		bring "$name" "out-$name"
		same src "out-$name"
	done
}

@test "Ctrl-C: exit 130, a sentence, and a store that is whole" {
	small_tree src
	take src
	mkdir src/more
	for n in {1..12}; do head -c 20000000 /dev/urandom >"src/more/$n"; done
	# A shell's background jobs ignore SIGINT; a program started by env does not.
	env --default-signal=INT backuptool snapshot --target-directory src 2>err &
	pid=$!
	wait_until has_written "$pid"
	kill -INT "$pid"
	code=0
	wait "$pid" || code=$?
	[ "$code" = 130 ]
	[ "$(cat err)" = "backuptool snapshot: ending: no snapshot is made, and earlier ones stay as they are; press again to end at once
backuptool snapshot: interrupted" ]
	[ "$(find snapshots -name 'snapshot_*' | wc -l)" = 1 ]
	backuptool list
	take src
	bring latest out
	same src out
}

has_written() {
	[ "$(awk '/^write_bytes|^wchar/ { n += $2 } END { print n + 0 }' "/proc/$1/io")" -gt 1000000 ]
}

@test "a full disk: exit 1 with a sentence, and the store is whole" {
	is_root || skip "needs root for a file system of its own"
	small_tree src
	mkdir disk
	cat >full.sh <<-'EOS'
		set -e
		mount -t tmpfs -o size=3m tmpfs disk
		backuptool --store disk/store snapshot --target-directory src
		head -c 8000000 /dev/urandom >src/large
		code=0
		backuptool --store disk/store snapshot --target-directory src 2>err || code=$?
		cat err
		[ $code = 1 ]
		grep -q "No space left on device; the disk is full: free some space ('df' and 'df -i' tell of it) and run it again$" err
		[ "$(wc -l <err)" = 1 ]
		[ "$(find disk/store -name 'snapshot_*' | wc -l)" = 1 ]
		backuptool --store disk/store restore --snapshot-file latest --output-directory out
		rm src/large
		backuptool --store disk/store snapshot --target-directory src
		backuptool --store disk/store list
	EOS
	unshare -m bash full.sh
	same src out --without mtime
}

@test "--one-file-system keeps what is mounted out, and the directory that it is mounted on in" {
	is_root || skip "needs root for a file system of its own"
	small_tree src
	mkdir src/mounted
	cat >mounted.sh <<-'EOS'
		set -e
		mount -t tmpfs -o mode=750 tmpfs src/mounted
		echo inside >src/mounted/file
		backuptool --store one snapshot --target-directory src --one-file-system
		backuptool --store all snapshot --target-directory src
		backuptool --store there snapshot --target-directory src/mounted --one-file-system
	EOS
	unshare -m bash mounted.sh
	run -0 backuptool --store one ls -R latest
	[[ $'\n'$output$'\n' == *$'\nmounted/\n'* || $'\n'$output$'\n' == *$'\nmounted\n'* ]]
	[[ $output != *mounted/file* && $output == *docs/a.txt* ]]
	backuptool --store one restore --snapshot-file latest --output-directory out
	[ "$(stat -c %a out/mounted)" = 750 ]
	backuptool --store all cat latest:mounted/file | grep -qx inside
	backuptool --store there cat latest:file | grep -qx inside
}

@test "a snapshot in progress is not seen, and leaves no temporary files" {
	small_tree src
	take src
	[ -z "$(find snapshots -name '.tmp-*')" ]
	run -0 find snapshots -mindepth 1 -maxdepth 1 -printf '%f\n'
	for name in "${lines[@]}"; do
		[[ $name == snapshot_*.json || $name == contents || $name == cache || $name == state || $name == lock || $name == id ]]
	done
}

leave_temporary_files() {
	mkdir -p snapshots/contents
	touch -d "$1" snapshots/.tmp-0123456789abcdef snapshots/contents/.tmp-0123456789abcdef snapshots/.tmp-retagged
}

temporary_files() {
	find snapshots -name '.tmp-*' | wc -l
}

@test "what killed runs left goes: with a snapshot after a day, with prune and check --repair at once" {
	mkdir src
	take src -q
	leave_temporary_files "25 hours ago"
	take src -q --dry-run
	[ "$(temporary_files)" = 3 ]
	take src -q
	[ "$(temporary_files)" = 0 ]
	leave_temporary_files "1 hour ago"
	take src -q
	[ "$(temporary_files)" = 3 ]
	for command in "prune --snapshot-number 1" "check --repair"; do
		leave_temporary_files "1 hour ago"
		# shellcheck disable=SC2086
		backuptool $command --dry-run
		[ "$(temporary_files)" = 3 ]
		# shellcheck disable=SC2086
		backuptool $command
		[ "$(temporary_files)" = 0 ]
	done
}

@test "a progress line on a terminal, and nowhere else" {
	mkdir src
	for n in {1..6}; do head -c 20000000 /dev/urandom >"src/$n"; done
	export TERM=xterm
	on_terminal="backuptool snapshot --target-directory src"
	run -0 script -qec "$on_terminal" /dev/null
	[[ $output == *$'\r'[1-6]" file"*" MiB/s"*$'\033[K'* ]]
	[[ $output == *$'\033[K'"snapshot snapshot_"* ]]
	[[ $output != *" %  "* ]]
	# The snapshot before says how much there is.
	run -0 script -qec "$on_terminal --force" /dev/null
	[[ $output == *$'\r'*" %  "[1-6]" file"*" of 114.4 MiB  "*" MiB/s"* ]]
	bring latest out
	for quiet in "$on_terminal --force --no-progress" "$on_terminal --force -q" "$on_terminal --force --json" "TERM=dumb $on_terminal --force"; do
		run -0 script -qec "$quiet" /dev/null
		[[ $output != *$'\033'* ]]
	done
	run -0 --separate-stderr backuptool snapshot --target-directory src --force
	[ "$stderr" = "" ]
}

# Holds the store's lock alone, as a program that removes snapshots does, until ./release is there.
hold_lock() {
	python3 -c '
import fcntl, os, time
with open("snapshots/lock", "r+") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    open("held", "w").close()
    while not os.path.exists("release"):
        time.sleep(0.01)
' 3>&- &
	holder=$!
	wait_until [ -e held ]
}

@test "a locked store: exit 11 and what to do, after having waited" {
	small_tree src
	take src
	hold_lock
	run -11 --separate-stderr take src --lock-wait 1s
	[ "$stderr" = "backuptool snapshot: lock: locked by python3 (process $holder); run it again later, or wait longer with --lock-wait 1h" ]
	for command in "remove latest --yes" "prune --snapshot-number 1" "check --repair"; do
		# shellcheck disable=SC2086
		run -11 backuptool $command --lock-wait 0
		[[ $output == *"lock: locked by python3 (process $holder); run it again later"* ]]
	done
	take src --lock-wait forever >log &
	waiting=$!
	run -0 backuptool list
	touch release
	wait "$waiting"
	run -0 backuptool list --json
	[ "$(jq length <<<"$output")" = 2 ]
}
