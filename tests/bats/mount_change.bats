#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A mount while its store changes, and over a damaged one.
load mount_helper

links_to() {
	[ "$(readlink mnt/latest)" = "$1" ]
}

lists() {
	[ -n "$(find mnt -maxdepth 1 -name "$1")" ]
}

@test "new snapshots appear, pruned ones vanish, latest moves" {
	small_tree src
	quietly src
	show
	local first second
	first=$(newest)
	first=${first%.json}
	ls mnt >/dev/null
	[ "$(cat mnt/latest/docs/a.txt)" = hello ]
	for i in 1 2 3; do
		echo "$i" >src/docs/a.txt
		quietly src
		second=$(newest)
		second=${second%.json}
		wait_until links_to "$second"
		wait_until lists "$second"
		[ "$(cat mnt/latest/docs/a.txt)" = "$i" ]
	done
	[ "$(cat "mnt/$first/docs/a.txt")" = hello ]
	[ ! -e mnt/snapshot_2001-01-01T00-00-00Z ]
	rm "snapshots/$first.json"
	wait_until not_listed "$first"
	wait_until is_gone "$first" # the kernel may hear of it a moment after the list
	mv "snapshots/$second.json" elsewhere
	wait_until not_listed "$second"
	run ! links_to "$second"
	mv elsewhere "snapshots/$second.json"
	wait_until links_to "$second"
	[ "$(cat mnt/latest/docs/a.txt)" = 3 ]
}

is_gone() {
	[ ! -e "mnt/$1" ]
}

not_listed() {
	! lists "$1"
}

@test "a snapshot is there as soon as the command has returned" {
	small_tree src
	quietly src
	show
	local name
	for i in $(seq 10); do
		diff -r src mnt/latest/
		echo "$i" >src/docs/a.txt
		name=$(date -u +snapshot_%FT%H-%M-%SZ)
		[ -e "mnt/$name" ] || true
		quietly src
		diff -r src mnt/latest/
		lists "$(newest | sed 's/.json//')"
		[ "$(cat "mnt/$(newest | sed 's/.json//')/docs/a.txt")" = "$i" ]
		[ "$(cat mnt/@0s/docs/a.txt)" = "$i" ]
	done
}

@test "lists of versions/ that were read show what came and went since" {
	small_tree src
	quietly src
	show -o versions
	local second
	ls mnt/versions mnt/versions/docs mnt/versions/docs/a.txt >/dev/null
	exec 9<mnt/versions/docs
	echo more >src/docs/new
	echo other >src/docs/a.txt
	quietly src
	second=$(newest)
	wait_until test -e mnt/versions/docs/new
	[ "$(ls mnt/versions/docs | grep -c new)" = 1 ]
	[ "$(ls /proc/self/fd/9/ | grep -c new)" = 1 ]
	[ "$(ls mnt/versions/docs/a.txt | wc -l)" = 2 ]
	exec 9<&-
	[ "$(stat -c %y mnt/versions/docs)" = "$(stat -c %y snapshots)" ]
	rm "snapshots/$second"
	nothing_new() { [ "$(ls mnt/versions/docs | grep -c new)" = 0 ] && [ "$(ls mnt/versions/docs/a.txt | wc -l)" = 1 ]; }
	wait_until nothing_new
}

@test "a list of versions/ that is being read while others go has every name once" {
	mkdir src
	(cd src && touch {0000..2999} .{0..4})
	quietly src
	rm src/.{0..4}
	quietly src
	show -o versions
	"$TESTS/bats/mount_list_across.py" mnt/versions 500 backuptool prune --keep-last 1 >listing
	[ -z "$(sort listing | uniq -d)" ]
	grep -v '^\.' listing | sort | cmp - <(ls src)
	[ -z "$(find mnt/versions -name '.?')" ]
}

