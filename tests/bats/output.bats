#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Output for programs: every member that --json prints stands in tools/OUTPUT.md.
# shellcheck disable=SC2154
load helper

# documented COMMAND: reads JSON and names members that the command's section does not have.
documented() {
	sed -n "/^## $1\$/,/^## /p" "$TOP/tools/OUTPUT.md" | grep -o '`[a-z0-9_]*`' | tr -d '`' | sort -u >known
	jq -r 'paths | .[-1] | strings | sub("_b64$"; "")' | sort -u >printed
	[ -s printed ] || return 1
	comm -13 known printed >missing
	[ ! -s missing ] || {
		echo "not documented for $1:" && cat missing
		return 1
	}
}

@test "every member of --json is documented" {
	shallow_tree src
	rm src/holes/huge
	: >$'src/odd\xff'
	settle
	backuptool snapshot --target-directory src --json | documented snapshot
	printf 'x' >src/new
	rm src/sizes/1
	take src -q --tag a
	backuptool list --json | documented list
	backuptool ls latest -R --json >listed
	documented ls <listed
	backuptool find '*' --json | documented find
	backuptool versions sizes/1 --json | documented versions
	backuptool diff latest~1 latest --json | documented diff
	backuptool stats --json | documented stats
	backuptool restore --snapshot-file latest --output-directory out --json | documented restore
	backuptool prune --snapshot-number 1 --dry-run --json | documented prune
	[ "$(jq -r 'select(.path_b64) | .path_b64' listed | wc -l)" -gt 1 ]
}
