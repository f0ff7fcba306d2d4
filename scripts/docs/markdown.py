#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""markdown.py SOURCE NAME SECTION DATE VERSION: prints a text in Markdown as a man page. It knows what the texts of
this project use: headings, paragraphs, lists, quotations, tables, indented and fenced examples, `code`,
**words that matter** and *terms*; comments are left out, and what it does not know ends it. A first heading
"# NAME - summary" or "# Summary" gives the summary."""
import re
import sys
import roff

INLINE = re.compile(r'`([^`]+)`|\*\*([^*]+)\*\*|(?<![\w*])\*([^*\s][^*]*)\*(?!\w)|\[([^\]]+)\]\([^)]+\)')
COMMENT = re.compile(r'<!-- [^>]* -->$')
BULLET = '\\(bu'
NUMBER = re.compile(r'(\d+\.) ')
UNKNOWN = re.compile(r'^(!\[|<)')


def inline(words):
    """Words with their marks as roff."""
    parts, at = [], 0
    for mark in INLINE.finditer(words):
        parts.append(roff.text(words[at:mark.start()]))
        code, strong, term, link = mark.groups()
        parts.append(roff.bold(code or strong) if code or strong else roff.italic(term) if term else roff.text(link))
        at = mark.end()
    shown = ''.join(parts) + roff.text(words[at:])
    return re.sub(r'^\.', r'\\&.', shown)


def cells(line):
    return [cell.strip() for cell in line.strip().strip('|').split('|')]


def table(lines):
    """The first column as a list of terms, the others behind them."""
    for line in lines:
        first, *others = cells(line)
        if set(line) <= set('|- :') or not any([first, *others]):
            continue
        *middle, last = others
        behind = f' ({", ".join(inline(cell) for cell in middle)})' if middle else ''
        yield from ['.TP', inline(first) + behind, inline(last)]


def blocks(text):
    """Pairs of a kind and the lines of each block."""
    lines, at = text.split('\n'), 0

    def take(belongs):
        nonlocal at
        taken = []
        while at < len(lines) and belongs(lines[at]):
            taken.append(lines[at])
            at += 1
        return taken

    while at < len(lines):
        line = lines[at]
        if not line.strip() or COMMENT.match(line):
            at += 1
        elif line.startswith('#'):
            at += 1
            yield 'heading', [line]
        elif line.startswith('```'):
            at += 1
            yield 'example', take(lambda line: not line.startswith('```'))
            at += 1
        elif line.startswith('    '):
            yield 'example', [line[4:] for line in take(lambda line: line.startswith('    '))]
        elif line.startswith('|'):
            yield 'table', take(lambda line: line.startswith('|'))
        elif line.startswith('- '):
            at += 1
            yield 'item', [line[2:]] + [line.strip() for line in take(lambda line: line.startswith('  '))]
        elif NUMBER.match(line):
            at += 1
            yield 'item', [line] + [line.strip() for line in take(lambda line: line.startswith('  '))]
        elif line.startswith('> '):
            yield 'quote', [line[2:] for line in take(lambda line: line.startswith('> '))]
        elif UNKNOWN.match(line):
            sys.exit(f'markdown.py: this is not known: {line}')
        else:
            yield 'paragraph', take(lambda line: line.strip() and not re.match(r'#|```|\||- |> |\d+\. ', line))


def heading(line):
    marks, words = line.split(' ', 1)
    return roff.heading(words.upper()) if len(marks) == 2 else [f'.SS {roff.text(words)}']


def body(text):
    behind_heading = True  # where a mark for a new paragraph would be one too many
    for kind, lines in blocks(text):
        if kind == 'heading':
            yield from heading(lines[0])
        elif kind == 'example':
            yield from ([] if behind_heading else ['.PP']) + roff.example('\n'.join(lines))
        elif kind == 'table':
            yield from table(lines)
        elif kind == 'item':
            number = NUMBER.match(lines[0])
            words = ' '.join(lines)[number.end() if number else 0:]
            yield from [f'.IP {number[1] if number else BULLET} 3', *inline(words).split('\n')]
        elif kind == 'quote':
            yield from ['.RS 4', inline(' '.join(lines)), '.RE']
        else:
            yield from ([] if behind_heading else ['.PP']) + [inline(' '.join(lines))]
        behind_heading = kind == 'heading'


def main():
    source, name, section, date, version = sys.argv[1:]
    with open(source, encoding='utf-8') as file:
        first, rest = file.read().split('\n', 1)
    summary = first.lstrip('# ')
    if summary.startswith(f'{name} - '):
        summary = summary[len(name) + 3:]
    elif re.match('[A-Z][a-z ]', summary):
        summary = summary[0].lower() + summary[1:]
    lines = roff.title(name, section, date, version) + roff.heading('NAME') + [roff.text(f'{name} - {summary}')]
    if not rest.lstrip().startswith('##'):
        lines += roff.heading('DESCRIPTION')
    print('\n'.join([*lines, *body(rest)]))


main()
