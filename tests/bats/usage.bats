#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The command line itself: nothing here takes a snapshot.
# shellcheck disable=SC2154
load helper

@test "without a command: one sentence, exit 2" {
	run -2 --separate-stderr backuptool
	output_is ""
	stderr_is "backuptool: a command is missing; see 'backuptool help'"
}

@test "--version" {
	run -0 --separate-stderr backuptool --version
	[[ $output =~ ^backuptool\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	[ "$stderr" = "" ]
}

@test "help, --help and -h say the same" {
	run -0 backuptool help
	[ "${lines[0]}" = "Usage: backuptool [--store DIR] COMMAND [OPTION…]" ]
	first=$output
	run -0 backuptool --help
	[ "$output" = "$first" ]
	run -0 backuptool -h
	[ "$output" = "$first" ]
}

@test "every command has help with an example, and is in the list" {
	commands=$(backuptool help | sed -n '/^Commands:/,/^$/s/^  \([a-z]\+\) .*/\1/p')
	[ "$(wc -w <<<"$commands")" -ge 6 ]
	for command in $commands; do
		run -0 --separate-stderr backuptool "$command" --help
		[[ ${lines[0]} == "Usage: backuptool $command "* ]]
		[[ $output == *$'\nExample:\n  backuptool '* ]]
		[ "$stderr" = "" ]
		first=$output
		run -0 backuptool help "$command"
		[ "$output" = "$first" ]
	done
}

@test "help --json has the table of commands" {
	run -0 --separate-stderr backuptool help --json
	[ "$(jq -r '.commands[].name' <<<"$output" | wc -l)" -ge 12 ]
	jq -e '.commands[] | select(.name == "snapshot") | .options[] | select(.name == "exclude") |
		.letter == "e" and .argument == "PATTERN" and (.required | not) and (.common | not)' <<<"$output"
	jq -e '.times | map(select(.written | contains("monday"))) | length == 1' <<<"$output"
	jq -e '.exit_codes | map(.code) == [0, 1, 2, 3, 4, 10, 11, 130, 141]' <<<"$output"
	jq '.commands[] | select(.name == "prune")' <<<"$output" >whole
	run -0 backuptool help prune --json
	diff whole <(jq . <<<"$output")
}

@test "an unknown command, and one that is nearly right" {
	run -2 backuptool snapshto
	output_is "backuptool: unknown command 'snapshto'; did you mean 'snapshot'?; see 'backuptool help'"
	run -2 backuptool frobnicate
	output_is "backuptool: unknown command 'frobnicate'; see 'backuptool help'"
	run -2 backuptool backup
	output_is "backuptool: unknown command 'backup': use 'backuptool snapshot'; see 'backuptool help'"
	run -2 backuptool help forget
	output_is "backuptool help: unknown command 'forget': use 'backuptool prune'; see 'backuptool help --help'"
	run -2 backuptool init
	output_is "backuptool: unknown command 'init': 'backuptool snapshot' makes the store; see 'backuptool help'"
	run -2 backuptool umount mnt
	output_is "backuptool: unknown command 'umount': 'umount MOUNTPOINT' or 'fusermount3 -u MOUNTPOINT' ends a mount; see 'backuptool help'"
	run -2 backuptool version
	output_is "backuptool: unknown command 'version': 'backuptool --version' shows it; see 'backuptool help'"
}

@test "a word of another program gets a sentence, and the commands that it names are there" {
	run -2 backuptool rm
	output_is "backuptool: unknown command 'rm': use 'backuptool remove', which removes whole snapshots; see 'backuptool help'"
	run -2 backuptool key
	output_is "backuptool: unknown command 'key': a store has no password and is not encrypted; an encrypted disk protects it; see 'backuptool help'"
	sed -n '/elsewhere\[\] = {/,/};/p' "$TOP/tools/commands.c" >table
	grep -oE '"( [a-z-]+)+ "' table | tr -d '"' | tr ' ' '\n' | grep . >theirs
	[ "$(wc -l <theirs)" -ge 50 ]
	[ -z "$(sort theirs | uniq -d)" ]
	for their in backup create extract init snapshots forget rm show info log sync recreate key unlock; do
		grep -qx -e "$their" theirs
	done
	while read -r their; do
		run -2 backuptool "$their"
		[[ $output == "backuptool: unknown command '$their': "*"; see 'backuptool help'" ]]
	done <theirs
	grep -oE "'backuptool [a-z]+" table | cut -d' ' -f2 | sort -u >ours
	while read -r ours; do
		backuptool "$ours" --help >/dev/null
	done <ours
	run -2 backuptool $'a\nb'
	output_is "backuptool: unknown command 'a\\x0ab'; see 'backuptool help'"
}

@test "unknown options" {
	run -2 backuptool snapshot --target-directroy=x
	output_is "backuptool snapshot: there is no option --target-directroy; did you mean --target-directory?; see 'backuptool snapshot --help'"
	run -2 backuptool list --frob
	output_is "backuptool list: there is no option --frob; see 'backuptool list --help'"
	run -2 backuptool list -Q
	output_is "backuptool list: there is no option -Q; see 'backuptool list --help'"
	run -2 backuptool ls -lä latest
	output_is "backuptool ls: there is no option -ä; see 'backuptool ls --help'"
	run -2 backuptool list $'-\e'
	output_is "backuptool list: there is no option -\\x1b; see 'backuptool list --help'"
	run -2 backuptool list $'-\xc3'
	output_is "backuptool list: there is no option -\\xc3; see 'backuptool list --help'"
	run -2 backuptool help $'x\e[31m'
	output_is "backuptool help: unknown command 'x\\x1b[31m'; see 'backuptool help --help'"
}

@test "options of commands go behind the command" {
	for option in --json --no-progress --quiet -q --verbose -v --lock-wait=1s --lock-wait; do
		name=${option%=*}
		case $option in -q) name=--quiet ;; -v) name=--verbose ;; esac
		shown=$name
		[[ $name != --lock-wait ]] || shown="$name TIME"
		run -2 --separate-stderr backuptool --store there "$option" list
		stderr_is "backuptool: put $name after the command: backuptool COMMAND $shown; see 'backuptool help'"
	done
	run -2 --separate-stderr backuptool -Q --json list
	stderr_is "backuptool: there is no option -Q; see 'backuptool help'"
	run -2 --separate-stderr backuptool --store= --json list
	stderr_is "backuptool: --store '' is not a name; see 'backuptool help'"
}

