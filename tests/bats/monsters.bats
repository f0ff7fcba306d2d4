#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stores that somebody wrote to have no end, by every command and the mount: each ends with what the table says.
# shellcheck disable=SC2154
load mount_helper

DEEP=d/d/d/d

# What is in the store, as the generators make it; the table's columns.
make_store() {
	case $1 in
	endless) mkdir snapshots && "$BATS_TEST_DIRNAME/make_shared.py" snapshots/snapshot_2026-11-22T10-30-00Z.json ;;
	short) "$TESTS/bench/crafted.py" levels snapshots 20000 1 ;;
	long) "$TESTS/bench/crafted.py" levels snapshots 20000 255 ;;
	wide) "$TESTS/bench/crafted.py" wide snapshots 100000 ;;
	damaged) "$TESTS/bench/crafted.py" deep snapshots 1000 ;;
	esac
}

# Exit codes: of a store without an end, of 20,000 levels with short and with long names, of one directory with 100,000
# files, and of 1,000 levels with a damaged file in each. 1 is also that of an output of more than 20 MB. Restores of
# 20,000 levels are not tried
# for their time.
TABLE="
0 0 0 0 0 list
3 0 0 0 0 ls latest
3 1 1 0 1 ls latest -R
3 0 3 0 0 find nothing
1 1 1 1 1 cat latest:$DEEP
3 1 1 1 1 dump latest
1 0 0 0 0 stats
3 0 3 0 1 export --classic latest out.json
3 1 3 0 1 diff latest empty
1 0 1 1 1 versions d/d
0 0 0 0 1 check
0 0 0 0 1 check --quick
0 0 0 0 3 check --repair
0 0 0 0 0 tag latest --add a
1 0 3 0 0 restore --snapshot-file latest --output-directory out --dry-run
0 0 0 0 0 snapshot --target-directory empty --host h
0 0 0 0 0 job --target-directory empty --interval 1 --duration 1
0 0 0 0 0 remove latest --host h --target empty --yes
0 0 0 0 0 prune --snapshot-number 1 --all --yes
"

# ends STORE COLUMN
ends() {
	local -a row
	local code wrong=
	mkdir empty
	make_store "$1"
	while read -ra row; do
		[ "${#row[@]}" -gt 0 ] || continue
		code=0
		finite "${row[@]:5}" 3>&- || code=$?
		if [ "$code" != "${row[$2]}" ]; then
			echo "${row[*]:5}: $code instead of ${row[$2]}: $(tail -n 3 err.txt | tail -c 300)"
			wrong=1
		fi
		[ "$code" = 0 ] || [ -s err.txt ] || [ -s out.txt ] || wrong=1
	done <<<"$TABLE"
	[ -z "$wrong" ]
}

@test "every command ends: a store without an end" { ends endless 0; }
@test "every command ends: 20,000 levels with names of one byte" { ends short 1; }
@test "every command ends: 20,000 levels with names of 255 bytes" { ends long 2; }
@test "every command ends: 100,000 files in one directory" { ends wide 3; }
@test "every command ends: 1,000 levels with a damaged file in each" { ends damaged 4; }

# Goes down for as long as there is a directory, or 30,000 levels, without ever naming a long path.
descend() {
	python3 - "$1" <<'E'
import os, sys
fd, depth = os.open(sys.argv[1], os.O_RDONLY), 0
while depth < 30000:
    with os.scandir(fd) as entries:
        below = next((entry.name for entry in entries if entry.is_dir(follow_symlinks=False)), None)
    if below is None:
        break
    deeper = os.open(below, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd)
    os.close(fd)
    fd, depth = deeper, depth + 1
print(depth)
E
}

# mounted STORE LEVELS ENTRIES
mounted() {
	make_store "$1"
	backupfs -f "$WORK/snapshots" "$WORK/mnt" 2>log 3>&- &
	driver=$!
	wait_until is_mounted
	[ "$(descend mnt/latest/)" = "$2" ]
	[ "$(find mnt/latest/ -mindepth 1 -maxdepth 1 | wc -l)" = "$3" ]
	[ "$(awk '/^VmHWM/ { print $2 }' "/proc/$driver/status")" -lt 300000 ]
	umount mnt
	wait "$driver"
}

@test "the mount goes down a store without an end as far as anybody wants" { mounted endless 16 32; }
@test "the mount shows 20,000 levels with names of one byte" { mounted short 20000 1; }
@test "the mount shows 20,000 levels with names of 255 bytes" { mounted long 20000 1; }
@test "the mount shows 100,000 files in one directory" { mounted wide 0 100000; }
@test "the mount shows 1,000 levels with a damaged file in each" { mounted damaged 1000 2; }

# A user's directories go down so far that their paths would fill a gigabyte.
mallory() {
	python3 - "$1" 3500 <<'E'
import os, sys
os.makedirs(sys.argv[1] + "/mallory")
os.makedirs(sys.argv[1] + "/zoe")
with open(sys.argv[1] + "/zoe/f", "w") as file:
    file.write("hers\n")
os.chdir(sys.argv[1] + "/mallory")
for i in range(int(sys.argv[2])):
    os.mkdir("d" * 255)
    os.chdir("d" * 255)
E
}

# restored STORE STATUS ENTRIES-AT-LEAST ENTRIES-AT-MOST
restored() {
	make_store "$1"
	run finite restore --snapshot-file latest --output-directory out
	[ "$status" = "$2" ]
	[ -s err.txt ]
	[ "$(find out | wc -l)" -ge "$3" ]
	[ "$(find out | wc -l)" -le "$4" ]
}

@test "a restore ends: a store without an end" { restored endless 1 1 20; }
@test "a restore ends: 20,000 levels with names of 255 bytes" { restored long 3 2000 4000; }
@test "a restore ends: 1,000 levels with a damaged file in each" { restored damaged 3 1001 1001; }

@test "a restore leaves out what is too far down, says so once, and brings back all else" {
	mallory src
	take src -q
	run -3 --separate-stderr bring latest out
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == *"d: it is too far down for one go: not all that is in it is restored; mount the snapshot and copy the rest" ]]
	[ "$(cat out/zoe/f)" = hers ]
	[ "$(descend out/mallory)" -gt 2000 ]
	[ "$(descend out/mallory)" -lt 3500 ]
}

@test "so does --delete with what is there" {
	mkdir -p src/zoe
	echo hers >src/zoe/f
	take src -q
	mallory out
	rm out/zoe/f
	run -3 --separate-stderr bring latest out --delete --yes
	[[ $stderr == *"mallory: "*"File name too long"* ]]
	[ "$(cat out/zoe/f)" = hers ]
	[ -d out/mallory ]
}

@test "a restore opens each directory once on its way down and once on its way up" {
	"$TESTS/bench/crafted.py" levels snapshots 1500 1
	strace -f -qq -o calls -e trace=openat backuptool restore --snapshot-file latest --output-directory out -q
	[ "$(descend out)" = 1500 ]
	[ "$(grep -c openat calls)" -lt 3200 ]
}

@test "300 copies of one directory are no damage" {
	"$TESTS/bench/crafted.py" copies snapshots 300
	backuptool find 000000019 >found
	[ "$(wc -l <found)" = 301 ] # one of the directories, too
	run -0 backuptool diff latest mnt
	[ "${#lines[@]}" = 6301 ]
	bring latest out -q
	[ "$(find out | wc -l)" = 6301 ]
}
