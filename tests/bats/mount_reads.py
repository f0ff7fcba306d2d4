#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mount_reads.py [--mmap] [--threads N] SOURCE MOUNTED: reads random ranges of random files in both, which must be equal."""
import argparse
import mmap
import os
import random
import stat
import sys
import threading

READS = 3000
SPAN = 700_000


def files_below(top):
    found = []
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if stat.S_ISREG(os.lstat(path).st_mode) and os.path.getsize(path) > 0:
                found.append(os.path.relpath(path, top))
    return sorted(found)


def read(path, offset, length, mapped):
    with open(path, 'rb', buffering=0) as file:
        if not mapped:
            return os.pread(file.fileno(), length, offset)
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
            return view[offset:offset + length]


def compare(options, files, seed, wrong):
    chance = random.Random(seed)
    large = [path for path in files if os.path.getsize(os.path.join(options.source, path)) > 100_000]
    for _ in range(READS):
        path = chance.choice(large if large and chance.random() < 0.5 else files)
        size = os.path.getsize(os.path.join(options.source, path))
        offset = chance.choice([0, chance.randrange(size), chance.randrange(size) & ~4095, max(0, size - 5000)])
        length = chance.choice([1, 4096, chance.randrange(1, SPAN), size if size < SPAN else 8192])
        expected = read(os.path.join(options.source, path), offset, length, False)
        if read(os.path.join(options.mounted, path), offset, length, options.mmap) != expected:
            wrong.append(f'{path}: {length} bytes at {offset} differ')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--mmap', action='store_true')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('source', type=os.fsencode)
    parser.add_argument('mounted', type=os.fsencode)
    options = parser.parse_args()
    files = files_below(options.source)
    wrong = []
    threads = [threading.Thread(target=compare, args=(options, files, seed, wrong)) for seed in range(options.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(*wrong[:20], sep='\n', end='\n' if wrong else '')
    return 1 if wrong else 0


sys.exit(main())
