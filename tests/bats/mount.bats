#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the mount shows, seen with the programs that people use.
# shellcheck disable=SC2154
load mount_helper

@test "the root has a directory for each snapshot and a link to the newest" {
	small_tree src
	quietly src
	sleep 1.1
	echo more >src/more
	quietly src
	show
	local first second
	first=$(newest 1) second=$(newest)
	run ls mnt
	output_is latest "${first%.json}" "${second%.json}"
	[ "$(readlink mnt/latest)" = "${second%.json}" ]
	[ -e mnt/latest/more ]
	[ ! -e "mnt/${first%.json}/more" ]
	stamp=$(date -d "$(sed 's/snapshot_//; s/T\(..\)-\(..\)-\(..\)Z.json/T\1:\2:\3Z/' <<<"$second")" +%s)
	[ "$(stat -c %Z "mnt/${second%.json}")" = "$stamp" ]
}

@test "@TIME is the newest snapshot at or before it" {
	small_tree src
	quietly src
	show
	[ "$(readlink mnt/@now)" = "$(readlink mnt/latest)" ]
	[ "$(cat mnt/@now/docs/a.txt)" = hello ]
	[ ! -e mnt/@2001-01-01 ]
	[ ! -e mnt/@nonsense ]
	run ls mnt
	[ "${#lines[@]}" = 2 ]
}