@test "an option without its value, a flag with one, an empty one" {
	run -2 backuptool snapshot --target-directory
	output_is "backuptool snapshot: --target-directory needs a value: --target-directory DIR; see 'backuptool snapshot --help'"
	run -2 backuptool --store
	output_is "backuptool: --store needs a value: --store DIR; see 'backuptool help'"
	run -2 backuptool snapshot --target-directory=. --dry-run=yes
	output_is "backuptool snapshot: --dry-run takes no value; see 'backuptool snapshot --help'"
	run -2 backuptool list --store=
	output_is "backuptool list: --store '' is not a name; see 'backuptool list --help'"
}

@test "an empty argument is refused by every command that takes one" {
	mkdir src
	echo text >src/file
	backuptool snapshot --target-directory src --quiet
	for command in 'cat latest:file' 'check' 'diff latest' dump 'export latest' find help ls mount remove 'remove latest' \
		'restore --snapshot-file latest --output-directory out' 'tag --add x' versions; do
		# shellcheck disable=SC2086
		run -2 backuptool $command ''
		output_is "backuptool ${command%% *}: an argument is empty: is a variable of the shell not set?; see 'backuptool ${command%% *} --help'"
	done
	[ ! -e out ]
	[ "$(find snapshots -name 'snapshot_*' | wc -l)" = 1 ]
}

