#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""man.py TABLE DATE [COMMAND]: prints the man page of backuptool, or of one command of it, from the table that
`backuptool help --json` gives."""
import json
import sys
import textwrap
import roff


def option(row):
    letter = roff.bold(f'-{row["letter"]}') + ', ' if 'letter' in row else ''
    placeholder = row.get('argument', '')
    argument = (' ' if placeholder[0] != '[' else '') + roff.italic(placeholder) if placeholder else ''
    return ['.TP', letter + roff.bold(f'--{row["name"]}') + argument, roff.text(row['help'][0].upper() + row['help'][1:] + '.')]


def options(title, rows):
    return roff.heading(title) + [line for row in rows for line in option(row)] if rows else []


# The code of the program that comes only from commands with one of these options.
ONLY_WITH = {4: {'exit-code'}, 10: {'store', 'no-progress'}, 11: {'lock-wait', 'no-progress'}}


def exit_status(table, command=None):
    names = {row['name'] for row in command['options']} if command else set().union(*ONLY_WITH.values())
    lines = roff.heading('EXIT STATUS')
    for row in table['exit_codes']:
        if not ONLY_WITH.get(row['code'], {'help'}) & (names | {'help'}):
            continue
        lines += ['.TP', roff.bold(str(row['code'])), roff.text(row['meaning'][0].upper() + row['meaning'][1:] + '.')]
    return lines


def times(table):
    lines = roff.heading('TIMES') + [*roff.paragraphs(
        'A time is one of these, in the zone of this machine. A day, a month, a year and a minute mean their last\n'
        'second, so that "at or before" includes them; "find --newer" takes the first one.')]
    for row in table['times']:
        lines += ['.TP', roff.bold(row['written']), roff.text(row['meaning'][0].upper() + row['meaning'][1:] + '.')]
    return lines


def see_also(pages):
    pages = [f'{roff.bold(name)}({section})' for name, section in pages]
    return roff.heading('SEE ALSO') + [',\n'.join(pages)]


def program(table, date):
    lines = roff.title('backuptool', 1, date, table['version'])
    lines += roff.heading('NAME') + [f'backuptool {roff.text("- keeps snapshots of directories as JSON files")}']
    lines += roff.heading('SYNOPSIS') + [
        f'{roff.bold("backuptool")} [{roff.bold("--store")} {roff.italic("DIR")}] {roff.italic("COMMAND")} [{roff.italic("OPTION")}...]']
    lines += roff.heading('DESCRIPTION') + [*roff.paragraphs(
        table['summary'] + ' Every content is stored once, however many snapshots have it, and every byte is covered by a\n'
        'SHA-256 digest. Options are written "--option value" or "--option=value", in any order.')]
    lines += roff.heading('COMMANDS')
    for command in table['commands']:
        summary = command['summary'][0].upper() + command['summary'][1:] + '.'
        lines += ['.TP', f'{roff.bold("backuptool-" + command["name"])}(1)', roff.text(summary)]
    lines += options('OPTIONS', table['options'])
    lines += roff.heading('NAMING A SNAPSHOT') + [*roff.paragraphs(table['snapshot_naming'])]
    lines += times(table)
    lines += exit_status(table)
    lines += roff.heading('ENVIRONMENT')
    lines += ['.TP', roff.bold('BACKUPTOOL_STORE'), 'The store, where no option names it.']
    lines += ['.TP', roff.bold('BACKUPTOOL_STORE_ID'), 'The id of that store: where another one or none is there, commands end with 10 and make none.']
    lines += ['.TP', roff.bold('NO_COLOR'), 'Nothing is coloured, and no progress line is drawn.']
    return lines + see_also([('backupfs', 8), ('backuptool-format', 5)])


def synopsis(command):
    required = [f' {roff.bold("--" + row["name"])} {roff.italic(row["argument"])}' for row in command['options'] if row['required']]
    operands = f' {roff.italic(command["operands"])}' if 'operands' in command else ''
    return f'{roff.bold("backuptool " + command["name"])}{"".join(required)} [{roff.italic("OPTION")}...]{operands}'


def page(table, date, command):
    name = f'backuptool-{command["name"]}'
    lines = roff.title(name, 1, date, table['version'])
    lines += roff.heading('NAME') + [roff.text(f'{name} - {command["summary"]}')]
    lines += roff.heading('SYNOPSIS') + [synopsis(command)]
    description = command.get('description', command['summary'][0].upper() + command['summary'][1:] + '.')
    lines += roff.heading('DESCRIPTION') + [*roff.paragraphs(description)]
    named = 'SNAPSHOT' in command.get('operands', '') + ''.join(row.get('argument', '') for row in command['options'])
    if named:
        lines += ['.PP', *roff.paragraphs(table['snapshot_naming'])]
    lines += options('OPTIONS', [row for row in command['options'] if not row['common']])
    lines += options('COMMON OPTIONS', [row for row in command['options'] if row['common']])
    if 'hook-timeout' in {row['name'] for row in command['options']}:
        lines += roff.heading('HOOKS') + [*roff.paragraphs(table['hooks'])]
    if named or {row.get('argument') for row in command['options'] if not row['common']} & {'TIME', 'SPAN'}:
        lines += times(table)
    lines += exit_status(table, command)
    lines += roff.heading('EXAMPLES') + roff.example(textwrap.dedent(command['example']))
    return lines + see_also([('backuptool', 1), ('backupfs', 8), ('backuptool-format', 5)])


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        table = json.load(file)
    if len(sys.argv) < 4:
        lines = program(table, sys.argv[2])
    else:
        lines = page(table, sys.argv[2], next(row for row in table['commands'] if row['name'] == sys.argv[3]))
    print('\n'.join(lines))


main()
