#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --host, --target and --tag: which snapshots a command means at all.
# shellcheck disable=SC2154
load helper

# Two hosts, two directories, tags; the day of each snapshot tells which it is.
some_snapshots() {
	mkdir -p docs photos
	day=0
	for which in laptop:docs:first laptop:photos:keep server:docs:keep server:srv:other laptop:docs:keep; do
		IFS=: read -r host place tag <<<"$which"
		mkdir -p "$place"
		echo "$host $place $((++day))" >"$place/file"
		at "2026-01-0$day" backuptool snapshot -q --target-directory "$place" --host "$host" --tag "$tag" \
			>/dev/null
	done
}

# days: those of the listed snapshots, by the names in the output.
days() {
	grep -o 'snapshot_2026-01-0[0-9]' <<<"$output" | grep -o '.$' | tr -d '\n'
}

@test "list, find, versions and stats know only the selected snapshots" {
	some_snapshots
	while IFS='|' read -r options wanted; do
		run -0 backuptool list --names $options
		[ "$(days)" = "$wanted" ]
		run -0 backuptool list $options
		[ "$(days)" = "$wanted" ]
		[[ ${lines[-1]} == "${#wanted} snapshot"* ]]
		run -0 backuptool list --json $options
		[ "$(jq length <<<"$output")" = "${#wanted}" ]
		run -0 backuptool stats --json $options
		[ "$(jq '.each | length' <<<"$output")" = "${#wanted}" ]
		run -0 backuptool find file --json $options
		[ "$(jq -s length <<<"$output")" = "${#wanted}" ]
		run -0 backuptool versions file --json $options
		[ "$(jq -s 'map(.snapshots) | add | length' <<<"$output")" = "${#wanted}" ]
	done <<-END
		--host laptop|125
		--host laptop --host server|12345
		--host all|12345
		--host server --host all|12345
		--target docs|135
		--target docs --target $PWD/photos/.|1235
		--target ./docs/|135
		--tag keep|235
		--tag first --tag other|14
		--host laptop --tag keep|25
		--host laptop --target docs --tag keep|5
	END
}

@test "a selection in which nothing is says what there is" {
	some_snapshots
	have="the store has snapshots of laptop:$PWD/docs, laptop:$PWD/photos, server:$PWD/docs, server:$PWD/srv"
	while IFS='|' read -r options reason; do
		for command in list stats "find file" "prune --keep-last 1"; do
			run -0 --separate-stderr backuptool $command $options
			stderr_is "backuptool ${command%% *}: no snapshot matches $options$reason"
		done
		for command in "cat latest:file" "ls @2026-01-05" "diff latest~1" "remove latest" "tag latest --add x" \
			"check --quick" "check latest" "versions file" "cat 2026-01-05:file"; do
			run -1 --separate-stderr backuptool $command $options
			[[ $stderr == *"no snapshot matches $options$reason"* ]]
		done
	done <<-END
		--host desktop|: the hosts in the store are laptop, server
		--target /nowhere|: the directories in the store are $PWD/docs, $PWD/photos, $PWD/srv
		--tag never|: the tags in the store are first, keep, other
		--host server --target $PWD/photos| together: $have
		--host server --tag first| together: $have
	END
	[ "$(backuptool list --names | wc -l)" = 5 ]
	run -2 backuptool list --host ''
	run -2 backuptool list --tag a,b
}

@test "latest, latest~N and @TIME are looked for in the selection" {
	some_snapshots
	while IFS='|' read -r options text wanted; do
		run -0 --separate-stderr backuptool cat "$text:file" $options
		output_is "$wanted"
		stderr_is ""
	done <<-END
		--host laptop --target docs|latest|laptop docs 5
		--host laptop --target docs|latest~1|laptop docs 1
		--host laptop --target docs|@2026-01-04|laptop docs 1
		--target photos|latest|laptop photos 2
		--tag other|latest|server srv 4
		--tag first|@2026-01-31|laptop docs 1
		--host server|2026-01-03|server docs 3
	END
	run -1 --separate-stderr backuptool cat latest~2:file --host laptop --target docs
	stderr_is "backuptool cat: there is no snapshot 'latest~2' among those that match --host laptop --target docs; the oldest is snapshot_2026-01-01T00-00-00Z.json"
	run -1 --separate-stderr backuptool cat latest:file --host server 2026-01-01:file
	[[ $stderr == *"there is no snapshot '2026-01-01' among those that match --host server; snapshot_2026-01-01T00-00-00Z.json is left out" ]]
	run -1 --separate-stderr backuptool cat snapshots/snapshot_2026-01-01T00-00-00Z.json:file --host server
	stderr_is "backuptool cat: snapshot_2026-01-01T00-00-00Z.json does not match --host server: it is of laptop:$PWD/docs"
	run -0 backuptool cat snapshots/snapshot_2026-01-01T00-00-00Z.json:file --host laptop
	# a beginning that two have is that of one among the selected
	run -1 backuptool cat 2026-01-0:file --tag never
	run -0 --separate-stderr backuptool cat 2026-01-0:file --host laptop --target photos
	output_is "laptop photos 2"
}

