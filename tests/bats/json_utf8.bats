#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# JSON is UTF-8, whatever bytes names are.
# shellcheck disable=SC2154
load helper

# Names of every kind of bytes: valid ones, and what only looks like characters.
odd_names() {
	python3 - "$1" <<'E'
import os, sys
names = [b'plain', 'é'.encode(), '\u20ac'.encode(), '\U0010ffff'.encode(), '\ufffe'.encode(), '\u2028'.encode(),
         b'\xf4\x90\x80\x80', b'\xf5\x80\x80\x80', b'\xf7\xbf\xbf\xbf', b'\xf8\x88\x80\x80\x80',
         b'\xfc\x84\x80\x80\x80\x80', b'\xfd\xbf\xbf\xbf\xbf\xbf', b'\xfe', b'\xff', b'\x80', b'\xc3', b'\xc0\xaf',
         b'\xe0\x80\xaf', b'\xed\xa0\x80', b'\xed\xbf\xbf', b'\xf0\x80\x80\xaf', b'\xf5\xa5\xb1\xb2', b'a\xffb', b'\x01\n"\\'] + [
         f'x{c}y'.encode() for c in '\x7f\x85\x9b\xad\u061c\u180e\u200b\u200e\u2029\u202e\u2060\u2066\ufeff\ufffb\U000e0001\U000e0041']
top = os.fsencode(sys.argv[1])
for name in names:
    os.makedirs(os.path.join(top, b'd' + name))
    with open(os.path.join(top, b'd' + name, name), 'wb') as file:
        file.write(name)
    os.symlink(name, os.path.join(top, b'l' + name))
    try:
        os.setxattr(os.path.join(top, b'd' + name, name), b'user.' + name, b'1')
    except OSError as error:
        print(error, file=sys.stderr)
E
}

# shows_all FILE: no character that a terminal obeys, hides, or shows in another order.
shows_all() {
	python3 - "$1" <<'E'
import sys, unicodedata
text = open(sys.argv[1], 'rb').read().decode('utf-8', 'strict')
bad = {c for c in text if c not in '\n\r\t' and (unicodedata.category(c) in ('Cc', 'Zl', 'Zp') or
       unicodedata.category(c) == 'Cf' and not 0x600 <= ord(c) <= 0x605)}
assert not bad, (sys.argv[1], sorted(map(hex, map(ord, bad))))
E
}

# strict COMMAND…: its standard output is JSON in UTF-8 as a strict reader takes it; it stays in ./said.
strict() {
	local code=0
	backuptool "$@" --json >said 2>errors </dev/null || code=$?
	if [ "$code" != 0 ] && [ "$code" != 3 ]; then
		cat errors
		false
	fi
	python3 - said <<'E'
import json, sys
text = open(sys.argv[1], 'rb').read().decode('utf-8', 'strict')
try:
    json.loads(text)
except json.JSONDecodeError:
    for line in text.strip().split('\n'):
        json.loads(line)
E
	shows_all said
	shows_all errors
}

# The same for people.
plain() {
	backuptool "$@" >said 2>errors </dev/null || [ $? != 2 ]
	shows_all said
	shows_all errors
}

@test "every command's --json is UTF-8 for names, targets, links and attributes of any bytes" {
	top=$(printf 'of\xf5\x80\x80\x80')
	odd_names "$top"
	strict snapshot --target-directory "$top"
	strict list
	strict ls -R latest
	strict find '*'
	strict stats
	strict versions "$(printf 'd\xff/\xff')"
	strict check
	strict check --repair --dry-run
	strict restore --snapshot-file latest --output-directory "$(printf 'out\xf4\x90\x80\x80')"
	strict export --classic latest "$(printf 'old\xf5\x80\x80\x80')"
	strict tag latest --add x
	rm -r "$top"/d*
	strict diff latest
	strict snapshot --target-directory "$top"
	strict diff latest~1 latest
	strict job --target-directory "$top" --interval 1s --duration 1s
	strict prune --keep-last 1 --dry-run
	strict remove latest~1 --dry-run
	strict schedule --print --target-directory "$top" --interval 1h
	strict help
}

@test "what people read has no character that does more than it shows, in text and in errors" {
	top=$(printf 'of\u202e\u200b\ufeff')
	odd_names "$top"
	tag=$(printf 'a\u2066b\U000e0041')
	plain snapshot --target-directory "$top" -v --tag "$tag"
	plain list
	plain ls -lR latest
	plain find '*'
	plain stats
	plain check
	plain diff latest
	plain diff latest "$(printf 'no\u202ewhere')"
	plain cat "latest:$(printf 'no\u200bfile')"
	plain versions "$(printf 'd\ufeff')"
	plain restore --snapshot-file latest --output-directory "$(printf 'out\u2067')" -v
	plain restore --snapshot-file "$(printf 'no\u009bname')" --output-directory x
	plain list --store "$(printf 'no\U000e0001store')"
	plain job --target-directory "$top" --interval 1s --duration 1s
	plain prune --keep-last 1
	plain schedule --print --target-directory "$top" --interval 1h
	rm -r "$top"
	plain snapshot --target-directory "$top"
	plain remove latest
}

@test "what is not UTF-8 can be got back from its Base64" {
	odd_names src
	take src -q
	backuptool ls -R latest --json >said
	python3 - <<'E'
import base64, json, os
def text(object, key):
    return os.fsencode(object[key]) if key in object else base64.b64decode(object[key + '_b64'])
def element(item):
    return base64.b64decode(item['b64']) if isinstance(item, dict) else os.fsencode(item)
entries = {text(entry, 'path'): entry for entry in map(json.loads, open('said', 'rb'))}
seen = 0
for top, directories, files in os.walk(b'src'):
    for name in directories + files:
        path = os.path.join(top, name)
        entry = entries.pop(path[len(b'src/'):])
        if os.path.islink(path):
            assert text(entry, 'target') == os.readlink(path)
        elif os.path.isfile(path):
            names = sorted(os.fsencode(one) for one in os.listxattr(path))
            assert sorted(map(element, entry.get('xattrs', []))) == names, path
            seen += len(names)
assert not entries, entries
assert seen > 10, seen
E
}
