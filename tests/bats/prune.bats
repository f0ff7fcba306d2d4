#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Removing snapshots, and tags.
# shellcheck disable=SC2154
load helper

# Takes a snapshot of src at that time, called snapshot_DATE, and keeps a copy of src as copy_DATE.
take_at() {
	at "$1" backuptool snapshot --target-directory src -q >/dev/null
	cp -a src "copy_$1"
}

# A tree that changes: some new noise, some old noise gone, a file edited.
change() {
	mkdir -p src/deep/er
	head -c 100000 /dev/urandom >"src/noise$1"
	rm -f "src/noise$(($1 - 3))"
	printf 'version %s\n' "$1" >src/deep/er/edited
	printf 'constant\n' >src/deep/constant
}

survivors() {
	find snapshots -maxdepth 1 -name 'snapshot_*.json' -printf '%f\n' | sort
}

every_survivor_restores() {
	local name
	for name in $(survivors); do
		bring "$name" out -q
		same "copy_${name:9:-5}" out
		rm -rf out
	done
}

@test "thirty snapshots of a changing tree pruned to 20, 7, 3, 1" {
	for number in $(seq 30); do
		change "$number"
		take_at "2026-01-$(printf %02d "$number")T00-00-00Z"
	done
	for keep in 20 7 3 1; do
		run -0 backuptool prune --snapshot-number "$keep"
		[ "$(survivors | wc -l)" = "$keep" ]
		[ "$(survivors | tail -n 1)" = snapshot_2026-01-30T00-00-00Z.json ]
		every_survivor_restores
	done
	source_size=$(du -sb --apparent-size copy_2026-01-30T00-00-00Z | cut -f 1)
	store_size=$(find snapshots -name '*.json' ! -path '*/cache/*' -printf '%s\n' | awk '{ s += $1 } END { print s }')
	echo "store $store_size, source $source_size"
	[ "$store_size" -le "$((source_size * 16 / 10))" ]
}

@test "what is pinned stays, whatever the rules say" {
	mkdir snapshots
	cp "$TESTS/data/hostile/none_taken.json" snapshots/snapshot_2026-11-22T10-30-00Z.json
	mkdir src
	take_at 2026-11-23T00-00-00Z
	take_at 2026-11-24T00-00-00Z
	run -0 backuptool prune --keep-last 1 --all --json
	[ "$(jq -c '.snapshots[] | select(.keep) | .reasons' <<<"$output" | tr '\n' ' ')" = '["pinned"] ["last"] ' ]
	[ "$(survivors | wc -l)" = 2 ]
	run -0 backuptool prune --snapshot-number 0 --yes
	[ "$(survivors)" = snapshot_2026-11-22T10-30-00Z.json ]
}

@test "a snapshot is pinned when it is taken or later, and can be removed only after it was unpinned" {
	mkdir src
	take_at 2026-11-22T00-00-00Z
	at 2026-11-23 backuptool snapshot --target-directory src --pin -q
	first=snapshot_2026-11-22T00-00-00Z.json second=snapshot_2026-11-23T00-00-00Z.json
	[ "$(backuptool list --json | jq -c '[.[] | .pinned]')" = "[null,true]" ]
	run -0 backuptool tag "$first" --pin --json
	[ "$(jq -c . <<<"$output")" = "{\"name\":\"$first\",\"tags\":[],\"pinned\":true}" ]
	cp "snapshots/$first" before
	run -0 backuptool tag "$first" --pin
	cmp before "snapshots/$first"
	run -0 backuptool list
	[ "$(grep -c '  pinned$' <<<"$output")" = 2 ]
	for command in "remove $first" "remove $second $first --yes" "remove $first --dry-run"; do
		# shellcheck disable=SC2086
		run -1 backuptool $command
		output_is "backuptool remove: $first is pinned, so nothing was removed; 'backuptool tag $first --unpin' unpins it"
	done
	run -0 backuptool prune --snapshot-number 0 --all --yes
	[ "$(survivors | wc -l)" = 2 ]
	run -2 backuptool tag "$first" --pin --unpin
	run -0 backuptool tag "$first" --unpin --add free
	run -0 backuptool remove "$first"
	[ "$(survivors)" = "$second" ]
}

