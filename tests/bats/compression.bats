#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stores that were made to be small.
# shellcheck disable=SC2154
load mount_helper

# Many small files, of which each is like others that lie further away than a usual block is long; and a large one.
alike() {
	python3 - "$1" <<-'END'
		import os, random, sys
		random = random.Random(5)
		texts = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz \n", k=7000)) for _ in range(220)]
		for turn in range(4):
		    os.makedirs("%s/%d" % (sys.argv[1], turn))
		    for i, text in enumerate(texts):
		        with open("%s/%d/%03d" % (sys.argv[1], turn, i), "w") as file:
		            file.write("%d\n%s" % (turn, text))
		with open(sys.argv[1] + "/large", "wb") as file:
		    file.write(random.randbytes(1500000))
	END
}

# The plain sizes of all blocks, the largest first.
block_sizes() {
	cat "$1"/*.json "$1"/contents/*.json 2>/dev/null | jq '.contents[]?.size' | sort -rn
}

@test "max makes a smaller store, and everything reads it" {
	alike src
	settle
	take src -q --store auto
	take src -q --compression max
	usual=$(du -sb auto | cut -f 1)
	[ "$(du -sb snapshots | cut -f 1)" -lt "$((usual * 3 / 4))" ]
	# Larger blocks, but none that is larger than a chunk can be.
	[ "$(block_sizes auto | head -n 1)" -lt 4000000 ]
	largest=$(block_sizes snapshots | head -n 1)
	[ "$largest" -gt 4000000 ]
	[ "$largest" -le 4194304 ]
	run -0 backuptool check
	bring latest out -q
	same src out
	"$TESTS/reader.py" extract snapshots "$(newest)" by-reader
	same src by-reader
	show
	"$TESTS/bats/mount_reads.py" src mnt/latest/
	hide
}

# Two processors, so that the number of threads is known: 150 MiB is what they take.
@test "max keeps to its memory" {
	mkdir src
	seq 5000000 | head -c 24000000 >src/numbers
	on_two_processors python3 - <<-'END'
		import resource, subprocess
		subprocess.run(["backuptool", "snapshot", "-q", "--target-directory", "src", "--compression", "max"], check=True)
		peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
		print("peak: %d MiB" % peak)
		assert peak < 200
	END
}

@test "jobs and services take it, too" {
	mkdir src
	echo text >src/file
	run -0 backuptool job --target-directory src --interval 1 --duration 0 --compression max
	bring latest out -q
	same src out
	run -0 backuptool schedule --target-directory src --interval 1h --compression max --print
	[[ $output == *" --compression=max"* ]]
}
