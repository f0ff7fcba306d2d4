#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Somebody's store that root works in, too.
# shellcheck disable=SC2154
load helper

setup() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	is_root || skip "needs root"
	reachable_tool
	mkdir mine
	chown 65534:65534 mine
	cd mine || return 1
	as_user mkdir src
	as_user sh -c 'seq 20000 >src/numbers; head -c 200000 /dev/urandom >src/noise'
}

# Everything in the store is the user's, and has the modes of a store.
is_the_users() {
	[ -z "$(find snapshots ! -user 65534 -o ! -group 65534)" ]
	[ -z "$(find snapshots -type d ! -perm 700 -o -type f ! -perm 600)" ]
}

# Whatever the user does then goes well.
the_user_goes_on() {
	is_the_users
	as_user backuptool list
	as_user backuptool check
	as_user backuptool stats
	as_user backuptool snapshot --target-directory src -q
	as_user backuptool tag latest --add mine
	as_user backuptool prune --keep-last 2
	as_user backuptool restore --snapshot-file latest --output-directory out -q
	as_user diff -r src out
	as_user rm -r out
	as_user backuptool check --repair
	is_the_users
}

@test "root takes a snapshot in a user's store" {
	as_user backuptool snapshot --target-directory src -q
	echo root >src/roots
	run -0 --separate-stderr backuptool snapshot --target-directory src
	[[ $stderr == *"the store belongs to "*", who can read all that is put into it" ]]
	SUDO_UID=65534 run -0 --separate-stderr backuptool snapshot --target-directory src
	[ "$stderr" = "" ]
	run -0 --separate-stderr backuptool snapshot --target-directory src -q
	[ "$stderr" = "" ]
	chmod 644 src/roots
	the_user_goes_on
}

@test "root makes the user's directory a store" {
	as_user mkdir -m 700 snapshots
	backuptool snapshot --target-directory src -q
	the_user_goes_on
}

@test "root prunes, removes and tags" {
	for i in 1 2 3 4 5; do
		as_user sh -c "head -c 100000 /dev/urandom >src/noise$i"
		as_user backuptool snapshot --target-directory src -q
		as_user sh -c "rm src/noise$i"
	done
	rm -r snapshots/cache
	backuptool tag latest --add root
	is_the_users
	[ -n "$(find snapshots/contents -type f)" ]
	backuptool remove --yes "$(newest 3)"
	backuptool prune --keep-last 3 --max-dead 1
	the_user_goes_on
}

@test "root's job with a retention" {
	as_user backuptool snapshot --target-directory src -q
	backuptool job --target-directory src --interval 1s --duration 2s --keep-last 2 -q
	the_user_goes_on
}

@test "root repairs" {
	as_user backuptool snapshot --target-directory src -q
	as_user backuptool snapshot --target-directory src -q
	damage "snapshots/$(newest 1)" "$(($(jq '.contents[0].at' "snapshots/$(newest 1)") + 30))"
	run backuptool check --repair
	[ -d snapshots/damaged ]
	is_the_users
	as_user backuptool snapshot --target-directory src -q
	the_user_goes_on
}

@test "where root's file is unreadable, nobody calls it damaged" {
	as_user backuptool snapshot --target-directory src -q
	echo more >src/more
	as_user backuptool snapshot --target-directory src -q
	chown 0:0 "snapshots/$(newest)"
	run -3 --separate-stderr as_user backuptool list
	[ "$stderr" = "backuptool list: $(newest): you may not read it (it belongs to root)" ]
	[[ $output == *"1 that you may not read" ]]
	[[ $output != *damaged* ]]
	run -3 --separate-stderr as_user backuptool list --json
	[ "$(jq -c '.[1] | keys_unsorted' <<<"$output")" = '["name","denied"]' ]
	run -3 --separate-stderr as_user backuptool check
	[[ $stderr == *"you may not read "*" of the store"* ]]
	run -3 as_user backuptool check --quick
	# A file whose contents others need: what is missing then may be in it.
	chown 65534:65534 "snapshots/$(newest)"
	chown 0:0 "snapshots/$(newest 1)"
	run -3 as_user backuptool check
	# Damage beside it is damage.
	damage "snapshots/$(newest)"
	run -1 as_user backuptool check
	run -1 as_user backuptool list
}

@test "a store that others can write to, or that is somebody else's, is named once by who puts something into it" {
	as_user backuptool snapshot --target-directory src -q
	as_user chmod 777 snapshots
	run -0 --separate-stderr as_user backuptool snapshot --target-directory src
	[ "$stderr" = "backuptool snapshot: others may write to $PWD/snapshots, and so delete or exchange what is put into it; 'chmod go-w' keeps them out" ] ||
		[ "$stderr" = "backuptool snapshot: others may write to ./snapshots, and so delete or exchange what is put into it; 'chmod go-w' keeps them out" ]
	run -0 --separate-stderr as_user backuptool list
	[ "$stderr" = "" ]
	run -0 --separate-stderr backuptool snapshot --target-directory src
	[[ $stderr == *"belongs to "*", who can read all"*"others may write to "* ]]
	as_user chmod 775 snapshots
	run -0 --separate-stderr as_user backuptool snapshot --target-directory src
	[[ $stderr == *"others may write to "* ]]
	as_user chmod 755 snapshots
	run -0 --separate-stderr as_user backuptool snapshot --target-directory src
	[ "$stderr" = "" ]
	# a user in another one's store
	as_user chmod 777 snapshots
	as_user chmod 666 snapshots/lock
	as_user chmod 755 snapshots/contents
	run -0 --separate-stderr setpriv --reuid=1001 --regid=1001 --clear-groups backuptool snapshot --target-directory src/. --force
	[[ $stderr == *"the store belongs to "*", who can delete all that is put into it"* ]]
}