@test "what has expired takes no place of the rules, and goes; a pin, a tag, or being the last good one keeps it" {
	mkdir src
	at 2026-11-20 backuptool snapshot --target-directory src --expires 30d --pin -q
	at 2026-11-21 backuptool snapshot --target-directory src --expires 2d --tag dear -q
	at 2026-11-22 backuptool snapshot --target-directory src --expires 2d -q
	at 2026-11-23 backuptool snapshot --target-directory src --expires 30d -q
	take_at 2026-11-24T00-00-00Z
	at 2026-11-25 backuptool snapshot --target-directory src --expires 1h -q
	run -0 at 2026-11-26 backuptool list
	[ "$(grep -c '  expired$' <<<"$output")" = 3 ]
	[ "$(backuptool list --json | jq -r '.[0].expires')" = 2026-12-20T00:00:00.000000000Z ]
	run -0 --separate-stderr at 2026-11-26 backuptool prune --keep-last 2 --keep-tag dear --json
	[ "$(jq -c '.snapshots[] | [.keep] + .reasons' <<<"$output" | tr '\n' ' ')" = \
		'[true,"pinned"] [true,"tag"] [false,"expired"] [true,"last"] [true,"last"] [false,"expired"] ' ]
	rm -r snapshots
	at 2026-11-25 backuptool snapshot --target-directory src --expires 1h -q
	run -1 at 2026-11-26 backuptool prune --keep-last all
	[[ $output == *"the rules would remove every snapshot"* ]]
	run -2 take src --expires forever
	run -2 take src --expires 0d
	run -2 take src --expires 9000y
}

@test "what nobody needs is gone from the disk, and a file without dead weight is moved, not copied" {
	mkdir src
	head -c 20000000 /dev/urandom >src/stays
	take_at 2026-01-01T00-00-00Z
	inode=$(stat -c %i snapshots/snapshot_2026-01-01T00-00-00Z.json)
	head -c 3000000 /dev/urandom >src/goes
	take_at 2026-01-02T00-00-00Z
	rm src/goes
	take_at 2026-01-03T00-00-00Z
	run -0 backuptool prune --snapshot-number 1
	[ "$(stat -c %i snapshots/contents/*.json)" = "$inode" ]
	[ "$(find snapshots -name '*.json' -size +1000k | wc -l)" = 1 ]
	every_survivor_restores
}

@test "the table of verdicts with reasons, dry run, --json" {
	mkdir src
	for day in 01 02 03; do
		echo "$day" >src/file
		take_at "2026-01-${day}T00-00-00Z"
	done
	run -0 backuptool prune --keep-last 1 --keep-yearly 1 --dry-run
	[[ ${lines[0]} =~ ^NAME\ +TIME\ +TARGET\ +VERDICT\ +REASONS$ ]]
	[[ ${lines[1]} =~ \ remove$ ]]
	[[ ${lines[3]} =~ \ keep\ +last,\ ?yearly$ ]]
	[[ ${lines[4]} =~ ^would\ remove\ 2\ snapshots,\ 1\ kept ]]
	[ "$(survivors | wc -l)" = 3 ]
	run -0 backuptool prune --keep-last 2 --json
	[ "$(jq -c '[.snapshots[] | [.keep, .reasons]]' <<<"$output")" = '[[false,[]],[true,["last"]],[true,["last"]]]' ]
	[ "$(jq -c '[.dry_run, .removed, .kept, .freed_bytes > 500, .dead_bytes]' <<<"$output")" = '[false,1,2,true,0]' ]
	[ "$(survivors | wc -l)" = 2 ]
}

# of_size NAME: the size of a snapshot's file as a person is shown it.
of_size() {
	backuptool list --json | jq -r --arg name "$1" '.[] | select(.name == $name) | .file_size' |
		awk '{ if ($1 < 1024) printf "%d B", $1; else printf "%.1f KiB", $1 / 1024 }'
}

