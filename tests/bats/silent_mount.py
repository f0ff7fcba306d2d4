#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""silent_mount.py DIRECTORY USER [OPTIONS]: mounts a FUSE file system of that user which answers nothing but the first
request. Without the option allow_other nobody else may look into it, root neither; with it whoever looks waits. Says
"ready", and ends when its standard input does: then the mount is dead."""
import ctypes
import os
import struct
import sys

directory, user = sys.argv[1], int(sys.argv[2])
options = ',' + sys.argv[3] if len(sys.argv) > 3 else ''
fuse = os.open('/dev/fuse', os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
text = f'fd={fuse},rootmode=40000,user_id={user},group_id={user}{options}'
if libc.mount(b'silent', directory.encode(), b'fuse.silent', 6, text.encode()) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
unique, = struct.unpack('Q', os.read(fuse, 1 << 16)[8:16])
answer = struct.pack('IIIIHHIIHHI', 7, 31, 65536, 0, 12, 9, 4096, 1, 1, 0, 0).ljust(64, b'\0')
os.write(fuse, struct.pack('IiQ', 16 + len(answer), 0, unique) + answer)
print('ready', flush=True)
sys.stdin.read()
