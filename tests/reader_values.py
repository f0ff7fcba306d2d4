# SPDX-License-Identifier: MIT
"""Values, objects and entries of a store for reader.py, written from sections 2 to 4 and 7 of engine/FORMAT.md alone.

A check takes what JSON has for a value, and returns what it means. What must not be ends in Refused.
"""

import base64
import contextlib
import datetime
import hashlib
import json
import re

MIB = 1 << 20
EMPTY = hashlib.sha256(b'{"entries":[]}').hexdigest()


class Refused(Exception):
    pass


@contextlib.contextmanager
def about(name):
    try:
        yield
    except (Refused, ValueError) as e:
        raise Refused(f'{name}: {e}') from e


def must(right, *reason):
    if not right:
        raise Refused(' '.join(map(str, reason)))


# ---- Section 2: values. Each has one spelling, so a line is right if its value is spelled as the line is.

def spell(value):
    text = json.dumps(value, ensure_ascii=False, separators=(',', ':'))
    short = {'\\n': 'a', '\\r': 'd', '\\t': '9', '\\b': '8', '\\f': 'c'}
    text = re.sub(r'\\.', lambda found: '\\u000' + short[found[0]] if found[0] in short else found[0], text)
    return text.replace('\x7f', '\\u007f').encode()


def parse(line):
    def unique(pairs):
        must(len(dict(pairs)) == len(pairs), 'duplicate-key')
        return dict(pairs)

    def no(word):
        raise Refused('bad-number: ' + word)

    try:
        value = json.loads(line.decode(), object_pairs_hook=unique, parse_float=no, parse_constant=no)
        must(spell(value) == line, 'not spelled as it must be')
    except (ValueError, RecursionError) as e:
        raise Refused('not-json: ' + str(e)) from e
    return value


def number(least=0, most=2**64 - 1):
    def check(value):
        large = type(value) is str and re.fullmatch('[1-9][0-9]{15,19}', value)
        must(type(value) is int or large, 'wrong-type')
        must((int(value) >= 2**53) == bool(large) and least <= int(value) <= most, 'bad-number', value)
        return int(value)
    return check


def string(pattern='(?s).*', least=0, most=16 * MIB, reason='bad-name'):
    def check(value):
        must(type(value) is str, 'wrong-type')
        must(least <= len(value.encode()) <= most and re.fullmatch(pattern, value), reason, value[:80])
        return value
    return check


def exactly(*values):
    def check(value):
        must(any(value is right for right in values), 'bad-type')
        return value
    return check


def data(value):
    plain = base64.b64decode(string()(value), validate=True)
    must(base64.b64encode(plain).decode() == value, 'bad-base64')
    return plain


def text(value):
    """A byte string that is UTF-8. None of them has a NUL."""
    return string(r'[^\0]*')(value).encode()


def data_not_utf8(value):
    plain = data(value)
    must(plain.decode(errors='ignore').encode() != plain, 'needless-base64')
    must(b'\0' not in plain, 'bad-name')
    return plain


def byte_string(value):
    return data_not_utf8(value['b64']) if type(value) is dict and list(value) == ['b64'] else text(value)


def row(*elements):
    def check(value):
        must(type(value) is list and len(value) == len(elements), 'wrong-type')
        return [check(e) for check, e in zip(elements, value)]
    return check


def listed(element, least=1, most=1 << 40, increasing=None):
    """A list; increasing says of an element by what the list is sorted, without equal ones."""
    def check(value):
        must(type(value) is list, 'wrong-type')
        must(least <= len(value) <= most, 'bad-size or too-large')
        got = [element(e) for e in value]
        must(not increasing or all(increasing(a) < increasing(b) for a, b in zip(got, got[1:])), 'unsorted')
        return got
    return check


def moment(value):
    string(r'[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}(:[0-9]{2}){2}\.[0-9]{9}Z', reason='bad-time')(value)
    datetime.datetime.fromisoformat(value[:19])
    return value