@test "without a watch it looks again by itself" {
	is_root || skip "takes the watches away"
	small_tree src
	quietly src
	# a user namespace in which nobody may watch anything
	unshare -Urm bash -euc '
		cd "$1"
		echo 0 >/proc/sys/user/max_inotify_instances
		shown() { for i in {1..6000}; do grep -qsx "$1" mnt/latest/docs/a.txt && return; sleep 0.01; done; return 1; }
		backupfs "$1/snapshots" "$1/mnt" 3>&-
		shown hello
		for pid in $(pgrep -f "^backupfs $1/snapshots"); do ls -l "/proc/$pid/fd"; done >descriptors
		grep -q snapshots descriptors
		[ "$(grep -c inotify descriptors)" = 0 ]
		for i in one two three; do
			echo $i >src/docs/a.txt
			backuptool snapshot --target-directory src >/dev/null
			echo $i and >src/docs/a.txt
			backuptool snapshot --target-directory src >/dev/null
			shown "$i and"
		done
		umount mnt
	' bash "$WORK"
}

@test "an empty store fills" {
	mkdir snapshots
	touch snapshots/lock
	small_tree src
	show
	[ -z "$(ls mnt)" ]
	[ ! -e mnt/latest ]
	quietly src
	wait_until test -e mnt/latest/docs/a.txt
}

