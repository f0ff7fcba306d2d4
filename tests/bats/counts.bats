# SPDX-License-Identifier: MIT
# What the work costs, in counts that are the same on every machine, on two processors of it: a change that makes it
# slower shows here. The limits stand a tenth to a sixth above what was measured; who makes something cheaper lowers them.

load helper

# 1,000 files of text in 20 directories, the same everywhere.
fixed_tree() {
	python3 - "$1" <<-'EOF'
		import os, random, sys
		choice = random.Random(7)
		words = ["%x" % choice.getrandbits(choice.randint(8, 40)) for _ in range(4000)]
		for number in range(1000):
		    folder = "%s/%02d" % (sys.argv[1], number % 20)
		    os.makedirs(folder, exist_ok=True)
		    with open("%s/%03d.txt" % (folder, number), "w") as file:
		        file.write(" ".join(choice.choices(words, k=choice.randint(20, 1500))))
		    os.utime(file.name, (1600000000, 1600000000 + number))
	EOF
	settle
}

# calls COMMAND…: how many system calls it makes, in all of its threads, but those with which threads wait for each other.
calls() {
	on_two_processors strace -f -c -U calls,name -o calls "$@" >/dev/null || return 1
	awk '$2 == "total" { all = $1 } $2 == "futex" { waits = $1 } END { print all - waits }' calls
}

at_most() {
	echo "$1: $2, at most $3"
	[ "$2" -le "$3" ]
}

instructions() {
	on_two_processors valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>callgrind >/dev/null || return 1
	awk '/Collected/ { print $NF }' callgrind
}

@test "system calls: eight for a file that is new, one and a half for one that did not change" {
	fixed_tree tree
	at_most first "$(calls backuptool snapshot --target-directory tree)" 9600
	# some thirty of them are for the names of owners, twenty to write to state/ that it ran, and some to look into contents/
	at_most again "$(calls backuptool snapshot --target-directory tree)" 1840
	: >tree/00/one
	at_most one "$(calls backuptool snapshot --target-directory tree)" 1870
}

@test "system calls: six for a file that is restored" {
	fixed_tree tree
	take tree
	at_most restore "$(calls backuptool restore --snapshot-file latest --output-directory out)" 7400
	same tree out
}

# reads COMMAND…: how many times it reads from a file.
reads() {
	on_two_processors strace -f -c -U calls,name -e trace=pread64 -o reads "$@" >/dev/null || return 1
	awk '$2 == "total" { print $1 }' reads
}

@test "one read serves many pages of a large directory" {
	python3 - <<-'EOF'
		import os
		os.mkdir("large")
		for number in range(20000):
		    open("large/file-%07d" % (number * 7919 % 1000003), "w").close()
	EOF
	settle
	take large
	echo changed >large/file-0007919
	settle
	take large
	backuptool ls latest >/dev/null # with an index
	at_most find "$(reads backuptool find 'none-*')" 300
	at_most check "$(reads backuptool check -q)" 420
	at_most mark "$(reads backuptool prune -n -q --snapshot-number 1)" 340
}

@test "a search reads what is new in each snapshot" {
	local one
	mkdir -p tree/{0001..6000}
	settle
	take tree
	backuptool ls latest >/dev/null
	one=$(reads backuptool find 'none-*')
	for i in 0100 0700 1300 1900; do
		: >"tree/$i/new"
		settle
		take tree
		backuptool ls latest >/dev/null
	done
	at_most 'four more' "$(($(reads backuptool find 'none-*') - one))" 60
}

@test "no more than four fsyncs for a snapshot" {
	fixed_tree tree
	take tree
	: >tree/00/one
	strace -f -e trace=fsync,fdatasync,syncfs,sync,sync_file_range,msync -o syncs backuptool snapshot --target-directory tree
	at_most syncs "$(grep -c 'sync.*(' syncs)" 4
}

@test "bytes stored for fixed data, and for nothing" {
	fixed_tree tree
	take tree
	at_most first "$(stat -c %s "snapshots/$(newest)")" 3050000
	at_most again "$(take tree >/dev/null && stat -c %s "snapshots/$(newest)")" 1100
}

@test "instructions for fixed data" {
	command -v valgrind >/dev/null || skip "there is no valgrind"
	fixed_tree tree
	at_most first "$(instructions backuptool snapshot --target-directory tree)" 540000000
	at_most again "$(instructions backuptool snapshot --target-directory tree)" 43000000
	at_most restore "$(instructions backuptool restore --snapshot-file latest --output-directory out)" 297000000
}
