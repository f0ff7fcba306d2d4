#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mount_random.py SOURCE MOUNTED COUNT: so many reads of 4 KiB at random places give the same of both files."""
import os
import random
import sys

source, mounted = (os.open(name, os.O_RDONLY) for name in sys.argv[1:3])
size = os.fstat(source).st_size
os.posix_fadvise(mounted, 0, 0, os.POSIX_FADV_RANDOM)
chance = random.Random(7)
for _ in range(int(sys.argv[3])):
    at = chance.randrange(size // 4096) * 4096
    if os.pread(source, 4096, at) != os.pread(mounted, 4096, at):
        sys.exit(f'differs at {at}')