@test "required options and operands" {
	run -2 backuptool snapshot
	output_is "backuptool snapshot: --target-directory DIR is missing; see 'backuptool snapshot --help'"
	run -2 backuptool restore --snapshot-file latest
	output_is "backuptool restore: --output-directory DIR is missing; see 'backuptool restore --help'"
	run -2 backuptool restore --output-directory x
	output_is "backuptool restore: say which snapshot, and where to: backuptool restore SNAPSHOT[:PATH] DIR; see 'backuptool restore --help'"
	run -2 backuptool snapshot --exclude x /usr/include
	output_is "backuptool snapshot: --target-directory DIR is missing; did you mean --target-directory /usr/include?; see 'backuptool snapshot --help'"
	run -2 backuptool restore latest
	output_is "backuptool restore: say where to: backuptool restore SNAPSHOT[:PATH] DIR, or --in-place for where it was; see 'backuptool restore --help'"
	run -2 backuptool snapshot --target-directory . more
	output_is "backuptool snapshot: 'more' is one argument too many; see 'backuptool snapshot --help'"
	run -2 backuptool export --classic latest
	output_is "backuptool export: an argument is missing: backuptool export SNAPSHOT FILE; see 'backuptool export --help'"
	run -2 backuptool export latest file
	output_is "backuptool export: say which layout: --classic; see 'backuptool export --help'"
	run -2 backuptool export --classic latest -
	output_is "backuptool export: it is written to a file that appears whole, not to standard output; ./- is a file of that name; see 'backuptool export --help'"
}

@test "what there is one of is not given twice" {
	for command in snapshot "job --interval 1h --duration 1h" "schedule --interval 1h"; do
		# shellcheck disable=SC2086
		run -2 backuptool $command --target-directory . --target-directory=..
		output_is "backuptool ${command%% *}: --target-directory '..' is not the first one; run the command once for each; see 'backuptool ${command%% *} --help'"
	done
	for option in snapshot-file output-directory; do
		run -2 backuptool restore --snapshot-file latest --output-directory x --$option y
		output_is "backuptool restore: --$option 'y' is not the first one; run the command once for each; see 'backuptool restore --help'"
	done
	run -10 backuptool snapshot --target-directory . --dry-run --store x --store /dev/null
}

@test "values that make no sense" {
	for command in "snapshot --target-directory . --tag" "tag latest --add"; do
		# shellcheck disable=SC2086
		run -2 backuptool $command a,b
		output_is "backuptool ${command%% *}: ${command##* } 'a,b' is not one tag; repeat the option for each; see 'backuptool ${command%% *} --help'"
	done
	for level in 0 20 -1 fast 3x ""; do
		run -2 backuptool snapshot --target-directory . --compression "$level"
		output_is "backuptool snapshot: --compression '$level' is not a level from 1 to 19, auto, or max; see 'backuptool snapshot --help'"
	done
	run -2 backuptool restore --snapshot-file latest --output-directory x --overwrite sometimes
	output_is "backuptool restore: --overwrite 'sometimes' is not always, if-changed, if-newer or never; see 'backuptool restore --help'"
	run -2 backuptool list --lock-wait soon
	output_is "backuptool list: --lock-wait 'soon' is not a duration such as 90, 90s, 5min, 2h, 1d or forever; see 'backuptool list --help'"
	run -2 backuptool snapshot --target-directory . --exclude-from missing
	output_is "backuptool snapshot: --exclude-from 'missing' is not a file that can be read (No such file or directory); see 'backuptool snapshot --help'"
	[ ! -e snapshots ]
}

@test "no store: exit 10 and what to do" {
	run -10 --separate-stderr backuptool list
	output_is ""
	stderr_is "backuptool list: there is no store at ./snapshots; make one with 'backuptool snapshot --target-directory DIR', or name another with --store DIR"
	run -10 backuptool --store=/nowhere list
	[[ $output == "backuptool list: there is no store at /nowhere; "* ]]
	run -10 backuptool list --store /nowhere
	[[ $output == "backuptool list: there is no store at /nowhere; "* ]]
	BACKUPTOOL_STORE=elsewhere run -10 backuptool list
	[[ $output == "backuptool list: there is no store at elsewhere; "* ]]
	BACKUPTOOL_STORE=elsewhere run -10 backuptool list --store there
	[[ $output == "backuptool list: there is no store at there; "* ]]
	run -10 backuptool restore --snapshot-file latest --output-directory x
	[ ! -e x ]
	for command in "remove latest --yes" "prune --snapshot-number 1" "tag latest --add x" "export --classic latest x" check; do
		# shellcheck disable=SC2086
		run -10 backuptool $command
		[[ $output == *"there is no store at ./snapshots"* ]]
	done
	[ ! -e snapshots ]
}

