#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""completions.py TABLE PAGE bash|zsh|fish: prints what completes the command lines of backuptool in a shell, from the table
that `backuptool help --json` gives, and the mount options in the page of backupfs.

What follows an option or stands as an operand has a kind, which its placeholder in the table tells: SNAPSHOT is the
name of a snapshot, with :PATH a place in it, SOURCE one of the configuration, DIR a directory, TAG a tag that some snapshot has, one|other a choice."""
import json
import os
import re
import sys

KINDS = {'SNAPSHOT': 'snapshot', 'SOURCE': 'source', 'A': 'snapshot', 'B': 'snapshot', 'DIR': 'directory',
         'MOUNTPOINT': 'directory', 'COMMAND': 'command', 'FILE': 'file', 'PATH': 'file', 'TAG': 'tag', 'OPTION': 'mount'}
# Where the placeholder alone does not tell.
OPTION_KINDS = {('host', 'NAME|all'): ('host', 'all'), ('host', 'NAME'): 'host', ('target', 'DIR'): 'target'}
OPERAND_KINDS = {('restore', 'PATH'): ('path',), ('restore', 'SNAPSHOT:PATH'): ('place', 'path'),
                 ('restore', 'DIR'): ('directory', 'path')}


def kind(placeholder):
    """snapshot, source, directory, command, file, a list of words, or none."""
    if re.fullmatch(r'[a-z-]+(\|[a-z-]+)+', placeholder):
        return placeholder.split('|')
    if re.match(r'SNAPSHOT\[?:', placeholder):
        return 'place'
    return KINDS.get(re.split(r'[^A-Z]', placeholder)[0], 'none')


def option_kind(option):
    return OPTION_KINDS.get((option['name'], option['argument'])) or kind(option['argument'])


def operand_kinds(command):
    """The kinds of each operand, which are several for A | B, and whether the last one repeats."""
    words = command.get('operands', '').replace('[:PATH]', ':PATH').replace(' | ', '|').split()
    repeats = bool(words) and '…' in words[-1]
    if command.get('max_operands') != (None if repeats else len(words)):
        sys.exit(f'{command["name"]}: these operands are not as many as it takes: {words}')
    return [kinds_of(command['name'], word.strip('[]…')) for word in words], repeats


def kinds_of(command, operand):
    """A tuple of kinds, or a list of words to choose from."""
    if isinstance(kind(operand), list):
        return kind(operand)
    found = [one for each in operand.split('|') for one in OPERAND_KINDS.get((command, each)) or (kind(each),)]
    # what offers files offers directories, too, on the way to them
    return tuple(each for each in found if each != 'directory' or 'file' not in found)


def takes_word(option):
    """Whether a word of its own follows it: [=VALUE] would be in the same word."""
    return not option.get('argument', '[').startswith('[')


def spellings(option):
    return ([f'-{option["letter"]}'] if 'letter' in option else []) + [f'--{option["name"]}']


def shell_kind(found):
    """One word for a kind, several for the kinds of an operand, "words" and more for a choice."""
    return found if isinstance(found, str) else ' '.join(found if isinstance(found, tuple) else ['words', *found])


def bash_values(command, options):
    by_kind = {}
    for option in options:
        if takes_word(option):
            by_kind.setdefault(shell_kind(option_kind(option)), []).extend(spellings(option))
    return [f"\t{' | '.join(f'{command}:{name}' for name in names)}) echo '{found}' ;;" for found, names in by_kind.items()]


def bash_operands(command):
    kinds, repeats = operand_kinds(command)
    lines = []
    for number, found in enumerate(kinds):
        which = '*' if repeats and number + 1 == len(kinds) else number
        lines.append(f"\t{command['name']}:{which}) echo '{shell_kind(found)}' ;;")
    return lines


def bash_options(command, options):
    return [f"\t{command}) echo '{' '.join(word for option in options for word in spellings(option))}' ;;"]


def fill(shell, parts):
    """What is in completions.SHELL.in, with these parts in it."""
    with open(f'{os.path.dirname(__file__)}/completions.{shell}.in', encoding='utf-8') as file:
        template = file.read()
    for name, text in parts.items():
        template = template.replace(f'%({name})s', text)
    return template


def bash(table):
    values, operands, options = bash_values('', table['options']), [], bash_options("''", table['options'])
    for command in table['commands']:
        values += bash_values(command['name'], command['options'])
        operands += bash_operands(command)
        options += bash_options(command['name'], command['options'])
    return fill('bash', {'values': '\n'.join(values), 'operands': '\n'.join(operands), 'options': '\n'.join(options),
                       'commands': ' '.join(command['name'] for command in table['commands']), 'mounts': ' '.join(MOUNTS)})


def zsh_quote(words):
    return words.replace("'", "'\\''")


def zsh_escape(words, marks):
    return zsh_quote(re.sub(f'([\\\\{marks}])', r'\\\1', words))


def zsh_action(found):
    if found == ('host', 'all'):
        return ' _backuptool_known host all'
    if isinstance(found, tuple):
        return zsh_action(found[0]) if len(found) == 1 else f' _backuptool_either {" ".join(found)}'
    if not isinstance(found, str):
        return f'({" ".join(found)})'
    return {'snapshot': '_backuptool_snapshots', 'source': '_backuptool_sources', 'directory': '_files -/',
            'command': '_backuptool_commands',
            'file': '_files', 'none': ' ', 'place': ' _backuptool_place', 'path': ' _backuptool_path',
            'host': ' _backuptool_known host', 'target': ' _backuptool_known target', 'tag': ' _backuptool_known tag',
            'mount': ' _backuptool_mount'}[found]


def zsh_mount(word):
    return f'{word[:-1]}:value' if word.endswith('=') else word


def zsh_option(option):
    names = spellings(option)
    argument = f':{zsh_escape(option["argument"], ":")}:{zsh_action(option_kind(option))}' if takes_word(option) else ''
    for name in names:
        mark = '=' if argument and name.startswith('--') else '+' if argument else ''
        yield f"'*{name}{mark}[{zsh_escape(option['help'], '[]')}]{argument}'"


def zsh_operands(command):
    kinds, repeats = operand_kinds(command)
    for number, found in enumerate(kinds, 1):
        which = '*' if repeats and number == len(kinds) else number
        yield f"'{which}:{'names' if found == ('none',) else shell_kind(found).split()[0]}:{zsh_action(found)}'"


def zsh_case(command):
    words = [word for option in command['options'] for word in zsh_option(option)] + [*zsh_operands(command)]
    return f'\t{command["name"]})\n\t\t_arguments -s \\\n' + ' \\\n'.join(f'\t\t\t{word}' for word in words) + '\n\t\t;;'


def zsh(table):
    commands = [f"\t\t'{command['name']}:{zsh_escape(command['summary'], ':')}'" for command in table['commands']]
    options = [f'\t\t{word} \\' for option in table['options'] for word in zsh_option(option)]
    return fill('zsh', {'commands': '\n'.join(commands), 'options': '\n'.join(options),
                      'cases': '\n'.join(zsh_case(command) for command in table['commands']),
                      'mounts': ' '.join(map(zsh_mount, MOUNTS))})


def fish_quote(words):
    return "'" + words.replace('\\', '\\\\').replace("'", "\\'") + "'"


def fish_what(found):
    if found == ('host', 'all'):
        return " -x -a '(__backuptool_known host) all'"
    if not isinstance(found, str):
        return f' -x -a {fish_quote(" ".join(found))}'
    if found == 'mount':
        return f' -x -a {fish_quote(" ".join(MOUNTS))}'
    return {'place': " -x -a '(__backuptool_place)'", 'path': ' -x', 'host': " -x -a '(__backuptool_known host)'",
            'target': " -x -a '(__backuptool_known target)'", 'tag': " -x -a '(__backuptool_known tag)'",
            'snapshot': " -x -a '(__backuptool_snapshots)'", 'source': " -x -a '(__backuptool_sources)'",
            'directory': " -x -a '(__fish_complete_directories)'",
            'command': " -x -a '%s'", 'file': ' -r -F', 'none': ' -x'}[found]


def fish_option(condition, option):
    letter = f' -s {option["letter"]}' if 'letter' in option else ''
    what = fish_what(option_kind(option)) if takes_word(option) else ''
    return f"complete -c backuptool -n '{condition}'{letter} -l {option['name']}{what} -d {fish_quote(option['help'])}"


def fish_operands(command):
    """Each kind once, and each list of words."""
    found = []
    for kinds in operand_kinds(command)[0]:
        found += [each for each in ([kinds] if isinstance(kinds, list) else kinds) if each not in found]
    return found


def fish(table):
    rows, names = [], ' '.join(command['name'] for command in table['commands'])
    for option in table['options']:
        rows.append(fish_option('__backuptool_needs_command', option))
    for command in table['commands']:
        rows.append(f"complete -c backuptool -n __backuptool_needs_command -a {command['name']} -d {fish_quote(command['summary'])}")
        rows += [fish_option(f'__backuptool_in {command["name"]}', option) for option in command['options']]
        for found in fish_operands(command):
            if found not in ('none', 'path'):
                what = fish_what(found).replace(' -x', '').replace(' -r', '').replace('%s', names)
                rows.append(f"complete -c backuptool -n '__backuptool_in {command['name']}'{what}")
    return fill('fish', {'rows': '\n'.join(rows)})


def mount_options(page):
    """The words of the page's table: `-o cache=SIZE` is cache=, `-o xattr=auto`, `on` stands for xattr=auto and xattr=on."""
    for cell in re.findall(r'^\| (`-o [^|]*) \|', page, re.M):
        name = ''
        for word in ','.join(re.findall('`(?:-o )?([^`]+)`', cell)).split(','):
            word = name + word if name and '=' not in word else re.sub('=[A-Z].*', '=', word)
            name = word[:word.index('=') + 1] if re.search('=.', word) else ''
            yield word


def main():
    global MOUNTS
    with open(sys.argv[1], encoding='utf-8') as file:
        table = json.load(file)
    with open(sys.argv[2], encoding='utf-8') as file:
        MOUNTS = list(mount_options(file.read()))
    print({'bash': bash, 'zsh': zsh, 'fish': fish}[sys.argv[3]](table), end='')


main()
