#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""timed.py FILE COMMAND…: runs the command and writes its wall and CPU seconds and its peak bytes into the file. A process of
its own, and a small one: the kernel counts what the parent has in memory as the peak of its child."""
import os
import sys
import time

start = time.monotonic()
pid = os.fork()
if not pid:
    os.execvp(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(pid, 0)
wall = time.monotonic() - start
with open(sys.argv[1], "w") as file:
    print(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, file=file)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
