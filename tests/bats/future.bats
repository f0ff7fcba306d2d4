#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stores of later versions, made by make_future.py: what this version does not know it skips or refuses by name. It calls none of that
# damage, and deletes none of it.
load mount_helper

FEATURE="a newer version of this program is needed, one that knows the feature 'holograms' (unknown-need)"
CONTENT=4ee03389720cf87bc64ac2ed75e04d6a5ff421ab6b54a51aaa38fae6277bfca4 # "of the future\n"
VOLUME=contents/0123456789abcdef0123456789abcdef.json

# No /dev/fuse is needed but by the tests that mount.
setup() {
	helper_setup
	mkdir mnt
}

future() {
	"$BATS_TEST_DIRNAME/make_future.py" "$@"
	rm -rf snapshots/cache
}

# A snapshot of all simple kinds of entries, and of a directory with index pages.
take_one() {
	small_tree tree
	mkfifo tree/pipe
	ln tree/docs/a.txt tree/second
	mkdir tree/many
	(cd tree/many && seq 200 | xargs touch)
	settle
	take tree -q
	name=$(newest)
}

# The store but for what every program may write.
stored() {
	(cd snapshots && find . -path ./cache -prune -o -type f ! -name lock -exec sha256sum {} + | grep -v ' \./state/[a-z]*-[0-9a-f]*$' | sort)
}

without_damage() {
	run "$@"
	[[ $output != *damage* && $output != *lost:* ]] || { echo "$*: $output" && return 1; }
}

@test "members of a later version, everywhere: all commands skip them, and what is taken over keeps them" {
	take_one
	future "snapshots/$name" members
	grep -q '"pages":\[.*"later"' "snapshots/$name"
	run -0 backuptool check
	run -0 backuptool check --quick
	run -0 backuptool list -v
	run -0 backuptool stats
	run -0 backuptool find numbers.txt
	run -0 backuptool versions docs/a.txt
	[ "$(backuptool cat latest:docs/a.txt)" = hello ]
	run -0 backuptool diff latest --exit-code
	bring latest out -q
	same tree out
	mkdir unpacked
	backuptool dump latest | tar -x -C unpacked
	diff -r --no-dereference --exclude pipe tree unpacked
	run -0 backuptool export --classic latest out.json
	run -0 backuptool check --repair
	[ "$(grep -o '"later":' "snapshots/$name" | wc -l)" -gt 200 ]
	echo new >tree/docs/new
	take tree -q
	# the header and the summary are new, and so is the entry of the new file
	[ "$(head -1 "snapshots/$(newest)" | grep -c later)" = 0 ]
	[ "$(grep -h '"name":"new"' "snapshots/$(newest)" | grep -o '"later"' | wc -l)" = 3 ]
	grep -h '"name":"new"' "snapshots/$(newest)" | grep -q '"a.txt".*"later"'
}

