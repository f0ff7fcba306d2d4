#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A second reader of stores, written from engine/FORMAT.md alone.

  reader.py list STORE                      a line a snapshot: name, files, directories, others, bytes
  reader.py names STORE SNAPSHOT            the users and groups, a line each: kind, number, name
  reader.py extract STORE SNAPSHOT DIR      restores a snapshot below DIR, which is made

`list` reads what opens a snapshot; the other two verify every byte of every file of the store. What differs from the
text ends the program. It needs the program `zstd`. Where the program `xxhsum` is absent, xxh3 is not compared. It does
not read version 1.
"""

import fcntl
import hashlib
import itertools
import mmap
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from reader_values import (BLOCK, COUNT, DIGEST, END, HEADER, LISTED_PAGE, MIB, NAMES, NEEDS, PART, SUMMARY, VOLUME,
                           about, data, entry, hole_bytes, listed, members, must, number, parse, Refused, row)


# ---- Section 8: files that lie compressed; and the frames of zstd.

def frame_size(frame):
    """How many plain bytes a frame stands for. It is one frame, with that size and a checksum, without dictionary and with a
    window of at most 8 MiB."""
    must(len(frame) > 8 and frame[:4] == b'\x28\xb5\x2f\xfd' and frame[4] & 0b1111 == 4, 'bad-frame')
    single, width = frame[4] >> 5 & 1, (frame[4] >> 5 & 1, 2, 4, 8)[frame[4] >> 6]
    must(single or frame[5] <= 13 << 3, 'bad-frame: window')
    at = 6 - single
    must(width, 'bad-frame: no size')
    size = int.from_bytes(frame[at:at + width], 'little') + (256 if width == 2 else 0)
    at, last = at + width, False
    while not last:
        must(at + 3 <= len(frame), 'bad-frame: cut')
        head = int.from_bytes(frame[at:at + 3], 'little')
        last, at = head & 1, at + 3 + (1 if head >> 1 & 3 == 1 else head >> 3)
    must(at + 4 == len(frame), 'bad-frame or trailing-frame')
    return size


def decode(frames, into):
    first = next(frames, None)
    if first is None:
        return
    with open(into, 'wb') as out, subprocess.Popen(['zstd', '-dcq'], stdin=subprocess.PIPE, stdout=out) as program:
        for frame in itertools.chain([first], frames):
            program.stdin.write(frame)
    must(program.returncode == 0, 'bad-frame')


def frames_at_rest(raw):
    must(len(raw) >= 57 and raw[-4:] == b'\xb1\xea\x92\x8f' and raw[-5] == 0, 'bad-seek-table')
    count = int.from_bytes(raw[-9:-5], 'little')
    table = len(raw) - 17 - 8 * count
    must(table >= 40 and count >= 2, 'bad-seek-table')
    must(raw[table:table + 8] == struct.pack('<II', 0x184d2a5e, 8 * count + 9), 'bad-seek-table')
    rows = list(struct.iter_unpack('<II', raw[table + 8:-9]))
    must(rows.pop() == (40, 0) and sum(size for size, _ in rows) == table - 40, 'bad-seek-table')
    at = 0
    for size, plain in rows:
        bound = plain + (plain >> 8) + (max(0, 128 * 1024 - plain) >> 11)
        must(1 <= plain <= min(MIB, 256 * size) and size <= bound, 'bad-seek-table')
        must(frame_size(raw[at:at + size]) == plain, 'frame-size')
        yield raw[at:at + size]
        at += size
    must(raw[at:at + 8] == struct.pack('<II', 0x184d2a5d, 32), 'bad-seek-table')
    must(raw[at + 8:at + 40] == hashlib.sha256(memoryview(raw)[:at]).digest(), 'digest-mismatch')


def mapped(path):
    must(stat.S_ISREG(os.lstat(path).st_mode), 'not-a-file')
    with open(path, 'rb') as file:
        must(os.fstat(file.fileno()).st_size, 'truncated')
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


# ---- Section 3: a file.

class File:
    def __init__(self, path, spool, is_volume=False):
        self.path, self.spool, self.text = path, spool, mapped(path)
        if path.endswith('.zst'):
            decode(frames_at_rest(self.text), spool + '.text')
            self.text = mapped(spool + '.text')
        self.read_header()
        self.read_end()
        if is_volume:
            return
        must(self.header['kind'] == 'snapshot', 'unknown-kind: no snapshot')
        named = os.path.basename(path)[9:29]
        must(named == self.header['timestamp'][:19].replace(':', '-') + 'Z', 'bad-name')

    def read_header(self):
        line = self.text[:self.text.find(b'\n', 0, 65536) + 1]
        must(not self.text[:64].startswith(b'{"format":"backuptool-sealed"'), 'unknown-need: sealed')
        begin = re.match(rb'\{"format":"backuptool","version":2,"kind":"\w+","needs":(\[[^]]*\])', line)
        must(not begin, 'unknown-need:', *(NEEDS(parse(begin[1])) if begin else []))
        must(line.endswith(b',\n'), 'truncated, too-large or not-json: the header')
        value = parse(line[:-2] + b'}')
        if value.get('kind') == 'volume':
            self.header = members(value, VOLUME, ' '.join(VOLUME), 1)
        else:
            self.header = members(value, HEADER, 'format version kind timestamp host target parent tags', 1)
            must(self.header['target'].startswith(b'/'), 'bad-target')
            must('rules_omitted' not in self.header or not {'rules', 'options'} & set(self.header), 'bad-type')
        self.header_size = len(line)

    def read_end(self):
        size = len(self.text)
        start = self.text.rfind(b'\n', max(0, size - 1025), size - 1) + 1
        last = self.text[start:]
        must(start and last.startswith(b'"end":') and last.endswith(b'}}\n'), 'truncated or trailing-bytes')
        self.end = members(parse(last[6:-2]), END, ' '.join(list(END)[:7]))
        self.starts = [self.end[name] for name in list(END)[:5]]
        must(self.header_size == self.starts[0] and self.starts[4] < start, 'bad-offset')
        must(self.starts == sorted(set(self.starts)), 'bad-offset')
        word = start + last.index(b'"open_sha256"')
        must(self.digest((0, self.starts[0]), (self.starts[4], word)) == self.end['open_sha256'], 'digest-mismatch')
        line = self.text[self.starts[4]:start]
        must(line.startswith(b'"summary":') and line.endswith(b',\n'), 'not-json')
        is_volume = self.header['kind'] == 'volume'
        must_have = '' if is_volume else ' '.join(n for n in SUMMARY if SUMMARY[n] is not COUNT and n != 'names')
        self.summary = members(parse(line[10:-2]), {} if is_volume else SUMMARY, must_have, 1)
        must(is_volume or self.summary.get('torn', 0) <= self.summary['errors'], 'bad-size')

    def digest(self, *ranges):
        state = hashlib.sha256()
        for start, stop in ranges:
            state.update(memoryview(self.text)[start:stop])
        return state.hexdigest()

    def elements(self, index, word):
        """The lines of a list with their offsets, without commas. All bytes around them are as they must be."""
        at, stop = self.starts[index], self.starts[index + 1]
        must(self.text[at:at + len(word) + 5] == b'"%s":[\n' % word, 'bad-offset', word)
        at, more = at + len(word) + 5, True
        first = at
        while at < stop - 3:
            must(more, 'not-json: no comma')
            end = self.text.find(b'\n', at, stop - 3)
            must(end >= 0, 'not-json')
            more = self.text[end - 1] == ord(',')
            yield at, self.text[at:end - more]
            at = end + 1
        must(at == stop - 3 and self.text[at:stop] == b'],\n' and (at == first or not more), 'not-json', word)

    def load(self, pages, contents):
        """Verifies all of the file, and adds its pages and contents to those of the store."""
        index = (self.starts[1], self.starts[2]), (self.starts[3], self.starts[4])
        must(self.digest(*index) == self.end['index_sha256'], 'digest-mismatch')
        if 'file_sha256' in self.end:
            word = self.text.rfind(b'"file_sha256"')
            must(self.digest((0, word)) == self.end['file_sha256'], 'digest-mismatch')
        self.load_pages(pages)
        wanted = 'at length size holds' + ('' if 'file_sha256' in self.end else ' xxh3')
        blocks = [members(parse(line), BLOCK, wanted) for _, line in self.elements(1, b'contents')]
        must('file_sha256' not in self.end or not any('xxh3' in b for b in blocks), 'unknown-key')
        decode(self.frames(blocks), self.spool)
        plain, at = mapped(self.spool) if blocks else b'', 0
        for block in blocks:
            must(sum(size for _, size in block['holds']) == block['size'], 'bad-size')
            for digest, size in block['holds']:
                must(hashlib.sha256(memoryview(plain)[at:at + size]).hexdigest() == digest, 'digest-mismatch', digest)
                contents[digest] = plain, at, size
                at += size
        must(at == len(plain), 'frame-size')

    def load_pages(self, pages):
        lines = list(self.elements(3, b'tree_index'))
        trees = list(self.elements(2, b'trees'))
        must(len(lines) == len(trees), 'bad-offset: other numbers of pages')
        for (_, line), (at, page) in zip(lines, trees):
            digest, offset, length = row(DIGEST, number(), number(1, 16 * MIB))(parse(line))
            must((offset, length) == (at, len(page)), 'bad-offset')
            must(hashlib.sha256(page).hexdigest() == digest, 'digest-mismatch', digest)
            pages[digest] = page

    def frames(self, blocks):
        left = iter(blocks)
        for at, line in self.elements(0, b'blocks'):
            block = next(left, None)
            must(block and (block['at'], block['length']) == (at + 9, len(line) - 11), 'bad-offset')
            must(line.startswith(b'{"zstd":"') and line.endswith(b'"}'), 'not-json')
            frame = data(line[9:-2].decode())
            must(frame_size(frame) == block['size'], 'frame-size')
            must('xxh3' not in block or xxh3(frame) in (None, block['xxh3']), 'digest-mismatch xxh3')
            yield frame
        must(next(left, None) is None, 'bad-offset: more contents than blocks')


def xxh3(frame):
    if not shutil.which('xxhsum'):
        return None
    return subprocess.run(['xxhsum', '-H2'], input=frame, capture_output=True, check=True).stdout.split()[0].decode()


# ---- Section 1: a store.

class Store:
    NAME = re.compile(r'(snapshot_\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(?:-([1-9]\d*))?\.json')
    VOLUME = re.compile(r'[0-9a-f]{32}(\.json(\.zst)?|\.doomed(\.zst)?)')

    def __init__(self, path, spool):
        self.path, self.spool, self.files, self.pages, self.contents = path, spool, {}, {}, {}
        found = sorted(os.listdir(path))
        self.snapshots = {name.removesuffix('.zst'): name for name in reversed(found)
                          if self.NAME.fullmatch(name.removesuffix('.zst'))}
        self.others = [name for name in found if name.removesuffix('.zst') in self.snapshots
                       and name not in self.snapshots.values()]
        if os.path.lexists(path + '/contents'):
            must(stat.S_ISDIR(os.lstat(path + '/contents').st_mode), 'contents is no directory')
            volumes = filter(self.VOLUME.fullmatch, os.listdir(path + '/contents'))
            self.others += ['contents/' + name for name in volumes]

    def names(self):
        def age(name):
            parts = self.NAME.fullmatch(name)
            return parts[1], int(parts[2] or 0)
        return sorted(self.snapshots, key=age)

    def open(self, name):
        if name not in self.files:
            with about(name):
                self.files[name] = File(f'{self.path}/{name}', f'{self.spool}/{len(self.files)}', name in self.others)
        return self.files[name]

    def load(self):
        for name in [*self.snapshots.values(), *self.others]:
            file = self.open(name)
            with about(name):
                file.load(self.pages, self.contents)

    def page(self, digest, *kinds):
        must(digest in self.pages, 'missing page', digest)
        value = parse(self.pages[digest])
        must(type(value) is dict and list(value) and list(value)[0] in kinds, 'bad-type: page', digest)
        return value

    def entries(self, digest, depth=0):
        """The entries of a directory in order, from all its pages."""
        value = self.page(digest, 'entries', 'pages')
        if 'entries' in value:
            take = listed(lambda e: entry(e, 3), 1 if depth else 0, increasing=lambda e: e['name'])
            return members(value, {'entries': take}, '')['entries']
        must(depth < 16, 'too-deep')
        element = lambda e: members(e, LISTED_PAGE, 'name entries tree', 3)
        got = []
        for page in members(value, {'pages': listed(element, 2)}, '')['pages']:
            below = self.entries(page['tree'], depth + 1)
            must(len(below) == page['entries'], 'bad-size')
            must(below[0]['name'] == page['name'], 'unsorted')
            must(not got or got[-1]['name'] < page['name'], 'unsorted')
            got += below
        return got

    def owners(self, summary):
        if 'names' not in summary:
            return {}
        got = members(self.page(summary['names'], 'users'), {'users': NAMES, 'groups': NAMES}, 'users groups')
        must(got['users'] or got['groups'], 'bad-size')
        return got

    def chunks(self, e):
        """The contents of a file: pairs of digest and size."""
        parts = e.get('chunks', [])
        for digest, size in e.get('chunk_pages', []):
            page = members(self.page(digest, 'chunks'), {'chunks': listed(PART, 1, 4096)}, '')['chunks']
            must(sum(s for _, s in page) == size, 'bad-size')
            parts = parts + page
        if not {'chunks', 'chunk_pages'} & set(e) and e['size']:
            parts = [(e['sha256'], e['size'])]
        must(sum(size for _, size in parts) == e['size'] - hole_bytes(e), 'bad-size')
        return parts

    def data(self, e):
        for digest, size in self.chunks(e):
            must(digest in self.contents, 'missing content', digest)
            plain, at, length = self.contents[digest]
            must(size == length, 'bad-size')
            yield plain[at:at + size]


# ---- Restoring.

FLAGS = dict(zip('sucSiadAmjtDTCxPF', (0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x400, 0x4000, 0x8000, 0x10000,
                                      0x20000, 0x800000, 0x2000000, 0x20000000, 0x40000000)))


def set_flags(path, letters, project):
    """As far as the file system takes them."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if project:
            had = fcntl.ioctl(fd, 0x801c581f, bytes(28))
            fcntl.ioctl(fd, 0x401c5820, had[:12] + struct.pack('=I', project) + had[16:])
        for letter in letters:
            now, = struct.unpack_from('=i', fcntl.ioctl(fd, 0x80086601, bytes(8)))
            fcntl.ioctl(fd, 0x40086602, struct.pack('=q', now | FLAGS[letter]))
    except OSError as e:
        print(f'reader.py: {os.fsdecode(path)}: flags: {e.strerror}', file=sys.stderr)
    finally:
        os.close(fd)