@test "-v names the files of the store that go" {
	mkdir src
	head -c 300000 /dev/urandom >src/shared
	take_at 2026-01-01T00-00-00Z
	take_at 2026-01-02T00-00-00Z
	head -c 300000 /dev/urandom >src/shared
	take_at 2026-01-03T00-00-00Z
	first=$(newest 2) second=$(newest 1) size=$(of_size "$first")
	run -0 bash -c "backuptool remove '$first' --dry-run -v | grep '^D'"
	output_is "D $first  ($size)"
	run -0 bash -c "backuptool remove '$first' -v | grep '^D'"
	output_is "D $first  ($size)" # the second one needs its contents
	volume=$(ls snapshots/contents)
	run -0 bash -c "backuptool prune --keep-last 1 -nv | grep '^D'"
	[ "$(sort <<<"$output")" = "$(printf '%s\n' "D $second  ($(of_size "$second"))" "D contents/$volume  ($size)" | sort)" ]
	run -0 bash -c "backuptool prune --keep-last 1 -v | grep '^D'"
	[ "$(sed 's/  (.*//' <<<"$output" | sort)" = "$(printf '%s\n' "D $second" "D contents/$volume" | sort)" ]
	for command in check dump diff export; do
		run -2 backuptool "$command" -v
		[[ $output == *"there is no option -v"* ]]
	done
}

@test "rules that would remove everything are refused without --all" {
	mkdir src
	take_at 2026-01-01T00-00-00Z
	run -1 backuptool prune --snapshot-number 0
	[[ $output == *"would remove every snapshot; nothing was removed. If you mean it, add --all"* ]]
	run -1 backuptool prune --keep-tag nobody
	[ "$(survivors | wc -l)" = 1 ]
	run -0 backuptool prune --snapshot-number 0 --all
	[ "$(survivors | wc -l)" = 0 ]
	[ "$(find snapshots -name '*.json' ! -path '*/cache/*' | wc -l)" = 0 ]
}

@test "no rule, or a bad number, is a usage error" {
	mkdir src
	take_at 2026-01-01T00-00-00Z
	run -2 backuptool prune
	[[ $output == *"no rule says what to keep"* ]]
	run -2 backuptool prune --keep-last 0
	[[ $output == *"a whole number above 0"* ]]
	run -2 backuptool prune --snapshot-number -1
}

@test "a span has hours, days, weeks, months and years; m is a month" {
	local span hour
	mkdir snapshots
	for hour in 2022-12-31T22 2023-01-01T00 2023-01-30T00 2023-12-31T23; do
		printf '{"timestamp":"%s-00-00","files":{},"file_contents":{},"directory_size":0,"snapshot_size":0}' \
			"$hour" >"snapshots/snapshot_$hour-00-00.json"
	done
	for span in 30 1y6 d 1d1 -1d ' 1d' 1.5d ''; do
		run -2 backuptool prune --keep-within "$span" -n
		output_is "backuptool prune: --keep-within '$span' is not a span such as 36h, 30d, 8w, 6m, 1y, 1y6d or forever; see 'backuptool prune --help'"
	done
	for span in 9999999999999999d 9999999999999999999999y 4294967295y4294967295y$(printf 4294967295y%.0s $(seq 70)); do
		run -2 backuptool prune --keep-within "$span" -n
	done
	for span in 335d:1 48w:2 8758h:2 8759h:3 364d:2 52w1d:3 1y:4 forever:4 10m:1 11m:2 10m30d:2 12m:4 10months:1 "365 days:3"; do
		run -0 backuptool prune --keep-within "${span%:*}" -n --json
		[ "$(jq .kept <<<"$output")" = "${span#*:}" ] || { echo "$span"; false; }
	done
	[[ $(backuptool prune --help) == *"in the last SPAN (36h, 30d, 8w, 6m, 1y)"* ]]
}

@test "per target" {
	mkdir src other
	take_at 2026-01-01T00-00-00Z
	at 2026-01-02T00-00-00Z backuptool snapshot --target-directory other -q
	echo changed >src/file
	take_at 2026-01-03T00-00-00Z
	run -0 --separate-stderr backuptool prune --snapshot-number 1 --per-target -n
	stderr_is ''
	run -0 backuptool prune --snapshot-number 1 --per-target -q
	[ "$(survivors | tr '\n' ' ')" = "snapshot_2026-01-02T00-00-00Z.json snapshot_2026-01-03T00-00-00Z.json " ]
}

