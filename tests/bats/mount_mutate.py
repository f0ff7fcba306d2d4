#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mount_mutate.py MOUNTED: every call that would change the tree (of small_tree) must fail with EROFS."""
import ctypes
import errno
import os
import socket
import sys

C = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    if getattr(C, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def bind(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path)


CALLS = {
    'open for writing': lambda: os.open('docs/a.txt', os.O_WRONLY),
    'open to truncate': lambda: os.open('docs/a.txt', os.O_RDWR | os.O_TRUNC),
    'create': lambda: os.open('new', os.O_WRONLY | os.O_CREAT, 0o644),
    'temporary file': lambda: os.open('docs', os.O_WRONLY | os.O_TMPFILE, 0o600),
    'truncate': lambda: os.truncate('docs/a.txt', 0),
    'mkdir': lambda: os.mkdir('new'),
    'mknod': lambda: os.mkfifo('new'),
    'bind': lambda: bind('new'),
    'symlink': lambda: os.symlink('a', 'new'),
    'link': lambda: os.link('docs/a.txt', 'new'),
    'unlink': lambda: os.unlink('docs/a.txt'),
    'rmdir': lambda: os.rmdir('empty'),
    'rename': lambda: os.rename('docs/a.txt', 'docs/b.txt'),
    'rename over': lambda: os.rename('docs/a.txt', 'docs/zero'),
    'chmod': lambda: os.chmod('docs/a.txt', 0o600),
    'chown': lambda: os.chown('docs/a.txt', 1, 1),
    'lchown': lambda: os.chown('link', 1, 1, follow_symlinks=False),
    'utime': lambda: os.utime('docs/a.txt', (1, 1)),
    'setxattr': lambda: os.setxattr('docs/a.txt', 'user.x', b'1'),
    'removexattr': lambda: os.removexattr('docs/a.txt', 'user.x'),
    'access for writing': lambda: call('access', b'docs/a.txt', os.W_OK),
}


def main():
    os.chdir(sys.argv[1])
    before = sorted(os.walk('.'))
    failed = 0
    for name, function in CALLS.items():
        try:
            function()
            outcome = 'worked'
        except OSError as error:
            outcome = errno.errorcode.get(error.errno, str(error.errno))
        if outcome != 'EROFS':
            print(f'{name}: {outcome}')
            failed += 1
    with open('docs/a.txt', 'rb') as file:
        assert file.read() == b'hello\n'
    assert sorted(os.walk('.')) == before
    sys.exit(1 if failed else 0)


main()
