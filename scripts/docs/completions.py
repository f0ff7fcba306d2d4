#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""completions.py TABLE bash|zsh|fish: prints what completes the command lines of backuptool in a shell, from the table
that `backuptool help --json` gives.

What follows an option or stands as an operand has a kind, which its placeholder in the table tells: SNAPSHOT is the
name of a snapshot, SOURCE one of the configuration, DIR a directory, one|other a choice."""
import json
import re
import sys

KINDS = {'SNAPSHOT': 'snapshot', 'SOURCE': 'source', 'A': 'snapshot', 'B': 'snapshot', 'DIR': 'directory', 'MOUNTPOINT': 'directory',
         'COMMAND': 'command', 'FILE': 'file', 'PATH': 'file'}


def kind(placeholder):
    """snapshot, source, directory, command, file, a list of words, or none."""
    if re.fullmatch(r'[a-z-]+(\|[a-z-]+)+', placeholder):
        return placeholder.split('|')
    return KINDS.get(re.split(r'[^A-Z]', placeholder)[0], 'none')


def operand_kinds(command):
    """The kinds of each operand, which are several for A | B, and whether the last one repeats."""
    words = command.get('operands', '').replace('[:PATH]', '').replace(' | ', '|').split()
    repeats = bool(words) and '…' in words[-1]
    if command.get('max_operands') != (None if repeats else len(words)):
        sys.exit(f'{command["name"]}: these operands are not as many as it takes: {words}')
    return [kinds_of(word.strip('[]…')) for word in words], repeats


def kinds_of(operand):
    """A tuple of kinds, or a list of words to choose from."""
    if isinstance(kind(operand), list):
        return kind(operand)
    found = [kind(each) for each in operand.split('|')]
    # what offers files offers directories, too, on the way to them
    return tuple(each for each in found if each != 'directory' or 'file' not in found)


def spellings(option):
    return ([f'-{option["letter"]}'] if 'letter' in option else []) + [f'--{option["name"]}']


def shell_kind(found):
    """One word for a kind, several for the kinds of an operand, "words" and more for a choice."""
    return found if isinstance(found, str) else ' '.join(found if isinstance(found, tuple) else ['words', *found])


BASH = r'''# backuptool(1) completion for bash; made from the table of commands.

# _backuptool_value COMMAND OPTION: the kind of what follows the option, or nothing if it takes no value.
_backuptool_value() {
	case $1:$2 in
%(values)s
	esac
}

# _backuptool_operand COMMAND NUMBER: the kind of that operand.
_backuptool_operand() {
	case $1:$2 in
%(operands)s
	esac
}

_backuptool_options() {
	case $1 in
%(options)s
	esac
}

# The names of the snapshots, short ones as long as nobody begins a long one.
_backuptool_snapshots() {
	echo latest
	"$program" "${store[@]}" list --names 2>/dev/null |
		case $current in s*) sed 's/\.json$//' ;; *) sed 's/^snapshot_//; s/\.json$//' ;; esac
}

_backuptool_sources() {
	"$program" config show --names "${config[@]}" 2>/dev/null
}

_backuptool_reply() {
	local kind words=''
	case $1 in words*)
		mapfile -t COMPREPLY < <(compgen -W "${1#words }" -- "$current")
		return
		;;
	esac
	set -- $1
	for kind; do
		shift
		case $kind in
		snapshot) words=$(_backuptool_snapshots) ;;
		source) words=$(_backuptool_sources) ;;
		command) words='%(commands)s' ;;
		options) words=$(_backuptool_options "$command") ;;
		directory) set -- "$@" -d ;;
		file) set -- "$@" -f ;;
		esac
	done
	[ $# = 0 ] || compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$@" -W "$words" -- "$current")
}

_backuptool() {
	local program=$1 current=${COMP_WORDS[COMP_CWORD]} command='' option='' value='' operands=0 store=() config=() word i
	COMPREPLY=()
	# Bash takes --option=value for three words.
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		=) continue ;;
		-*)
			[ -n "$value" ] || {
				option=$word value=$(_backuptool_value "$command" "$word")
				continue
			}
			;;
		esac
		if [ -n "$value" ]; then
			word=${word/#\~\//$HOME/}
			[ "$option" != --store ] || store=(--store "${word//\\/}")
			[ "$option" != --config ] || config=(--config "${word//\\/}")
			value=
		elif [ -z "$command" ]; then
			command=$word
		else
			operands=$((operands + 1))
		fi
	done
	[ "$current" != = ] || current=
	if [ -n "$value" ]; then
		_backuptool_reply "$value"
	elif [[ $current == -* ]]; then
		_backuptool_reply options
	elif [ -z "$command" ]; then
		_backuptool_reply command
	else
		_backuptool_reply "$(_backuptool_operand "$command" "$operands")"
	fi
}

complete -F _backuptool backuptool
'''


def bash_values(command, options):
    by_kind = {}
    for option in options:
        if 'argument' in option:
            by_kind.setdefault(shell_kind(kind(option['argument'])), []).extend(spellings(option))
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


def bash(table):
    values, operands, options = bash_values('', table['options']), [], bash_options("''", table['options'])
    for command in table['commands']:
        values += bash_values(command['name'], command['options'])
        operands += bash_operands(command)
        options += bash_options(command['name'], command['options'])
    return BASH % {'values': '\n'.join(values), 'operands': '\n'.join(operands), 'options': '\n'.join(options),
                   'commands': ' '.join(command['name'] for command in table['commands'])}


ZSH = r'''#compdef backuptool
# backuptool(1) completion for zsh; made from the table of commands.

_backuptool_snapshots() {
	local -a names store
	local given=${opt_args[--store]:-$outer_store}
	[[ -z $given ]] || store=(--store ${~${(Q)given}})
	names=(latest ${${${(f)"$(_call_program snapshots ${(q)program} ${(q)store} list --names 2>/dev/null)"}#snapshot_}%%.json})
	[[ $PREFIX != s* ]] || names=(${names/#2/snapshot_2})
	_describe -t snapshots snapshot names
}

_backuptool_sources() {
	local -a names config
	local given=$opt_args[--config]
	[[ -z $given ]] || config=(--config ${~${(Q)given}})
	names=(${(f)"$(_call_program sources ${(q)program} config show --names ${(q)config} 2>/dev/null)"})
	_describe -t sources source names
}

_backuptool_either() {
	local kind ret=1
	for kind; do
		case $kind in
		snapshot) _backuptool_snapshots && ret=0 ;;
		source) _backuptool_sources && ret=0 ;;
		directory) _files -/ && ret=0 ;;
		file) _files && ret=0 ;;
		esac
	done
	return ret
}

_backuptool_commands() {
	local -a commands
	commands=(
%(commands)s
	)
	_describe -t commands command commands
}

_backuptool() {
	local curcontext=$curcontext state state_descr line program=$words[1] outer_store
	typeset -A opt_args
	_arguments -C \
%(options)s
		'1: :_backuptool_commands' \
		'*:: :->rest' && return
	[[ $state == rest ]] || return
	outer_store=$opt_args[--store]
	case $words[1] in
%(cases)s
	esac
}

_backuptool "$@"
'''


def zsh_quote(words):
    return words.replace("'", "'\\''")


def zsh_escape(words, marks):
    return zsh_quote(re.sub(f'([\\\\{marks}])', r'\\\1', words))


def zsh_action(found):
    if isinstance(found, tuple):
        return zsh_action(found[0]) if len(found) == 1 else f' _backuptool_either {" ".join(found)}'
    if not isinstance(found, str):
        return f'({" ".join(found)})'
    return {'snapshot': '_backuptool_snapshots', 'source': '_backuptool_sources', 'directory': '_files -/', 'command': '_backuptool_commands',
            'file': '_files', 'none': ' '}[found]


def zsh_option(option):
    names = spellings(option)
    argument = f':{zsh_escape(option["argument"], ":")}:{zsh_action(kind(option["argument"]))}' if 'argument' in option else ''
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
    return ZSH % {'commands': '\n'.join(commands), 'options': '\n'.join(options),
                  'cases': '\n'.join(zsh_case(command) for command in table['commands'])}


FISH = r'''# backuptool(1) completion for fish; made from the table of commands.

# The words so far without the options before the command: the command first.
function __backuptool_words
	set -l words (commandline -opc)
	set -e words[1]
	while set -q words[1]; and string match -q -- '-*' $words[1]
		if test $words[1] = --store
			set -e words[1]
		end
		set -e words[1]
	end
	printf '%%s\n' $words
end

function __backuptool_needs_command
	test -z "$(__backuptool_words)"
end

function __backuptool_in
	set -l words (__backuptool_words)
	test "$words[1]" = $argv[1]
end

function __backuptool_snapshots
	set -l words (commandline -opc)
	set -l store
	for i in (seq 2 (count $words))
		if test "$words[$i]" = --store; and set -q words[(math $i + 1)]
			set store --store $words[(math $i + 1)]
		else if string match -q -- '--store=*' $words[$i]
			set store $words[$i]
		end
	end
	set -l names ($words[1] $store list --names 2>/dev/null | string replace -r '\.json$' '')
	echo latest
	if string match -q 's*' -- (commandline -ct | string replace -r '^--[a-z-]*=' '')
		printf '%%s\n' $names
	else
		printf '%%s\n' $names | string replace -r '^snapshot_' ''
	end
end

function __backuptool_sources
	set -l words (commandline -opc)
	set -l config
	for i in (seq 2 (count $words))
		if test "$words[$i]" = --config; and set -q words[(math $i + 1)]
			set config --config $words[(math $i + 1)]
		else if string match -q -- '--config=*' $words[$i]
			set config $words[$i]
		end
	end
	$words[1] config show --names $config 2>/dev/null
end

complete -c backuptool -f
%(rows)s
'''


def fish_quote(words):
    return "'" + words.replace('\\', '\\\\').replace("'", "\\'") + "'"


def fish_what(found):
    if not isinstance(found, str):
        return f' -x -a {fish_quote(" ".join(found))}'
    return {'snapshot': " -x -a '(__backuptool_snapshots)'", 'source': " -x -a '(__backuptool_sources)'",
            'directory': " -x -a '(__fish_complete_directories)'",
            'command': " -x -a '%s'", 'file': ' -r -F', 'none': ' -x'}[found]


def fish_option(condition, option):
    letter = f' -s {option["letter"]}' if 'letter' in option else ''
    what = fish_what(kind(option['argument'])) if 'argument' in option else ''
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
            if found != 'none':
                what = fish_what(found).replace(' -x', '').replace(' -r', '').replace('%s', names)
                rows.append(f"complete -c backuptool -n '__backuptool_in {command['name']}'{what}")
    return FISH % {'rows': '\n'.join(rows)}


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        table = json.load(file)
    print({'bash': bash, 'zsh': zsh, 'fish': fish}[sys.argv[2]](table), end='')


main()
