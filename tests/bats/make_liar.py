#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make_liar.py STORE NAME [volume]: adds a sound file that says to hold everything that the store's files hold. What it has is zeros."""
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data'))
from make_hostile import FILES, content_line, file_entry, leaf, seal, section, sha, text64, zstd

TIMESTAMP = '2020-11-22T10:30:00.000000000Z'
HEADER = f'{{"format":"backuptool","version":2,"kind":"%s","timestamp":"{TIMESTAMP}"'
SNAPSHOT = ',"host":"h","target":"/home/me","parent":null,"tags":[]'


def claims(store):
    """The lists of blocks of all files, each with what it holds."""
    for place in (store, os.path.join(store, 'contents')):
        for name in sorted(os.listdir(place) if os.path.isdir(place) else []):
            if name.endswith('.json'):
                with open(os.path.join(place, name), encoding='utf-8') as file:
                    yield from (block['holds'] for block in json.load(file)['contents'])


def blocks_of(claimed):
    blocks = [(zstd(b'\0' * sum(size for _, size in holds)), holds) for holds in claimed]
    hello = FILES['a.txt']
    return blocks + [(zstd(hello), [[sha(hello), len(hello)]])]


def make(claimed, volume):
    out, at = bytearray((HEADER % ('volume' if volume else 'snapshot') + ('' if volume else SNAPSHOT)).encode() + b',\n'), {}
    blocks = blocks_of(claimed)
    texts = [text64(frame) for frame, _ in blocks]
    at['blocks'], places = section(out, 'blocks', [f'{{"zstd":"{text}"}}' for text in texts])
    at['contents'], _ = section(out, 'contents', [
        content_line(place, text, frame, holds) for place, text, (frame, holds) in zip(places, texts, blocks)])
    page = leaf(file_entry('x', FILES['a.txt']))
    at['trees'], places = section(out, 'trees', [page])
    at['tree_index'], _ = section(out, 'tree_index', [f'["{sha(page.encode())}",{places[0]},{len(page)}]'])
    at['summary'] = len(out)
    root = f'{{"type":"dir","mode":"0755","uid":0,"gid":0,"mtime":[1732271400,123456789],"tree":"{sha(page.encode())}"}}'
    counts = '"files":1,"directories":1,"others":0,"directory_size":6,"stored_size":0,"new":1,"changed":0,"unchanged":0'
    out += (b'"summary":{},\n' if volume else f'"summary":{{"root":{root},{counts},"errors":0,"xattrs":true}},\n'.encode())
    return seal(out, at)


def main():
    store, name = sys.argv[1:3]
    data = make(list(claims(store)), len(sys.argv) > 3)
    with open(os.path.join(store, name), 'wb') as file:
        file.write(data)


if __name__ == '__main__':
    main()