@test "a selection of several directories leaves latest to be guessed, and nothing is deleted by a guess" {
	some_snapshots
	run -0 --separate-stderr backuptool cat latest:file --host server
	output_is "server srv 4"
	stderr_is "backuptool cat: latest is of server:$PWD/srv; the store has snapshots of 1 other directory, too: server:$PWD/docs"
	run -1 --separate-stderr backuptool remove latest --host server --yes
	stderr_is "backuptool remove: latest is snapshot_2026-01-04T00-00-00Z.json of server:$PWD/srv, and there are snapshots of 1 other directory, too: server:$PWD/docs; say which is meant with --host and --target, or by a snapshot's name; nothing was changed"
	run -0 backuptool remove latest --host server --target docs --yes
	run -0 backuptool list --names
	[ "$(days)" = 1245 ]
	mkdir out
	touch out/mine
	run -1 backuptool restore --snapshot-file latest --output-directory out --delete --yes
	[ -e out/mine ]
	run -0 backuptool restore --snapshot-file latest --output-directory out --delete --yes --target photos -q
	[ "$(cat out/file)" = "laptop photos 2" ]
	[ ! -e out/mine ]
	run -0 backuptool tag latest --target srv --add kept
	run -0 backuptool list --names --tag kept
	[ "$(days)" = 4 ]
}

@test "of one directory latest is rather that of this host, and with --host all of any" {
	mkdir docs
	at 2026-01-01 backuptool snapshot -q --target-directory docs
	at 2026-01-02 backuptool snapshot -q --target-directory docs --host elsewhere
	at 2026-01-03 backuptool snapshot -q --target-directory docs --host "$(uname -n)x"
	cd /
	export BACKUPTOOL_STORE=$WORK/snapshots
	run -0 --separate-stderr backuptool ls latest --target "$WORK/docs"
	stderr_is ""
	run -0 backuptool tag latest --target "$WORK/docs" --add mine
	run -0 backuptool list --names --tag mine
	[ "$(days)" = 1 ]
	run -0 backuptool tag latest --target "$WORK/docs" --host all --add newest
	run -0 backuptool list --names --tag newest
	[ "$(days)" = 3 ]
	run -0 backuptool tag latest --host elsewhere --add theirs
	run -0 backuptool list --names --tag theirs
	[ "$(days)" = 2 ]
}

@test "nothing is guessed from a working directory that is gone" {
	some_snapshots
	mkdir gone
	cd gone
	rmdir ../gone
	run -1 --separate-stderr backuptool --store "$WORK/snapshots" remove latest --yes
	[[ $stderr == *"nothing was changed" ]]
}

@test "prune decides about the selected snapshots alone" {
	some_snapshots
	run -0 --separate-stderr backuptool prune --tag keep --keep-last 1 --all --dry-run --json
	[ "$(jq -c '[.removed, .kept, (.snapshots | length)]' <<<"$output")" = "[2,1,3]" ]
	[[ $stderr == *"no snapshot of laptop:$PWD/photos"*" stays"* ]]
	[[ $stderr == *"other directory"* ]] # server:docs
	run -0 backuptool prune --host laptop --target docs --keep-last 1
	run -0 backuptool list --names
	[ "$(days)" = 2345 ]
	# what is left out stays, so its directory is not forgotten
	at 2026-01-06 backuptool snapshot -q --target-directory docs --host laptop --tag keep
	run -0 --separate-stderr backuptool prune --host laptop --tag keep --target docs --keep-last 1 --all
	stderr_is ""
	run -0 backuptool list --names
	[ "$(days)" = 2346 ]
	run -1 backuptool prune --tag other --keep-tag never --dry-run
	[[ $output == *"the rules would remove every selected snapshot"* ]]
	run -0 backuptool check
}