@test "the newest of a directory stays and is named; of which nothing stays with --all is named, too" {
	mkdir src other third
	take other -q
	take src -q
	kept="backuptool prune: no rule keeps $(newest 1) (newest complete); what nobody needs can be removed with 'backuptool remove'"
	other="backuptool prune: no snapshot of $(uname -n):$PWD/other stays; with --per-target every directory is counted by itself"
	for form in '' --json; do
		run -0 --separate-stderr backuptool prune --snapshot-number 1 -n $form
		stderr_is "$kept"
		run -0 --separate-stderr backuptool prune --snapshot-number 1 --all -n $form
		stderr_is "$other"
	done
	jq .kept <<<"$output"
	for quiet in '--snapshot-number 1 -q' '--snapshot-number 2' '--snapshot-number 0 --all'; do
		run -0 --separate-stderr backuptool prune -n $quiet
		stderr_is ''
	done
	take third -q
	run -0 backuptool prune --snapshot-number 1
	[ "$(survivors | wc -l)" = 3 ]
	run -0 --separate-stderr backuptool prune --snapshot-number 1 --all
	stderr_is "${other/other stays/other, nor of 1 other directory, stays}"
	[ "$(survivors | wc -l)" = 1 ]
	take src -q
	run -0 --separate-stderr backuptool remove "$(newest 1)" --yes
	stderr_is ''
}

@test "a damaged snapshot is in the way, is named, and nothing is removed" {
	for number in 1 2 3; do
		change "$number"
		take_at "2026-01-0${number}T00-00-00Z"
	done
	damage snapshots/snapshot_2026-01-02T00-00-00Z.json
	cp -a snapshots untouched
	before=$(find snapshots -name '*.json' ! -path '*/cache/*' -printf '%p %s\n' | sort)
	run -1 backuptool prune --snapshot-number 2
	[[ $output == *snapshot_2026-01-02T00-00-00Z.json*damaged* ]]
	[ "$(find snapshots -name '*.json' ! -path '*/cache/*' -printf '%p %s\n' | sort)" = "$before" ]
	for command in "prune --snapshot-number 2" "remove latest --yes"; do
		# shellcheck disable=SC2086
		run -1 backuptool $command
		[[ $output == *"; nothing was removed, since nobody knows what it needs: mend the store with 'backuptool check --repair', or give it up with 'backuptool remove snapshot_2026-01-02T00-00-00Z.json'" ]]
	done
	[ "$(find snapshots -name '*.json' ! -path '*/cache/*' -printf '%p %s\n' | sort)" = "$before" ]
	for quiet in -n -q ''; do
		# shellcheck disable=SC2086
		run -0 --separate-stderr backuptool remove snapshot_2026-01-02T00-00-00Z.json $quiet
		[ -z "$quiet" ] || { stderr_is '' && rm -r snapshots && cp -a untouched snapshots; }
	done
	stderr_is "backuptool remove: what others may need of 1 damaged snapshot went to contents/; until 'backuptool check --repair' makes it usable, 'check' and 'stats' name the damage"
	run -3 --separate-stderr backuptool stats
	[[ $stderr =~ ^'backuptool stats: '(contents/[0-9a-f]+\.json)': damaged at byte ' ]]
	[ -e "snapshots/${BASH_REMATCH[1]}" ]
	run -0 backuptool check --repair # what the others need of it is still there
	run -0 backuptool prune --snapshot-number 1
	run -0 backuptool check
	bring latest out -q
}

