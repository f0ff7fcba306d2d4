#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mount_list_across.py DIRECTORY COUNT COMMAND...: prints the names in DIRECTORY, and runs COMMAND after COUNT of them."""
import os
import subprocess
import sys
import time

with os.scandir(sys.argv[1]) as listing:
    for number, entry in enumerate(listing):
        if number == int(sys.argv[2]):
            subprocess.run(sys.argv[3:], check=True, stdout=subprocess.DEVNULL)
            time.sleep(1)
        print(entry.name)
