# SPDX-License-Identifier: MIT
"""What the checks share: the project's files and how a check reports."""
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent


def files(*suffixes, under=''):
    """The project's own files, tracked or not yet, sorted; without builds."""
    listed = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', under or '.'],
                            cwd=TOP, capture_output=True, check=True).stdout.decode().split('\0')
    return [TOP / name for name in sorted(set(listed))
            if name and (TOP / name).is_file() and (not suffixes or name.endswith(suffixes))]


def name(path):
    return str(path.relative_to(TOP))


def lines(path):
    return path.read_text(errors='replace').split('\n')


def code(path):
    """A C file's lines without comments and the insides of strings; the number of lines stays."""
    text = path.read_text(errors='replace')

    def blank(match):
        found = match[0]
        if found[0] in '"\'':
            return found[0] * 2
        return '\n' * found.count('\n')
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text, flags=re.S).split('\n')


def report(what, complaints):
    """One test: it passes when there are no complaints."""
    for complaint in complaints:
        print('#', complaint)
    print(f'{"not ok" if complaints else "ok"} - {what}')
    return 1 if complaints else 0


def finish(*failures):
    sys.exit(1 if any(failures) else 0)
