#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the suites beside this file, counts the TAP lines that they print, and shows what belongs to a failure.

A suite is an executable NN-name, or fast. It prints "ok …" or "not ok …" for each test, and what a reader needs for a failure
before its line or as "#" lines behind it. Everything goes to a log; only failures are shown.
"""
import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
RESULT = re.compile(r'(not )?ok\b(.*)')
SKIPPED = re.compile(r'#\s*skip\b', re.IGNORECASE)
CONTEXT = 400  # lines shown at most for one failure


class Suite:
    def __init__(self, path):
        self.path = path
        self.name = path.name.split('-', 1)[-1]
        self.passed = self.failed = 0
        self.skipped = []
        self.context = collections.deque(maxlen=CONTEXT)
        self.failing = False

    def line(self, text):
        result = RESULT.match(text)
        if not result:
            (print if self.failing else self.context.append)(text)
            return
        skipped = SKIPPED.search(text)  # cmocka writes "not ok - # SKIP name"
        self.failing = bool(result[1]) and not skipped
        if self.failing:
            self.failed += 1
            print(*self.context, text, sep='\n', flush=True)
        elif skipped:
            self.skipped.append(text)
        else:
            self.passed += 1
        self.context.clear()

    def run(self, log):
        started = time.monotonic()
        print(f'== {self.name}', flush=True)
        with subprocess.Popen([self.path], cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors='backslashreplace') as process:
            for text in process.stdout:
                log.write(text)
                self.line(text.rstrip('\n'))
        if process.returncode != 0 and not self.failed:
            self.line(f'not ok - {self.name} ended with {process.returncode}')
        for text in self.skipped:
            print(f'   {text}')
        print(f'   {self.passed} passed, {self.failed} failed, {len(self.skipped)} skipped '
              f'in {time.monotonic() - started:.0f} s', flush=True)


def main():
    suites = [Suite(path) for path in sorted(HERE.glob('[0-9][0-9]-*')) if os.access(path, os.X_OK)]
    names = [suite.name for suite in suites]
    suites.append(Suite(HERE / 'fast'))  # a sample of the others: only when it is named
    parser = argparse.ArgumentParser(prog='tests/run', description='Runs the tests.')
    parser.add_argument('--long', action='store_true', help='run the long tests, too')
    parser.add_argument('--coverage', action='store_true', help='measure what the tests reach')
    parser.add_argument('--list', action='store_true', help='print the names of the suites')
    parser.add_argument('suite', nargs='*', help='run only these: ' + ', '.join(names) + '; or fast, a minute for the moments between two edits')
    options = parser.parse_args()
    unknown = set(options.suite) - {suite.name for suite in suites}
    if unknown:
        parser.error(f'there is no suite {", ".join(sorted(unknown))}; there are {", ".join(names)}')
    if options.list:
        print(*names, sep='\n')
        return 0
    os.environ.update({'TEST_LONG': str(int(options.long)), 'TEST_COVERAGE': str(int(options.coverage))})
    chosen = [suite for suite in suites if suite.name in (options.suite or names)]
    logs = TOP / (os.environ.get('TEST_BUILD', 'build') + '-logs')
    logs.mkdir(exist_ok=True)
    for suite in chosen:
        with open(logs / f'{suite.name}.log', 'w', errors='backslashreplace') as log:
            suite.run(log)
    passed, failed = sum(suite.passed for suite in chosen), sum(suite.failed for suite in chosen)
    print(f'{passed} passed, {failed} failed', flush=True)
    return 0 if passed and not failed else 1


if __name__ == '__main__':
    sys.exit(main())
