#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Names of users and groups: in what is shown, and when a snapshot comes back on another machine.
# shellcheck disable=SC2154,SC2030,SC2031
load helper

# A tree of two users and a stranger, with their ACLs, and a snapshot of it.
two_machines() {
	is_root || skip "only root gives files away"
	unshare -m true 2>/dev/null || skip "no mount namespaces"
	users there root 0 www 33 me 1000 gone 1005
	users here root 0 www 48 backup 33 me 1001
	mkdir -p src/site
	printf 'page\n' >src/site/page
	printf 'mine\n' >src/mine
	printf 'old\n' >src/old
	chown 33:33 src/site src/site/page
	chown 1000:1000 src/mine
	chown 1005:0 src/old
	ln -s mine src/link
	chown -h 1000:33 src/link
	chmod 4755 src/site/page
	setfacl -m u:1000:rw,g:33:r src/old || skip "no ACLs"
	setfacl -d -m u:33:rwx src/site
	machine there backuptool snapshot -q --target-directory src
}

owners() {
	(cd "$1" && find . -printf '%p %U:%G %m\n' | sort)
	(cd "$1" && getfacl -n --omit-header old site | grep -E 'user:[0-9]|group:[0-9]' | sort)
}

back() {
	run -0 --separate-stderr machine here backuptool restore --snapshot-file latest --output-directory out "$@"
}

@test "a restore by number says who is somebody else here" {
	two_machines
	back
	[ "$(owners out)" = "$(owners src)" ]
	[ "$(sort <<<"$stderr")" = "$(sort <<-END
		backuptool restore: user 33 is www in the snapshot and backup here (2 entries); --owners name restores by name
		backuptool restore: group 33 is www in the snapshot and backup here (4 entries); --owners name restores by name
		backuptool restore: user 1000 is me in the snapshot, which is 1001 here (3 entries); --owners name restores by name
		backuptool restore: group 1000 is me in the snapshot, which is 1001 here (1 entry); --owners name restores by name
	END
	)" ]
	# not where they are the same
	run -0 --separate-stderr machine there backuptool restore --snapshot-file latest --output-directory again
	[ -z "$stderr" ]
	# nor of what is not restored
	run -0 --separate-stderr machine here backuptool restore --snapshot-file latest --output-directory some mine
	[[ $stderr != *33* && $stderr == *"user 1000 is me"*"(1 entry)"* ]]
}

@test "a restore by name gives everything to those of that name, in ACLs, too" {
	two_machines
	back --owners name
	[ "$(owners out)" = "$(owners src | sed -E 's/\b33\b/48/g; s/\b1000\b/1001/g')" ]
	[ "$stderr" = "backuptool restore: there is no user gone here: 1 entry got the number 1005" ]
	# and changes nothing when all is so already
	inode=$(stat -c %i:%z out/site/page out/old)
	back --owners name
	[[ $output == *" 0 written"* ]]
	[ "$(stat -c %i:%z out/site/page out/old)" = "$inode" ]
	# while the numbers are others
	back --owners number
	[[ $output != *" 0 written"* ]]
	[ "$(owners out)" = "$(owners src)" ]
	back --owners name -n
	[ "$(owners out)" = "$(owners src)" ]
}

@test "no owner is set with --owners none, and no bits that are for another one" {
	two_machines
	back --owners none
	[ -z "$stderr" ]
	[ -z "$(find out ! -user root -o ! -group root)" ]
	[ "$(stat -c %a out/site/page)" = 755 ]
	[ "$(getfacl -n --omit-header out/old)" = "$(getfacl -n --omit-header src/old)" ]
	back --owners none
	[[ $output == *" 0 written"* ]]
	run -2 machine here backuptool restore --snapshot-file latest --output-directory other --owners none --map-user 0:1
	output_is "backuptool restore: '--owners none' sets no owners: leave out --map-user; see 'backuptool restore --help'"
}

