#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What programs that read --json are told when a command fails.
# shellcheck disable=SC2154
load helper

# fails CODE ARGUMENT…: with that code, one object on standard output, and its sentence on standard error.
fails() {
	run "-$1" --separate-stderr backuptool "${@:2}"
	[ "$(jq -s length <<<"$output")" = 1 ]
	[ "$(jq -r .error.code <<<"$output")" = "$1" ]
	[ "$(jq -r .error.message <<<"$output")" = "$(tail -n 1 <<<"$stderr" | sed -E 's/^backuptool[^:]*: //')" ]
	jq -r 'paths | .[-1] | strings' <<<"$output" | sort -u >members
	sed -n '/^## Errors$/,/^## /p' "$TOP/tools/OUTPUT.md" | grep -o '`[a-z]*`' | tr -d '`' | sort -u >known
	[ -z "$(comm -13 known members)" ]
}

# The code with which a command with these arguments fails where there is no store, nor any source.
failing() {
	case $1 in
	snapshot) echo 1 --target-directory gone ;;
	job) echo 1 --target-directory gone --interval 1s --duration 0 ;;
	schedule) echo 1 --target-directory gone --interval 1h --print ;;
	find | versions) echo 10 something ;;
	ls | diff | tag) echo 10 latest "$([ "$1" != tag ] || echo --add x)" ;;
	remove) echo 10 latest --yes ;;
	rewrite) echo 10 latest --exclude x ;;
	restore) echo 10 --snapshot-file latest --output-directory out ;;
	prune) echo 10 --snapshot-number 1 ;;
	export) echo 10 --classic latest out ;;
	list | stats | du | status | check) echo 10 ;;
	run) echo 2 --config gone ;;
	config) echo 2 show --config gone ;;
	copy) echo 10 --to other ;;
	mirror) echo 10 twin ;;
	help) echo 2 no-such-command ;;
	*) echo "this test does not know how $1 fails" >&2 ;;
	esac
}

@test "each command that prints JSON tells its failure, and a mistake on its command line" {
	local command words
	backuptool help --json | jq -r '.commands[] | select(any(.options[]; .name == "json")) | .name' >commands
	[ "$(wc -l <commands)" -ge 17 ]
	while read -r command; do
		echo "$command"
		read -ra words <<<"$(failing "$command")"
		fails "${words[0]}" "$command" "${words[@]:1}" --json
		fails 2 "$command" --no-such-option --json
		run "-${words[0]}" --separate-stderr backuptool "$command" "${words[@]:1}"
		[ -z "$output" ]
	done <commands
	[ ! -e out ]
	fails 2 no-such-command --json
	fails 2 --json list
	run -2 --separate-stderr backuptool list --no-such-option -- --json
	[ -z "$output" ]
}

@test "the object has what the sentence was made of" {
	small_tree src
	take src -q
	damage "snapshots/$(newest)"
	fails 1 ls latest --json
	[ "$(jq -c '.error | [.reason, .offset >= 0]' <<<"$output")" = '["not-json",true]' ]
	[ "$(jq -r .error.file <<<"$output")" = "$(newest)" ]
	fails 1 restore --snapshot-file "$(newest)" --output-directory /dev/null/out --json
	backuptool check --repair --json >repaired || [ $? = 3 ]
	take src -q --force
	fails 1 restore --snapshot-file latest --output-directory /dev/null/out --json
	[ "$(jq -r .error.errno <<<"$output")" = ENOTDIR ]
	fails 1 ls latest:none --json
	fails 1 tag none --add x --json
	fails 1 check --host none --json
	fails 1 remove latest --json
	[[ $(jq -r .error.message <<<"$output") == *"give --yes to go on" ]]
}

@test "a stream that was begun ends with it, and so does the object of a check that ends early" {
	small_tree src
	take src -q
	take src -q --force
	damage "snapshots/$(newest)"
	run -3 --separate-stderr backuptool versions docs/a.txt --json
	[ "$(jq -sc '[length, (.[0] | has("path")), .[1].error.code, .[1].error.file]' <<<"$output")" = "[2,true,3,\"$(newest)\"]" ]
	mkdir -p many/{1..40} # pages that lie beside each other are read at once, as far as they are small
	for i in many/*; do (cd "$i" && touch -- $(seq -f "%0200.f" 60)); done
	backuptool snapshot -q --store other --target-directory many
	interrupted pread64 entries backuptool --store other check --json
	[ "$status" = 130 ]
	[ "$(jq -c '[keys_unsorted, .error.message, .error.code]' <<<"$output")" = \
		'[["findings","summary","error"],"interrupted",130]' ]
}

@test "a result that tells what is missing has no error beside it" {
	small_tree src
	take src -q
	take src -q --force
	damage "snapshots/$(newest)"
	run -1 --separate-stderr backuptool list --json
	[ "$(jq -c '[length, (.[1] | has("damage"))]' <<<"$output")" = '[2,true]' ]
	run -1 --separate-stderr backuptool status --max-age 1s --json
	[ "$(jq -c '[.damaged, has("error")]' <<<"$output")" = '[1,false]' ]
	run -4 --separate-stderr backuptool diff "$(newest 1)" src/docs --exit-code --json
	[ "$(jq -s 'any(has("error"))' <<<"$output")" = false ]
}

@test "a list of names is JSON, too" {
	mkdir src
	take src -q
	[ "$(backuptool list --names --json | jq -c .)" = "[{\"name\":\"$(newest)\"}]" ]
}
