#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the shells complete out of a store: paths in snapshots, tags, hosts, directories. Names of files are anything.
# shellcheck disable=SC2016,SC2154
load helper
DOCS=$BUILD/scripts/docs

hostile_tree() {
	mkdir -p 'src/my docs/deep' src/other
	echo file | tee src/other/file >"src/my docs/it's"
	touch 'src/$(touch x)' 'src/`touch y`' 'src/semi;touch z' 'src/"quoted"' 'src/back\slash' src/äöü $'src/new\nline' \
		$'src/odd\xff'
	take src -q --tag first --tag 'a b' --tag '$(touch x)'
}

nothing_ran() {
	[ -z "$(find . -maxdepth 1 -name '[xyz]')" ]
}

# in_bash LINE…: what each line is after a tab, as the shell takes it.
in_bash() {
	WORK=$WORK timeout 100 "$TESTS/bats/bash_complete" "$DOCS/backuptool" "$@"
}

@test "bash completes paths in a snapshot, and runs nothing of their names" {
	hostile_tree
	run -0 in_bash 'ls latest:ot' 'ls latest:other/' 'cat latest:my' 'cat latest:my\ docs/i' 'ls "latest:my docs/d' \
		"dump 'latest:other/f" 'ls latest:\$' 'ls latest:\`' 'ls latest:sem' 'ls latest:\"' 'ls latest:back' 'ls latest:ä' \
		'ls latest:new' 'cat lat' 'diff latest:ot' 'diff latest latest:ot' 'ls --store=snapshots latest:ot' \
		'restore --snapshot-file latest --output-directory out ot' 'restore --snapshot-file=latest -n ot' 'restore ot' \
		'restore latest:ot' 'restore latest:other sr'
	output_is '<ls><latest:other/>' '<ls><latest:other/file>' '<cat><latest:my\ docs/>' "<cat><latest:my\\ docs/it\\'s>" \
		'<ls><latest:my\ docs/deep/>' '<dump><latest:other/file>' '<ls><latest:\$\(touch\ x\)>' '<ls><latest:\`touch\ y\`>' \
		'<ls><latest:semi\;touch\ z>' '<ls><latest:\"quoted\">' '<ls><latest:back\\slash>' '<ls><latest:äöü>' \
		"<ls><\$'latest:new\\nline'>" '<cat><latest:>' '<diff><latest:other/>' '<diff><latest><latest:other/>' \
		'<ls><--store=snapshots><latest:other/>' '<restore><--snapshot-file><latest><--output-directory><out><other/>' \
		'<restore><--snapshot-file=latest><-n><other/>' '<restore><ot>' '<restore><latest:other/>' \
		'<restore><latest:other><src/>'
	nothing_ran
	# Between double quotes what is run would have to be written in another way: nothing is offered.
	run -0 in_bash 'ls "latest:$"'
	nothing_ran
}

@test "bash completes tags, hosts, directories and mount options" {
	hostile_tree
	host=$(backuptool list --json | jq -r '.[0].host')
	run -0 in_bash 'tag latest --remove f' 'tag latest --remove a' 'prune --keep-tag f' 'list --tag \$' "list --host ${host:0:1}" \
		'list --host al' "list --target $WORK" "list --target=$WORK" 'mount -o verify=f' 'mount -o group,al' 'mount -o snap'
	output_is '<tag><latest><--remove><first>' '<tag><latest><--remove><a\ b>' '<prune><--keep-tag><first>' \
		'<list><--tag><\$\(touch\ x\)>' "<list><--host><$host>" '<list><--host><all>' "<list><--target><$WORK/src>" \
		"<list><--target=$WORK/src>" '<mount><-o><verify=first>' '<mount><-o><group\,allow_other>' '<mount><-o><snapshot=>'
	nothing_ran
}

@test "bash completes the sources of a configuration" {
	mkdir src
	printf '[source %s]\nstore = snapshots\ntarget-directory = src\ninterval = 1h\n' letters >sources
	run -0 in_bash 'run --config sources le' 'run --config=sources le'
	output_is '<run><--config><sources><letters>' '<run><--config=sources><letters>'
}

@test "zsh completes them, too" {
	hostile_tree
	timeout 120 zsh -f "$TESTS/bats/zsh_complete" "$DOCS" 'backuptool ls latest:' 'backuptool ls latest:other/' \
		'backuptool cat latest:my\ docs/i' 'backuptool restore --snapshot-file latest --output-directory out ot' \
		'backuptool tag latest --remove f' "backuptool list --target $WORK" 'backuptool list --host al' \
		'backuptool mount -o verify=f' >offered
	for line in 'ls latest:|$(touch x)' 'ls latest:|my docs' 'ls latest:|äöü' 'ls latest:other/|file' \
		"cat latest:my\\ docs/i|it's" 'restore --snapshot-file latest --output-directory out ot|other' \
		'tag latest --remove f|first' "list --target $WORK|$WORK/src" 'list --host al|all'; do
		echo "$line"
		grep -qxF "backuptool $line" offered
	done
	nothing_ran
}

@test "fish completes them, too" {
	hostile_tree
	for line in 'ls latest:ot|latest:other' 'ls latest:other/|latest:other/file' 'tag latest --remove f|first' \
		"list --target $WORK|$WORK/src" 'list --host al|all' 'mount -o verify=f|verify=first'; do
		echo "$line"
		HOME=$WORK fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$DOCS/backuptool.fish" \
			"backuptool ${line%|*}" | cut -f 1 | grep -qxF -- "${line#*|}"
	done
	nothing_ran
}
