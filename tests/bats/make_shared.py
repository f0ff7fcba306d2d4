#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_shared.py FILE [missing] [huge]: a small snapshot whose directories name each other so that 32^16 paths lead to one file.

missing: the store has not what the file holds. huge: its summary says that it has as many entries."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data'))
from make_hostile import HEADER, content_line, dir_entry, file_entry, leaf, seal, section, sha, text64, zstd

LEVELS, NAMES = 16, 32


def pages(data):
    page = leaf(file_entry('f', data))
    yield page
    for _ in range(LEVELS):
        page = leaf(*[dir_entry(f'"name":"d{i:02}",', sha(page.encode())) for i in range(NAMES)])
        yield page


def main():
    data = b'hello\n'
    held, out, at, trees = [] if 'missing' in sys.argv else [data], bytearray(HEADER.encode() + b',\n'), {}, [*pages(data)]
    frames = [zstd(content) for content in held]
    texts = [text64(frame) for frame in frames]
    at['blocks'], places = section(out, 'blocks', [f'{{"zstd":"{text}"}}' for text in texts])
    at['contents'], _ = section(out, 'contents', [
        content_line(place, text, frame, [(sha(data), len(data))]) for place, text, frame in zip(places, texts, frames)])
    at['trees'], places = section(out, 'trees', trees)
    at['tree_index'], _ = section(out, 'tree_index', [
        f'["{sha(page.encode())}",{place},{len(page)}]' for page, place in zip(trees, places)])
    at['summary'] = len(out)
    out += (f'"summary":{{"root":{dir_entry("", sha(trees[-1].encode()))},"files":{10**15 if "huge" in sys.argv else 1},"directories":17,"others":0,'
            f'"directory_size":6,"stored_size":0,"new":1,"changed":0,"unchanged":0,"errors":0,"xattrs":false}},\n').encode()
    with open(sys.argv[1], 'wb') as file:
        file.write(seal(out, at))


if __name__ == '__main__':
    main()