@test "a damaged snapshot whose beginning looks like the original layout is one that others share with" {
	mkdir src
	head -c 300000 /dev/urandom >src/shared
	take src -q
	cp -a src before
	echo more >src/more
	take src -q
	first=$(newest 1) second=$(newest)
	cp -a snapshots sound
	printf F | dd of="snapshots/$second" bs=1 seek=2 conv=notrunc status=none
	run -1 backuptool remove "$first" --yes
	[[ $output == *"$second: damaged"*"nothing was removed"* ]]
	bring "$first" out -q
	same before out
	rm -r snapshots out
	mv sound snapshots
	printf F | dd of="snapshots/$first" bs=1 seek=2 conv=notrunc status=none
	run -0 backuptool remove "$first" --yes
	backuptool check --repair
	bring "$second" out -q
	same src out
}

@test "--max-dead says how much dead weight is left, and a dry run tells what will be" {
	mkdir src
	head -c 20000000 /dev/urandom >src/stays
	head -c 3000000 /dev/urandom >src/goes
	take_at 2026-01-01T00-00-00Z
	rm src/goes
	take_at 2026-01-02T00-00-00Z
	cp -a snapshots spare
	for options in "" "--max-dead 5" "--max-dead 100"; do
		# shellcheck disable=SC2086
		run -0 backuptool prune --snapshot-number 1 --dry-run $options
		would=${lines[-1]}
		# shellcheck disable=SC2086
		run -0 backuptool prune --snapshot-number 1 $options
		[ "${lines[-1]}" = "$(sed 's/would remove/removed/; s/would be free/freed/' <<<"$would")" ]
		[[ $options == *5 ]] || [[ ${lines[-1]} == *"no longer needed stay"* ]]
		[[ $options != *5 ]] || [[ ${lines[-1]} == *" MiB freed" ]]
		every_survivor_restores
		rm -rf snapshots
		cp -a spare snapshots
	done
	run -0 backuptool remove --yes 2026-01-01 --dry-run --max-dead 5
	would=$output
	run -0 backuptool remove --yes 2026-01-01 --max-dead 5
	[ "$output" = "$(sed 's/would remove/removed/; s/would be free/freed/' <<<"$would")" ]
	for wrong in 0 101 x ""; do
		run -2 backuptool prune --snapshot-number 1 --max-dead "$wrong"
		[[ $output == *"is not a whole number from 1 to 100"* ]]
	done
}

@test "a rule that is not full yet keeps the oldest, and says so" {
	mkdir src
	for day in 01 02 03; do
		take_at "2026-01-${day}T00-00-00Z"
	done
	run -0 backuptool prune --keep-yearly 2 --dry-run --json
	[ "$(jq -c '[.snapshots[].reasons]' <<<"$output")" = '[["oldest, until 2 years are there"],[],["yearly"]]' ]
}

@test "pruning frees space on a full file system" {
	is_root || skip "needs root for a small file system"
	mkdir small src
	unshare -m bash -eu -c '
		mount -t tmpfs -o size=4m tmpfs small
		for number in 1 2 3; do
			head -c 600000 /dev/urandom >src/noise
			backuptool snapshot -q --store small/store --target-directory src >/dev/null
		done
		dd if=/dev/zero of=small/fill bs=4096 2>/dev/null || true
		[ "$(df --output=avail small | tail -n 1)" -lt 4 ]
		# the first one has the names of owners for all: what is left of its file is copied into the space of the second one
		backuptool prune --store small/store --snapshot-number 1
		[ "$(df --output=avail small | tail -n 1)" -gt 1500 ]
		backuptool restore -q --store small/store --snapshot-file latest --output-directory out
		cmp src/noise out/noise
	'
}

@test "prune waits for a running snapshot, and says for what when it may not wait" {
	mkdir src
	take_at 2026-01-01T00-00-00Z
	mkfifo hold
	python3 -c '
import fcntl, struct, sys
lock = open("snapshots/lock", "r+")
fcntl.fcntl(lock, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0))
print("locked", flush=True)
sys.stdin.read()' <hold >locked 3>&- &
	holder=$!
	exec 4>hold
	wait_until grep -q locked locked
	run -11 backuptool prune --snapshot-number 1 --lock-wait 0s
	[[ $output == *lock* ]]
	exec 4>&-
	wait "$holder"
	run -0 backuptool prune --snapshot-number 1
}

