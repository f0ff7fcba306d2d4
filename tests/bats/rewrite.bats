#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Paths are taken out of snapshots that are there: nothing of them is left, and all else is as it was.
# shellcheck disable=SC2154,SC2016
load helper

teardown() {
	end_holder
	remove_work
}

# Three snapshots of a tree, the first two with a secret; each a second after the other.
world() {
	small_tree src
	mkdir -p src/secret/below
	printf 'the password is 4711\n' >src/secret/key
	head -c 3000000 /dev/urandom >src/secret/below/noise
	at 2026-11-20T10-00-00 backuptool snapshot --target-directory src -q --tag weekly
	printf 'changed\n' >src/docs/a.txt
	at 2026-11-20T10-00-01 backuptool snapshot --target-directory src -q --expires 10y --description 'with it'
	mv src/secret kept
	at 2026-11-20T10-00-02 backuptool snapshot --target-directory src -q
}

FIRST=snapshot_2026-11-20T10-00-00Z
SECOND=snapshot_2026-11-20T10-00-01Z
THIRD=snapshot_2026-11-20T10-00-02Z

names() {
	backuptool list "$@" --json | jq -r '.[].name'
}

text_of() {
	case $1 in
	*.zst) zstd -dcq "$1" ;;
	*) cat "$1" ;;
	esac
}

# Everything that the files of the store have, decoded.
everything() {
	local file block
	find "${1:-snapshots}" -name '*.json' -o -name '*.json.zst' -o -name '*.doomed*' | while read -r file; do
		text_of "$file"
		text_of "$file" | jq -r '.blocks[].zstd' | while read -r block; do
			base64 -d <<<"$block" | zstd -dcq
		done
	done
}

# Neither the names nor the contents of the secret.
nothing_left() {
	everything "$@" >all
	python3 - all kept/below/noise <<-'END'
		import sys
		everything, noise = (open(path, 'rb').read() for path in sys.argv[1:])
		sought = [b'password is', b'"below"', b'"name":"secret"'] + [noise[i:i + 16] for i in range(0, len(noise) - 16, 100000)]
		sys.exit(any(part in everything for part in sought))
	END
}

@test "what is taken out is nowhere in the store, whatever shared its blocks, and all else is as it was" {
	world
	everything >all
	grep -aq 'password is' all
	for name in "$FIRST" "$SECOND" "$THIRD"; do
		backuptool restore --snapshot-file "$name" --output-directory "out/$name" -q
	done
	run -0 --separate-stderr backuptool rewrite --all-snapshots --exclude /secret --yes
	[[ ${lines[-1]} == "took 8 entries (5.7 MiB) out of 2 snapshots; "*" freed; 1 stays as it is" ]]
	[ -z "$stderr" ]
	[ "$(names)" = "$FIRST-1.json"$'\n'"$SECOND-1.json"$'\n'"$THIRD.json" ]
	nothing_left
	run -0 backuptool check
	for name in "$FIRST-1" "$SECOND-1" "$THIRD"; do
		backuptool restore --snapshot-file "$name" --output-directory "new/$name" -q
		rm -rf "out/${name%-1}/secret"
		touch -r "out/${name%-1}/docs" "new/$name/docs"
		diff <("$TESTS/tree_compare.py" "out/${name%-1}" | grep -v '^ *\. ') <("$TESTS/tree_compare.py" "new/$name" | grep -v '^ *\. ')
	done
	backuptool list --json >listed
	[ "$(jq -c '.[0] | [.tags, .excluded, .rules, .rewritten]' listed)" = "[[\"weekly\"],1,[\"/secret\"],\"$FIRST.json\"]" ]
	[ "$(jq -c '.[1] | [.description, .parent, .expires != null]' listed)" = "[\"with it\",\"$FIRST-1.json\",true]" ]
	[ "$(jq '.[0] | .files - .new - .changed - .unchanged' listed)" = 0 ]
	[ "$(jq '.[2].rewritten' listed)" = null ]
	run -0 backuptool list -v
	[[ $output == *"rewritten from: $FIRST.json"* ]]
}

