# SPDX-License-Identifier: MIT
"""What the makers of man pages share: text as roff, in the macros of man(7)."""
import re

# What would be a hyphen, a quotation mark or an accent to a formatter is meant as it stands.
MEANT = {'\\': '\\e', '-': '\\-', "'": '\\(aq', '`': '\\(ga', '^': '\\(ha', '~': '\\(ti'}


def text(plain):
    """Plain text as roff; a line never begins with a request."""
    shown = ''.join(MEANT.get(c, c if ord(c) < 128 else f'\\[u{ord(c):04X}]') for c in plain)
    return re.sub(r'^\.', r'\&.', shown, flags=re.M)


def bold(plain):
    return f'\\fB{text(plain)}\\fR'


def italic(plain):
    return f'\\fI{text(plain)}\\fR'


def title(name, section, date, version):
    return [f'.TH "{text(name.upper())}" {section} "{date}" "backuptool {text(version)}" "Backup Tool"']


def heading(words):
    return [f'.SH {text(words)}']


def paragraphs(plain):
    """Paragraphs between empty lines."""
    for number, part in enumerate(plain.split('\n\n')):
        if number:
            yield '.PP'
        yield text(part.strip('\n'))


def example(plain):
    return ['.RS 4', '.nf', *text(plain.rstrip('\n')).split('\n'), '.fi', '.RE']
