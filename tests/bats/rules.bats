#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A snapshot's own rules are those by which it is compared with its directory, and by which --delete removes.
# shellcheck disable=SC2154
load helper

# A directory of which the rules leave things out, in each of the ways that there are.
make_source() {
	mkdir -p src/docs/tmp src/cache src/private src/docs/deep
	printf 'kept' >src/docs/kept
	printf 'o' >src/docs/left.o
	printf 'anchored' >src/docs/tmp/file
	printf 'not anchored there' >src/docs/deep/tmp
	printf 'Signature: 8a477f597d28d172789f06886806bc55' >src/cache/CACHEDIR.TAG
	printf 'cached' >src/cache/data
	: >src/private/.no
	printf 'private' >src/private/letter
	printf 'big' >src/big.iso
}

RULES=(-e '*.o' -e '/docs/tmp/' -e '/*.iso' --exclude-caches --exclude-if-present .no)

paths() {
	(cd src && find . -mindepth 1 | sort)
}

@test "diff with the directory shows nothing that the snapshot's rules left out" {
	make_source
	take src -q "${RULES[@]}"
	run -0 backuptool diff latest
	[ "$output" = 'no differences' ]
	printf 'new' >src/docs/new
	printf 'new' >src/docs/new.o
	mkdir src/docs/made
	printf 'new' >src/docs/made/more.o
	rm src/docs/kept
	run -0 backuptool diff latest
	[ "$(grep '^[-+MTU] ' <<<"$output")" = $'- docs/kept\n+ docs/made/\n+ docs/new\nU docs/' ] ||
		[ "$(grep '^[-+MTU] ' <<<"$output")" = $'- docs/kept\n+ docs/made/\n+ docs/new' ]
	run -0 backuptool diff latest --json
	[ "$(jq -r 'select(.path).path' <<<"$output" | sort -u | tr '\n' ' ')" = 'docs/kept docs/made docs/new ' ]
	# The patterns begin at the snapshot's directory, also where a path in it is compared.
	run -0 backuptool diff latest:docs
	[ "$(grep '^[-+MTU] ' <<<"$output")" = $'- kept\n+ made/\n+ new' ]
	run -0 backuptool diff latest src --exclude new
	[[ $output != *new* && $output != *.o* && $output == *"+ docs/made/"* ]]
	run -0 backuptool diff latest --all-files --json
	[ "$(jq -r 'select(.change == "added").path' <<<"$output" | sort | tr '\n' ' ')" = \
		'big.iso cache/data docs/left.o docs/made docs/made/more.o docs/new docs/new.o docs/tmp docs/tmp/file private/letter ' ]
	run -2 backuptool diff latest latest --all-files
}

@test "diff does not enter what --one-file-system left out" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	mkdir -p src/mounted
	mount -t tmpfs none src/mounted || skip "cannot mount"
	: >src/mounted/file
	take src -q -x
	run -0 backuptool diff latest
	umount src/mounted
	[ "$output" = 'no differences' ]
}

@test "restore --delete leaves what the snapshot's rules left out" {
	make_source
	take src -q "${RULES[@]}"
	paths >before
	printf 'new' >src/docs/new
	mkdir -p src/docs/made/below
	printf 'new' >src/docs/made/new
	printf 'new' >src/docs/made/below/more.o
	rm src/docs/kept
	run -0 backuptool restore --snapshot-file latest --output-directory src --delete --dry-run --json
	[ "$(jq .deleted <<<"$output")" = 2 ]
	run -0 backuptool restore --snapshot-file latest --output-directory src --delete --json
	[ "$(jq .deleted <<<"$output")" = 2 ]
	# An object in a directory that came later stays as well, and with it what leads there.
	paths | grep -v '^./docs/made' | diff before -
	[ "$(find src/docs/made -type f)" = src/docs/made/below/more.o ]
	[ "$(cat src/docs/kept src/docs/left.o src/cache/data src/private/letter src/big.iso)" = keptocachedprivatebig ]
	run -0 backuptool restore --snapshot-file latest --output-directory src --delete
	[[ $output == *", 0 deleted"* ]]
}

@test "restore --delete of a path goes by the snapshot's rules, too" {
	make_source
	take src -q "${RULES[@]}"
	paths >before
	printf 'new' >src/docs/new
	run -0 backuptool restore --snapshot-file latest --output-directory src --delete docs
	paths | diff before -
}

@test "restore --delete --all-files removes what the snapshot's rules left out" {
	make_source
	take src -q "${RULES[@]}"
	run -0 backuptool restore --snapshot-file latest --output-directory src --delete --all-files --yes --json
	[ "$(jq .deleted <<<"$output")" = 6 ]
	[ "$(find src -type f | sort | tr '\n' ' ')" = 'src/cache/CACHEDIR.TAG src/docs/deep/tmp src/docs/kept src/private/.no ' ]
	run -2 backuptool restore --snapshot-file latest --output-directory src --all-files
}

@test "an ordinary user's restore --delete leaves it, too" {
	reachable_tool
	mkdir theirs
	chmod 777 theirs
	cd theirs
	as_user "$BASH" -c "$(declare -f make_source paths)
		set -e
		make_source
		backuptool snapshot --target-directory src -q ${RULES[*]@Q}
		paths >before
		printf new >src/docs/new
		backuptool diff latest >shown
		backuptool restore --snapshot-file latest --output-directory src --delete -q
		paths >after"
	[ "$(grep '^+ ' shown)" = '+ docs/new' ]
	diff before after
}

@test "a snapshot that has recorded no rules counts everything" {
	mkdir src
	: >src/kept
	: >src/left.o
	seq -f '/left-out-%05g' 3000 >rules
	printf '*.o\n' >>rules
	take src -q --exclude-from rules
	run -0 --separate-stderr backuptool diff latest
	[[ $output == *'+ left.o'* ]]
	stderr_is 'backuptool diff: the rules of this snapshot are too long and so were not recorded: what they left out counts as new'
	run -0 --separate-stderr backuptool restore --snapshot-file latest --output-directory src --delete --yes --json
	[ "$(jq .deleted <<<"$output")" = 1 ]
	[[ $stderr == *'were not recorded'* ]]
}