@test "the snapshot is that which would have been taken without these paths" {
	world
	take kept/.. --store other -q --exclude /kept --exclude /snapshots --exclude /other
	mv kept src/secret
	settle
	at 2026-11-20T11-00-00 backuptool snapshot --target-directory src -q
	at 2026-11-20T11-00-01 backuptool snapshot --target-directory src -q --exclude /secret
	at 2026-11-20T11-00-02 backuptool snapshot --target-directory src -q --exclude '*o*'
	root_of() { text_of "snapshots/$1" | jq -c '.summary | [.root, .files, .directories, .others, .directory_size, .left_out]'; }
	backuptool rewrite 2026-11-20T11-00-00 --exclude /secret --keep-original -q
	[ "$(root_of snapshot_2026-11-20T11-00-00Z-1.json)" = "$(root_of snapshot_2026-11-20T11-00-01Z.json)" ]
	backuptool rewrite 2026-11-20T11-00-00Z.json --exclude '*o*' --keep-original -q
	[ "$(root_of snapshot_2026-11-20T11-00-00Z-2.json)" = "$(root_of snapshot_2026-11-20T11-00-02Z.json)" ]
	run -0 backuptool check
}

@test "a dry run says what would be done, and changes nothing" {
	world
	sums=$(find snapshots -type f ! -path '*/cache/*' -exec sha256sum {} + | sort)
	run -0 --separate-stderr backuptool rewrite --all-snapshots -e secret/ -n
	[ "${lines[-1]}" = "would take 8 entries (5.7 MiB) out of 2 snapshots; 2.9 MiB of data would be gone; 1 stays as it is" ]
	[ "$(grep -c "^$FIRST\|^$SECOND\|^$THIRD" <<<"$output")" = 2 ]
	run -0 backuptool rewrite --all-snapshots -e secret/ -n --json
	[ "$(jq -c '[.dry_run, .rewritten, .unchanged, .entries, .kept_bytes, .removed, .snapshots[0].entries]' <<<"$output")" = '[true,2,1,8,0,0,4]' ]
	[ "$sums" = "$(find snapshots -type f ! -path '*/cache/*' -exec sha256sum {} + | sort)" ]
}

@test "it asks before something goes for good, and says what is not clear" {
	world
	run -1 --separate-stderr backuptool rewrite --all-snapshots -e /secret
	[ "$stderr" = "backuptool rewrite: this takes 8 entries (5.7 MiB) out of 2 snapshots for good: nothing was changed; give --yes to go on" ]
	[ "$(names | wc -l)" = 3 ]
	run -2 backuptool rewrite -e /secret
	[[ $output == *"say which snapshots"* ]]
	run -2 backuptool rewrite --all-snapshots
	[[ $output == *"nothing to change"* ]]
	run -2 backuptool rewrite --all-snapshots latest -e /secret
	run -2 backuptool rewrite --all-snapshots --set-time 2026-11-20
	[[ $output == *"--set-time is for one snapshot, and 3 are meant"* ]]
	run -2 backuptool rewrite latest --set-target here
	run -2 backuptool rewrite latest --set-time soon
	run -1 backuptool rewrite --host nowhere -e /secret
	[[ $output == *"no snapshot matches --host nowhere"* ]]
	run -0 --separate-stderr backuptool rewrite --all-snapshots -e /nothing
	[[ $stderr == *"nothing here matches the pattern '/nothing'"*"nothing is to be changed"* ]]
	run -0 --separate-stderr backuptool rewrite --all-snapshots -e "$WORK/src/secret" -n
	[[ $stderr == *"patterns begin at the directory, write '/secret'"* ]]
	run -1 backuptool rewrite latest -e '*' --yes
	[[ $output == *"nothing would be left of $THIRD.json, so nothing was changed"* ]]
	[ "$(names | wc -l)" = 3 ]
	run -0 backuptool rewrite latest -e '*' --yes --allow-empty
	run -0 backuptool ls latest
	[ -z "$output" ]
}

@test "snapshots and paths that still have it are told" {
	world
	run -0 backuptool rewrite "$FIRST" -e /secret --yes
	[ "${lines[-1]}" = "2.9 MiB of it stay, because 1 other snapshot still has it: $SECOND.json" ]
	everything >all
	grep -aq 'password is' all
	run -0 backuptool rewrite --all-snapshots -e /secret --yes
	[[ $output != *"still"* ]]
	nothing_left
	cp kept/key src/docs/copy
	mkdir src/secret
	cp kept/key src/secret
	take src -q
	run -0 backuptool rewrite latest -e /secret --yes
	[ "${lines[-1]}" = "21 B of it stay, because other paths have the same contents" ]
	run -0 backuptool cat latest:docs/copy
	[ "$output" = 'the password is 4711' ]
}

