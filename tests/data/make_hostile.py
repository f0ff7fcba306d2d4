#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes hostile/: small snapshot files, each broken in one way, with digests that are right nevertheless.

A file's name begins with the reason for which it must be refused (include/backuptool/error.h), so that bad-name.json and
bad-name_slash.json are both refused as bad-name; none.json is sound. Run: make_hostile.py DIRECTORY. Needs the programs zstd and xxhsum.
"""
import base64
import functools
import hashlib
import os
import re
import struct
import subprocess
import sys
import tempfile

sha = lambda data: hashlib.sha256(data).hexdigest()
text64 = lambda data: base64.b64encode(data).decode()

FILES = {'a.txt': b'hello\n', 'b.txt': b'Backup Tool ' * 20, 'c.bin': bytes(range(256))}
HEADER = ('{"format":"backuptool","version":2,"kind":"snapshot","timestamp":"2026-11-22T10:30:00.123456789Z","host":"h",'
          '"target":"/home/me","parent":null,"tags":["a","b"]')
FILES_A = f'"sha256":"{sha(FILES["a.txt"])}",'
NO_CHUNKS = b'{"chunks":[]}'
COMMON = '"mode":"0644","uid":1000,"gid":1000'
TIME = '"mtime":[1732271400,123456789]'


def zstd(data):
    with tempfile.NamedTemporaryFile() as plain:
        plain.write(data)
        plain.flush()
        return subprocess.run(['zstd', '-q', '-3', '--check', '--content-size', '-c', plain.name], check=True,
                              stdout=subprocess.PIPE).stdout


@functools.cache
def xxh3(data):
    return subprocess.run(['xxhsum', '-q', '-H2'], check=True, input=data, stdout=subprocess.PIPE).stdout[:32].decode()


def raw_frame(data, window):
    """A frame that declares this window: its descriptor with a content size of four bytes, and one block that is a copy."""
    checksum = subprocess.run(['xxhsum', '-q', '-H1'], check=True, input=data, stdout=subprocess.PIPE).stdout[:16]
    return (struct.pack('<IBBI', 0xFD2FB528, 0x84, window, len(data)) + struct.pack('<I', len(data) << 3 | 1)[:3] + data +
            bytes.fromhex(checksum.decode())[:3:-1])


def file_entry(name, data):
    return (f'{{"name":"{name}","type":"file",{COMMON},"size":{len(data)},{TIME},'
            f'"sha256":"{sha(data)}","stat":"k3J9sd8fA2Q="}}')


def dir_entry(name, tree):
    return f'{{{name}"type":"dir","mode":"0755","uid":1000,"gid":1000,{TIME},"tree":"{tree}"}}'


def leaf(*entries):
    return '{"entries":[' + ','.join(entries) + ']}'


def same(value):
    return value


def swap(old, new, count=1):
    """An edit that must find what it replaces."""
    def edit(value):
        assert old in value, (old, value)
        return value.replace(old, new, count)
    return edit


def chunked(chunks, holes='', sha256=True):
    digest = f'"sha256":"{sha(FILES["a.txt"])}",' if sha256 else ''
    return swap(f'"sha256":"{sha(FILES["a.txt"])}",', f'{digest}"chunks":[{chunks}],{holes}')


def boundary(kind, empty=True):
    """Makes the directory one that was not entered."""
    def edit(value):
        tree = f'"tree":"{sha(leaf().encode())}"' if empty else r'\1'
        assert '"tree":' in value
        return re.sub('("tree":"[0-9a-f]+")', f'{tree},"boundary":"{kind}"', value)
    return edit


def content_line(place, text, frame, holds):
    """The line of a block whose line begins at place; holds: digests and sizes."""
    size, held = sum(size for _, size in holds), ','.join(f'["{digest}",{size}]' for digest, size in holds)
    return f'{{"at":{place + 9},"length":{len(text)},"xxh3":"{xxh3(frame)}","size":{size},"holds":[{held}]}}'


def section(out, name, lines):
    """Appends a list; returns where its first line lies, and its elements."""
    begin = len(out)
    out += f'"{name}":[\n'.encode()
    places = []
    for i, line in enumerate(lines):
        places.append(len(out))
        out += (line if isinstance(line, bytes) else line.encode()) + (b',\n' if i + 1 < len(lines) else b'\n')
    out += b'],\n'
    return begin, places


def frames():
    """Two blocks: the first holds two contents."""
    contents = list(FILES.values())
    return [(zstd(contents[0] + contents[1]), contents[:2]), (zstd(contents[2]), contents[2:])]


def make(header=same, page=same, summary=same, block=same, contents=same, tree_index=same, end=same, frame=same,
         more=(), draft=False):
    """A whole file. The arguments edit one part each, before what depends on it is made; frame: the first block's
    compressed bytes; more: pages besides; draft: as files were before blocks had digests."""
    out = bytearray(header(HEADER).encode() + b',\n')
    blocks = [(frame(data) if i == 0 else data, held) for i, (data, held) in enumerate(frames())]
    texts = [block(text64(data)) if i == 0 else text64(data) for i, (data, _) in enumerate(blocks)]
    at = {}
    at['blocks'], places = section(out, 'blocks', [f'{{"zstd":"{text}"}}' for text in texts])
    lines = [content_line(place, text, data, [(sha(content), len(content)) for content in held])
             for place, text, (data, held) in zip(places, texts, blocks)]
    if draft:
        lines = [re.sub('"xxh3":"[0-9a-f]*",', '', line) for line in lines]
    at['contents'], _ = section(out, 'contents', [contents(lines[0])] + lines[1:])
    below = leaf(file_entry('c.bin', FILES['c.bin'])).encode()
    top = page(leaf(file_entry('a.txt', FILES['a.txt']), file_entry('b.txt', FILES['b.txt']),
                    dir_entry('"name":"sub",', sha(below))))
    top = top if isinstance(top, bytes) else top.encode()
    pages = [below, *(line.encode() for line in more), top]
    at['trees'], places = section(out, 'trees', pages)
    lines = [f'["{sha(line)}",{place},{len(line)}]' for place, line in zip(places, pages)]
    at['tree_index'], _ = section(out, 'tree_index', [tree_index(lines[0])] + lines[1:])
    at['summary'] = len(out)
    out += ('"summary":' + summary(
        f'{{"root":{dir_entry("", sha(top))},"files":3,"directories":2,"others":0,'
        f'"directory_size":{sum(map(len, FILES.values()))},"stored_size":{sum(map(len, texts))},"new":3,"changed":0,'
        f'"unchanged":0,"errors":0,"xattrs":false}}') + ',\n').encode()
    return seal(out, at, end, draft)


def seal(out, at, end=same, draft=False):
    """Appends the end line with its digests."""
    index = sha(out[at['contents']:at['trees']] + out[at['tree_index']:at['summary']])
    out = out + b'"end":' + end('{' + ''.join(f'"{key}":{value},' for key, value in at.items()) +
                                f'"index_sha256":"{index}",').encode()
    out += f'"open_sha256":"{sha(out[:at["blocks"]] + out[at["summary"]:])}"'.encode()
    return bytes(out + (f',"file_sha256":"{sha(out + b",")}"}}}}\n' if draft else '}}\n').encode())


def flip(data, at, mask=1):
    data = bytearray(data)
    data[at] ^= mask
    return bytes(data)


def page_edits():
    """Edits of the page of the target directory."""
    name, sha_a = '"name":"a.txt"', sha(FILES['a.txt'])
    mode = f'{name},"type":"file",'
    first = file_entry('a.txt', FILES['a.txt'])
    second = file_entry('b.txt', FILES['b.txt'])
    stat = ',"stat":"k3J9sd8fA2Q="'
    raw = lambda edit: lambda text: edit(text.encode())
    edits = {
        'not-json_page': swap(':', ': '),
        'truncated_page': lambda text: text[:-2],
        'trailing-bytes_page': lambda text: text + '}',
        'duplicate-key': swap('"uid":1000', '"uid":1000,"uid":1000'),
        'missing-key': swap('"gid":1000,', ''),
        'unknown-key': swap('"gid":1000', '"comment":"x","gid":1000'),
        'none_further-entry': swap(stat, stat + ',"comment":["x",{"a":null}],"more":-1'),
        'key-order_further': swap(stat, ',"comment":"x"' + stat),
        'duplicate-key_further': swap(stat, stat + ',"comment":1,"comment":2'),
        'duplicate-key_further-inner': swap(stat, stat + ',"comment":{"a":1,"a":2}'),
        'bad-name_further': swap(stat, stat + ',"Comment":1'),
        'bad-name_further-long': swap(stat, f'{stat},"{"c" * 65}":1'),
        'too-large_further': swap(stat, stat + ''.join(f',"x{i}":{i}' for i in range(17))),
        'too-large_further-inner': swap(stat, stat + ',"x":{' + ','.join(f'"x{i}":{i}' for i in range(65)) + '}'),
        'bad-number_further': swap(stat, stat + ',"comment":1.5'),
        'not-json_further': swap(stat, stat + ',"comment": 1'),
        'key-order': swap('"uid":1000,"gid":1000', '"gid":1000,"uid":1000'),
        'wrong-type': swap('"uid":1000', '"uid":"root"'),
        'bad-digest': swap(sha_a, sha_a.upper()),
        'bad-name_dots': swap(name, '"name":".."'),
        'bad-name_empty': swap(name, '"name":""'),
        'bad-name_slash': swap(name, '"name":"a/b"'),
        'bad-name_nul': swap(name, '"name":"a\\u0000"'),
        'bad-name_long': swap(name, f'"name":"{"a" * 256}"'),
        'unsorted_entries': swap(f'{first},{second}', f'{second},{first}'),
        'duplicate-name': swap('"name":"b.txt"', name),
        'needless-base64': swap(name, '"name_b64":"YS50eHQ="'),
        'bad-utf8': raw(swap(b'a.txt', b'a\xff')),
        'bad-escape': swap('a.txt', 'a\\u0041'),
        'bad-base64_stat': swap('k3J9sd8fA2Q=', 'k3J9sd8fA2R='),
        'bad-base64_stat-padding': swap('k3J9sd8fA2Q=', 'k3J9sd8fA2Q'),
        'bad-number': swap('"size":6', '"size":06'),
        'bad-number_fraction': swap('"size":6', '"size":6.0'),
        'bad-number_large': swap('"size":6', '"size":9007199254740992'),
        'too-deep': swap(stat, f'{stat},"x":{"[" * 40}{"]" * 40}'),
        'too-large_chunks': chunked(','.join([f'["{sha_a}",6]'] * 65)),
        'bad-mode': swap('"mode":"0644"', '"mode":"644"'),
        'bad-mode_bits': swap('"mode":"0644"', '"mode":"10644"'),
        'bad-time_page': swap('123456789]', '1000000000]'),
        'bad-time_btime': swap(TIME, TIME + ',"btime":[0,1000000000]'),
        'bad-number_btime': swap(TIME, TIME + ',"btime":[9007199254740992,0]'),
        'wrong-type_btime': swap(TIME, TIME + ',"btime":1732271400'),
        'key-order_btime': swap(TIME, '"btime":[0,0],' + TIME),
        'none_btime': swap(TIME, TIME + ',"btime":[-1,999999999]'),
        'bad-owner': swap('"uid":1000', '"uid":4294967295'),
        'bad-type': swap('"type":"file"', '"type":"door"'),
        'bad-type_member': swap(stat, f',"rdev":[1,2]{stat}'),
        'bad-type_boundary': boundary('tmpfs', empty=False),
        'bad-name_boundary': boundary('tmp fs'),
        'bad-mode_flags': swap(stat, f',"flags":"ai"{stat}'),
        'bad-number_project': swap(stat, f',"project":0{stat}'),
        'none_flags': swap(stat, f',"flags":"dA","project":7{stat}'),
        'bad-size_chunks': chunked(f'["{sha_a}",5]'),
        'bad-size_overflow': chunked(f'["{sha_a}",6],["{sha_a}","18446744073709551615"],["{sha_a}",1]'),
        'digest-mismatch_whole': lambda text: chunked(f'["{sha_a}",6]')(text).replace(sha_a, sha(b'other'), 1),
        'bad-hole_outside': chunked(f'["{sha_a}",4]', '"holes":[[5,2]],'),
        'bad-hole_touching': chunked(f'["{sha_a}",4]', '"holes":[[0,1],[1,1]],'),
        'unsorted_holes': chunked(f'["{sha_a}",4]', '"holes":[[3,1],[0,1]],'),
        'bad-xattr': swap(stat, f',"xattrs":[["",""]]{stat}'),
        'unsorted_xattrs': swap(stat, f',"xattrs":[["b",""],["a",""]]{stat}'),
        'bad-type_torn': swap(stat, f',"torn":false{stat}'),
        'bad-type_error': swap(stat, f',"error":"EIO"{stat}'),
        'bad-name_error': swap(f',"sha256":"{sha_a}"{stat}', f',"error":"eio"{stat}'),
        'bad-type_two-lists': chunked(f'["{sha_a}",6]', f'"chunk_pages":[["{sha_a}",6]],'),
        'bad-size_no-chunk-pages': swap(stat, f',"chunk_pages":[]{stat}'),
        'bad-hole_alone': swap(stat, f',"holes":[[0,1]]{stat}'),
        'bad-hole_none': chunked(f'["{sha_a}",6]', '"holes":[],'),
        'bad-size_stat': swap('k3J9sd8fA2Q=', 'k3J9sd8f'),
        'missing-key_links': swap(stat, f',"inode":5{stat}'),
        'bad-number_links': swap(stat, f',"inode":5,"links":1{stat}'),
        'bad-number_dev': swap(stat, f',"inode":5,"links":2,"dev":0{stat}'),
        'duplicate-name_xattrs': swap(stat, f',"xattrs":[["a",""],["a","AA=="]]{stat}'),
        'needless-base64_xattr': swap(stat, f',"xattrs":[[null,"","YQ=="]]{stat}'),
        'bad-mode_flags-unknown': swap(stat, f',"flags":"e"{stat}'),
        'bad-target': swap(mode + COMMON + f',"size":6,{TIME},"sha256":"{sha_a}"{stat}',
                           f'{name},"type":"symlink",{COMMON},{TIME},"target":""'),
        'bad-target_device': swap(mode + COMMON + f',"size":6,{TIME},"sha256":"{sha_a}"{stat}',
                                  f'{name},"type":"chardev",{COMMON},{TIME},"rdev":[4294967296,0]'),
    }
    for reason, edit in edits.items():
        yield reason, make(page=edit)


def index_page(lie):
    """The target directory as two leaves; lie: edits the index page over them."""
    files = leaf(file_entry('a.txt', FILES['a.txt']), file_entry('b.txt', FILES['b.txt']))
    below = leaf(dir_entry('"name":"sub",', sha(leaf(file_entry('c.bin', FILES['c.bin'])).encode())))
    lines = [f'{{"name":"{name}","entries":{count},"tree":"{sha(page.encode())}"}}'
             for name, count, page in (('a.txt', 2, files), ('sub', 1, below))]
    return make(page=lambda _: '{"pages":[' + ','.join(lie(lines)) + ']}', more=[files, below])


def over(first, second):
    """An index page over two pages, each given as a name, a number of entries and a line."""
    return '{"pages":[' + ','.join(f'{{"name":"{name}","entries":{count},"tree":"{sha(page.encode())}"}}'
                                   for name, count, page in (first, second)) + ']}'


def nested(count=2, name='a.txt', height=2):
    """The target directory as index pages one below the other, each with a.txt, at the bottom, and one file more than the
    one below. The first of them says so of the second one: a name, and how many entries that has more than its own."""
    below, pages = leaf(file_entry('a.txt', FILES['a.txt'])), []
    for level in range(height):
        other = leaf(file_entry(f'b{level:02}.txt', FILES['b.txt']))
        top = level == height - 1
        pages += [below, other]
        below = over((name if top else 'a.txt', level + (count - 1 if top else 1), below), (f'b{level:02}.txt', 1, other))
    counts = swap('"files":3,"directories":2', f'"files":{height + 1},"directories":1')
    return make(page=lambda _: below, more=pages, summary=counts)


def chunk_page(size):
    """A file with a page of one chunk of this size, which the file states to be all of it."""
    page = f'{{"chunks":[["{sha(FILES["a.txt"])}",{size}]]}}'
    digest = f'"sha256":"{sha(FILES["a.txt"])}",'
    return make(page=swap(digest, f'{digest}"chunk_pages":[["{sha(page.encode())}",6]],'), more=[page])


def names(users='[0,"root"],[1000,"me"]', groups='[1000,"me"]', whole='{"users":[%s],"groups":[%s]}'):
    """A snapshot with names of users and groups."""
    page = whole % (users, groups) if '%s' in whole else whole
    return make(summary=swap('"xattrs"', f'"names":"{sha(page.encode())}","xattrs"'), more=[page])


def names_edits():
    yield 'none_names', names()
    yield 'none_names-of-groups', names(users='')
    yield 'bad-size_names', names('', '')
    yield 'unsorted_names', names('[1000,"me"],[0,"root"]')
    yield 'duplicate-name_names', names(groups='[0,"a"],[0,"b"]')
    yield 'bad-name_names', names('[0,"a\\u000ab"]')
    yield 'bad-name_names-long', names(f'[0,"{"a" * 256}"]')
    yield 'bad-owner_names', names('[4294967295,"a"]')
    yield 'wrong-type_names', names('["root",0]')
    yield 'bad-number_names', names('["0","root"]')
    yield 'missing-key_names', names(whole='{"users":[[0,"root"]]}')
    yield 'bad-type_names-page', names(whole=leaf())
    yield 'bad-type_names-page-as-tree', make(page=lambda _: '{"users":[[0,"root"]],"groups":[]}')
    yield 'key-order_names', make(summary=swap('"xattrs":false', f'"xattrs":false,"names":"{sha(b"")}"'))


def page_lies():
    """Pages that are right, each by itself, but do not fit what another says of them."""
    yield 'none_index-page', index_page(same)
    yield 'none_chunk-page', chunk_page(6)
    yield 'bad-size_index-page', index_page(lambda lines: [lines[0].replace('"entries":2', '"entries":3'), lines[1]])
    yield 'none_further-leaf', index_page(lambda lines: [lines[0][:-1] + ',"more":[]}', lines[1]])
    yield 'unknown-key_leaf', index_page(lambda lines: [lines[0].replace('"tree"', '"more":1,"tree"'), lines[1]])
    yield 'none_index-page-nested', nested(height=16)
    yield 'bad-size_index-page-nested', nested(count=3)
    yield 'too-deep_index-page', nested(height=17)
    yield 'unsorted_index-page-nested', nested(name='a')
    yield 'unsorted_index-page', index_page(lambda lines: lines[::-1])
    yield 'unsorted_index-page-first', index_page(lambda lines: [lines[0].replace('a.txt', 'a'), lines[1]])
    yield 'bad-size_chunk-page', chunk_page(5)
    yield 'bad-size_chunk-page-empty', make(page=swap(FILES_A, f'{FILES_A}"chunk_pages":[["{sha(NO_CHUNKS)}",6]],'),
                                            more=[NO_CHUNKS.decode()])
    yield 'bad-size_index-page-of-one', index_page(lambda lines: lines[:1])


def part_edits():
    """Edits of the other parts."""
    yield 'unknown-format', make(header=swap('backuptool', 'anothertool'))
    yield 'unknown-version', make(header=swap('"version":2', '"version":3'))
    yield 'unknown-kind', make(header=swap('"kind":"snapshot"', '"kind":"picture"'))
    yield 'not-json_header', make(header=swap('{', '#'))
    yield 'byte-order-mark', make(header=lambda text: '\ufeff' + text)
    yield 'too-large_header', make(header=swap('"host":"h"', f'"host":"{"h" * 65536}"'))
    yield 'duplicate-key_header', make(header=swap('"host":"h"', '"host":"h","host":"h"'))
    yield 'missing-key_header', make(header=swap('"host":"h",', ''))
    yield 'unknown-key_header', make(header=swap('"tags"', '"more":1,"tags"'))
    yield 'none_further', make(header=lambda text: text + ',"more":{"a":[true]}', summary=lambda text: text[:-1] + ',"more":1}')
    yield 'none_further-root', make(summary=swap('},"files"', ',"more":1},"files"'))
    yield 'bad-name_further-header', make(header=lambda text: text + ',"more or less":1')
    yield 'too-deep_further', make(header=lambda text: text + ',"more":' + '[' * 16 + ']' * 16)
    yield 'unknown-key_summary', make(summary=swap('"xattrs"', '"more":1,"xattrs"'))
    yield 'duplicate-key_summary', make(summary=lambda text: text[:-1] + ',"more":1,"files":3}')
    needs = lambda value: make(header=swap('"kind":"snapshot"', f'"kind":"snapshot","needs":{value}'))
    yield 'unknown-need', needs('["holograms"]')
    yield 'unknown-need_sealed', make(header=swap('backuptool', 'backuptool-sealed'))
    yield 'unknown-need_strange', make(header=swap('"kind":"snapshot"', '"kind":"snapshot","needs":["holograms"],"strange":[1.5]'))
    taken = lambda text: make(header=lambda header: header + ',' + text)
    yield 'none_taken', taken('"program":"backuptool 0.1.0","user":"me","rules":["*.tmp",{"b64":"/w=="},"*.tmp"],'
                              '"options":["exclude-caches","one-file-system"],"pinned":true,'
                              '"expires":"2027-01-01T00:00:00.000000000Z","description":"before \\"it\\"","partial":true,'
                              '"rewritten":"snapshot_2026-11-22T10-30-00Z.json"')
    yield 'none_rules-omitted', taken('"program":"p","rules_omitted":true')
    yield 'bad-name_program', taken(f'"program":"{"p" * 65}"')
    yield 'bad-name_user', taken('"user":""')
    yield 'bad-name_rule', taken('"rules":["a\\u0000"]')
    yield 'needless-base64_rule', taken('"rules":[{"b64":"YQ=="}]')
    yield 'bad-size_rules', taken('"rules":[]')
    yield 'bad-type_rules', taken('"rules":["a"],"rules_omitted":true')
    yield 'unsorted_options', taken('"options":["b","a"]')
    yield 'duplicate-name_options', taken('"options":["a","a"]')
    yield 'bad-type_pinned', taken('"pinned":false')
    yield 'bad-time_expires', taken('"expires":"tomorrow"')
    yield 'bad-name_description', taken(f'"description":"{"d" * 4097}"')
    yield 'bad-name_description-lines', taken('"description":"a\\u000ab"')
    yield 'none_streams', taken('"program":"p","streams":true')
    yield 'bad-type_streams', taken('"streams":false')
    yield 'wrong-type_partial', taken('"partial":1')
    yield 'bad-name_rewritten', taken('"rewritten":"../x.json"')
    yield 'wrong-type_rewritten', taken('"rewritten":null')
    yield 'key-order_taken', taken('"user":"me","program":"p"')
    yield 'unsorted_needs', needs('["b","a"]')
    yield 'duplicate-name_needs', needs('["a","a"]')
    yield 'bad-size_needs', needs('[]')
    yield 'bad-name_needs', needs('["A b"]')
    yield 'wrong-type_needs', needs('"a"')
    yield 'too-large_needs', needs('[' + ','.join(f'"x{i:02}"' for i in range(17)) + ']')
    yield 'key-order_needs', make(header=swap('"host"', '"needs":["a"],"host"'))
    yield 'key-order_header', make(header=swap('"host":"h","target":"/home/me"', '"target":"/home/me","host":"h"'))
    yield 'bad-time', make(header=swap('2026-11-22', '2026-11-31'))
    yield 'bad-target_relative', make(header=swap('/home/me', 'home/me'))
    yield 'unsorted_tags', make(header=swap('"a","b"', '"b","a"'))
    yield 'duplicate-name_tags', make(header=swap('"a","b"', '"a","a"'))
    yield 'bad-name_parent', make(header=swap('"parent":null', '"parent":"../x.json"'))
    yield 'missing-key_summary', make(summary=swap('"files":3,', ''))
    yield 'none_counts', make(summary=swap('"errors":0', '"errors":2,"torn":2,"removed":1,"left_out":3,"boundaries":4'))
    yield 'bad-number_counts', make(summary=swap('"errors":0', '"errors":0,"removed":0'))
    yield 'bad-size_torn', make(summary=swap('"errors":0', '"errors":0,"torn":1'))
    yield 'key-order_counts', make(summary=swap('"errors":0', '"errors":0,"boundaries":1,"removed":1'))
    yield 'bad-type_root', make(summary=swap('"type":"dir"', '"type":"fifo"'))
    yield 'wrong-type_summary', make(summary=swap('"xattrs":false', '"xattrs":0'))
    yield 'missing-key_end', make(end=lambda text: re.sub('"trees":[0-9]+,', '', text))
    yield 'unknown-key_end', make(end=swap('"trees"', '"forest"'))
    yield 'wrong-type_end', make(end=swap('"blocks":', '"blocks":[],"x":'))
    yield 'too-large_end', make(end=swap('{', '{"more":"' + 'x' * 1024 + '",'))
    yield 'bad-offset_section', make(end=lambda text: re.sub('"trees":([0-9]+)', lambda at: f'"trees":{int(at[1]) - 40}', text))
    yield 'bad-offset_after-list', make(contents=lambda text: text + '\n],\n' + text)
    yield 'bad-size_page-length', make(tree_index=lambda text: re.sub(',[0-9]+]$', ',0]', text))
    yield 'too-large_page-length', make(tree_index=lambda text: re.sub(',[0-9]+]$', ',16777217]', text))
    yield 'bad-offset_content', make(contents=swap('"at":1', '"at":2'))
    yield 'bad-offset_beyond', make(contents=swap('"length":', '"length":9'))
    yield 'bad-offset_page', make(tree_index=lambda text: text.replace(',', ',1', 1))
    yield 'bad-size_content', make(contents=swap('"size":', '"size":1'))
    yield 'bad-size_zero', make(contents=swap('",6]', '",0]'))
    yield 'bad-digest_index', make(tree_index=lambda text: '["Z' + text[3:])
    yield 'unknown-key_content', make(contents=lambda text: text[:-1] + ',"more":1}')
    yield 'missing-key_xxh3', make(contents=lambda text: re.sub('"xxh3":"[0-9a-f]*",', '', text))
    yield 'bad-digest_xxh3', make(contents=lambda text: re.sub('("xxh3":"[0-9a-f]{31})[0-9a-f]"', r'\1F"', text))
    yield 'digest-mismatch_xxh3', make(contents=lambda text: re.sub('"xxh3":"[0-9a-f]*"', f'"xxh3":"{xxh3(b"other")}"', text))
    yield 'none_draft', make(draft=True)
    yield 'unknown-key_draft', make(contents=swap('"size":', f'"xxh3":"{xxh3(b"")}","size":'), draft=True)
    yield 'too-large_content', make(contents=swap('"size":246', '"size":8388609'))


def block_edits():
    yield 'bad-base64', make(block=lambda text: text[:8] + '\\u002b' + text[14:])
    yield 'bad-base64_space', make(block=lambda text: text[:8] + ' ' + text[9:])
    yield 'bad-base64_padding', make(block=lambda text: text[:-4] + '====')
    yield 'bad-base64_tail', make(block=lambda text: re.sub('.=$', 'J=', text))
    yield 'bad-size_base64', make(block=lambda text: text.rstrip('='))
    yield 'bad-frame', make(frame=lambda data: b'\0\0\0\0' + data[4:])
    yield 'bad-frame_checksum', make(frame=lambda data: flip(data, len(data) - 1))
    yield 'bad-frame_cut', make(frame=lambda data: data[:-5])
    window = lambda exponent: lambda data: raw_frame(FILES['a.txt'] + FILES['b.txt'], exponent << 3)
    yield 'none_window', make(frame=window(13))
    yield 'bad-frame_window', make(frame=window(14))
    yield 'trailing-frame', make(frame=lambda data: data + zstd(b'more'))
    yield 'trailing-frame_skippable', make(frame=lambda data: data + b'\x50\x2a\x4d\x18\x04\0\0\0more')
    yield 'frame-size', make(frame=lambda data: zstd(FILES['a.txt'] + FILES['b.txt'] + b'.'))
    yield 'digest-mismatch_content', make(frame=lambda data: zstd(flip(FILES['a.txt'] + FILES['b.txt'], 3)))
    yield 'digest-mismatch_exchanged', make(frame=lambda data: zstd(FILES['b.txt'] + FILES['a.txt']))
    yield 'digest-mismatch_holds', make(contents=swap(sha(FILES['a.txt']), sha(b'other')))


def byte_edits():
    """Damage to a finished file, with digests that no longer fit."""
    good = make()
    yield 'none', good
    yield 'truncated', good[:len(good) // 2]
    yield 'truncated_newline', good[:-1]
    yield 'trailing-bytes', good + b'\n'
    yield 'digest-mismatch_header', flip(good, good.index(b'"host":"h"') + 8)
    yield 'digest-mismatch_index', good.replace(sha(FILES['a.txt']).encode(), sha(b'other').encode(), 1)
    yield 'digest-mismatch_page', good.replace(b'"uid":1000', b'"uid":1001', 1)
    yield 'digest-mismatch_open', flip(good, good.rindex(b'"}}') - 1)


def at_rest(text, sizes=same, digest=same, footer=same, frame=same, at=700):
    """The file as it lies compressed, in two frames: FORMAT.md section 8."""
    parts = [text[:at], text[at:]]
    frames = [frame(zstd(part)) for part in parts]
    body = b''.join(frames)
    mark = digest(struct.pack('<II', 0x184D2A5D, 32) + hashlib.sha256(body).digest())
    entries = sizes([[len(data), len(part)] for data, part in zip(frames, parts)] + [[40, 0]])
    table = b''.join(struct.pack('<II', *entry) for entry in entries)
    end = footer(struct.pack('<IBI', len(entries), 0, 0x8F92EAB1))
    return body + mark + struct.pack('<II', 0x184D2A5E, len(table) + 9) + table + end


def other(index, stored=0, plain=0):
    """An edit of one entry of the table."""
    def edit(entries):
        entries[index] = [entries[index][0] + stored, entries[index][1] + plain]
        return entries
    return edit


def at_rest_edits():
    text, good = make(), at_rest(make())
    yield 'none_at-rest', good
    yield 'bad-seek-table', good[:-1]
    yield 'bad-seek-table_none', zstd(text)
    yield 'bad-seek-table_trailing', good + b'\n'
    yield 'bad-seek-table_gap', good[:-100] + good[-99:]
    yield 'bad-seek-table_stored', at_rest(text, sizes=other(0, stored=1))
    yield 'bad-seek-table_huge', at_rest(text, sizes=other(1, stored=2**31))
    yield 'bad-seek-table_bomb', at_rest(text, sizes=other(1, plain=2**20))
    yield 'bad-seek-table_empty', at_rest(text, sizes=other(0, plain=-700))
    yield 'bad-seek-table_many', at_rest(text, footer=lambda data: struct.pack('<I', 2**28) + data[4:])
    yield 'bad-seek-table_few', at_rest(text, footer=lambda data: struct.pack('<I', 2) + data[4:])
    yield 'bad-seek-table_sums', at_rest(text, footer=lambda data: data[:4] + b'\x80' + data[5:])
    yield 'bad-seek-table_digest', at_rest(text, digest=lambda data: b'\x5c' + data[1:])
    yield 'bad-seek-table_last', at_rest(text, sizes=other(2, plain=1))
    yield 'bad-frame_at-rest', at_rest(text, frame=lambda data: flip(data, len(data) - 1))
    yield 'bad-frame_at-rest-skip', at_rest(text, frame=lambda data: data[:-4])
    yield 'frame-size_at-rest', at_rest(text, sizes=other(0, plain=1))
    yield 'trailing-frame_at-rest', at_rest(text, frame=lambda data: data + zstd(b''))
    yield 'digest-mismatch_at-rest', at_rest(text, digest=lambda data: flip(data, 39))
    yield 'truncated_at-rest', at_rest(text[:-1])


def main():
    for edits, suffix in ((byte_edits, '.json'), (part_edits, '.json'), (block_edits, '.json'), (page_edits, '.json'),
                          (page_lies, '.json'), (names_edits, '.json'), (at_rest_edits, '.json.zst')):
        for reason, data in edits():
            with open(os.path.join(sys.argv[1], reason + suffix), 'wb') as out:
                out.write(data)


if __name__ == '__main__':
    main()