def point(value):
    must(type(value) is list and len(value) == 2 and type(value[0]) is int, 'wrong-type')
    must(abs(value[0]) < 2**53, 'bad-number')
    return value[0] * 10**9 + number(0, 999999999)(value[1])


def xattr(value):
    encoded = type(value) is list and len(value) == 3
    name, content, *encoded = row(exactly(None), data, data_not_utf8)(value) if encoded else row(text, data)(value)
    name = encoded[0] if encoded else name
    must(1 <= len(name) <= 255, 'bad-xattr')
    return name, content


def members(value, table, required, nesting=0):
    """The members of an object. If nesting is given, which is its depth in its line, it may have further ones."""
    must(type(value) is dict, 'wrong-type')
    known = [name for name in table if name in value]
    further = list(value)[len(known):]
    must(list(value)[:len(known)] == known, 'key-order or unknown-key', *list(value))
    must(nesting or not further, 'unknown-key', *further)
    must(len(further) <= 16, 'too-large')
    for name in further:
        check_further(name, value[name], nesting)
    got = {name: table[name](value[name]) for name in known}
    for name in [n for n in known if n.endswith('_b64')]:
        must(name[:-4] not in got, 'duplicate-key')
        got[name[:-4]] = got.pop(name)
    for name in required.split():
        must(name in got, 'missing-key', name)
    return got


def check_further(name, value, nesting):
    must(re.fullmatch('[a-z0-9_]{1,64}', name), 'bad-name', name)
    if type(value) is int:
        must(abs(value) < 2**53, 'bad-number')
    if type(value) in (list, dict):
        must(nesting < 16, 'too-deep')
    if type(value) is dict:
        must(len(value) <= 64, 'too-large')
        for inner in value:
            check_further(inner, value[inner], nesting + 1)
    if type(value) is list:
        for element in value:
            check_further('_', element, nesting + 1)


DIGEST = string('[0-9a-f]{64}', reason='bad-digest')
XXH3 = string('[0-9a-f]{32}', reason='bad-digest')
FLAGS_IN_ORDER = 's?u?c?S?i?a?d?A?m?j?t?D?T?C?x?P?F?'
NO_CONTROLS = '[^\x00-\x1f\x7f]*'
NEEDS = listed(string('[a-z0-9_]{1,64}'), 1, 16, increasing=str)
UID = number(0, 2**32 - 2)
PART = row(DIGEST, number(1))
COUNT, TRUE = number(1), exactly(True)

HEADER = {
    'format': string('backuptool'), 'version': number(2, 2), 'kind': string('snapshot|volume'), 'timestamp': moment,
    'host': text, 'target': text, 'target_b64': data_not_utf8,
    'parent': lambda value: value and string(r'(?!\.\.?$)[^/\0]+', 1, 255)(value),
    'tags': listed(string(NO_CONTROLS), 0, increasing=str.encode),
    'program': string(NO_CONTROLS, 1, 64), 'user': string(NO_CONTROLS, 1, 255),
    'rules': listed(byte_string), 'rules_omitted': TRUE, 'options': listed(byte_string, increasing=bytes),
    'pinned': TRUE, 'expires': moment, 'description': string(NO_CONTROLS, 1, 4096), 'partial': TRUE,
    'rewritten': string(r'(?!\.\.?$)[^/\0]+', 1, 255), 'streams': TRUE}
VOLUME = {name: HEADER[name] for name in ('format', 'version', 'kind', 'timestamp')}
BLOCK = {'at': number(), 'length': number(1, 12 * MIB), 'xxh3': XXH3, 'size': number(1, 8 * MIB), 'holds': listed(PART)}
END = {'blocks': number(), 'contents': number(), 'trees': number(), 'tree_index': number(), 'summary': number(),
       'index_sha256': DIGEST, 'open_sha256': DIGEST, 'file_sha256': DIGEST}