@test "--keep-original removes nothing, and the next run does not make a second one" {
	world
	run -0 backuptool rewrite --all-snapshots -e /secret --keep-original
	[ "${lines[-1]}" = "the originals still have all of it; 'backuptool remove' removes them" ]
	[ "$(names | wc -l)" = 5 ]
	run -0 backuptool rewrite --all-snapshots -e /secret --keep-original --json
	[ "$(jq -c '[.snapshots[] | select(.changes) | .present]' <<<"$output")" = '[true,true]' ]
	[ "$(names | wc -l)" = 5 ]
	run -0 backuptool rewrite --all-snapshots -e /secret -y
	[ "$(names)" = "$FIRST-1.json"$'\n'"$SECOND-1.json"$'\n'"$THIRD.json" ]
	nothing_left
}

@test "what a run has left that was killed is gone after the next one" {
	world
	backuptool rewrite --all-snapshots -e /secret --keep-original -q
	backuptool remove "$FIRST.json" "$SECOND.json" -q --yes --max-dead 99
	everything >all
	grep -aq 'password is' all
	run -0 --separate-stderr backuptool rewrite --all-snapshots -e /secret
	[ "$stderr" = "backuptool rewrite: nothing here matches the pattern '/secret'"$'\n'"backuptool rewrite: nothing is to be changed" ]
	nothing_left
	run -0 backuptool check
}

@test "names are gone where no contents go" {
	small_tree src
	mkdir -p src/many/{1..100} src/secret/below
	for number in {1..100}; do
		head -c 3000 /dev/urandom >"src/many/$number/noise"
	done
	: >src/secret/below/empty-one
	cp src/docs/a.txt src/secret/below/copied-one
	take src -q
	everything >all
	grep -aq '"name":"secret"' all
	grep -aq 'copied-one' all
	backuptool rewrite --all-snapshots -e /secret --yes -q
	everything >all
	run -1 grep -a -e '"name":"secret"' -e '"below"' -e -one all
	run -0 backuptool check
}

@test "it is gone, too, after one in which something else matches" {
	world
	head -c 1000000 /dev/urandom >src/large
	printf 'the password is 4712\n' >src/secret-too
	backuptool remove "$FIRST.json" "$SECOND.json" -q --yes
	cp -r kept src/secret
	at 2026-11-20T10-00-03 backuptool snapshot --target-directory src -q
	rm -r src/secret
	at 2026-11-20T10-00-04 backuptool snapshot --target-directory src -q
	fourth=snapshot_2026-11-20T10-00-03Z
	backuptool rewrite "$fourth" -e /secret --keep-original -q
	backuptool remove "$fourth.json" -q --yes --max-dead 99
	everything >all
	grep -aq 'password is 4711' all
	backuptool rewrite --all-snapshots -e /secret -e /secret-too --yes
	nothing_left
	run -0 backuptool check
}

@test "what is pinned is refused, or stays pinned" {
	world
	backuptool tag "$FIRST" --pin -q 2>/dev/null || backuptool tag "$FIRST" --pin
	run -1 backuptool rewrite --all-snapshots -e /secret --yes
	[[ $output == *"$FIRST.json is pinned, so nothing was changed; --pinned changes it, too, and it stays pinned" ]]
	[ "$(names | wc -l)" = 3 ]
	run -0 backuptool rewrite --all-snapshots -e /secret --yes --pinned
	[ "$(backuptool list --json | jq -c '[.[].pinned]')" = '[true,null,null]' ]
	nothing_left
}

@test "another host, directory and time: only the header is written, and the next snapshot goes on from it" {
	world
	mv src moved
	run -0 --separate-stderr backuptool rewrite --all-snapshots --set-host laptop --set-target "$WORK/moved/" --json
	[ "$(jq -c '[.rewritten, .entries, .removed, (.snapshots | map(.written_bytes < 2000) | all)]' <<<"$output")" = '[3,0,3,true]' ]
	[ -z "$stderr" ]
	[ "$(backuptool list --json | jq -c '[.[] | [.host, .target]] | unique')" = "[[\"laptop\",\"$WORK/moved\"]]" ]
	run -0 backuptool check
	at 2026-11-20T10-01-00 backuptool snapshot --target-directory moved --host laptop --json >taken
	[ "$(jq -c '[.parent, .new]' taken)" = "[\"$THIRD-1.json\",0]" ]
	run -0 backuptool ls latest --host laptop
	[[ $output == *docs* ]]
	run -0 --separate-stderr backuptool rewrite --host laptop --set-host laptop
	[ "$stderr" = "backuptool rewrite: nothing is to be changed" ]
	run -0 backuptool rewrite "$FIRST" --set-time 2026-11-20T10:00:30Z
	[ "$(names | sed -n 3p)" = snapshot_2026-11-20T10-00-30Z.json ]
	[ "$(backuptool list --json | jq -r '.[2].time')" = 2026-11-20T10:00:30.000000000Z ]
	run -1 backuptool rewrite "$SECOND" --set-time 2126-01-01
	[[ $output == *"the new time is in the future"* ]]
	run -0 backuptool check
}

