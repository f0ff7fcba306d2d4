#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mount_handle.py get PATH FILE: keeps PATH's file handle in FILE; mount_handle.py read MOUNT FILE: opens it again."""
import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
SYMLINK_FOLLOW = 0x400


class Handle(ctypes.Structure):
    _fields_ = [('bytes', ctypes.c_uint), ('type', ctypes.c_int), ('data', ctypes.c_ubyte * 128)]


def failed():
    code = ctypes.get_errno()
    sys.exit(f'{os.strerror(code)}')


def get(path, name):
    handle, mount = Handle(bytes=128), ctypes.c_int()
    if libc.name_to_handle_at(-100, path.encode(), ctypes.byref(handle), ctypes.byref(mount), SYMLINK_FOLLOW) < 0:
        failed()
    with open(name, 'wb') as file:
        file.write(bytes(handle))


def read(mount, name):
    with open(name, 'rb') as file:
        handle = Handle.from_buffer_copy(file.read())
    fd = libc.open_by_handle_at(os.open(mount, os.O_RDONLY), ctypes.byref(handle), os.O_RDONLY)
    if fd < 0:
        failed()
    os.write(1, os.read(fd, 1 << 16))


{'get': get, 'read': read}[sys.argv[1]](*sys.argv[2:])