@test "remove takes single snapshots, whole or not at all" {
	for number in 1 2 3; do
		change "$number"
		take_at "2026-01-0${number}T00-00-00Z"
	done
	run -1 backuptool remove --yes 2026-01-01 2027
	[ "$(survivors | wc -l)" = 3 ]
	run -0 backuptool remove --yes 2026-01-01 latest --dry-run
	[[ ${lines[-1]} == "would remove 2 snapshots; "* ]]
	run -0 backuptool remove --yes 2026-01-01 latest
	[[ ${lines[-1]} == "removed 2 snapshots; "* ]]
	[ "$(survivors)" = snapshot_2026-01-02T00-00-00Z.json ]
	every_survivor_restores
}

@test "classic snapshots are pruned like the others" {
	mkdir snapshots
	cp "$TESTS"/data/classic/*.json snapshots/
	mkdir src
	echo text >src/file
	take src -q
	backuptool list >/dev/null
	run -0 backuptool prune --snapshot-number 2 --all
	[ "$(survivors | wc -l)" = 2 ]
	[ "$(find snapshots -name 'snapshot_2026-11-22T11*' | wc -l)" -le 2 ]
	for name in $(survivors); do
		bring "$name" out -q
		rm -rf out
	done
}

@test "tags are added and taken away, and nothing else changes" {
	change 1
	take_at 2026-01-01T00-00-00Z
	change 2
	take_at 2026-01-02T00-00-00Z
	run -0 backuptool tag 2026-01-01T00-00-00 --add "first one" --add b
	run -0 backuptool tag 2026-01-01T00-00-00 --add a --remove b
	[ "$(backuptool list --json | jq -c '[.[].tags]')" = '[["a","first one"],[]]' ]
	every_survivor_restores
	run -0 backuptool prune --keep-tag a --all
	[ "$(survivors)" = snapshot_2026-01-01T00-00-00Z.json ]
	every_survivor_restores
	run -2 backuptool tag latest
	run -2 backuptool tag latest --add $'line\nbreak'
}

@test "tag says what it did, of each snapshot that is named" {
	mkdir src
	at 2026-01-01T00-00-00 backuptool snapshot --target-directory src -q --tag old
	take_at 2026-01-02T00-00-00Z
	first=snapshot_2026-01-01T00-00-00Z.json second=snapshot_2026-01-02T00-00-00Z.json
	run -0 backuptool tag "$first" latest --add new --remove old
	output_is "$first: added new; took old away" "$second: added new; has no tag old to take away"
	run -0 backuptool tag latest~1 "snapshots/$second" --add new --add more --pin
	output_is "$first: had already new; added more; pinned" "$second: had already new; added more; pinned"
	run -0 backuptool tag latest --pin
	output_is "$second: was already pinned"
	run -0 backuptool tag latest --unpin
	output_is "$second: unpinned"
	run -0 backuptool tag latest latest~1 --remove more --json
	[ "$(jq -r '"\(.name) \(.tags[0]) \(.pinned)"' <<<"$output")" = "$second new false
$first new true" ]
	# All names are understood before anything is changed.
	run -1 backuptool tag latest nothing --add late
	[[ $output == *"there is no snapshot 'nothing'"* ]]
	[[ $(backuptool list --json) != *late* ]]
}

@test "a tag where there are no hard links: the old file is copied, and nothing is left when it cannot be" {
	small_tree src
	take src -q
	# The first name is that of the new file, the second one is that of the old one's copy.
	run -1 strace -qq -o links -e trace=linkat,renameat2 -e inject=linkat:error=EPERM -e inject=renameat2:error=EIO:when=2+ \
		backuptool tag latest --add a
	[ "$(find snapshots -name '.tmp-*' -o -path '*/contents/*.json')" = "" ]
	run -0 without_links "$(newest)" "" tag latest --add a
	run -0 without_links "$(newest)" + tag latest --add b
	[ "$(backuptool list --json | jq -c '.[].tags')" = '["a","b"]' ]
	[ "$(find snapshots/contents -name '*.json' -links 1 | wc -l)" = 2 ]
	run -0 backuptool check
	bring latest out -q
	same src out
}
