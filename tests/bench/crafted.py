#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""crafted.py KIND STORE COUNT [SIZE]: makes a store that somebody wrote to be slow to read, or to fill a memory or a disk.

Its digests are right, so that every command reads it as one of its own. COUNT is of what the store's size grows with:
  deep       directories, each in the one before, with names of 255 bytes and a file that is damaged
  levels     directories, each in the one before, with names of 255 bytes, or SIZE, and a file in the last one
  flood      contents whose digests nobody has verified and which begin alike
  random     the same with digests of any beginning
  wide       files of one directory
  copies     directories of one content, of 20 files each
  holes      files that are one hole of 8 GiB; with SIZE, of so many bytes, and without a digest
  findings   damaged files of one directory
  snapshots  snapshots, each of another host and directory"""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data'))
from make_hostile import content_line, leaf, seal, section, sha, text64, zstd

TIME = '"mtime":[1732271400,123456789]'
HOLE, HOLE_SHA256 = 8 << 30, 'ebfb4ef19ae410f190327b5ebd312711263bc7579970e87d9c1e2d84e06b3c25'
LEAF, CHUNKS, HOLDS = 256, 4096, 100000


def file_entry(name, members):
    return f'{{"name":"{name}","type":"file","mode":"0644","uid":0,"gid":0,{members}}}'


def held_entry(name, data):
    return file_entry(name, f'"size":{len(data)},{TIME},"sha256":"{sha(data)}"')


def dir_entry(name, tree):
    name = f'"name":"{name}",' if name else ''
    return f'{{{name}"type":"dir","mode":"0755","uid":0,"gid":0,{TIME},"tree":"{sha(tree)}"}}'


def block(*contents):
    """What a block holds, and its bytes."""
    return zstd(b''.join(contents)), [(sha(data), len(data)) for data in contents]


def garbage(data):
    return b'garbage!!!!!', [(sha(data), len(data))]


def pages_of(entries):
    """The pages of a directory; the last one is its top."""
    if len(entries) <= LEAF:
        return [leaf(*entries).encode()]
    parts = [entries[i:i + LEAF] for i in range(0, len(entries), LEAF)]
    leaves = [leaf(*part).encode() for part in parts]
    lines = [f'{{{part[0][1:part[0].index(",")]},"entries":{len(part)},"tree":"{sha(page)}"}}'
             for part, page in zip(parts, leaves)]
    return [*leaves, ('{"pages":[' + ','.join(lines) + ']}').encode()]


def write(store, pages, blocks=(), files=1, directories=1, size=0, host='h', number=0):
    """One snapshot, whose target directory is the last of the pages."""
    minute, second = divmod(number, 60)
    hour, minute = divmod(minute, 60)
    day, hour = divmod(hour, 24)
    at = f'2026-11-{day + 1:02}T{hour:02}:{minute:02}:{second:02}'
    out = bytearray((f'{{"format":"backuptool","version":2,"kind":"snapshot","timestamp":"{at}.123456789Z","host":"{host}",'
                     f'"target":"/home/{host}","parent":null,"tags":[],\n').encode())
    places = {}
    texts = [text64(data) for data, _ in blocks]
    places['blocks'], starts = section(out, 'blocks', [f'{{"zstd":"{text}"}}' for text in texts])
    places['contents'], _ = section(out, 'contents', [
        content_line(start, text, data, held) for start, text, (data, held) in zip(starts, texts, blocks)])
    places['trees'], starts = section(out, 'trees', pages)
    places['tree_index'], _ = section(out, 'tree_index', [f'["{sha(page)}",{start},{len(page)}]'
                                                          for page, start in zip(pages, starts)])
    places['summary'] = len(out)
    out += (f'"summary":{{"root":{dir_entry(None, pages[-1])},"files":{files},"directories":{directories},"others":0,'
            f'"directory_size":{size if size < 1 << 53 else f"{chr(34)}{size}{chr(34)}"},"stored_size":0,"new":{files},"changed":0,"unchanged":0,"errors":0,"xattrs":false}},\n'
            ).encode()
    with open(os.path.join(store, f'snapshot_{at.replace(":", "-")}Z.json'), 'wb') as file:
        file.write(seal(out, places))


def deep(store, count):
    pages, blocks = [leaf(held_entry('f', b'bottom\n')).encode()], []
    for i in range(count):
        data = b'%d' % i
        blocks.append(garbage(data))
        pages.append(leaf(dir_entry('d' * 255, pages[-1]), held_entry('f', data)).encode())
    write(store, pages, blocks, count + 1, count + 1, 6 * count)


def levels(store, count, length=255):
    pages = [leaf(held_entry('f', b'bottom\n')).encode()]
    for _ in range(count):
        pages.append(leaf(dir_entry('d' * length, pages[-1])).encode())
    write(store, pages, [block(b'bottom\n')], 1, count + 1, 7)


def of_digests(store, count, make):
    held, pages, chunk_pages = [(make(), 1) for _ in range(count)], [], []
    for i in range(0, count, CHUNKS):
        part = held[i:i + CHUNKS]
        pages.append(('{"chunks":[' + ','.join(f'["{digest}",1]' for digest, _ in part) + ']}').encode())
        chunk_pages.append(f'["{sha(pages[-1])}",{len(part)}]')
    blocks = [(zstd(bytes(len(part))), part) for part in (held[i:i + HOLDS] for i in range(0, count, HOLDS))]
    entry = file_entry('big', f'"size":{count},{TIME},"sha256":"{sha(b"")}","chunk_pages":[{",".join(chunk_pages)}]')
    write(store, [*pages, leaf(entry).encode()], blocks, size=count)


def flood(store, count):
    rng = random.Random(1)
    of_digests(store, count, lambda: '00112233445566778899aabb' + f'{rng.getrandbits(160):040x}')


def any_digests(store, count):
    rng = random.Random(1)
    of_digests(store, count, lambda: f'{rng.getrandbits(256):064x}')


def wide(store, count):
    pages = pages_of([held_entry(f'{i:09}', b'hello\n') for i in range(count)])
    write(store, pages, [block(b'hello\n')], count, size=6 * count)


def copies(store, count):
    pages = pages_of([held_entry(f'{i:09}', b'hello\n') for i in range(20)])
    pages += pages_of([dir_entry(f'{i:09}', pages[-1]) for i in range(count)])
    write(store, pages, [block(b'hello\n')], 20 * count, count + 1, 120 * count)


def holes(store, count, hole=None):
    digest = '' if hole else f'"sha256":"{HOLE_SHA256}",'
    hole = hole or HOLE
    length = hole if hole < 1 << 53 else f'"{hole}"'
    members = f'"size":{length},{TIME},{digest}"chunks":[],"holes":[[0,{length}]]'
    entries = [file_entry(f'hole{i:06}', members) for i in range(count)]
    write(store, pages_of(entries), files=count, size=hole * count)


def findings(store, count):
    contents = [b'%d' % i for i in range(count)]
    pages = pages_of([held_entry(f'{i:09}', data) for i, data in enumerate(contents)])
    write(store, pages, [garbage(data) for data in contents], count, size=sum(map(len, contents)))


def snapshots(store, count):
    held = block(b'hello\n')
    for i in range(count):
        write(store, [leaf(held_entry('f', b'hello\n')).encode()], [held], size=6, host=f'host{i}', number=i)


KINDS = {'deep': deep, 'levels': levels, 'flood': flood, 'random': any_digests, 'wide': wide, 'copies': copies,
         'holes': holes, 'findings': findings, 'snapshots': snapshots}


def make(kind, store, count, *more):
    os.makedirs(store, exist_ok=True)
    KINDS[kind](store, count, *more)


if __name__ == '__main__':
    make(*sys.argv[1:3], int(sys.argv[3]), *map(int, sys.argv[4:]))
