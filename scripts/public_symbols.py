#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""public_symbols.py VERSION HEADER…: prints a linker's version script that exports what the headers declare, and nothing
else."""
import pathlib
import re
import sys


def declared(path):
    text = re.sub(r'/\*.*?\*/|//[^\n]*', '', pathlib.Path(path).read_text(), flags=re.S)
    text = re.sub(r'^\s*#.*?(?<!\\)$', '', text, flags=re.M | re.S)
    return re.findall(r'(?<!\()\b(bt_\w+)\s*\(', text) + re.findall(r'\bextern\b[^;]*?\b(bt_\w+)\s*(?:\[\w*\])*;', text)


names = sorted({name for path in sys.argv[2:] for name in declared(path)})
if not names:
    sys.exit('public_symbols.py: these headers declare nothing')
print(f'BACKUPTOOL_{sys.argv[1]} {{\nglobal:')
print('\n'.join(f'\t{name};' for name in names))
print('local:\n\t*;\n};')