ENTRY = {
    'name': text, 'name_b64': data_not_utf8, 'type': string('file|dir|symlink|fifo|socket|chardev|blockdev'),
    'mode': string('[0-7]{4}', reason='bad-mode'), 'uid': UID, 'gid': UID, 'size': number(0, 2**63 - 1), 'mtime': point,
    'btime': point,
    'sha256': DIGEST, 'chunks': listed(PART, 0, 64), 'chunk_pages': listed(PART),
    'holes': listed(row(number(), number(1)), 1, 65536), 'tree': DIGEST, 'boundary': string('[!-~]*', 1, 64),
    'target': text, 'target_b64': data_not_utf8,
    'rdev': row(number(0, 2**32 - 1), number(0, 2**32 - 1)), 'inode': number(), 'links': number(2), 'dev': number(1),
    'xattrs': listed(xattr, increasing=lambda x: x[0]),
    'flags': string(FLAGS_IN_ORDER, 1, reason='bad-mode'), 'project': number(1, 2**32 - 1),
    'error': string('E[A-Z0-9]{1,31}'), 'torn': TRUE, 'stat': data}
ONLY_IN = {'file': 'size sha256 chunks chunk_pages holes flags project error torn inode links dev',
           'dir': 'tree boundary flags project error', 'symlink': 'target error inode links dev',
           'fifo': 'inode links dev', 'socket': 'inode links dev',
           'chardev': 'rdev inode links dev', 'blockdev': 'rdev inode links dev'}
ONES_IN = {'file': 'size', 'dir': 'tree', 'symlink': 'target', 'chardev': 'rdev', 'blockdev': 'rdev'}
SUMMARY = {
    'root': lambda value: entry(value, 2), 'files': number(), 'directories': number(1), 'others': number(),
    'directory_size': number(), 'stored_size': number(), 'new': number(), 'changed': number(), 'unchanged': number(),
    'errors': number(), 'torn': COUNT, 'removed': COUNT, 'removed_bytes': COUNT, 'left_out': COUNT, 'boundaries': COUNT, 'names': DIGEST,
    'xattrs': exactly(True, False)}
LISTED_PAGE = {'name': text, 'name_b64': data_not_utf8, 'entries': number(1), 'tree': DIGEST}
NAMES = listed(row(UID, string(NO_CONTROLS, 1, 255)), 0, 65536, increasing=lambda e: e[0])


def entry(value, nesting):
    """An entry (section 4), nested that deep in its line; the root has no name."""
    e = members(value, ENTRY, 'type mode uid gid mtime' + (' name' if nesting > 2 else ''), nesting)
    for name in set(e) - set('name type mode uid gid mtime btime xattrs stat'.split()):
        must(name in ONLY_IN[e['type']].split(), 'bad-type', name)
    if 'name' in e:
        name = e['name']
        must(nesting > 2, 'unknown-key')
        must(1 <= len(name) <= 255 and name not in (b'.', b'..') and b'/' not in name, 'bad-name', name)
    else:
        must(e['type'] == 'dir' and 'boundary' not in e, 'bad-type')
    must('inode' in e or 'dev' not in e, 'missing-key')
    must(('inode' in e) == ('links' in e), 'missing-key')
    must(len(e.get('stat', b'8 bytes.')) == 8, 'bad-size')
    check_content(e)
    return e


def check_content(e):
    content = {'sha256', 'chunks', 'chunk_pages', 'holes', 'tree', 'boundary', 'target', 'torn'} & set(e)
    if 'error' in e:
        must(not content, 'bad-type')
        return
    for name in ONES_IN.get(e['type'], '').split():
        must(name in e, 'missing-key', name)
    must(1 <= len(e.get('target', b'x')) <= 4095, 'bad-target')
    must('boundary' not in e or e['tree'] == EMPTY, 'bad-type')
    parts = {'chunks', 'chunk_pages'} & content
    must(len(parts) < 2, 'bad-type')
    must(parts or 'holes' not in e, 'bad-hole')
    end = -1
    for start, length in e.get('holes', []):
        must(end < start and start + length <= e['size'], 'bad-hole')
        end = start + length
    if e['type'] == 'file' and 'sha256' not in e:
        must('torn' in e and parts or hole_bytes(e) > 1024 * MIB, 'missing-key sha256')


def hole_bytes(e):
    return sum(length for _, length in e.get('holes', []))
