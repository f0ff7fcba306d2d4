#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mount_seekdir.py SOURCE MOUNTED: a directory's entries are those of the source, once each; from any position that
telldir gave, reading goes on with the same entries, also after rewinddir and in any order."""
import ctypes
import os
import random
import sys

C = ctypes.CDLL(None, use_errno=True)


class Dirent(ctypes.Structure):
    _fields_ = [('d_ino', ctypes.c_ulong), ('d_off', ctypes.c_long), ('d_reclen', ctypes.c_ushort), ('d_type', ctypes.c_ubyte),
                ('d_name', ctypes.c_char * 256)]


C.opendir.restype = ctypes.c_void_p
C.opendir.argtypes = [ctypes.c_char_p]
C.readdir.restype = ctypes.POINTER(Dirent)
C.readdir.argtypes = C.telldir.argtypes = C.rewinddir.argtypes = C.closedir.argtypes = [ctypes.c_void_p]
C.telldir.restype = ctypes.c_long
C.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]


def read_from(stream, count=None):
    names = []
    while count is None or len(names) < count:
        entry = C.readdir(stream)
        if not entry:
            break
        names.append(entry.contents.d_name)
    return names


def main():
    source, mounted = (os.fsencode(argument) for argument in sys.argv[1:])
    stream = C.opendir(mounted)
    names, places = [], []
    while True:
        places.append(C.telldir(stream))
        name = read_from(stream, 1)
        if not name:
            break
        names += name
    if sorted(names) != sorted(os.listdir(source) + [b'.', b'..']):
        sys.exit('the names are not those of the source')
    chance = random.Random(3)
    for _ in range(300):
        at = chance.randrange(len(names))
        C.seekdir(stream, places[at])
        if read_from(stream, 50) != names[at:at + 50]:
            sys.exit(f'from position {at} other names follow')
    C.rewinddir(stream)
    if read_from(stream) != names:
        sys.exit('after rewinddir other names follow')
    C.closedir(stream)


main()