@test "users and groups are exchanged by name or number" {
	two_machines
	back --map-user www:backup --map-user 1000:7 --map-group 33:48 --map-group me:0
	[ "$(stat -c %u:%g out/site/page out/mine out/link out/old)" = "33:48
7:0
7:48
1005:0" ]
	[[ "$(getfacl -n --omit-header out/old)" == *user:7:rw*group:48:r* ]]
	[ -z "$stderr" ]
	back --map-user www:backup --map-user 1000:7 --map-group 33:48 --map-group me:0
	[[ $output == *" 0 written"* ]]
	# also to another one than made the directory
	touch src/root
	chown 0:0 src/root
	machine there backuptool snapshot -q --target-directory src
	back --map-user root:backup --map-group root:48 root
	[ "$(stat -c %u:%g out/root)" = 33:48 ]
	machine here backuptool restore -q --snapshot-file latest --output-directory new --map-user root:backup root
	[ "$(stat -c %u:%g new/root)" = 33:0 ]
	# beside names
	rm -r out
	back --owners name --map-user gone:www
	[ "$(stat -c %u:%g out/old)" = 48:0 ]
	[ -z "$stderr" ]
}

@test "somebody who does not exist is told before anything is written" {
	two_machines
	for change in --map-user=nobody-there:0 --map-user=0:nobody-here --map-group=x:0 --map-group=0:4294967295; do
		run -2 machine here backuptool restore --snapshot-file latest --output-directory out "$change"
		[[ $output == *"there is no "* ]]
		[ ! -e out ]
	done
	run -2 machine here backuptool restore --snapshot-file latest --output-directory out --map-user www:me --map-user 33:0
	output_is "backuptool restore: a user or group is mapped to two others"
	for change in a :b a: a:b:c ''; do
		run -2 backuptool restore --snapshot-file latest --output-directory out --map-user "$change"
	done
	run -2 backuptool restore --snapshot-file latest --output-directory out --owners all
	[ ! -e out ]
}

@test "of many others a handful is named" {
	is_root || skip "only root gives files away"
	unshare -m true 2>/dev/null || skip "no mount namespaces"
	mkdir src
	users there root 0
	users here root 0
	for i in $(seq 101 108); do
		: >"src/$i"
		chown "$i:0" "src/$i"
		users there "u$i" "$i"
		users here "u$i" "$((i + 100))"
	done
	machine there backuptool snapshot -q --target-directory src
	back
	[ "$(grep -c 'is u10. in the snapshot, which is 20. here (1 entry)' <<<"$stderr")" = 5 ]
	[[ $stderr == *"backuptool restore: and 3 more users and groups who are others here" ]]
}

@test "ls and find show names, and numbers when they are asked for" {
	two_machines
	run -0 machine here backuptool ls -l latest
	[[ $output == *"  me:me "*" mine"* && $output == *"  gone:root "*" old"* && $output == *"  www:www "*" site"* ]]
	run -0 backuptool ls -n latest
	[[ $output == *"  1000:1000 "*" mine"* && $output == *"  1005:0 "*" old"* ]]
	run -0 backuptool find page
	[[ $output == *"  www:www "* ]]
	run -0 backuptool find page -n
	[[ $output == *"  33:33 "* ]]
	run -0 backuptool find page --json
	[ "$(jq -c '[.uid, .user, .gid, .group]' <<<"$output")" = '[33,"www",33,"www"]' ]
	run -0 backuptool ls --json latest:link
	[ "$(jq -c '[.uid, .user, .gid, .group]' <<<"$output")" = '[1000,"me",33,"www"]' ]
	# who had no name then has none now
	chown 4242:4343 src/mine
	machine there backuptool snapshot -q --target-directory src
	run -0 machine here backuptool ls -l latest:mine
	[[ $output == *"  4242:4343 "* ]]
	run -0 backuptool ls --json latest:mine
	[ "$(jq -c '[.uid, .user, .gid, .group]' <<<"$output")" = '[4242,null,4343,null]' ]
}

@test "a tar has names, also in ACLs" {
	two_machines
	backuptool dump latest >tar 2>/dev/null || skip "no libarchive"
	run -0 tar -tvf tar
	[[ $output == *" www/www "*" ./site/page"* && $output == *" gone/root "*" ./old"* ]]
	mkdir out
	machine here tar -x --acls -p -C out -f tar
	[ "$(stat -c %u:%g out/site/page out/mine)" = "48:48
1001:1001" ]
	[[ "$(getfacl -n --omit-header out/old)" == *user:1001:rw*group:48:r* ]]
}

@test "users who went keep their names, and a group of many members has one" {
	two_machines
	printf 'crowd:x:2000:' >>there.group
	seq -f 'a-member-of-the-crowd-%06g' 20000 | paste -sd, >>there.group
	chgrp 2000 src/mine
	grep -v gone there.passwd >some.passwd
	grep -v gone there.group >some.group
	machine some backuptool snapshot -q --target-directory src
	run -0 backuptool ls -l latest
	[[ $output == *"  me:crowd "*" mine"* && $output == *"  gone:root "*" old"* ]]
}

@test "what is restored without a right to give it away" {
	reachable_tool
	mkdir src mine
	: >src/file
	take src -q
	chmod -R a+rX snapshots
	chmod a+r snapshots/*
	! is_root || chown 65534:65534 mine
	run -0 --separate-stderr as_user backuptool restore --snapshot-file latest --output-directory mine/by-number
	! is_root || [[ $stderr == *"no right to set the owner"* ]]
	run -0 --separate-stderr as_user backuptool restore --snapshot-file latest --output-directory mine/out --owners none
	[ -z "$stderr" ]
	as_user backuptool restore -q --snapshot-file latest --output-directory mine/named --owners name
}

@test "a lost page of names is told as that, and nothing else is hurt by it" {
	mkdir tree
	echo hello >tree/a
	take tree -q
	name=$(newest)
	sed -i 's/^{"users":/{"uSers":/' "snapshots/$name"
	rm -rf snapshots/cache
	run -1 backuptool check
	[[ $output == *"hurts $name: the names of users and groups"* && $output != *"hurts $name: ."* ]]
	[ "$(backuptool check --json 2>/dev/null | jq -c '[.findings[].hurts[] | [.path, .names]] | unique')" = '[[null,true]]' ]
	run -3 backuptool check --repair
	[[ $output == *"lost: $name: the names of users and groups"* ]]
	bring latest out -q
	same tree out
}