@test "what is open in a pruned snapshot stays readable" {
	small_tree src
	head -c 30000000 /dev/urandom >src/large
	cp src/large expected
	quietly src
	rm src/large
	quietly src
	show
	local old
	old=$(newest 1)
	old=${old%.json}
	exec 9<"mnt/$old/large"
	head -c 1000000 <&9 | cmp -n 1000000 - expected
	rm "snapshots/$old.json" snapshots/contents/* 2>/dev/null || true
	wait_until not_listed "$old"
	echo 3 >/proc/sys/vm/drop_caches || true
	tail -c +1 /proc/self/fd/9 | cmp - expected
	exec 9<&-
}

@test "a file that was never read to its end stays readable after a prune" {
	mkdir src
	echo other >src/other # a directory that loses everything keeps its last snapshot
	head -c 20000000 /dev/urandom >src/big
	cp src/big expected
	quietly src
	head -c 20000000 /dev/urandom >>src/big
	cp src/big longer
	quietly src
	rm src/big
	quietly src
	backuptool check >/dev/null # so that there is an index, and it tells where everything lies
	show
	local second
	second=$(newest 1)
	second=${second%.json}
	exec 9<"mnt/$second/big"
	tail -c 100 "/proc/self/fd/9" | cmp - <(tail -c 100 longer)
	backuptool prune --keep-last 1 >/dev/null
	wait_until not_listed "$second"
	echo 3 >/proc/sys/vm/drop_caches || true
	cmp /proc/self/fd/9 longer
	exec 9<&-
}

removed_files_are_open() {
	readlink /proc/"$(drivers)"/fd/* | grep -q "^$WORK/snapshots/.*(deleted)"
}

no_removed_files_are_open() {
	run ! removed_files_are_open
}

@test "a snapshot is rewritten under an open mount: what is open stays readable, and all else shows the new one" {
	small_tree src
	mkdir src/secret
	head -c 3000000 /dev/urandom >src/secret/noise
	cp src/secret/noise noise
	quietly src
	show -o versions
	old=$(readlink mnt/latest)
	exec 9<"mnt/$old/secret/noise"
	cmp -n 100000 <(head -c 100000 <&9) noise
	[ -n "$(ls mnt/versions/secret)" ]
	backuptool rewrite --all-snapshots -e /secret --yes -q 9>&-
	wait_until test ! -e "mnt/$old"
	[ "$(readlink mnt/latest)" = "$old-1" ]
	[ "$(ls mnt)" = latest$'\n'"$old-1"$'\n'versions ]
	[ "$(cat mnt/latest/docs/a.txt)" = hello ]
	[ ! -e mnt/latest/secret ]
	wait_until test ! -e mnt/versions/secret
	cmp <(tail -c +100001 noise) - <&9
	exec 9<&-
	hide
}

@test "what a prune frees is free once nobody is inside" {
	small_tree src
	quietly src
	head -c 300000 /dev/urandom >src/photos/noise.bin
	quietly src
	show
	local old
	old=$(newest 1)
	old=${old%.json}
	find mnt -type f -exec cat {} + >/dev/null
	exec 9<"mnt/$old/photos/noise.bin"
	rm "snapshots/$old.json"
	wait_until not_listed "$old"
	sleep 2 # longer than it takes to see that somebody is
	removed_files_are_open
	exec 9<&-
	wait_until no_removed_files_are_open
	cmp src/photos/noise.bin mnt/latest/photos/noise.bin
}

@test "what a prune frees is free once nobody reads one of the versions" {
	small_tree src
	head -c 300000 /dev/urandom >src/photos/noise.bin
	cp src/photos/noise.bin expected
	quietly src
	rm src/photos/noise.bin
	quietly src
	show -o versions
	local old version
	old=$(newest 1)
	old=${old%.json}
	version=$(find mnt/versions/photos/noise.bin -type f)
	find mnt -type f -exec cat {} + >/dev/null
	exec 9<"$version"
	backuptool prune --keep-last 1 >/dev/null
	wait_until not_listed "$old"
	sleep 2
	removed_files_are_open
	echo 3 >/proc/sys/vm/drop_caches || true
	cmp /proc/self/fd/9 expected
	exec 9<&-
	wait_until no_removed_files_are_open
	diff -r src mnt/latest/
	find mnt/versions -type f -exec cat {} + >/dev/null
	[ ! -e mnt/versions/photos/noise.bin ]
}

@test "what a prune frees is free beside the one snapshot that is mounted" {
	small_tree src
	quietly src
	head -c 300000 /dev/urandom >src/photos/noise.bin
	quietly src
	rm src/photos/noise.bin
	quietly src
	show -o snapshot=latest
	find mnt -type f -exec cat {} + >/dev/null
	backuptool prune --keep-last 1 >/dev/null
	wait_until no_removed_files_are_open
	diff -r src mnt
	rm "snapshots/$(newest)"
	sleep 4 # longer than it takes where somebody may let go of it
	echo 3 >/proc/sys/vm/drop_caches || true
	diff -r src mnt
}

@test "a snapshot that is copied in slowly is shown when it is complete" {
	small_tree src
	quietly src
	local name whole
	name=$(newest) whole=$(stat -c %s "snapshots/$(newest)")
	mv "snapshots/$name" whole.json
	show
	head -c 1000 whole.json >"snapshots/$name"
	wait_until lists "${name%.json}"
	run ! ls "mnt/${name%.json}/"
	sleep 5 # its directory does not change any more
	run ! ls "mnt/${name%.json}/"
	tail -c +1001 whole.json >>"snapshots/$name"
	[ "$(stat -c %s "snapshots/$name")" = "$whole" ]
	wait_until grep -qs hello "mnt/${name%.json}/docs/a.txt"
}

@test "a snapshot of another content under the same name is noticed" {
	small_tree src
	at 2020-01-02T03:04:05 backuptool snapshot --target-directory src -q
	local first second
	first=$(newest)
	echo other >src/docs/a.txt
	at 2020-01-02T03:04:05 backuptool snapshot --target-directory src -q # of the same second, as its new name says
	second=$(newest)
	show
	[ "$(cat "mnt/${first%.json}/docs/a.txt")" = hello ]
	exec 9<"mnt/${first%.json}/docs/a.txt"
	cp "snapshots/$first" "$WORK/first"
	mkdir apart
	mv "snapshots/$second" apart/second
	wait_until not_listed "${second%.json}"
	mv apart/second "snapshots/$first"
	shows_other() { [ "$(cat "mnt/${first%.json}/docs/a.txt")" = other ]; }
	wait_until shows_other
	[ "$(cat mnt/latest/docs/a.txt)" = other ]
	[ "$(cat <&9)" = hello ]
	exec 9<&-
	rm "snapshots/$first"
	mv "$WORK/first" "snapshots/$first"
	wait_until grep -qs hello "mnt/${first%.json}/docs/a.txt"
}

@test "a tag changes no node of a file" {
	small_tree src
	quietly src
	show
	local before
	before=$(stat -c %i mnt/latest/docs/a.txt mnt/latest/photos)
	backuptool tag "$(newest)" --add kept >/dev/null
	sleep 1
	[ "$(stat -c %i mnt/latest/docs/a.txt mnt/latest/photos)" = "$before" ]
}

@test "what a prune moves while somebody reads is found again" {
	small_tree src
	mkdir src/more
	for i in $(seq 30); do echo "$i" >"src/more/$i"; done
	quietly src
	mkdir -p snapshots/contents
	echo >src/other
	quietly src # needs what the first brought
	show
	ls mnt/latest/more >/dev/null
	mv "snapshots/$(newest 1)" snapshots/contents/0123456789abcdef0123456789abcdef.json
	for i in $(seq 30); do [ "$(cat "mnt/latest/more/$i")" = "$i" ]; done
	mv snapshots/contents/0123456789abcdef0123456789abcdef.json snapshots/contents/f123456789abcdef0123456789abcdef.json
	cmp src/photos/noise.bin mnt/latest/photos/noise.bin
	sleep 0.1
	mv snapshots/contents/f123456789abcdef0123456789abcdef.json snapshots/contents/a123456789abcdef0123456789abcdef.json
	cmp src/photos/numbers.txt mnt/latest/photos/numbers.txt
}

@test "what moves again and again is found each time, also where not all files can be held open" {
	mkdir -p src snapshots/contents
	for i in $(seq 30); do
		echo "$i" >"src/$i"
		quietly src
	done
	local names
	mapfile -t names < <(for i in $(seq 29 -1 0); do newest "$i"; done)
	prlimit --nofile=64 backupfs "$WORK/snapshots" "$WORK/mnt" -o nopush 3>&-
	[ "$(cat mnt/latest/30)" = 30 ]
	for i in $(seq 20); do
		mv "snapshots/${names[i - 1]}" "snapshots/contents/$(printf %032x "$i").json"
		[ "$(<"mnt/latest/$i")" = "$i" ]
	done
	for i in $(seq 20); do [ "$(<"mnt/latest/$i")" = "$i" ]; done
}

@test "files that get another time, or are replaced by a copy, are read" {
	small_tree src
	quietly src
	cp src/docs/a.txt src/more
	quietly src
	local first second
	first=$(newest 1) second=$(newest)
	touch -d 2001-01-01 snapshots/*.json snapshots
	show
	for i in 2 3; do # also without an event, as where other machines write
		touch -cd "2001-01-0$i" "snapshots/$first"
		[ "$(cat "mnt/${first%.json}/docs/a.txt")" = hello ]
	done
	touch -d 2001-01-04 snapshots/*.json
	cmp src/photos/noise.bin mnt/latest/photos/noise.bin
	hide
	# damaged, and healed by a copy of the same size and time
	cp -p "snapshots/$first" good
	damage "snapshots/$first" "$(($(jq '.contents[0].at' "snapshots/$first") + 10))"
	touch -r good "snapshots/$first"
	show
	run ! cmp src/photos/noise.bin mnt/latest/photos/noise.bin
	rsync -a --checksum good "snapshots/$first"
	wait_until cmp -s src/photos/noise.bin mnt/latest/photos/noise.bin
	[ "$second" = "$(newest)" ]
}

@test "a store that is replaced by another one in its place is read" {
	small_tree src
	quietly src
	mkdir -p other snapshots/contents
	mv "snapshots/$(newest)" snapshots/contents/0123456789abcdef0123456789abcdef.json
	echo >src/new
	quietly src # needs what the first brought
	mv snapshots mirror
	quietly other
	mkdir -p snapshots/contents
	show
	ls mnt/latest/
	rm -rf snapshots/*
	wait_until not_listed "snapshot_*"
	cp -a mirror/* snapshots/
	wait_until cmp -s src/photos/noise.bin mnt/latest/photos/noise.bin
	cmp src/photos/numbers.txt mnt/latest/photos/numbers.txt
}

@test "a damaged block is an error for its own bytes only" {
	mkdir src
	head -c 40000000 /dev/urandom >src/large
	for i in $(seq 100); do echo "$i" >"src/small$i"; done
	quietly src
	local file size
	file=$(find snapshots -name '*.json' -size +30000k)
	size=$(stat -c %s "$file")
	printf 'AAAAAAAAAAAAAAAA' | dd of="$file" bs=1 seek=$((size / 2)) conv=notrunc status=none
	rm -rf snapshots/cache
	show
	run ! cmp src/large mnt/latest/large
	"$TESTS/bats/mount_damage.py" src/large mnt/latest/large
	for i in $(seq 100); do cmp "src/small$i" "mnt/latest/small$i"; done
	# and is said once
	hide
	backupfs -f "$WORK/snapshots" "$WORK/mnt" 2>log 3>&- &
	wait_until is_mounted
	for i in 1 2 3; do
		run ! cmp src/large mnt/latest/large
		"$TESTS/bats/mount_damage.py" src/large mnt/latest/large
	done
	grep -q "^backupfs: $(newest | sed 's/.json//')/large: .*json" log
	[ -z "$(sort log | uniq -d)" ]
	[ "$(wc -l <log)" -le 2 ]
}

@test "a damaged snapshot does not hide the others" {
	small_tree src
	quietly src
	echo >src/new
	quietly src
	damage "snapshots/$(newest)" 5
	show
	[ "$(find mnt -mindepth 1 -maxdepth 1 | wc -l)" = 3 ]
	run ! ls "mnt/$(newest | sed 's/.json//')"
	[ "$(readlink mnt/latest)" = "$(newest 1 | sed 's/.json//')" ]
	[ "$(cat mnt/latest/docs/a.txt)" = hello ]
}

@test "a store that is removed or moved away is told in the log" {
	small_tree src
	for how in "rm -r snapshots" "mv snapshots elsewhere"; do
		rm -rf snapshots elsewhere
		quietly src
		backupfs -f "$WORK/snapshots" "$WORK/mnt" 2>log 3>&- &
		wait_until is_mounted
		[ -e mnt/latest/docs/a.txt ]
		$how
		quietly src
		wait_until grep -qx "backupfs: $WORK/snapshots: the store was removed, or is elsewhere now: please unmount, and mount again" log
		sleep 1.5
		[ "$(wc -l <log)" = 1 ]
		hide
	done
}

# Longer, and thus a proof of more, with --long.
@test "readers, snapshots, prunes and mounts beside each other" {
	small_tree src
	mkdir src/fixed src/moving other
	for i in $(seq 500); do seq "$i" 700 >"src/fixed/$i"; done
	head -c 5000000 /dev/urandom >src/fixed/large
	quietly src
	# what it may have at most, the stacks of its threads included
	bounded 160 backupfs "$WORK/snapshots" "$WORK/mnt" -o cache=16M 3>&-
	local ends seconds=12
	[ "${TEST_LONG:-0}" = 0 ] || seconds=300
	ends=$(($(date +%s) + seconds))
	for reader in 1 2 3; do
		while [ "$(date +%s)" -lt "$ends" ]; do
			diff -r src/fixed mnt/latest/fixed || echo "reader $reader: differs" >>wrong
			tar -cf - -C mnt/latest/ . 2>/dev/null | wc -c >/dev/null
		done 3>&- &
	done
	while [ "$(date +%s)" -lt "$ends" ]; do
		backupfs "$WORK/snapshots" "$WORK/other" 3>&-
		date +%N >"src/moving/$((RANDOM % 20))"
		quietly src
		backuptool prune --keep-last 3 >/dev/null
		diff -r src/fixed other/latest/fixed || echo "the other mount: differs" >>wrong
		umount other
		[ "$((RANDOM % 3))" != 0 ] || echo 3 >/proc/sys/vm/drop_caches || true
	done
	wait
	[ ! -s wrong ] || { cat wrong && false; }
	wait_until one_driver
	[ "$(find "/proc/$(drivers)/fd" | wc -l)" -lt 100 ]
	[ "$(awk '/VmHWM/ { print $2 }' "/proc/$(drivers)/status")" -lt $((64 << 10)) ]
}

one_driver() {
	[ "$(drivers | wc -l)" = 1 ]
}
