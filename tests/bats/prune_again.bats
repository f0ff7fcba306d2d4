#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Pruning again changes nothing, and what is said to be freed is.
# shellcheck disable=SC2154
load helper

store_bytes() {
	find snapshots -name '*.json' ! -path '*/cache/*' -printf '%s\n' | awk '{ s += $1 } END { printf "%d\n", s }'
}

# 300 files, packed into blocks, of which two out of five go: of each block less than a half.
with_holes() {
	mkdir src
	for number in $(seq -w 300); do
		head -c 60000 /dev/urandom >"src/$number"
	done
	take src -q
	rm src/*[0369]
	take src -q
}

freed() {
	jq '.freed_bytes' <<<"$output"
}

@test "the second prune finds nothing to do, and the first one freed what it said" {
	with_holes
	before=$(store_bytes)
	run -0 backuptool prune --keep-last 1 --json
	after=$(store_bytes)
	[ "$(freed)" = $((before - after)) ]
	[ "$(freed)" -gt 5000000 ]
	volumes=$(ls snapshots/contents)
	for number in 1 2; do
		run -0 backuptool prune --keep-last 1 --json
		[ "$(freed)" = 0 ]
		[ "$(ls snapshots/contents)" = "$volumes" ]
		[ "$(store_bytes)" = "$after" ]
	done
	backuptool snapshot -q --store fresh --target-directory src
	fresh=$(find fresh -name '*.json' ! -path '*/cache/*' -printf '%s\n' | awk '{ s += $1 } END { printf "%d\n", s }')
	echo "pruned $after, fresh $fresh"
	[ "$after" -le $((fresh * 125 / 100)) ]
	bring latest out -q
	same src out
}

@test "no more than --max-dead is left, and stats and prune agree on it" {
	local percent
	with_holes
	cp -a snapshots spare
	for percent in 1 10 25 45 100; do
		run -0 backuptool prune --keep-last 1 --max-dead "$percent" --json
		dead=$(jq .dead_bytes <<<"$output")
		echo "$percent: $dead of $(store_bytes)"
		[ "$((dead * 100))" -le $(($(store_bytes) * percent)) ]
		stats=$(backuptool stats --json | jq .dead)
		[ "$((dead - stats))" -lt 20000 ]
		[ "$((stats - dead))" -lt 20000 ]
		run -0 backuptool prune --keep-last 1 --max-dead "$percent" --json
		[ "$(freed)" = 0 ]
		rm -r snapshots
		cp -a spare snapshots
	done
}

@test "a job frees once" {
	with_holes
	run -0 --separate-stderr backuptool job --target-directory src --at-start --interval 300ms --duration 900ms --keep-last 1 --json
	jq -s -e '[.[] | select(.event == "run") | .freed_bytes] | .[0] > 5000000 and (.[1:] | all(. < 500000))' <<<"$output"
}
