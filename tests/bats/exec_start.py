#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""exec_start.py UNIT: the words of its ExecStart= as systemd would pass them (systemd.service(5), "COMMAND LINES", and
systemd.syntax(7), "QUOTING"), each followed by a NUL byte."""
import re
import sys

line = next(line for line in open(sys.argv[1], "rb").read().split(b"\n") if line.startswith(b"ExecStart="))
text = line[len(b"ExecStart="):]
words, at = [], 0
while at < len(text):
    word, quote = b"", None
    while at < len(text) and (quote or text[at:at + 1] != b" "):
        one = text[at:at + 1]
        if one == b"\\":
            escape = re.match(rb'\\(x([0-9a-f]{2})|["\\])', text[at:])
            assert escape, text[at:]
            word += bytes.fromhex(escape[2].decode()) if escape[2] else escape[1]
            at += len(escape[0])
            continue
        if one in (b'"', b"'") and quote in (None, one):
            quote = None if quote else one
        else:
            word += one
        at += 1
    assert not quote
    at += 1
    assert not re.search(rb"(?<!%)%(%%)*(?!%)", word), word
    word = word.replace(b"%%", b"%")
    if words:
        assert not re.search(rb"(?<!\$)\$(\$\$)*(?!\$)", word), word
        word = word.replace(b"$$", b"$")
    words.append(word)
for word in words:
    sys.stdout.buffer.write(word + b"\0")
