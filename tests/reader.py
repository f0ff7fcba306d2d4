#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second reader of stores, written from engine/FORMAT.md alone, with Python's library and the programs zstd and xxhsum.

  reader.py list STORE                      a line a snapshot: name, files, directories, others, bytes
  reader.py names STORE SNAPSHOT            the users and groups, a line each: kind, number, name
  reader.py extract STORE SNAPSHOT DIR      restores a snapshot below DIR, which is made
Every digest that the format gives is verified; what differs ends the program with a message.
"""
import base64
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import stat
import struct
import subprocess
import sys

TYPES = {'fifo': stat.S_IFIFO, 'socket': stat.S_IFSOCK, 'chardev': stat.S_IFCHR, 'blockdev': stat.S_IFBLK}
# By their letters, in the order in which they stand.
FLAGS = dict(s=0x1, u=0x2, c=0x4, S=0x8, i=0x10, a=0x20, d=0x40, A=0x80, m=0x400, j=0x4000, t=0x8000, D=0x10000, T=0x20000,
             C=0x800000, x=0x2000000, P=0x20000000, F=0x40000000)
FS_IOC_SETFLAGS = 0x40086602
# The members of each kind of object, in their order; those of a newer program follow them.
HEADER = ('format version kind needs timestamp host target target_b64 parent tags program user rules rules_omitted options '
          'pinned expires description partial').split()
SUMMARY = ('root files directories others directory_size stored_size new changed unchanged errors torn removed left_out '
           'boundaries names xattrs').split()
ENTRY = ('name name_b64 type mode uid gid size mtime sha256 chunks chunk_pages holes tree boundary target target_b64 rdev '
         'inode links dev xattrs flags project error torn stat').split()
LEAF = 'name name_b64 entries tree'.split()
NEEDS = ()  # the features that this reader knows


def need(condition, *what):
    if not condition:
        sys.exit('reader.py: ' + ' '.join(map(str, what)))


def sha256(*parts):
    return hashlib.sha256(b''.join(parts)).hexdigest()


def run(*command, data):
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def parse(text):
    def no_duplicates(pairs):
        need(len({key for key, _ in pairs}) == len(pairs), 'duplicate key in', text[:100])
        return dict(pairs)
    return json.loads(text, object_pairs_hook=no_duplicates)


def nests(value, depth):
    """Whether a value of a newer program, in so many brackets, is as it may be."""
    if not isinstance(value, (dict, list)):
        return True
    if isinstance(value, dict) and (len(value) > 64 or not all(map(is_name, value))):
        return False
    return depth < 16 and all(nests(below, depth + 1) for below in (value.values() if isinstance(value, dict) else value))


def is_name(key):
    return re.fullmatch('[a-z0-9_]{1,64}', key)


def check_members(value, known, depth):
    """Known members in their order, and after them at most 16 of a newer program."""
    count = next((i for i, key in enumerate(value) if key not in known), len(value))
    places, further = [known.index(key) for key in list(value)[:count]], list(value)[count:]
    need(places == sorted(places) and not set(further) & set(known), 'members in another order:', *value)
    need(len(further) <= 16 and all(map(is_name, further)) and all(nests(value[key], depth) for key in further),
         'members that may not be:', *further)
    return value


def is_line(text, most):
    return 0 < len(text.encode()) <= most and not re.search('[\0-\x1f\x7f]', text)


def check_taken(header):
    """How a snapshot was taken, and what is to become of it."""
    for key, most in (('program', 64), ('user', 255), ('description', 4096)):
        need(key not in header or is_line(header[key], most), key)
    for key in ('rules_omitted', 'pinned', 'partial'):
        need(header.get(key, True) is True, key)
    need('rules_omitted' not in header or 'rules' not in header, 'rules and none')
    need('expires' not in header or re.fullmatch(r'\d{4}(-\d\d){2}T\d\d:\d\d:\d\d\.\d{9}Z', header['expires']), 'expires')
    lists = {key: [item.encode() if isinstance(item, str) else from_base64(item['b64'].encode()) for item in header.get(key, [b''])
                   if item] for key in ('rules', 'options')}
    need(all(b'\0' not in item for items in lists.values() for item in items), 'NUL in rules')
    need(lists['options'] == sorted(set(lists['options'])), 'options')
    need(header.get('rules', True) and header.get('options', True), 'empty lists')


def from_base64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data) == text, 'bad Base64')
    return data


def named(entry, key):
    """A byte string of an entry: text, or Base64 where it is not UTF-8."""
    if key + '_b64' in entry:
        return from_base64(entry[key + '_b64'].encode())
    return entry[key].encode()


def number(value):
    return int(value)  # large ones are strings


def plain_text(path):
    """What is in a file, however it lies."""
    data = path.read_bytes()
    if path.suffix != '.zst':
        return data
    entries, sums, magic = struct.unpack('<IBI', data[-9:])
    begin = len(data) - 9 - 8 * entries - 8
    need((sums, magic) == (0, 0x8F92EAB1) and entries >= 2 and begin > 0, path, 'has no seek table')
    need(data[begin:begin + 8] == struct.pack('<II', 0x184D2A5E, 8 * entries + 9), path, 'seek table')
    table = [struct.unpack_from('<II', data, begin + 8 + 8 * index) for index in range(entries)]
    need(table.pop() == (40, 0) and sum(size for size, _ in table) == begin - 40, path, 'sizes of frames')
    need(data[begin - 40:begin] == struct.pack('<II', 0x184D2A5D, 32) + hashlib.sha256(data[:begin - 40]).digest(), path,
         'SHA-256 of frames')
    text, at = [], 0
    for size, plain in table:
        need(0 < plain <= min(2**20, 256 * size), path, 'frame at', at)
        text.append(subprocess.run(['zstd', '-dcq'], input=data[at:at + size], capture_output=True, check=True).stdout)
        need(len(text[-1]) == plain, path, 'frame at', at)
        at += size
    return b''.join(text)


def of_both_kinds(directory, pattern):
    """Files by their names without .zst; of two of one name the plain one counts."""
    return {path.name.removesuffix('.zst'): path for kind in ('.zst', '') for path in directory.glob(pattern + kind)}


class File:
    """A snapshot or volume: its parts, verified."""
    def __init__(self, path):
        self.path, self.data = path, plain_text(path)
        data, last = self.data, self.data.rfind(b'\n', 0, -1) + 1
        need(data.endswith(b'}}\n'), path, 'is cut off')
        self.end = end = parse(b'{' + data[last:-2] + b'}')['end']
        need(sha256(data[:end['blocks']], data[end['summary']:data.rindex(b'"open_sha256"')]) == end['open_sha256'],
             path, 'open_sha256')
        need(sha256(data[end['contents']:end['trees']], data[end['tree_index']:end['summary']]) == end['index_sha256'],
             path, 'index_sha256')
        whole = parse(data)
        self.header = {key: whole[key] for key in whole if key not in end and key != 'end'}
        need((whole['format'], whole['version']) == ('backuptool', 2), path, 'is of another format')
        for feature in whole.get('needs', []):
            need(feature in NEEDS, path, 'needs a newer reader, which knows', feature)
        check_members(self.header, HEADER, 1)
        check_taken(self.header)
        check_members(whole['summary'], SUMMARY if whole['kind'] == 'snapshot' else [], 1)
        if 'root' in whole['summary']:
            check_members(whole['summary']['root'], ENTRY, 2)
        self.contents, self.summary, self.tree_index = whole['contents'], whole['summary'], whole['tree_index']
        need(len(whole['blocks']) == len(self.contents) and len(whole['trees']) == len(self.tree_index), path, 'lists')

    def block(self, index):
        """The plain contents of a block, each with its digest verified."""
        line = self.contents[index]
        at, length = line['at'], line['length']
        need(self.data[at - 9:at] == b'{"zstd":"' and self.data[at + length:at + length + 2] == b'"}', self.path, 'at', at)
        frame = from_base64(self.data[at:at + length])
        need('file_sha256' in self.end or run('xxhsum', '-q', '-H2', data=frame)[:32].decode() == line['xxh3'], self.path, 'xxh3 at', at)
        plain = run('zstd', '-dcq', data=frame)
        need(len(plain) == line['size'] == sum(size for _, size in line['holds']), self.path, 'sizes at', at)
        start = 0
        for digest, size in line['holds']:
            need(sha256(plain[start:start + size]) == digest, self.path, 'content', digest)
            yield digest, plain[start:start + size]
            start += size


class Store:
    def __init__(self, path):
        store = pathlib.Path(path)
        # Of one second, ….json comes before …-1.json.
        found = of_both_kinds(store, 'snapshot_*.json')
        names = sorted(found, key=lambda name: (name.partition('Z')[0], len(name), name))
        self.snapshots = {name: File(found[name]) for name in names}
        volumes = sorted(of_both_kinds(store / 'contents', '*.json').values())
        files = [*self.snapshots.values(), *map(File, volumes)]
        self.pages, self.where, self.decoded = {}, {}, (None, {})
        for file in files:
            for page, at, length in file.tree_index:
                need(sha256(file.data[at:at + length]) == page, file.path, 'page', page)
                self.pages[page] = file.data[at:at + length]
            for index, line in enumerate(file.contents):
                self.where.update({digest: (file, index) for digest, _ in line['holds']})

    def content(self, digest):
        if self.decoded[0] != self.where[digest]:
            file, index = self.where[digest]
            self.decoded = (file, index), dict(file.block(index))
        return self.decoded[1][digest]

    def entries(self, page, above=0):
        parsed = parse(self.pages[page])
        if 'pages' in parsed:
            need(above < 16 and len(parsed['pages']) > 1, page, 'is a bad index page')
            return [entry for leaf in parsed['pages'] for entry in self.listed(check_members(leaf, LEAF, 3), above + 1)]
        names = [named(check_members(entry, ENTRY, 3), 'name') for entry in parsed['entries']]
        need(names == sorted(set(names)), page, 'is not sorted')
        return parsed['entries']

    def listed(self, leaf, above):
        """What is below a line of an index page, which says how much that is and how it begins."""
        entries = self.entries(leaf['tree'], above)
        need(len(entries) == leaf['entries'] and named(entries[0], 'name') == named(leaf, 'name'), leaf, 'is not right')
        return entries

    def names(self, summary):
        """What users and groups are called: two dictionaries."""
        if 'names' not in summary:
            return {}, {}
        page = parse(self.pages[summary['names']])
        need(list(page) == ['users', 'groups'] and (page['users'] or page['groups']), 'names', page)
        for pairs in page.values():
            need([pair[0] for pair in pairs] == sorted({pair[0] for pair in pairs}), 'names are not sorted')
            need(all(0 < len(name.encode()) < 256 and name.isprintable() for _, name in pairs), 'names', pairs)
        return dict(page['users']), dict(page['groups'])

    def chunks(self, entry):
        if 'chunk_pages' in entry:
            return [chunk for page, _ in entry['chunk_pages'] for chunk in parse(self.pages[page])['chunks']]
        if 'chunks' in entry:
            return entry['chunks']
        return [[entry['sha256'], entry['size']]] if number(entry['size']) else []


def write_file(store, entry, path):
    """Fills the ranges between the holes with the chunks, one after the other."""
    data, whole, at = b''.join(store.content(digest) for digest, _ in store.chunks(entry)), hashlib.sha256(), 0
    with open(path, 'xb') as out:
        for offset, length in [*entry.get('holes', []), [number(entry['size']), 0]]:
            piece, data = data[:number(offset) - at], data[number(offset) - at:]
            out.seek(at)
            out.write(piece)
            whole.update(piece)
            if 'sha256' in entry:
                whole.update(bytes(number(length)))
            at = number(offset) + number(length)
        out.truncate(number(entry['size']))
    need(not data and ('sha256' not in entry or whole.hexdigest() == entry['sha256']), path, 'has another digest')


def set_metadata(entry, path):
    if os.geteuid() == 0:
        os.chown(path, entry['uid'], entry['gid'], follow_symlinks=False)
    for name, value, *raw in entry.get('xattrs', []):
        if name in ('trusted.SGI_ACL_FILE', 'trusted.SGI_ACL_DEFAULT'):
            continue
        os.setxattr(path, from_base64(raw[0].encode()) if raw else name, from_base64(value.encode()), follow_symlinks=False)
    if entry['type'] != 'symlink':
        os.chmod(path, int(entry['mode'], 8))
    if 'flags' in entry:
        need(entry['flags'] == ''.join(letter for letter in FLAGS if letter in entry['flags']), path, 'has unknown flags')
    seconds, nanoseconds = entry['mtime']
    os.utime(path, ns=(0, number(seconds) * 10**9 + nanoseconds), follow_symlinks=False)
    if 'flags' in entry:
        set_flags(path, sum(FLAGS[letter] for letter in entry['flags']))


def set_flags(path, flags):
    """As far as the file system takes them."""
    fd = os.open(path, os.O_RDONLY)
    with contextlib.suppress(OSError):
        fcntl.ioctl(fd, FS_IOC_SETFLAGS, struct.pack('i', flags))
    os.close(fd)


def extract(store, entry, path, links):
    if 'error' in entry:
        print(path, 'could not be read when the snapshot was taken:', entry['error'], file=sys.stderr)
        return
    inode = (entry.get('dev'), entry['inode']) if 'inode' in entry else None
    if inode in links and inode:
        os.link(links[inode], path, follow_symlinks=False)
        return
    links[inode] = path
    if entry['type'] == 'dir':
        os.mkdir(path)
        need('boundary' not in entry or not store.entries(entry['tree']), path, 'is a boundary, and not empty')
        for child in store.entries(entry['tree']):
            extract(store, child, os.path.join(path, named(child, 'name')), links)
    elif entry['type'] == 'file':
        write_file(store, entry, path)
    elif entry['type'] == 'symlink':
        os.symlink(named(entry, 'target'), path)
    else:
        os.mknod(path, TYPES[entry['type']] | 0o600, os.makedev(*entry.get('rdev', [0, 0])))
    set_metadata(entry, path)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == 'list':
        for name, file in Store(sys.argv[2]).snapshots.items():
            print(name, *(file.summary[key] for key in ('files', 'directories', 'others', 'directory_size')))
    elif len(sys.argv) == 4 and sys.argv[1] == 'names':
        store = Store(sys.argv[2])
        for kind, names in zip(('user', 'group'), store.names(store.snapshots[sys.argv[3]].summary)):
            for number_of, name in names.items():
                print(kind, number_of, name)
    elif len(sys.argv) == 5 and sys.argv[1] == 'extract':
        store = Store(sys.argv[2])
        extract(store, store.snapshots[sys.argv[3]].summary['root'], os.fsencode(sys.argv[4]), {})
    else:
        sys.exit(__doc__)


main()