@test "members of a later version stay in header and summary through tags, and in pages through a prune" {
	take_one
	future "snapshots/$name" members
	backuptool tag "$name" --add kept --yes
	head -1 "snapshots/$name" | grep -q '"tags":\["kept"\].*"later":\[-1,null,{"deep":\["text",true\]}\],"stream":{'
	grep -q '^"summary":{"root":{.*"later".*"xattrs":false,"later":\[.*\],"stream":{.*}},$' "snapshots/$name"
	head -c 3000000 /dev/urandom >tree/large
	take tree -q
	rm tree/large
	take tree -q
	run -0 backuptool prune --keep-last 1 --max-dead 1
	run -0 backuptool check
	[[ $(cat snapshots/contents/*.json) == *'"later"'* ]]
}

@test "a content that only members of a later version name is kept by a prune, and gone with what names it" {
	take_one
	future "snapshots/$name" members
	head -c 3000000 /dev/urandom >tree/large
	take tree -q
	rm tree/large
	take tree -q
	run -0 backuptool remove "$name" --yes
	run -0 backuptool prune --keep-last 1 --max-dead 1
	[ ! -e "snapshots/$name" ]
	grep -hq "\"holds\":.*\"$CONTENT\",14" snapshots/contents/*.json snapshots/snapshot_*.json
	run -0 backuptool check
	rm -r tree
	small_tree tree
	take tree -q
	run -0 backuptool prune --snapshot-number 1 --all --max-dead 1
	[ "$(cat snapshots/contents/*.json snapshots/snapshot_*.json | grep -c "\"$CONTENT\",14")" = 0 ]
}

@test "files and directories of a later version stay, whatever is done with the store" {
	take_one
	mkdir -p snapshots/locks snapshots/signatures snapshots/keys snapshots/state snapshots/contents/packs
	for file in locks/a signatures/b.json keys/c.json state/status.json state/d.json leases.json contents/packs/e contents/f.pack \
		contents/0123456789abcdef0123456789abcdef.json.xz parity.par2; do
		echo '{"format":"backuptool-state","version":9}' >"snapshots/$file"
	done
	sed -i 's/}$/,"at_rest":"plain","color":["blue",1]}/' snapshots/id
	stored >before
	run -0 backuptool check
	run -0 backuptool list
	run -0 backuptool stats
	take tree -q
	run -0 backuptool tag latest --add a
	run -0 backuptool prune --keep-last 1 --max-dead 1
	run -0 backuptool check --repair
	stored >after
	[ "$(grep -v -e snapshot_ before)" = "$(grep -v -e snapshot_ -e 'contents/[0-9a-f]*.json$' after)" ]
	grep -q 'state/status.json' after
	take tree -q --at-rest zstd
	grep -q '"color":\["blue",1\]' snapshots/id
}

@test "an id that says what a program must know: it reads the store, and changes nothing in it" {
	take_one
	sed -i 's/,"created"/,"needs":["holograms"],"created"/' snapshots/id
	stored >before
	cp -a snapshots/state state
	run -0 backuptool list
	run -0 backuptool check
	run -0 backuptool stats
	bring latest out -q
	same tree out
	run -0 take tree --dry-run
	for command in "snapshot --target-directory tree" "prune --snapshot-number 1" "remove $name --yes" "tag latest --add a" \
		"check --repair" "snapshot --target-directory tree --at-rest zstd"; do
		# shellcheck disable=SC2086
		without_damage backuptool $command
		[ "$status" = 1 ]
		[[ $output == *": id: a newer version of this program is needed to change the store, one that knows the feature 'holograms'" ]]
	done
	stored >after
	diff before after
	diff -r state snapshots/state
}

# refused WHAT SENTENCE: no command does anything with the snapshot, nor with what it may need.
refused() {
	local looking=("ls $name" "cat $name:docs/a.txt" "diff $name" "restore --snapshot-file $name --output-directory out" "dump $name"
		"export --classic $name out.json" "tag $name --add a --yes" "prune --snapshot-number 1 --yes" stats)
	stored >before
	for command in "${looking[@]}"; do
		# shellcheck disable=SC2086
		without_damage backuptool $command
		[ "$status" = 1 ]
		[[ $output == *"$name: $1"* ]]
	done
	for command in list check "check --quick" "check --repair --dry-run" "check --repair" "find a.txt"; do
		# shellcheck disable=SC2086
		without_damage backuptool $command
		[ "$status" = 3 ] || { echo "$command: $status" && return 1; }
		[[ $output == *"$name: $1"* ]]
	done
	stored >after
	diff before after
	[ ! -e snapshots/damaged ]
	run -0 take tree -q
	run -1 backuptool prune --snapshot-number 1 --max-dead 1
	[ -e "snapshots/$name" ]
	without_damage backuptool remove "$name" --yes
	[ "$status" = 0 ]
	[[ $output == *"went to contents/; only that version can tell what of it is needed" ]]
	without_damage backuptool check
	rm -rf snapshots out tree
}

@test "a snapshot that needs a feature, another version or a key is refused by that, and left alone" {
	take_one
	future "snapshots/$name" needs=holograms
	refused "$FEATURE"
	take_one
	future "snapshots/$name" needs=holograms
	for command in "versions link" stats list; do
		# shellcheck disable=SC2086
		run --separate-stderr backuptool $command
		# shellcheck disable=SC2154
		[ "$(grep -c holograms <<<"$stderr")" = 1 ]
	done
	run -3 --separate-stderr backuptool status --json
	stderr_is "backuptool status: 1 snapshot was made by a newer version of this program, which can tell more"
	[ "$(jq -c '[.newer, .damaged]' <<<"$output")" = '[1,null]' ]
	rm -rf snapshots tree
	take_one
	future "snapshots/$name" door needs=holograms
	refused "$FEATURE"
	take_one
	sed -i '1s/"version":2/"version":3/' "snapshots/$name"
	refused "a newer version of this program is needed (unknown-version)"
	take_one
	sed -i '1s/"backuptool"/"backuptool-sealed"/' "snapshots/$name"
	refused "${FEATURE/holograms/sealed}"
	take_one
	sed -i '1s/"backuptool"/"backuptool-holograms"/' "snapshots/$name"
	refused "$FEATURE"
}

@test "a volume that needs a feature is why contents cannot be read, and it is left alone" {
	take_one
	future "snapshots/$name" volume needs=holograms
	stored >before
	without_damage backuptool cat latest:docs/a.txt
	[ "$status" = 1 ]
	[[ $output == *"$VOLUME: $FEATURE"* ]]
	for command in "restore --snapshot-file latest --output-directory out" "check" "check --quick" "check --repair" stats \
		"export --classic latest out.json"; do
		# shellcheck disable=SC2086
		without_damage backuptool $command
		[ "$status" = 3 ]
		[[ $output == *"$VOLUME: $FEATURE"* ]]
	done
	run -0 backuptool prune --snapshot-number 1 --max-dead 1
	stored >after
	diff before after
	run -0 take tree --force -q
	bring latest out -q --overwrite always
	same tree out
	run -0 backuptool prune --snapshot-number 1 --max-dead 1
	[ -e "snapshots/$VOLUME" ]
}

@test "the mount shows what members of a later version are with, and refuses what it must" {
	[ -w /dev/fuse ] || skip "no /dev/fuse"
	take_one
	future "snapshots/$name" members
	show
	same tree "mnt/${name%.json}"
	hide
	take tree -q --force
	future "snapshots/$(newest)" needs=holograms
	future "snapshots/$name" volume needs=holograms
	show
	run ls "mnt/$(newest | sed 's/.json//')"
	[ "$status" != 0 ]
	[ -n "$(ls "mnt/${name%.json}/docs")" ]
	run -1 cat "mnt/${name%.json}/docs/a.txt"
	hide
}
