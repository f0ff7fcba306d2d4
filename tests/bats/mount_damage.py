#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mount_damage.py SOURCE MOUNTED: every page of the mounted file is right or EIO; some, but not many, are EIO, and they
lie together."""
import errno
import os
import sys

PAGE = 4096
MOST = 9 << 20  # more than one block

with open(sys.argv[1], 'rb') as source:
    expected = source.read()
mounted = os.open(sys.argv[2], os.O_RDONLY)
bad = []
for offset in range(0, len(expected), PAGE):
    try:
        if os.pread(mounted, PAGE, offset) != expected[offset:offset + PAGE]:
            sys.exit(f'wrong bytes at {offset}')
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        bad.append(offset)
if not bad:
    sys.exit('the damage was not noticed')
if len(bad) * PAGE > MOST or bad[-1] - bad[0] > MOST:
    sys.exit(f'{len(bad)} pages are lost, from {bad[0]} to {bad[-1]}')
