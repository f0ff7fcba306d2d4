#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What dump says of names and files that are not as others.
# shellcheck disable=SC2154
load helper

# Files with holes whose names are not UTF-8, of lengths around what the forms of a tar header take.
sparse_tree() {
	python3 - "$1" <<'E'
import os, sys
top = os.fsencode(sys.argv[1])
def sparse(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(text)
        file.seek(1 << 20)
        file.write(b'end')
sparse(top + b'/' + b'L' * 203 + b'/bad\xff\xfe', b'x')
for number in b'12':
    sparse(top + b'/v\xff/' + b'N' * 120 + bytes([number]), bytes([number]))
for length in (10, 90, 95, 96, 97, 98, 99, 100, 101, 150, 155, 156, 200, 250):
    sparse(top + b'/' + b'n' * (length - 1) + b'\xff', b'%d' % length)
    sparse(top + b'/d\xff/' + b'm' * (length - 2) + 'é'.encode(), b'%d' % length)
    sparse(top + b'/' + b'D' * 150 + b'/' + b'o' * (length - 1) + b'\xf5', b'%d' % length)
sparse(top + '/é'.encode() * 60 + b'/plain', b'y')
E
}

@test "a file with holes keeps its name, whatever its bytes and its length" {
	sparse_tree src
	take src -q
	backuptool dump latest >x.tar
	mkdir gnu python
	tar -xf x.tar -C gnu
	diff -r src gnu
	python3 - <<'E'
import tarfile
with tarfile.open('x.tar', errors='surrogateescape', encoding='utf-8') as tar:
    tar.extractall('python')
E
	diff -r src python
	if command -v bsdtar; then
		mkdir bsd
		LC_ALL=C bsdtar -xf x.tar -C bsd
		diff -r src bsd
	fi
	# holes are kept wherever the name allows it
	[ "$(find gnu -name plain -printf %b)" -lt 1000 ]
}

has_begun() {
	! cmp -s -n 100 src/db before
}

# A snapshot in which the file db changed all the time while it was read.
take_torn() {
	mkdir src
	head -c 40M /dev/urandom >src/db
	cp src/db before
	echo whole >src/other
	python3 -c 'import os
file = os.open("src/db", os.O_WRONLY)
while True: os.pwrite(file, os.urandom(8), 5)' 3>&- &
	writer=$!
	wait_until has_begun
	run backuptool snapshot --target-directory src -q
	kill "$writer"
	wait "$writer" || true
	[ "$(backuptool find db --json | jq .torn)" = true ] || skip "it was read between two changes"
}

@test "a file that changed while it was read is named by all who give its bytes" {
	take_torn
	torn="db: it changed while the snapshot was taken"
	run -0 --separate-stderr bash -c 'backuptool cat latest:db >out.db'
	stderr_is "backuptool cat: $torn"
	run -0 --separate-stderr bash -c 'backuptool dump latest >x.tar'
	stderr_is "backuptool dump: ./$torn"
	run -0 --separate-stderr backuptool export --classic latest old.json
	[[ $stderr == "backuptool export: "*"$torn" ]]
	run -0 --separate-stderr backuptool cat latest:other
	stderr_is ""
	run -0 backuptool versions db
	[[ ${lines[1]} == *"(changed while it was read)" ]]
	[ "$(backuptool versions db --json | jq .torn)" = true ]
}

@test "a directory that could not be read is empty in the stream, and named" {
	mkdir -p src/closed
	echo a >src/closed/a
	echo b >src/b
	chmod 000 src/closed
	chmod 777 .
	reachable_tool
	as_user ./backuptool snapshot --target-directory src -q || [ $? = 3 ]
	for snapshot in latest latest:closed; do
		run -3 --separate-stderr bash -c "backuptool dump $snapshot >t.tar"
		[ "${#stderr_lines[@]}" = 1 ]
		[[ $stderr == *": it could not be read when the snapshot was taken (permission denied)" ]]
	done
	backuptool dump latest >t.tar || true
	[ "$(tar -tf t.tar | sort | tr '\n' ' ')" = "./ ./b ./closed/ " ]
}