@test "latest~N and the beginning of a time lead to the snapshots that commands mean by them" {
	small_tree src
	quietly src
	show
	[ "$(readlink "mnt/$(date +%Y)")" = "$(readlink mnt/latest)" ]
	[ ! -e mnt/latest~1 ]
	first=$(readlink mnt/latest)
	sleep 1.1
	quietly src
	second=$(newest)
	second=${second%.json}
	leads() {
		[ "$(readlink "mnt/$1")" = "$2" ]
	}
	wait_until leads latest~0 "$second"
	wait_until leads latest~1 "$first" # what was no name is one soon
	for name in "$first" "$second"; do
		leads "${name#snapshot_}" "$name"
		leads "${name:9:-1}" "$name"
	done
	[ "$(cat "mnt/${first#snapshot_}/docs/a.txt")" = hello ]
	wait_until test ! -e "mnt/$(date +%Y)"
	for name in latest~ latest~x latest~1x latest~2 latest~18446744073709551616 latest~-1 2001 snapshot_ "${second%Z}" \
		"${second#snapshot_}-1" snapshot_2; do
		[ ! -L "mnt/$name" ]
	done
	run ls mnt
	output_is latest "$first" "$second"
	backuptool remove "$first"
	wait_until test ! -L "mnt/${first#snapshot_}"
	wait_until leads "$(date +%Y)" "$second"
}

@test "everything is as in the source" {
	full_tree src
	quietly src || [ $? = 3 ]
	show
	same src mnt/latest/
	hide
	show -o snapshot=latest
	same src mnt
}

@test "tar, rsync and cp find no difference to the source" {
	is_root || skip "only root restores everything"
	shallow_tree src
	rm -f src/special/socket src/holes/huge src/holes/one-byte # what tar and cp do not keep or read to the end
	quietly src
	show -o snapshot=latest
	tar --acls --xattrs --xattrs-include='*' --one-file-system -C src -cf here.tar .
	tar --acls --xattrs --compare -f here.tar -C mnt
	run rsync -aHAX --checksum --dry-run --itemize-changes src/ mnt/
	[ -z "$output" ]
	cp -a mnt copy
	same src copy
}

@test "git and sqlite work in the mount" {
	git init -q src/repo
	cd src/repo
	git config user.email a@example.org
	git config user.name a
	for i in $(seq 20); do
		seq "$i" 400 >"file$i"
		git add . && git commit -qm "change $i"
	done
	git gc -q
	cd ../..
	sqlite3 src/data.db 'create table t(a, b); with recursive n(i) as (select 1 union all select i+1 from n where i<20000)
		insert into t select i, hex(i*i) from n; create index by_b on t(b);'
	quietly src
	show
	git -c safe.directory='*' -C mnt/latest/repo fsck --full
	run git -c safe.directory='*' -C mnt/latest/repo status --porcelain
	[ "$status" = 0 ]
	[ -z "$output" ]
	[ "$(git -c safe.directory='*' -C mnt/latest/repo log --oneline | wc -l)" = 20 ]
	[ "$(sqlite3 'file:mnt/latest/data.db?immutable=1' 'pragma integrity_check')" = ok ]
	[ "$(sqlite3 'file:mnt/latest/data.db?immutable=1' 'select count(*) from t where b > "3"')" = \
		"$(sqlite3 src/data.db 'select count(*) from t where b > "3"')" ]
}

@test "a snapshot of a directory in which snapshots are mounted does not enter them" {
	small_tree src
	mkdir -p src/old/days
	quietly src
	backupfs "$WORK/snapshots" "$WORK/src/old/days" 3>&-
	[ -e src/old/days/latest/docs/a.txt ]
	quietly src
	[ "$(backuptool ls -R latest:old)" = days ]
	run -0 backuptool diff latest
	[[ $output != *latest* ]]
	# Who names one wants it.
	backuptool --store other snapshot --target-directory src/old/days/latest/docs
	backuptool --store other cat latest:a.txt | cmp - src/docs/a.txt
	umount src/old/days
}

@test "grep, find, du, getfattr and getfacl see the same as in the source" {
	shallow_tree src
	rm -f src/holes/huge
	quietly src || [ $? = 3 ]
	show -o snapshot=latest
	local fields='%p %y %m %U %G %T@ %l\n'
	diff <(cd src && find . -printf "$fields" | sort) <(cd mnt && find . -printf "$fields" | sort)
	diff <(cd src && find . ! -type d -printf '%p %s %n\n' | sort) <(cd mnt && find . ! -type d -printf '%p %s %n\n' | sort)
	diff <(cd src && grep -rc same . --exclude-dir=special 2>&1 | sort) \
		<(cd mnt && grep -rc same . --exclude-dir=special 2>&1 | sort)
	for tree in src mnt; do (cd $tree && find . ! -type l -print0 | sort -z | xargs -0 getfacl -n) >"acls-of-$tree"; done
	diff acls-of-src acls-of-mnt
	diff <(cd src && getfattr -hd -m - xattrs/* modes/*) <(cd mnt && getfattr -hd -m - xattrs/* modes/*)
	[ "$(du -s --apparent-size src/sizes | cut -f 1)" = "$(du -s --apparent-size mnt/sizes | cut -f 1)" ]
	[ "$(du -s mnt/holes | cut -f 1)" -lt 200 ]
}

@test "any range of any file is right, read in any way" {
	shallow_tree src
	rm -f src/holes/huge
	quietly src || [ $? = 3 ]
	show -o snapshot=latest
	"$TESTS/bats/mount_reads.py" src mnt
	echo 3 >/proc/sys/vm/drop_caches || true
	"$TESTS/bats/mount_reads.py" --mmap src mnt
}

@test "a directory can be read from any place again" {
	mkdir -p src/wide
	(cd src/wide && seq -f 'entry with a longer name %06g' 20000 | xargs -d '\n' touch --)
	quietly src
	show
	"$TESTS/bats/mount_seekdir.py" src/wide mnt/latest/wide
	[ "$(find mnt/latest/wide | wc -l)" = 20001 ]
	[ -e 'mnt/latest/wide/entry with a longer name 012345' ]
	[ ! -e mnt/latest/wide/none ]
}

@test "nothing can be changed" {
	small_tree src
	quietly src
	show -o allow_other
	[ "$(findmnt -no FSTYPE,SOURCE mnt)" = "fuse.backupfs $WORK/snapshots" ]
	for option in ro nosuid nodev default_permissions allow_other; do
		findmnt -no OPTIONS mnt | tr , '\n' | grep -qx "$option"
	done
	"$TESTS/bats/mount_mutate.py" mnt/latest
	if is_root && mount -o remount,rw mnt; then # the driver itself refuses, too
		"$TESTS/bats/mount_mutate.py" mnt/latest
	fi
}

@test "equal files of two snapshots are one inode and are not read by diff" {
	small_tree src
	mkdir src/many
	for i in $(seq 300); do echo "$i" >"src/many/$i"; done
	quietly src
	echo changed >src/many/7
	ln src/many/8 src/many/hard
	quietly src
	show
	local one two=mnt/latest
	one=mnt/$(newest 1)
	one=${one%.json}
	[ "$(stat -c %i "$one/docs/a.txt")" = "$(stat -c %i "$two/docs/a.txt")" ]
	[ "$(stat -c %i "$one/many/9")" = "$(stat -c %i "$two/many/9")" ]
	[ "$(stat -c %i "$one/many/7")" != "$(stat -c %i "$two/many/7")" ]
	[ "$(stat -c %i "$two/many/8")" = "$(stat -c %i "$two/many/hard")" ]
	[ "$(stat -c %h "$two/many/8")" = 2 ]
	[ "$(stat -c %i "$one/docs")" != "$(stat -c %i "$two/docs")" ]
	[ -z "$(find "$two/" -type f -links 1 -printf '%i\n' | sort | uniq -d)" ]
	run diff -r "$one" "$two"
	output_is "diff -r $one/many/7 $two/many/7" 1c1 '< 7' --- '> changed' "Only in $two/many: hard"
	stat -c '%n %i' "$two"/* >before
	hide
	show
	stat -c '%n %i' "$two"/* | diff before -
}

@test "our own attributes tell where a file comes from" {
	small_tree src
	quietly src
	show -o xattr=on
	local file=mnt/latest/photos/numbers.txt
	[ "$(getfattr --only-values -n user.backuptool.sha256 "$file")" = "$(sha256sum <"$file" | cut -d ' ' -f 1)" ]
	[ "$(getfattr --only-values -n user.backuptool.snapshot "$file")" = "$(newest)" ]
	[ "$(getfattr --only-values -n user.backuptool.stored "$file")" -gt 100 ]
	[ -z "$(getfattr -d -m - "$file")" ]
	run ! getfattr -n user.backuptool.other "$file"
	hide
	show
	run ! getfattr -n user.backuptool.sha256 "$file"
}

@test "options choose what is seen and as whose" {
	small_tree src
	chmod 640 src/docs/a.txt
	quietly src
	show -o uid=12,gid=34,umask=027
	[ "$(stat -c '%u %g %a' mnt/latest/docs)" = '12 34 750' ]
	[ "$(stat -c '%u %g %a' mnt/latest/docs/a.txt)" = '12 34 640' ]
	hide
	show -o subpath=docs
	run ls mnt/latest/
	output_is a.txt notes zero
	hide
	show -o snapshot=latest,subpath=/docs/notes/
	[ "$(ls mnt)" = b.txt ]
	hide
	show -o "subpath=$WORK/src/docs"
	run ls mnt/latest/
	output_is a.txt notes zero
	hide
	for path in missing docs/a.txt "$WORK/sr" "$WORK/src/missing" "$WORK/src2/docs"; do
		run -1 --separate-stderr show -o "snapshot=latest,subpath=$path"
		stderr_is "backupfs: $path: the snapshot has no such directory"
		run -1 --separate-stderr show -o "subpath=$path"
		stderr_is "backupfs: $path: no snapshot has such a directory"
	done
	run -1 show -o snapshot=1999
	not_mounted
}

@test "with subpath only the snapshots that have it are shown" {
	small_tree src
	quietly src
	mkdir src/later
	echo here >src/later/file
	quietly src
	local second
	second=$(newest)
	sleep 1.1
	rm -r src/later
	quietly src
	show -o subpath=later
	run ls -l mnt
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 3 ]
	run ls mnt
	output_is latest "${second%.json}"
	[ "$(cat mnt/latest/file)" = here ]
	[ "$(cat mnt/@now/file)" = here ]
	[ "$(cat mnt/latest~0/file)" = here ]
	[ ! -e mnt/latest~1 ]
	[ "$(cat "mnt/${second:9:-5}/file")" = here ]
	last=$(newest)
	[ ! -e "mnt/${last:9:-5}" ]
	[ ! -e "mnt/$(newest | sed 's/.json//')" ]
	hide
	run -1 --separate-stderr show -o subpath=never
	stderr_is 'backupfs: never: no snapshot has such a directory'
	backuptool remove --yes "$second" "$(newest)"
	backuptool remove latest --yes
	show -o subpath=never # it may come
	[ -z "$(ls mnt)" ]
	[ ! -L mnt/latest ]
	[ ! -L mnt/@now ]
}

@test "a file handle of one mount is stale in the next" {
	is_root || skip "only root opens by handle"
	small_tree src
	quietly src
	show
	cat mnt/latest/docs/notes/b.txt >/dev/null
	"$TESTS/bats/mount_handle.py" get mnt/latest/docs/a.txt file.handle
	"$TESTS/bats/mount_handle.py" get mnt/latest/docs/ directory.handle
	[ "$("$TESTS/bats/mount_handle.py" read mnt file.handle)" = hello ]
	hide
	show
	ls -R mnt >/dev/null
	cat mnt/latest/photos/* >/dev/null
	run -1 "$TESTS/bats/mount_handle.py" read mnt file.handle
	output_is 'Stale file handle'
	run -1 "$TESTS/bats/mount_handle.py" read mnt directory.handle
	output_is 'Stale file handle'
}

@test "the data is right whatever the options" {
	mkdir src
	for d in $(seq 20); do
		mkdir "src/$d"
		for i in $(seq 40); do seq "$d" "$((d * i))" >"src/$d/$i"; done
	done
	head -c 30000000 /dev/urandom >src/noise
	seq 3000000 >src/numbers
	quietly src
	for options in push nopush verify=always cache=1M xattr=off,noexec; do
		show -o $options
		diff -r src mnt/latest/
		hide
		show -o $options
		"$TESTS/bats/mount_reads.py" --threads 4 src mnt/latest/
		hide
	done
}

@test "versions/ gives each of two names with one hash its own bytes" {
	mkdir src
	echo 'I am A' >src/3qpnph5is40ypaaa
	echo 'I am B, another file' >src/ggccky5oczfsdaaa
	quietly src
	show -o versions
	[ "$(cat mnt/versions/3qpnph5is40ypaaa/*)" = 'I am A' ]
	[ "$(cat mnt/versions/ggccky5oczfsdaaa/*)" = 'I am B, another file' ]
}

@test "versions/ shows the distinct contents of each file" {
	mkdir -p src/dir
	local first_time second_time
	echo one >src/dir/file.txt
	first_time=$(stat -c %.9Y src/dir/file.txt)
	echo same >src/dir/same
	quietly src
	sleep 1.1
	echo two, longer >src/dir/file.txt
	second_time=$(stat -c %.9Y src/dir/file.txt)
	touch src/dir/same
	quietly src
	sleep 1.1
	rm -r src/dir/file.txt
	mkdir src/dir/file.txt
	echo in >src/dir/file.txt/inside
	quietly src
	show -o versions
	run ls mnt/versions/dir
	output_is file.txt same
	run ls mnt/versions/dir/file.txt
	[ "${#lines[@]}" = 3 ]
	[[ ${lines[0]} =~ ^20[0-9-]*T[0-9-]*Z-[0-9a-f]{8}\.txt$ ]]
	[ "$(cat "mnt/versions/dir/file.txt/${lines[0]}")" = one ]
	[ "$(stat -c '%s %.9Y' "mnt/versions/dir/file.txt/${lines[0]}")" = "4 $first_time" ]
	[ "$(stat -c '%s %.9Y' "mnt/versions/dir/file.txt/${lines[1]}")" = "12 $second_time" ]
	[ "$(cat "mnt/versions/dir/file.txt/${lines[1]}")" = 'two, longer' ]
	[ "${lines[2]}" = inside ]
	[ "$(cat mnt/versions/dir/file.txt/inside/*)" = in ]
	[ "$(find mnt/versions/dir/same -type f | wc -l)" = 1 ]
	[ ! -e mnt/versions/none ]
	find mnt/versions | sort >listing
	[ "$(wc -l <listing)" = 9 ]
	hide
	show
	[ ! -e mnt/versions ]
}

@test "the original layout is shown, too" {
	cp -r "$TESTS/data/classic" snapshots
	rm -f snapshots/*.txt snapshots/*.md
	show
	while read -r snapshot digest path; do
		[ "$(sha256sum <"mnt/${snapshot%.json}/$path" | cut -d ' ' -f 1)" = "$digest" ]
	done <"$TESTS/data/classic/manifest.txt"
}

# requests KIND…: how many of them reached the driver, which runs with -d.
requests() {
	local kinds
	kinds=$(printf '%s|' "$@")
	grep -cE "opcode: (${kinds%|}) " log || true
}

# watched [OPTION…]: mounts so that every request is written down.
watched() {
	backupfs -f -d "$WORK/snapshots" "$WORK/mnt" "$@" 2>log 3>&- &
	wait_until is_mounted
}

@test "the kernel asks once, and never for an equal file" {
	for d in $(seq 10); do
		mkdir -p "src/$d"
		for i in $(seq 30); do echo "$d $i" >"src/$d/$i"; done
	done
	quietly src
	for d in 2 4 6; do echo "$d x" >"src/$d/7"; done # as long as before
	quietly src
	local one two before
	one=mnt/$(newest 1 | sed 's/.json//') two=mnt/$(newest | sed 's/.json//')
	watched -o nopush
	run -1 diff -rq "$one" "$two"
	[ "${#lines[@]}" = 3 ]
	[ "$(requests READ)" = 6 ]
	[ "$(requests LOOKUP)" -le 4 ]         # the snapshots; files come with their directory
	[ "$(requests READDIRPLUS)" -le 50 ]   # twice for each of 22 directories, and the root
	[ "$(requests READDIR RELEASE RELEASEDIR ACCESS)" = 0 ]
	[ "$(requests OPEN)" -le 1 ]
	[ "$(requests OPENDIR)" -le 1 ]
	[ "$(requests FLUSH)" -le 1 ]
	before=$(requests READ READDIRPLUS LOOKUP READLINK GETXATTR LISTXATTR OPEN)
	run -1 diff -rq "$one" "$two"
	ls -lR "$two" >/dev/null
	[ "$(requests READ READDIRPLUS LOOKUP READLINK OPEN)" -le "$before" ] # all that is known stays known
	hide
}

@test "small files are in the kernel before they are asked for" {
	mkdir src
	for i in $(seq 200); do echo "$i" >"src/$i"; done
	quietly src
	watched -o nopush,snapshot=latest
	cat mnt/* | cmp - <(cat src/*)
	[ "$(requests READ)" = 200 ]
	hide
	watched -o snapshot=latest
	cat mnt/* | cmp - <(cat src/*)
	[ "$(requests READ)" -le 40 ]
	hide
}

@test "the rest of a block is in the kernel before it is asked for" {
	mkdir src
	seq 8000000 >src/numbers
	quietly src
	watched -o nopush
	"$TESTS/bats/mount_random.py" src/numbers mnt/latest/numbers 1500
	local without
	without=$(requests READ)
	hide
	watched
	"$TESTS/bats/mount_random.py" src/numbers mnt/latest/numbers 1500
	[ "$without" -gt 1300 ]
	[ "$(requests READ)" -lt $((without / 4)) ]
	hide
}

@test "df tells the numbers of the store's file system" {
	small_tree src
	quietly src
	show
	[ "$(stat -fc '%b %S %l' mnt)" = "$(stat -fc '%b %S' snapshots) 255" ]
	[ "$(df --output=source mnt | tail -n 1)" = "$WORK/snapshots" ]
}

@test "inode numbers do not depend on the order in which they are seen" {
	shallow_tree src
	quietly src || [ $? = 3 ]
	show
	(cd mnt/latest/ && find . -printf '%i %p\n' | sort) >forwards
	hide
	show
	# the last first, and each by its own name
	(cd src && find . -print0) | sort -zr >names
	(cd mnt/latest/ && xargs -0 stat -c '%i %n' -- <"$WORK/names" | sort) >backwards
	[ "$(wc -l <backwards)" -gt 100 ]
	[ -z "$(comm -13 forwards backwards)" ]
}

@test "-o host=, target= and tag= show only these snapshots" {
	mkdir -p a b
	for day in 1 2 3 4; do
		place=a host=laptop
		[ "$day" -lt 3 ] || host=server
		[ $((day % 2)) = 1 ] || place=b
		at "2026-01-0$day" backuptool snapshot -q --target-directory "$place" --host "$host" --tag "day$day" >/dev/null
	done
	show -o host=server
	run -0 ls mnt
	output_is latest snapshot_2026-01-03T00-00-00Z snapshot_2026-01-04T00-00-00Z
	[ "$(readlink mnt/latest)" = snapshot_2026-01-04T00-00-00Z ]
	[ ! -e mnt/snapshot_2026-01-01T00-00-00Z ]
	at 2026-01-05 backuptool snapshot -q --target-directory a --host server
	at 2026-01-06 backuptool snapshot -q --target-directory a --host laptop
	wait_until test -e mnt/snapshot_2026-01-05T00-00-00Z
	[ "$(readlink mnt/latest)" = snapshot_2026-01-05T00-00-00Z ]
	[ ! -e mnt/snapshot_2026-01-06T00-00-00Z ]
	hide
	show -o host=server,host=laptop,tag=day2,versions
	run -0 ls mnt
	output_is latest snapshot_2026-01-02T00-00-00Z versions
	hide
	show -o "target=$PWD/b" -o snapshot=latest
	hide
	run -1 --separate-stderr show -o host=server,tag=day1
	stderr_is "backupfs: $WORK/snapshots: no snapshot can be read, or matches host=, target= and tag="
	run -1 --separate-stderr show -o "snapshot=2026-01-01,host=server"
	[[ $stderr == *"left out"* ]]
	run -0 backuptool mount mnt --host server --target a 3>&-
	run -0 ls mnt
	output_is latest snapshot_2026-01-03T00-00-00Z snapshot_2026-01-05T00-00-00Z
	hide
	mkdir 'odd,name\'
	backuptool snapshot -q --target-directory 'odd,name\' --tag 'odd'
	run -0 backuptool mount mnt --host all --target 'odd,name\' --tag odd --tag other 3>&-
	[ "$(ls mnt | wc -l)" = 2 ]
	hide
}
