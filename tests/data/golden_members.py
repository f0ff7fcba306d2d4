#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Says which members of the format no golden store has: golden_members.py STORE…

The members are those of the tables in engine/FORMAT.md and those of the second reader (reader_values.py). Ends with 1 if
one is missing, or if one that is excused below is there after all. Needs the program zstd.
"""
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..'))
import reader_values as known  # noqa: E402

EXCUSED = {
    ('header', 'needs'): 'no feature has a name yet',
    ('entry', 'error in symlink'): 'the target of a link that is there can be read',
}
PAGES = ('entries', 'pages', 'chunks', 'users', 'groups')
VERSION_1 = ('timestamp', 'files', 'file_contents', 'directory_size', 'snapshot_size')


def rows(heading):
    """The rows of the table in FORMAT.md with this heading, as lists of cells."""
    with open(os.path.join(HERE, '../../engine/FORMAT.md'), encoding='utf-8') as text:
        lines = text.read().split('\n')
    for line in lines[lines.index(heading) + 2:]:
        if not line.startswith('|'):
            return
        yield [cell.strip() for cell in line.strip('|').split('|')]


def words(cell):
    return re.findall('`([^`]+)`', cell)


def wanted():
    for name, meaning in rows('| member | meaning |'):
        yield 'header', words(name)[0]
        if name == '`options`':
            yield from (('option', re.sub(':.*', ':', word)) for word in words(meaning) if word not in ('rules', 'btime'))
    for names, places, meaning in rows('| member | in | meaning |'):
        for name in words(names):
            yield 'entry', name
            if places != 'all' and not places.startswith('all but'):
                yield from (('entry', f'{name} in {place}') for place in places.split(', '))
            if name == 'type':
                yield from (('type', word) for word in words(meaning))
    for place, table in (('header', known.HEADER), ('block', known.BLOCK), ('summary', known.SUMMARY),
                         ('entry', known.ENTRY), ('end', known.END), ('listed page', known.LISTED_PAGE)):
        yield from ((place, name) for name in table)
    yield from (('page', name) for name in PAGES)
    yield from (('version 1', name) for name in VERSION_1)
    yield from (('id', name) for name in ('format', 'id', 'created', 'at_rest'))
    yield from (('kind', name) for name in ('snapshot', 'volume'))
    yield from (('rule', form) for form in ('text', 'b64'))
    yield 'xattr', 'whose name is no text'
    yield 'header', 'needs'


def of_entry(entry):
    yield 'type', entry['type']
    for name in entry:
        yield 'entry', name
        yield 'entry', f'{name} in {entry["type"]}'
    if any(xattr[0] is None for xattr in entry.get('xattrs', [])):
        yield 'xattr', 'whose name is no text'


def of_page(page):
    yield from (('page', name) for name in page)
    for listed in page.get('pages', []):
        yield from (('listed page', name) for name in listed)
    for entry in page.get('entries', []):
        yield from of_entry(entry)


def of_file(file):
    if 'version' not in file:
        yield from (('version 1', name) for name in file)
        return
    yield 'kind', file['kind']
    yield from (('header', name) for name in list(file)[:list(file).index('blocks')])
    yield from (('rule', 'b64' if isinstance(rule, dict) else 'text') for rule in file.get('rules', []))
    yield from (('option', re.sub(':.*', ':', word)) for word in file.get('options', []))
    for block in file['contents']:
        yield from (('block', name) for name in block)
    for page in file['trees']:
        yield from of_page(page)
    yield from (('summary', name) for name in file['summary'])
    yield from (('end', name) for name in file['end'])
    if 'root' in file['summary']:
        yield from of_entry(file['summary']['root'])


def read(path):
    if path.endswith('.zst'):
        return subprocess.run(['zstd', '-dcq', path], check=True, stdout=subprocess.PIPE).stdout
    with open(path, 'rb') as file:
        return file.read()


def of_store(top):
    for directory, _, names in os.walk(top):
        for name in names:
            if name == 'id':
                yield from (('id', member) for member in json.loads(read(os.path.join(directory, name))))
            elif re.search(r'\.json(\.zst)?$', name):
                yield from of_file(json.loads(read(os.path.join(directory, name))))


def main():
    have = {member for store in sys.argv[1:] for member in of_store(store)}
    lacking = [member for member in dict.fromkeys(wanted()) if member not in have]
    for place, name in lacking:
        if (place, name) not in EXCUSED:
            print(f'no golden store has {place}: {name}')
    for place, name in EXCUSED:
        if (place, name) not in lacking:
            print(f'excused without need: {place}: {name}')
    return any(member not in EXCUSED for member in lacking) or any(member not in lacking for member in EXCUSED)


if __name__ == '__main__':
    sys.exit(main())
