#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares two directory trees in every field: tree_compare.py [--without FIELD,…] A [B]

Prints what differs and ends with 1 if anything does; with one directory prints its listing, a line an entry. The fields:
type mode uid gid size mtime rdev target links xattrs holes sha256. It shares no code with what it tests.
"""
import argparse
import errno
import hashlib
import os
import resource
import stat
import sys

TYPES = {stat.S_IFREG: 'file', stat.S_IFDIR: 'dir', stat.S_IFLNK: 'symlink', stat.S_IFIFO: 'fifo', stat.S_IFSOCK: 'socket',
         stat.S_IFCHR: 'chardev', stat.S_IFBLK: 'blockdev'}
HASH_UP_TO = 1 << 32  # larger files are hashed by their data only
CHUNK = 1 << 20


def data_ranges(fd, size):
    ranges, at = [], 0
    while at < size:
        try:
            begin = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            break
        at = os.lseek(fd, begin, os.SEEK_HOLE)
        ranges.append((begin, at - begin))
    return ranges


def digest(fd, ranges):
    total = hashlib.sha256()
    for begin, length in ranges:
        while length > 0:
            data = os.pread(fd, min(length, CHUNK), begin)
            if not data:
                break
            total.update(data)
            begin += len(data)
            length -= len(data)
    return total.hexdigest()


def xattrs(path):
    try:
        return {name: os.getxattr(path, name, follow_symlinks=False).hex()
                for name in sorted(os.listxattr(path, follow_symlinks=False))}
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.EPERM, errno.EACCES):
            return {}
        raise


def describe(directory, name, status, path, first_names):
    entry = {'type': TYPES[stat.S_IFMT(status.st_mode)], 'mode': oct(stat.S_IMODE(status.st_mode)), 'uid': status.st_uid,
             'gid': status.st_gid, 'mtime': status.st_mtime_ns}
    here = b'/proc/self/fd/%d/%s' % (directory, name)
    entry['xattrs'] = xattrs(here)
    if entry['type'] != 'dir' and status.st_nlink > 1:
        entry['links'] = first_names.setdefault((status.st_dev, status.st_ino), path)
    if entry['type'] == 'symlink':
        entry['target'] = os.readlink(name, dir_fd=directory)
    elif entry['type'] in ('chardev', 'blockdev'):
        entry['rdev'] = status.st_rdev
    elif entry['type'] == 'file':
        entry['size'] = status.st_size
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
        ranges = data_ranges(fd, status.st_size)
        # A file that is data to its end has no holes, whatever it is made of.
        entry['holes'] = ranges if ranges != [(0, status.st_size)] else None
        entry['sha256'] = digest(fd, [(0, status.st_size)] if status.st_size < HASH_UP_TO else ranges)
        os.close(fd)
    return entry


def listing(root):
    """Path → fields, for all below root and root itself. Goes by descriptors, since paths may be too long."""
    entries, first_names = {}, {}
    top = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    entries[b'.'] = describe(top, b'.', os.fstat(top), b'.', first_names)
    stack = [(top, b'', sorted(os.fsencode(name) for name in os.listdir(top)))]
    while stack:
        directory, path, names = stack[-1]
        if not names:
            os.close(directory)
            stack.pop()
            continue
        name = names.pop(0)
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        entries[path + name] = describe(directory, name, status, path + name, first_names)
        if stat.S_ISDIR(status.st_mode):
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            stack.append((below, path + name + b'/', sorted(os.fsencode(entry) for entry in os.listdir(below))))
    return entries


def shown(path):
    text = repr(path)[2:-1]
    return text if len(text) < 200 else f'{text[:80]}…{text[-80:]}'


def differences(ours, theirs):
    for path in sorted(ours.keys() | theirs.keys()):
        if path not in theirs:
            yield f'- {shown(path)}'
        elif path not in ours:
            yield f'+ {shown(path)}'
        else:
            for field in sorted(ours[path].keys() | theirs[path].keys()):
                a, b = ours[path].get(field), theirs[path].get(field)
                if a != b:
                    yield f'M {shown(path)}: {field} {str(a)[:200]} -> {str(b)[:200]}'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--without', default='', help='fields to leave out, with commas')
    parser.add_argument('directory', nargs='+')
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    trees = [listing(os.fsencode(directory)) for directory in options.directory]
    for tree in trees:
        for entry in tree.values():
            for field in options.without.split(','):
                entry.pop(field, None)
    if len(trees) == 1:
        for path, entry in sorted(trees[0].items()):
            print(shown(path), entry)
        return 0
    found = list(differences(*trees))
    print(*found[:100], sep='\n', end='\n' if found else '')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