@test "a directory that is no store stays as it is" {
	mkdir empty mnt
	small_tree data
	touch "data/snapshot_of_something.json"
	before=$("$TESTS/tree_compare.py" data)
	for store in empty data; do
		for command in list ls "cat latest:x" "find x" "versions x" "diff latest" stats "dump latest" check "check --repair" \
			"remove latest --yes" "prune --snapshot-number 1" "tag latest --add x" "export --classic latest x" \
			"restore --snapshot-file latest --output-directory x" "mount mnt"; do
			# shellcheck disable=SC2086
			run -10 backuptool $command --store $store
			[[ $output == *"there is no store"* ]]
		done
	done
	run -0 backuptool snapshot --target-directory data --store empty --dry-run
	run -2 backuptool snapshot --target-directory data --store data --dry-run
	[[ $output == *": the target lies in the store" ]]
	[ "$("$TESTS/tree_compare.py" data)" = "$before" ]
	[ -z "$(ls -A empty)" ]
	[ ! -e x ]
	backuptool snapshot --target-directory data --store empty -q
	backuptool snapshot --target-directory empty --store data -q
	for store in empty data; do
		run -0 backuptool list --store $store
		[[ $output == *"1 snapshot, "* ]]
	done
}

@test "a store that is no directory" {
	touch file
	for command in list "snapshot --target-directory ." "snapshot --target-directory . --dry-run" check; do
		# shellcheck disable=SC2086
		run -10 --separate-stderr backuptool $command --store file
		stderr_is "backuptool ${command%% *}: file is not a directory, so it cannot be a store; name another with --store DIR"
	done
}

@test "output that cannot be written is an error" {
	run -1 --separate-stderr bash -c 'backuptool help >/dev/full'
	stderr_is "backuptool help: cannot write the output: No space left on device"
}

# Every command line, up to a pipe or a redirection, is one that the program understands: with --help behind it no option is refused.
understands() {
	local count=0 line words
	while read -r line; do
		line=${line%%|*}
		line=${line%%&&*}
		line=${line%%>*}
		line=${line//\~/HOME}
		line=${line%\\}
		eval "words=(${line//\$/\\\$})"
		echo "$line"
		run -0 --separate-stderr "${words[@]}" --help
		[ "$stderr" = "" ]
		count=$((count + 1))
	done
	[ "$count" -ge "$1" ]
}

@test "the examples in the help are right" {
	understands 8 < <(for command in $(backuptool help | sed -n '/^Commands:/,/^$/s/^  \([a-z]\+\) .*/\1/p'); do
		backuptool help "$command" | sed -n '/^Example:/,$s/^  \(backuptool .*\)/\1/p'
	done)
}

@test "a file larger than the user's limit ends no command without a word" {
	small_tree src
	take src -q
	run -1 --separate-stderr bash -c 'ulimit -f 50; exec backuptool export --classic latest x.json'
	[[ $stderr == *"File too large"* ]]
	[ ! -e x.json ]
}

@test "-q prints nothing when all went well, in every command that has it" {
	small_tree src
	take src
	for command in "snapshot --target-directory src" "snapshot --target-directory src --skip-if-unchanged" \
		"snapshot --target-directory src --dry-run" "job --target-directory src --at-start --interval 1h --duration 0" \
		"restore --snapshot-file latest --output-directory out" check "check --repair --dry-run" status "diff latest~1 latest" \
		"export --classic latest classic.json" "remove latest" "prune --snapshot-number 1"; do
		# shellcheck disable=SC2086
		run -0 --separate-stderr backuptool $command -q
		[ -z "$output$stderr" ]
	done
}
