#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_future.py FILE WHAT…: writes a plain file of a store as a later version of the program might, with digests that are right.

WHAT is one of
  members       members that nobody knows in header, summary, all entries and all lists of pages; those of entries name a content that
                nothing else names, with the bytes "of the future\\n"
  door          the first file is an entry of a type that nobody knows
  needs=NAME    the header needs this feature
  volume        a volume with the same blocks and pages, in contents/, which has the other changes; the snapshot is left without any
"""
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data'))
from make_hostile import content_line, seal, section, sha, text64, zstd

FUTURE = b'of the future\n'
MEMBERS = {'later': [-1, None, {'deep': ['text', True]}], 'stream': {'content': sha(FUTURE), 'size': len(FUTURE)}}
VOLUME = '0123456789abcdef0123456789abcdef.json'


def compact(value):
    """Python escapes line breaks in another way; such names are in no tree that this is for."""
    return json.dumps(value, ensure_ascii=False, separators=(',', ':'))


class File:
    def __init__(self, path):
        with open(path, 'rb') as file:
            data = file.read()
        lines = data.decode().split('\n')
        self.header = lines[0][:-1]
        self.blocks = self.section(lines, 'blocks')
        self.held = [json.loads(line) for line in self.section(lines, 'contents')]
        self.pages = {sha(line.encode()): line for line in self.section(lines, 'trees')}
        self.summary = next(line for line in lines if line.startswith('"summary":'))[len('"summary":'):-1]

    @staticmethod
    def section(lines, name):
        begin = lines.index(f'"{name}":[') + 1
        end = lines.index('],', begin)
        return [line[:-1] if line.endswith(',') else line for line in lines[begin:end]]

    def text(self):
        out, at = bytearray(self.header.encode() + b',\n'), {}
        at['blocks'], places = section(out, 'blocks', self.blocks)
        lines = []
        for place, held in zip(places, self.held):
            held['at'] = place + len('{"zstd":"')
            lines.append(compact(held))
        at['contents'], _ = section(out, 'contents', lines)
        at['trees'], places = section(out, 'trees', list(self.pages.values()))
        at['tree_index'], _ = section(out, 'tree_index', [
            f'["{digest}",{place},{len(line.encode())}]' for (digest, line), place in zip(self.pages.items(), places)])
        at['summary'] = len(out)
        out += f'"summary":{self.summary},\n'.encode()
        return seal(out, at)

    def add_content(self, data):
        frame = zstd(data)
        line = json.loads(content_line(0, text64(frame), frame, [(sha(data), len(data))]))
        self.blocks.append(f'{{"zstd":"{text64(frame)}"}}')
        self.held.append(line)

    def rewrite_pages(self, edit):
        """The pages of all directories anew, edit having changed each entry and each element of an index page."""
        old, self.pages = self.pages, {}
        below = lambda digest: self.page(old, digest, edit)
        summary = json.loads(self.summary)
        summary['root'] = self.entry(summary['root'], below, edit)
        if 'names' in summary:
            self.pages[summary['names']] = old[summary['names']]
        self.pages.update((digest, line) for digest, line in old.items() if line.startswith('{"chunks"'))
        self.summary = compact(summary)

    def page(self, old, digest, edit):
        page = json.loads(old[digest])
        kind = 'pages' if 'pages' in page else 'entries'
        page[kind] = [self.entry(entry, lambda digest: self.page(old, digest, edit), edit) for entry in page[kind]]
        line = compact(page)
        self.pages[sha(line.encode())] = line
        return sha(line.encode())

    @staticmethod
    def entry(entry, below, edit):
        if 'tree' in entry and 'boundary' not in entry:
            entry['tree'] = below(entry['tree'])
        edit(entry)
        return entry


def add_members(file):
    further = compact(MEMBERS)[1:-1]
    file.rewrite_pages(lambda entry: entry.update(MEMBERS))
    file.header += ',' + further
    file.summary = file.summary[:-1] + ',' + further + '}'
    file.add_content(FUTURE)


def add_door(file):
    doors = []

    def edit(entry):
        if entry.get('type') == 'file' and not doors:
            doors.append(entry)
            entry['type'] = 'door'
    file.rewrite_pages(edit)


def split(file, path, changes):
    """What the file holds goes to a volume, which has the changes."""
    timestamp = json.loads(file.header + '}')['timestamp']
    volume = File(path)
    volume.header, volume.summary = f'{{"format":"backuptool","version":2,"kind":"volume","timestamp":"{timestamp}"', '{}'
    change(volume, changes)
    file.blocks, file.held = [], []
    os.makedirs(os.path.join(os.path.dirname(path), 'contents'), exist_ok=True)
    write(volume, os.path.join(os.path.dirname(path), 'contents', VOLUME))


def change(file, changes):
    for what in changes:
        if what == 'members':
            add_members(file)
        elif what == 'door':
            add_door(file)
        else:
            name = what.removeprefix('needs=')
            file.header = re.sub('("kind":"[a-z]*")', rf'\1,"needs":["{name}"]', file.header)


def write(file, path):
    with open(path + '.new', 'wb') as out:
        out.write(file.text())
    os.chmod(path + '.new', 0o600)
    os.rename(path + '.new', path)


def main():
    path, changes = sys.argv[1], sys.argv[2:]
    file = File(path)
    if 'volume' in changes:
        split(file, path, [what for what in changes if what != 'volume'])
    else:
        change(file, changes)
    write(file, path)


if __name__ == '__main__':
    main()