def set_metadata(path, e):
    if os.geteuid() == 0:
        os.lchown(path, e['uid'], e['gid'])
    for name, value in e.get('xattrs', []):
        if name not in (b'trusted.SGI_ACL_FILE', b'trusted.SGI_ACL_DEFAULT'):
            try:
                os.setxattr(path, name, value, follow_symlinks=False)
            except OSError as error:
                print(f'reader.py: {os.fsdecode(path)}: {os.fsdecode(name)}: {error.strerror}', file=sys.stderr)
    if e['type'] != 'symlink':
        os.chmod(path, int(e['mode'], 8))
    os.utime(path, ns=(e['mtime'], e['mtime']), follow_symlinks=False)


class Extraction:
    def __init__(self, store, top):
        self.store, self.top, self.linked, self.done = store, os.fsencode(top), {}, []

    def run(self, summary):
        waiting = [(self.top, summary['root'])]
        while waiting:
            path, e = waiting.pop()
            if 'error' in e:
                print(f'reader.py: {os.fsdecode(path)}: {e["error"]}', file=sys.stderr)
                continue
            if e['type'] == 'dir':
                waiting += [(path + b'/' + below['name'], below) for below in self.store.entries(e['tree'])]
            self.make(path, e)
        for path, e in reversed(self.done):
            set_metadata(path, e)
        for path, e in reversed(self.done):
            if 'flags' in e or 'project' in e:
                set_flags(path, e.get('flags', ''), e.get('project'))

    def make(self, path, e):
        same = e.get('dev'), e.get('inode')
        if 'inode' in e and same in self.linked:
            os.link(self.linked[same], path, follow_symlinks=False)
            return
        self.linked[same] = path
        self.done.append((path, e))
        if e['type'] == 'dir':
            os.mkdir(path, 0o700)
        elif e['type'] == 'symlink':
            os.symlink(e['target'], path)
        elif e['type'] == 'file':
            with open(path, 'xb') as file:
                self.write(file, e)
        else:
            kind = {'fifo': stat.S_IFIFO, 'socket': stat.S_IFSOCK, 'chardev': stat.S_IFCHR, 'blockdev': stat.S_IFBLK}
            os.mknod(path, kind[e['type']] | 0o600, os.makedev(*e.get('rdev', (0, 0))))

    def write(self, file, e):
        whole, holes, at = hashlib.sha256(), e.get('holes', []) + [[e['size'], 0]], 0
        compare = 'sha256' in e and hole_bytes(e) <= 1024 * MIB
        for piece in list(self.store.chunks(e)) and self.store.data(e):
            while piece:
                while holes[0][0] == at:
                    at += self.skip(holes.pop(0)[1], whole, compare)
                size = min(len(piece), holes[0][0] - at)
                file.seek(at)
                file.write(piece[:size])
                whole.update(piece[:size])
                at, piece = at + size, piece[size:]
        for _, length in holes:
            self.skip(length, whole, compare)
        file.truncate(e['size'])
        must(not compare or whole.hexdigest() == e['sha256'], 'digest-mismatch', os.fsdecode(file.name))

    @staticmethod
    def skip(length, whole, compare):
        for start in range(0, length if compare else 0, MIB):
            whole.update(bytes(min(MIB, length - start)))
        return length


def main(command='', store='', snapshot='', target='', *rest):
    if command not in ('list', 'names', 'extract') or rest:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as spool:
        store = Store(store, spool)
        if command == 'list':
            for name in store.names():
                counts = store.open(store.snapshots[name]).summary
                print(name, *(counts[n] for n in ('files', 'directories', 'others', 'directory_size')))
            return
        must(snapshot in store.snapshots, 'no such snapshot:', snapshot)
        store.load()
        summary = store.open(store.snapshots[snapshot]).summary
        owners = store.owners(summary)
        if command == 'extract':
            Extraction(store, target).run(summary)
            return
        for kind in owners:
            for who, name in owners[kind]:
                print(kind[:-1], who, name)


if __name__ == '__main__':
    try:
        main(*sys.argv[1:])
    except (Refused, ValueError, OSError) as problem:
        sys.exit(f'reader.py: {problem}')
