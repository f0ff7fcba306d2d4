#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares a tar stream with what 'ls -R --json' said of the snapshot: golden_dump.py LISTING <TAR

Prints what differs and ends with 1 if anything does. A later version may say more of an entry, but not less. Needs the
program zstd.
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tarfile

TYPES = {'file': tarfile.REGTYPE, 'dir': tarfile.DIRTYPE, 'symlink': tarfile.SYMTYPE, 'fifo': tarfile.FIFOTYPE,
         'chardev': tarfile.CHRTYPE, 'blockdev': tarfile.BLKTYPE}


def member(listed, name):
    """A byte string, as Python spells file names."""
    if name + '_b64' in listed:
        return os.fsdecode(base64.b64decode(listed[name + '_b64']))
    return listed.get(name)


def digest(file):
    total = hashlib.sha256()
    while part := file.read(1 << 20):
        total.update(part)
    return total.hexdigest()


def describe(tar, entry):
    is_file = entry.type not in (*set(TYPES.values()) - {tarfile.REGTYPE}, tarfile.LNKTYPE)
    said = {'type': tarfile.REGTYPE if is_file else entry.type, 'mode': f'{entry.mode:04o}', 'uid': entry.uid,
            'gid': entry.gid}
    if is_file:
        said.update(size=entry.size, sha256=digest(tar.extractfile(entry)))
    if entry.type == tarfile.SYMTYPE:
        said['target'] = entry.linkname
    if entry.type in (tarfile.CHRTYPE, tarfile.BLKTYPE):
        said.update(major=entry.devmajor, minor=entry.devminor)
    return said


def differences(tar, listing):
    for entry in tar:
        path = entry.name.removeprefix('./').rstrip('/')
        if path in ('', '.'):
            continue
        if path not in listing:
            yield f'{path!r}: not in the snapshot'
            continue
        listed, said = listing.pop(path), describe(tar, entry)
        wanted = {name: member(listed, name) for name in said if name in listed or name + '_b64' in listed}
        wanted['type'] = entry.type if entry.type == tarfile.LNKTYPE and listed['links'] > 1 else TYPES[listed['type']]
        if 'system.posix_acl_access' in listed.get('xattrs', []):
            del wanted['mode']  # whose group is the list's mask
        for name, value in wanted.items():
            if said[name] != value:
                yield f'{path!r}: {name}: {said[name]!r}, and not {value!r}'
    for path, listed in listing.items():
        if listed['type'] != 'socket' and 'error' not in listed:
            yield f'{path!r}: missing'


def main():
    lines = subprocess.run(['zstd', '-dcq', sys.argv[1]], check=True, stdout=subprocess.PIPE).stdout.splitlines()
    listing = {member(listed, 'path'): listed for listed in map(json.loads, lines)}
    found = False
    with tarfile.open(fileobj=sys.stdin.buffer, mode='r|', errors='surrogateescape') as tar:
        for difference in differences(tar, listing):
            print(difference)
            found = True
    return found


if __name__ == '__main__':
    sys.exit(main())
