#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The original layout, version 1: tests/data/classic holds files that the original program wrote.
# shellcheck disable=SC2154
load helper

classic_store() {
	mkdir snapshots
	cp "$TESTS"/data/classic/snapshot_*.json snapshots/
}

# The manifest's lines of a snapshot, and the same made from a directory.
manifest_of() {
	grep -a "^$1 " "$TESTS/data/classic/manifest.txt" | cut -d' ' -f2- | LC_ALL=C sort
}

listing_of() {
	(cd "$1" && find . -type f -print0 | xargs -0 sha256sum -z | tr '\0' '\n' | sed 's|^\(.\{64\}\)  \./|\1 |' | LC_ALL=C sort)
}

@test "classic snapshots are listed" {
	classic_store
	run -0 --separate-stderr backuptool list
	[ "$stderr" = "" ]
	[ "${#lines[@]}" = 5 ]
	[[ ${lines[1]} =~ ^snapshot_2026-11-22T11-38-24\.json\ +2026-11-22\ 11:38:24\ UTC\ .*\ 45\  ]]
	run -0 backuptool list --json
	[ "$(jq -c 'map([.classic, .files])' <<<"$output")" = "[[true,45],[true,48],[true,48]]" ]
}

@test "classic snapshots restore as the manifest says" {
	classic_store
	for name in snapshot_2026-11-22T11-38-24 snapshot_2026-11-22T11-38-44 snapshot_2026-11-22T11-38-45; do
		run -0 --separate-stderr bring "$name" "$name"
		[ "$stderr" = "" ]
		diff <(manifest_of "$name.json") <(listing_of "$name")
	done
}

@test "classic snapshots are found by local time" {
	classic_store
	bring @2026-11-22T11:38:30 out
	diff <(manifest_of snapshot_2026-11-22T11-38-24.json) <(listing_of out)
	TZ=Europe/Berlin bring @2026-11-22T11:38:44 out2
	diff <(manifest_of snapshot_2026-11-22T11-38-44.json) <(listing_of out2)
}

@test "a classic file anywhere, by its path" {
	mkdir anywhere
	cp "$TESTS/data/classic/snapshot_2026-11-22T11-38-45.json" anywhere/
	bring anywhere/snapshot_2026-11-22T11-38-45.json out
	diff <(manifest_of snapshot_2026-11-22T11-38-45.json) <(listing_of out)
}

@test "classic and new snapshots side by side" {
	classic_store
	small_tree src
	take src
	run -0 backuptool list --json
	[ "$(jq -c 'map(.classic)' <<<"$output")" = "[true,true,true,false]" ] || [ "$(jq 'map(.classic) | map(select(.)) | length' <<<"$output")" = 3 ]
	bring "$(basename "$(find snapshots -name 'snapshot_*Z.json')")" out
	same src out
}

@test "a damaged classic file is named" {
	classic_store
	truncate -s -1000 snapshots/snapshot_2026-11-22T11-38-24.json
	run -1 --separate-stderr backuptool list
	[[ $stderr == *snapshot_2026-11-22T11-38-24.json* ]]
	[ "${#lines[@]}" = 4 ]
}

# The original program's way: names → digests → Base64.
original_restore() {
	python3 - "$1" "$2" <<-'EOS'
		import base64, hashlib, json, os, sys
		with open(sys.argv[1], encoding='utf-8') as file:
		    snapshot = json.load(file)
		for path, digest in snapshot['files'].items():
		    data = base64.b64decode(snapshot['file_contents'][digest], validate=True)
		    assert hashlib.sha256(data).hexdigest() == digest
		    target = os.path.join(os.fsencode(sys.argv[2]), os.fsencode(path).lstrip(b'/'))
		    os.makedirs(os.path.dirname(target), exist_ok=True)
		    with open(target, 'wb') as out:
		        out.write(data)
		assert set(snapshot['file_contents']) == set(snapshot['files'].values())
		assert list(snapshot) == ['timestamp', 'files', 'file_contents', 'directory_size', 'snapshot_size']
	EOS
}

@test "export --classic: the original program's logic restores it" {
	small_tree src
	printf 'odd' >src/$'bad\xffname'
	take src
	run -0 --separate-stderr backuptool export --classic latest file.json
	[[ ${lines[0]} == "wrote $(newest) to file.json" ]]
	[ "${lines[1]}" = "2 entries were left out: this layout has no place for empty directories, symbolic links and devices" ]
	jq . file.json >/dev/null
	original_restore file.json out
	rm src/link
	diff <(listing_of src) <(listing_of out/src)
}

@test "export --classic of a classic snapshot, and back through this program" {
	classic_store
	backuptool export --classic 2026-11-22T11-38-45 snapshot_2030-01-01T00-00-00.json
	mkdir again
	mv snapshot_2030-01-01T00-00-00.json again/
	bring again/snapshot_2030-01-01T00-00-00.json out
	bring 2026-11-22T11-38-45 expected
	diff <(listing_of expected) <(listing_of out)
}

@test "export does not overwrite" {
	small_tree src
	take src
	echo precious >file.json
	run -1 --separate-stderr backuptool export --classic latest file.json
	[ "$stderr" = "backuptool export: file.json: exists already" ]
	[ "$(cat file.json)" = precious ]
}

@test "export names what was unreadable when the snapshot was taken, and ends with 3" {
	reachable_tool
	mkdir -m 777 store
	small_tree src
	chmod 000 src/docs/a.txt src/docs/notes
	run -3 as_user backuptool --store store/s snapshot --target-directory src
	chmod 700 src/docs/a.txt src/docs/notes
	run -3 --separate-stderr backuptool --store store/s export --classic latest file.json
	stderr_is "backuptool export: src/docs/a.txt: it could not be read when the snapshot was taken (permission denied)" \
		"backuptool export: src/docs/notes/: it could not be read when the snapshot was taken (permission denied)"
	[ "${lines[1]}" = "2 entries were left out: this layout has no place for empty directories, symbolic links and devices" ]
	original_restore file.json out
	[ -e out/src/photos/noise.bin ]
	[ ! -e out/src/docs/a.txt ]
}

@test "what a classic snapshot holds is stored again: it can be removed at any time" {
	small_tree src
	take src --store first
	mkdir snapshots
	backuptool --store first export --classic latest snapshots/snapshot_2020-01-01T00-00-00.json
	take src
	[ "$(backuptool list --json | jq '.[1].added')" -gt 300000 ]
	kept=$(newest)
	backuptool --store first export --classic latest snapshots/snapshot_2039-01-01T00-00-00.json
	run -0 backuptool remove --yes 2020-01-01
	run -0 backuptool remove --yes 2039-01-01
	[ ! -e snapshots/contents ] || [ -z "$(ls snapshots/contents)" ]
	run -0 backuptool check
	bring "$kept" out
	same src out
}
