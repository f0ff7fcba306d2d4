#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --progress-fd: progress for other programs.
# shellcheck disable=SC2154
load helper

# followed CODE ARGUMENT…: a command ends with that code, and says so in the last of its lines, of which all are documented.
followed() {
	run "-$1" --separate-stderr backuptool "${@:2}" --progress-fd 3 3>lines
	[ "$(tail -n 1 lines | jq -c '[.phase, .code]')" = "[\"ended\",$1]" ]
	jq -r 'keys[] | sub("_b64$"; "")' lines | sort -u >members
	sed -n '/^## Progress$/,/^## /p' "$TOP/tools/OUTPUT.md" | grep -o '`[a-z_]*`' | tr -d '`' | sort -u >known
	[ -z "$(comm -13 known members)" ]
}

# What the first line says.
first() {
	head -n 1 lines | jq -c "$1"
}

@test "each long command tells its progress and its end" {
	mkdir src
	seq 100000 >src/numbers
	followed 0 snapshot --target-directory src
	[ "$(first '[.phase, .files, .bytes, .path]')" = '["working",0,588895,"numbers"]' ]
	[ "$(jq -c 'select(.phase == "syncing") | [.files, .bytes]' lines)" = '[1,588895]' ]
	[ "$(tail -n 1 lines | jq -c '[.files, .bytes, .seconds > 0]')" = '[1,588895,true]' ]
	followed 0 restore --snapshot-file latest --output-directory out --json
	[ "$(jq .files <<<"$output")" = 1 ]
	[ "$(first '[.total_files, .total_bytes]')" = '[1,588895]' ]
	followed 0 check -q
	[ "$(first '[.phase, .total_files, .path]')" = "[\"working\",1,\"$(newest)\"]" ]
	followed 0 prune --snapshot-number 1
	[ "$(first '[.phase, .files, .total_files]')" = '["working",0,1]' ]
	backuptool dump latest --progress-fd 3 3>lines | tar -tf - >/dev/null
	[ "$(tail -n 1 lines | jq -c '[.phase, .code]')" = '["ended",0]' ]
	[ "$(first '[.phase, .total_bytes]')" = '["working",588895]' ]
	followed 0 export --classic latest classic.json
	[[ $(first .path) == *numbers* ]]
	followed 0 diff latest ./src
	followed 0 job --target-directory src --interval 10ms --duration 10ms --at-start
	[ "$(first .phase)" = '"working"' ]
	followed 0 status
	followed 0 remove latest --yes
}

@test "a command that fails has a last line, too, and names that are not UTF-8 are Base64" {
	followed 1 snapshot --target-directory gone
	[ "$(wc -l <lines)" = 1 ]
	followed 10 check
	mkdir src
	echo x >$'src/odd\xff'
	followed 0 snapshot --target-directory src
	[ "$(first .path_b64)" = "\"$(printf 'odd\xff' | base64)\"" ]
}

@test "a line that does not go into a pipe as a whole has no path" {
	local long
	long=$(printf '\x01%.0s' {1..250})
	mkdir src
	mkdir -p "src/$long/$long/$long"
	echo x >"src/$long/$long/$long/file"
	followed 0 snapshot --target-directory src
	[ "$(first '[.phase, has("path")]')" = '["working",false]' ]
	[ "$(wc -L <lines)" -lt 4096 ]
}

@test "no reader, one that has gone, and one that reads nothing disturb the work" {
	small_tree src
	mkfifo pipe
	exec 6<>pipe 5>pipe 6>&-
	env --default-signal=PIPE backuptool snapshot --target-directory src --progress-fd 5
	env --default-signal=PIPE backuptool status --quiet --progress-fd 5
	exec 6<>pipe
	head -c 65536 /dev/zero >&6
	timeout 60 backuptool restore --snapshot-file latest --output-directory out --progress-fd 5
	same src out
	[ "$(head -c 65536 <&6 | tr -d '\0' | wc -c)" = 0 ]
	backuptool check --progress-fd 5
	[ "$(head -n 1 <&6 | jq -r .phase)" = working ]
	run -0 --separate-stderr backuptool check -q --progress-fd 2
	[ "$(tail -n 1 <<<"$stderr" | jq .code)" = 0 ]
}

@test "what is no descriptor to write to is refused" {
	for number in 0 1 77 x 3x -1 4; do
		run -2 --separate-stderr backuptool check --progress-fd="$number" 4</dev/null
		stderr_is "backuptool check: --progress-fd '$number' is not the number of a descriptor from 2 on that is open for writing; see 'backuptool check --help'"
	done
}