@test "a snapshot in the original layout is named if something in it matches, and the others are rewritten" {
	world
	backuptool export --classic "$FIRST" classic.json -q
	cp classic.json snapshots/snapshot_2020-01-01T10-00-00.json
	run -3 --separate-stderr backuptool rewrite --all-snapshots -e key --yes
	[[ $stderr == *"snapshot_2020-01-01T10-00-00.json stays as it is: "*"original layout"* ]]
	[[ ${lines[-1]} == *"because 1 other snapshot still has it: snapshot_2020-01-01T10-00-00.json" ]]
	[ "$(names | wc -l)" = 4 ]
	run -0 --separate-stderr backuptool rewrite --all-snapshots -e empty --yes
	[[ $stderr != *original* ]]
}

@test "damage in what goes keeps it from nothing, damage elsewhere leaves that snapshot alone" {
	world
	backuptool snapshot --target-directory kept --store other -q
	small_tree other-src
	take other-src -q
	run -0 backuptool rewrite --all-snapshots -e /secret --yes --json
	nothing_left
	name=$(names | head -1)
	damage "snapshots/$name"
	run -1 --separate-stderr backuptool rewrite --all-snapshots -e /docs --yes
	[[ $stderr == *"$name"* ]]
}

@test "files that lie compressed are rewritten as they lie" {
	small_tree src
	mkdir src/secret kept
	mkdir kept/below
	head -c 3000 /dev/urandom >kept/below/noise
	printf 'the password is 4711\n' >src/secret/key
	take src -q --at-rest zstd
	run -0 backuptool rewrite latest -e /secret --yes
	[ "$(find snapshots -name '*.json' | wc -l)" = 0 ]
	nothing_left
	run -0 backuptool check
}

@test "mirrors, copies and searches go by the new snapshots" {
	world
	backuptool mirror twin -q
	backuptool copy --to copies -q
	backuptool rewrite --all-snapshots -e /secret --yes -q
	run -0 backuptool mirror twin --delete --yes
	nothing_left twin
	run -0 backuptool check --store twin
	run -0 backuptool copy --to copies --json
	[ "$(jq -c '[.copied, .present]' <<<"$output")" = '[2,1]' ]
	run -0 backuptool rewrite --store copies --all-snapshots -e /secret --yes --json
	[ "$(jq -c '[.rewritten, .removed]' <<<"$output")" = '[2,2]' ]
	[ "$(names --store copies)" = "$(names)" ]
	nothing_left copies
	run -0 backuptool versions docs/a.txt --json
	[[ $output == *"$FIRST-1.json"* ]]
	[[ $output != *"$FIRST.json"* ]]
	run -0 --separate-stderr backuptool find key
	[ -z "$output" ]
	run backuptool versions secret/key
	[ "$status" != 0 ]
	run -0 --separate-stderr backuptool diff latest~2 latest~1
	[[ $output == *docs/a.txt* ]]
	[[ $output != *secret* ]]
}

@test "'restore --delete' leaves alone what was taken out, and the next snapshot says that rules differ" {
	world
	mv kept src/secret
	backuptool rewrite --all-snapshots -e /secret --yes -q
	backuptool restore --snapshot-file latest~1 --output-directory src --delete --yes -q
	[ -e src/secret/key ]
	[ "$(cat src/docs/a.txt)" = changed ]
	mv src/secret kept
	nothing_left
}

has_lock() {
	grep -qs OFDLCK "/proc/$1"/fdinfo/*
}

@test "beside a snapshot that is being taken new ones are made, and the old ones go when it has ended" {
	world
	mkdir other
	seq 6000000 >other/numbers
	backuptool snapshot --target-directory other --compression 19 -q 3>&- &
	holder=$!
	wait_until has_lock "$holder"
	kill -STOP "$holder"
	run -11 backuptool rewrite --all-snapshots -e /secret --yes --lock-wait 0s
	[ "$(names | wc -l)" = 5 ]
	kill -CONT "$holder"
	end_holder
	holder=
	run -0 backuptool rewrite --all-snapshots -e /secret --yes
	nothing_left
}
