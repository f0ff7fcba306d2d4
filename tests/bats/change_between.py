#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""change_between.py TREE STORE COPIES COUNT: changes a tree so many times while a job takes snapshots of it, never during
one, and keeps in COPIES/<snapshot> what each of them must hold. Those taken after the last change hold the tree."""
import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys
import time

tree, store, copies, count = sys.argv[1:]
chance = random.Random(1)


def lock():
    """The store's lock alone: nobody takes a snapshot then."""
    file = open(f"{store}/lock", "a+")
    while True:
        try:
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0))
            return file
        except BlockingIOError:
            time.sleep(0.005)


def keep_copies():
    """Of the snapshots taken since the tree was changed last."""
    new = [n for n in os.listdir(store) if n.startswith("snapshot_") and not os.path.exists(f"{copies}/{n}")]
    for name in new:
        subprocess.run(["cp", "-a", "--sparse=never", tree, f"{copies}/{name}"], check=True)
    return bool(new)


def write(path, size):
    with open(path, "wb") as file:
        file.write(chance.randbytes(size))


def change(number):
    where = f"{tree}/d{number % 3}"
    os.makedirs(where, exist_ok=True)
    write(f"{where}/f{number}", 1000 + number)
    with open(f"{where}/log", "a") as file:
        file.write(f"{number}\n")
    kind = number % 6
    if kind == 1:
        os.truncate(f"{where}/log", 1)
    elif kind == 2:
        os.rename(f"{where}/f{number}", f"{tree}/moved{number}")
    elif kind == 3:
        os.chmod(f"{where}/f{number}", 0o600)
    elif kind == 4:
        os.link(f"{where}/f{number}", f"{tree}/link{number}")
    elif kind == 5:
        shutil.rmtree(where)


number = 0
while not os.path.exists(f"{store}/lock"):
    time.sleep(0.005)
while number < int(count):
    with lock():
        if keep_copies():
            number += 1
            change(number)
    time.sleep(0.01)
