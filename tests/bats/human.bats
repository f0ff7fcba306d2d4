#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is made for people to read.
# shellcheck disable=SC2154
load helper

@test "-h is about sizes in ls and find, and help everywhere else" {
	mkdir src
	head -c 1500 /dev/zero >src/a
	take src -q
	for how in -lh "-l --human-readable" -nh; do
		# shellcheck disable=SC2086
		run -0 backuptool ls $how
		[[ $output == *"       1.5 KiB  "*"  a" ]]
	done
	run -0 backuptool ls -h
	output_is a
	run -0 backuptool find a -h
	[[ $output == *"       1.5 KiB  "*":a" ]]
	for command in ls find; do
		run -0 backuptool "$command" --help
		[[ $output == "Usage: backuptool $command"*"-h, --human-readable"*"    --help"* ]]
	done
	for command in list stats diff prune; do
		run -0 backuptool "$command" -h
		[[ $output == "Usage: backuptool $command"*"-h, --help"* ]]
	done
}

@test "stats says why what does not compress takes more" {
	mkdir src
	head -c 100000 /dev/urandom >src/noise
	take src -q
	run -0 backuptool stats
	[[ $output == *"What does not compress takes a third more in the store, because it is written as text (Base64)."* ]]
	rm -r snapshots src/noise
	seq 100000 >src/numbers
	take src -q
	run -0 backuptool stats
	[[ $output != *Base64* ]]
}