@test "check of a selection reads what that needs, and repair takes none" {
	some_snapshots
	run -0 backuptool check --host server --json
	[ "$(jq .summary.snapshots <<<"$output")" = 2 ]
	damage snapshots/snapshot_2026-01-05T00-00-00Z.json
	run -1 backuptool check --host server # it may be one of these
	[[ $output == *snapshot_2026-01-05* ]]
	run -2 backuptool check --repair --host server
	[[ $output == *"--repair looks at the whole store"* ]]
	run -1 --separate-stderr backuptool list --host server
	[ "$(days)" = 34 ]
	[[ $stderr == *snapshot_2026-01-05* ]]
}

@test "stats of a selection tells what only the others need" {
	mkdir a b
	head -c 200000 /dev/urandom >a/own
	head -c 100000 /dev/urandom >b/own
	cp a/own b/both
	at 2026-01-01 backuptool snapshot -q --target-directory a
	at 2026-01-02 backuptool snapshot -q --target-directory b
	backuptool stats --json >all
	backuptool stats --json --target a >a.json
	backuptool stats --json --target b >b.json
	[ "$(jq '.others // 0' all)" = 0 ]
	[ "$(jq '.others // 0' b.json)" = 0 ]
	[ "$(jq .unique a.json)" = 200000 ]
	[ "$(jq .unique b.json)" = 300000 ]
	[ "$(jq '.stored + .others' a.json)" = "$(jq .stored all)" ]
	[ "$(jq .dead a.json)" = 0 ]
	[ "$(jq -r '.each[0].target' a.json)" = "$PWD/a" ]
	run -0 backuptool stats --target a
	[[ $output == *"others"*"that only other snapshots need"* ]]
}

@test "tables have the host where there are several" {
	some_snapshots
	for command in list "prune --keep-last 9 -n" "remove -n 2026-01-01T00-00-00 2026-01-03T00-00-00" stats; do
		run -0 backuptool $command
		grep -q 'HOST.*TARGET' <<<"$output"
		run -0 backuptool ${command/2026-01-03/2026-01-05} --host laptop
		[ "$(grep -c HOST <<<"$output")" = 0 ]
	done
}

@test "export, dump and diff take a selection" {
	some_snapshots
	run -0 backuptool export --classic latest out.json --target photos
	grep -q "photos" out.json
	backuptool dump latest --host server --target srv | tar -xO ./file >got
	[ "$(cat got)" = "server srv 4" ]
	run -0 backuptool diff latest~1 latest --host laptop --target docs --content
	[[ $output == *"-laptop docs 1"*"+laptop docs 5"* ]]
}

@test "hosts, directories and tags of any bytes, and an ordinary user" {
	reachable_tool
	mkdir -p $'odd\nname,\xff' '@yesterday'
	chmod 777 "$WORK"
	as_user backuptool snapshot -q --target-directory $'odd\nname,\xff' --tag '@2026-01-01'
	as_user backuptool snapshot -q --target-directory '@yesterday' --tag latest
	run -0 as_user backuptool list --json --target $'odd\nname,\xff'
	[ "$(jq -r '.[].tags[0]' <<<"$output")" = '@2026-01-01' ]
	run -0 as_user backuptool list --json --target '@yesterday'
	[ "$(jq -r '.[].tags[0]' <<<"$output")" = latest ]
	run -0 as_user backuptool ls latest --tag latest
	run -0 --separate-stderr as_user backuptool list --target $'no\nwhere'
	[[ $stderr == *'no\x0awhere'* ]]
}

@test "a directory is meant as it is written, and as a link leads to it" {
	mkdir real
	ln -s real link
	backuptool snapshot -q --target-directory link
	run -0 backuptool list --names --target link
	[ "${#lines[@]}" = 1 ]
	run -0 backuptool list --names --target "$PWD/real"
	[ "${#lines[@]}" = 1 ]
	# what another host recorded may be a link here
	cd link
	run -0 backuptool --store ../snapshots list --names --target .
	[ "${#lines[@]}" = 1 ]
}
