#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Stores that somebody wrote to be slow, or to fill a memory or a disk: what commands do with them is bounded in bytes.
# shellcheck disable=SC2154
load helper

crafted() {
	"$TESTS/bench/crafted.py" "$@"
}

# Bytes of the named paths, how many paths are named, and how many more only counted.
named() {
	python3 -c '
import json, sys
report = json.load(open(sys.argv[1]))
hurts = [hurt for finding in report["findings"] for hurt in finding["hurts"]] + report.get("lost", [])
more = sum(finding["more"] for finding in report["findings"]) + report["summary"].get("lost_more", 0)
print(sum(len(hurt["path"]) for hurt in hurts), len(hurts), more)' "$1"
}

@test "check names paths up to a number of bytes, and counts the others" {
	local bytes paths more
	crafted deep snapshots 600
	run -1 --separate-stderr backuptool check --json
	printf '%s\n' "$output" >report.json
	read -r bytes paths more < <(named report.json)
	[ "$bytes" -gt 8000000 ]
	[ "$bytes" -le $((16 << 20)) ]
	# one path for each of the damaged contents, and the file at the bottom
	[ "$paths" -gt 0 ]
	[ "$more" -gt 0 ]
	[ $((paths + more)) = 601 ]
	backuptool check >report.txt && false
	[ "$(stat -c %s report.txt)" -lt $((20 << 20)) ]
	grep -q '^damage hurts 601 paths in 1 snapshot: ' report.txt
	[ "$(grep -c '^  hurts snapshot_' report.txt)" = "$paths" ]
	[ "$(grep -cx '  hurts 1 path, not named here: together the paths are too long' report.txt)" = "$more" ]
	run -1 grep 'hurts no snapshot' report.txt
}

@test "check --repair names what would be lost up to a number of bytes" {
	local bytes paths more
	crafted deep snapshots 600
	backuptool check --repair --dry-run --json >report.json && false
	python3 - <<-'P'
		import json
		report = json.load(open('report.json'))
		lost, summary = report['lost'], report['summary']
		assert 0 < sum(len(one['path']) for one in lost) <= 16 << 20
		assert summary['lost'] == 601 and len(lost) + summary['lost_more'] == 601 and summary['lost_more'] > 0
	P
	backuptool check --repair --yes >report.txt && false
	tail -n 2 report.txt | grep -Eqx 'lost: [0-9]+ more, not named here: together the paths are too long'
}

@test "of a file in many pieces one path is counted, named or not" {
	crafted flood snapshots 5000
	run -1 backuptool check
	[[ $output == *"damage hurts 1 path in 1 snapshot: "* && $output != *" more"* ]]
}
