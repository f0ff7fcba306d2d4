#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_index_lie.py STORE DIGEST:SIZE…: adds a segment of the index that covers all files of the store, and says that the first
one holds these contents and nothing else. Its checksums are right."""
import os
import struct
import sys

MASK = (1 << 64) - 1
STRETCH = 32


def mix(value):
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9 & MASK
    value = (value ^ value >> 27) * 0x94d049bb133111eb & MASK
    return value ^ value >> 31


def absorb(state, word):
    state ^= word * 0x9fb21c651e98df25 & MASK
    return (state << 29 | state >> 35) * 0xd6e8feb86659fd93 & MASK


def hash_bytes(data, seed):
    state = mix(seed ^ 0x9e3779b97f4a7c15) ^ len(data)
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        state = absorb(state, int.from_bytes(data[at:at + 8], 'little'))
    return mix(absorb(state, int.from_bytes(data[whole:], 'little')))


def segment(files, lies):
    records = b''.join(bytes.fromhex(digest) + struct.pack('<7I', 200, 0, 100, size, 0, size, 0) for digest, size in sorted(lies))
    size = 60 * STRETCH
    sums = [hash_bytes(records[at:at + size], number) for number, at in enumerate(range(0, len(records), size))]
    tables, names = struct.pack(f'<{len(sums)}Q2I', *sums, 0, len(lies)), b''
    for number, (name, status) in enumerate(files):
        seconds, rest = divmod(status.st_mtime_ns, 10**9)
        tables += struct.pack('<QqIIQ', status.st_size, seconds, rest, 0 if number else len(lies), len(names))
        names += name.encode() + b'\0'
    tables += names

    def header(checksum):
        return struct.pack('<8sIIQIIQQ', b'btindex2', 0x01020304, 60, len(lies), 0, len(files), len(names), checksum)
    return header(hash_bytes(tables, hash_bytes(header(0), 0))) + records + tables


def main():
    store = sys.argv[1]
    lies = [(digest, int(size)) for digest, size in (lie.split(':') for lie in sys.argv[2:])]
    names = sorted(name for name in os.listdir(store) if name.startswith('snapshot_'))
    contents = os.path.join(store, 'contents')
    names += [f'contents/{name}' for name in sorted(os.listdir(contents) if os.path.isdir(contents) else [])]
    os.makedirs(os.path.join(store, 'cache'), mode=0o700, exist_ok=True)
    with open(os.path.join(store, 'cache/index-00000000deadbeef.seg'), 'wb') as file:
        file.write(segment([(name, os.stat(os.path.join(store, name))) for name in names], lies))


if __name__ == '__main__':
    main()
