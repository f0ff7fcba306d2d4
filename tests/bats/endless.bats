#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A small store whose directories name each other without end: every command that reads snapshots ends, and says why.
# shellcheck disable=SC2154
load helper

setup() {
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/backuptool-bats-XXXXXX")
	chmod 755 "$WORK"
	cd "$WORK" || return 1
	mkdir snapshots empty
}

NAME=snapshot_2026-11-22T10-30-00Z.json

# ends STATUS COMMAND…
ends() {
	run finite "${@:2}"
	[ "$status" = "$1" ] || {
		echo "$2: $status instead of $1: $(tail -n 3 err.txt)"
		return 1
	}
}

damaged() {
	ends "$@"
	grep -q "$NAME: damaged (bad-size)" err.txt out.txt
}

@test "every command ends with what the snapshot says that it has" {
	"$BATS_TEST_DIRNAME/make_shared.py" "snapshots/$NAME"
	damaged 3 ls latest
	damaged 3 ls latest -R
	damaged 3 find nothing
	damaged 3 versions d00/d00
	damaged 3 dump latest
	damaged 1 stats
	damaged 3 export --classic latest classic.json
	damaged 3 diff latest empty
	damaged 3 diff latest latest:d00
	damaged 1 restore --snapshot-file latest --output-directory dry --dry-run
	[ ! -e dry ]
	damaged 1 restore --snapshot-file latest --output-directory out
	[ "$(find out | wc -l)" -le 20 ]
	damaged 1 restore --snapshot-file latest --output-directory out --delete --yes
	[ "$(find out | wc -l)" -le 20 ]
	for command in list "cat latest:d00/d00/d00/d00/d00/d00/d00/d00/d00/d00/d00/d00/d00/d00/d00/d00/f" \
		check "check --quick" "check --repair" "tag latest --add a"; do
		# shellcheck disable=SC2086
		ends 0 $command
	done
}

@test "it is the parent of a snapshot, and is pruned" {
	"$BATS_TEST_DIRNAME/make_shared.py" "snapshots/$NAME"
	echo new >empty/file
	ends 0 snapshot --target-directory empty --host h
	ends 0 prune --snapshot-number 1 --dry-run --all
	ends 0 prune --snapshot-number 1 --all
	[ ! -e "snapshots/$NAME" ]
	run -0 backuptool check
}

@test "a summary of as many entries as there are paths is not believed" {
	"$BATS_TEST_DIRNAME/make_shared.py" "snapshots/$NAME" huge
	damaged 3 find nothing
	damaged 3 ls latest -R
	[ ! -s out.txt ]
	damaged 3 dump latest
	damaged 3 diff latest empty
	damaged 1 stats
	damaged 3 export --classic latest classic.json
	damaged 1 restore --snapshot-file latest --output-directory out
	[ -z "$(find out -mindepth 1 2>/dev/null)" ]
	ends 0 check
}

@test "copies of one directory, and many levels, are no damage" {
	mkdir -p src/one
	seq 20 | while read -r i; do echo "$i" >"src/one/$i"; done
	for i in $(seq 200); do cp -r src/one "src/copy$i"; done
	python3 -c 'import os
os.chdir("src")
for i in range(1500): os.mkdir("level"); os.chdir("level")
open("end", "w").close()'
	run -0 take src -q
	ends 0 find end
	grep -q 'level/end' out.txt
	ends 0 ls latest -R
	ends 0 restore --snapshot-file latest --output-directory out
	same src out
	ends 0 export --classic latest classic.json
	ends 0 diff latest empty
	[ "$(grep -c '/20$' out.txt)" = 201 ]
	ends 0 diff latest src
	ends 0 check
}
