#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_tree.py DIR: makes a tree with everything that a file system can hold; the same each time but for owners and
devices, which only root can make. MAKE_TREE_LEVELS and MAKE_TREE_ENTRIES change its depth and width."""
import os
import random
import socket
import struct
import subprocess
import sys

LEVELS = int(os.environ.get('MAKE_TREE_LEVELS', 3000))
ENTRIES = int(os.environ.get('MAKE_TREE_ENTRIES', 1200))
ROOT = os.geteuid() == 0
NOISE = random.Random(7)
NAMES = [b'plain', b'with blank', b' leading', b'trailing ', b'new\nline', b'tab\there', b'quote"\'', b'back\\slash', b'-rf',
         b'\x01\x1f\x7f', b'.hidden', b'name_b64', b'\xff\xfe', b'half\xc3', b'\xed\xa0\x80', 'ä€😀'.encode(), b'*?[x]',
         'e\u0301'.encode(), b'n' * 255, b'\xff' * 255, b'..a', b'a..', b'#x#', b'!x', b'$(x)', b'a', b'a.b', b'a-b', b'B']
TIMES = [(0, 0), (0, 1), (-1, 999999999), (-1000000000, 123456789), (2**31 - 1, 5), (2**31, 0), (5000000000, 500000000),
         (1732271400, 123456789)]


def write(path, data, mode=0o644):
    with open(path, 'wb') as file:
        file.write(data)
    os.chmod(path, mode)


def text(size):
    words = [b'snapshot', b'of', b'a', b'directory', b'into', b'plain', b'JSON', b'files']
    return b' '.join(NOISE.choices(words, k=size // 5))[:size]


def sizes():
    for size in (0, 1, 2, 3, 4095, 4096, 4097, 65536, 1 << 20, (1 << 20) + 1):
        write(b'sizes/%d' % size, NOISE.randbytes(size))
    write('sizes/large-noise', NOISE.randbytes(9 << 20))
    write('sizes/large-text', text(3 << 20))
    write('sizes/zeros', bytes(2 << 20))
    for copy in range(3):
        write(f'sizes/copy{copy}', b'the same three times\n' * 100)


def names():
    for name in NAMES:
        write(b'names/' + name, b'content of ' + name)
    os.makedirs(b'names/dir \xff/\n/empty')


def holes():
    with open('holes/middle', 'wb') as file:
        file.write(b'begin')
        file.seek(5 << 20)
        file.write(b'middle')
        file.seek(20 << 20)
        file.write(b'end')
    for name, size in (('all', 1 << 20), ('one-byte', 1), ('huge', 1 << 37)):
        with open(f'holes/{name}', 'wb') as file:
            file.truncate(size)
    with open('holes/at-the-end', 'wb') as file:
        file.write(b'x' * 10000)
        file.truncate(3 << 20)
    with open('holes/at-the-beginning', 'wb') as file:
        file.seek(1 << 20)
        file.write(NOISE.randbytes(5000))


def links():
    write('links/one', b'three names')
    os.mkdir('links/far')
    os.link('links/one', 'links/two')
    os.link('links/one', 'links/far/three')
    os.symlink('one', 'links/relative')
    os.symlink('/nowhere/at all', 'links/dangling')
    os.symlink(b'bad\xff', b'links/to-bytes')
    os.symlink('../' * 1300, 'links/long')
    os.symlink('far', 'links/to-directory')
    os.link('links/relative', 'links/same-symlink', follow_symlinks=False)


def special():
    os.mkfifo('special/fifo', 0o600)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind('special/socket')
    if ROOT:
        os.mknod('special/null', 0o666 | 0o020000, os.makedev(1, 3))
        os.mknod('special/block', 0o640 | 0o060000, os.makedev(259, 1048575))


def modes():
    for mode in (0o400, 0o644, 0o755, 0o4755, 0o2755, 0o1644, 0o6711, 0o600):
        write(f'modes/{mode:04o}', b'mode', mode)
    os.mkdir('modes/sticky')
    os.chmod('modes/sticky', 0o1777)
    os.mkdir('modes/read-only')
    write('modes/read-only/file', b'inside')
    os.chmod('modes/read-only', 0o555)
    if ROOT:
        write('modes/none', b'nobody may', 0)
        os.mkdir('modes/closed', 0)
        for number, owner in enumerate(((1234, 5678), (0, 4294967294), (4294967294, 0), (65534, 65534))):
            write(f'modes/owner{number}', b'owner', 0o640)
            os.chown(f'modes/owner{number}', *owner)
        os.symlink('x', 'modes/owned-link')
        os.chown('modes/owned-link', 77, 78, follow_symlinks=False)


def xattrs():
    write('xattrs/file', b'x')
    os.mkdir('xattrs/dir')
    os.setxattr('xattrs/file', 'user.empty', b'')
    os.setxattr('xattrs/file', 'user.bytes', bytes(range(256)))
    os.setxattr('xattrs/file', 'user.large', b'v' * 2000)
    os.setxattr(b'xattrs/file', b'user.\xff\xfename', b'odd')
    os.setxattr('xattrs/dir', 'user.on-directory', b'yes')
    subprocess.run(['setfacl', '-m', 'u:1234:rw,g:99:r', 'xattrs/file'], check=True)
    subprocess.run(['setfacl', '-m', 'd:u:1234:rwx,u:7:r-x', 'xattrs/dir'], check=True)
    if ROOT:
        os.setxattr('xattrs/file', 'trusted.secret', b'\0\1')
        os.symlink('file', 'xattrs/link')
        os.setxattr('xattrs/link', 'trusted.on-link', b'l', follow_symlinks=False)
        write('xattrs/capable', b'c', 0o755)
        # cap_net_bind_service, effective and permitted (VFS_CAP_REVISION_2)
        os.setxattr('xattrs/capable', 'security.capability', struct.pack('<5I', 0x02000001, 1 << 10, 0, 0, 0))


def times():
    for number, (seconds, nanoseconds) in enumerate(TIMES):
        write(f'times/{number}', b'time')
        os.utime(f'times/{number}', ns=(0, seconds * 10**9 + nanoseconds))
    os.symlink('0', 'times/link')
    os.utime('times/link', ns=(0, 12345678901234567), follow_symlinks=False)


def wide():
    for number in range(ENTRIES):
        write(f'wide/entry {number:06d}', b'%d' % number)


def deep():
    here = os.open('deep', os.O_RDONLY)
    for level in range(LEVELS):
        os.mkdir('d', dir_fd=here)
        below = os.open('d', os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    with open(os.open('bottom', os.O_WRONLY | os.O_CREAT, dir_fd=here), 'wb') as file:
        file.write(b'as deep as it goes')
    os.close(here)


def main():
    os.umask(0o022)
    os.makedirs(sys.argv[1], exist_ok=True)
    os.chdir(sys.argv[1])
    for part in (sizes, names, holes, links, special, modes, xattrs, times, wide, deep):
        os.mkdir(part.__name__)
        part()
    os.mkdir('empty')
    for number, directory in enumerate(('times', 'empty', 'modes/read-only', '.')):
        os.utime(directory, ns=(0, 1500000000123456789 + number))


main()
