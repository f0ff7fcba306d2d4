#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""side_by_side.py COUNT SEED: takes COUNT snapshots of ./src, which changes between them, while others prune, check and
restore, all of them killed now and then. What is taken is kept in copies/<snapshot>. At the end nobody may have failed for
another reason than being killed, and the store is ./snapshots."""
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time

count, seed = int(sys.argv[1]), int(sys.argv[2])
ended = threading.Event()
failures = []


def run(chance, *words):
    """The exit status and what was printed; None if it was killed."""
    process = subprocess.Popen(["backuptool", *words, "--lock-wait", "forever"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if chance.random() < 0.5:
        time.sleep(chance.expovariate(20))
        process.kill()
    out, err = process.communicate()
    if process.returncode == -9:
        return None
    if process.returncode != 0:
        failures.append(f"{' '.join(words)}: {process.returncode}: {err.decode()}")
        ended.set()
    return out


def change(chance, number):
    for name in chance.sample(range(12), 3):
        os.makedirs(f"src/d{name % 3}", exist_ok=True)
        with open(f"src/d{name % 3}/f{name}", "wb") as file:
            file.write(chance.randbytes(chance.choice([100, 30000, 200000])))
    if number % 4 == 0:  # what was there before comes back
        shutil.copy("src/d0/old" if os.path.exists("src/d0/old") else "old", "src/d0/again")
    elif number % 4 == 2 and os.path.exists("src/d0/again"):
        os.remove("src/d0/again")


def taken():
    """Names and times of the snapshots: a name may come again within its second."""
    found = set()
    for name in os.listdir("snapshots") if os.path.isdir("snapshots") else []:
        try:
            if name.startswith("snapshot_"):
                found.add((name, os.stat(f"snapshots/{name}").st_mtime_ns))
        except FileNotFoundError:
            pass
    return found


def keep_copies(names):
    for name, _ in names:
        shutil.rmtree(f"copies/{name}", ignore_errors=True)
        subprocess.run(["cp", "-a", "src", f"copies/{name}"], check=True)


def take(chance):
    """Only this thread takes snapshots: one that appears is of the tree as it is."""
    known = taken()
    for number in range(count):
        if ended.is_set():
            break
        change(chance, number)
        before = time.monotonic()
        run(chance, "snapshot", "--target-directory", "src", "--quiet")
        new = taken() - known
        keep_copies(new)
        known |= new
        time.sleep(min(0.05, time.monotonic() - before))
    ended.set()


def again(chance, *words):
    while not ended.is_set():
        run(chance, *words)


def restore(chance):
    while not ended.is_set():
        shutil.rmtree("back", ignore_errors=True)
        run(chance, "restore", "--snapshot-file", "latest", "--output-directory", "back", "--quiet")


os.makedirs("src/d0")
os.mkdir("copies")
with open("old", "wb") as file:
    file.write(random.Random(seed).randbytes(300000))
while not taken():
    subprocess.run(["backuptool", "snapshot", "--target-directory", "src", "--quiet"], check=True)
keep_copies(taken())
work = [
    (take,), (restore,), (again, "check", "--quick", "--quiet"),
    (again, "prune", "--keep-last", "3", "--quiet"),
    (again, "prune", "--keep-last", "3", "--max-dead", "1", "--quiet"),
]
threads = [threading.Thread(target=what, args=(random.Random(f"{seed} {i}"), *words)) for i, (what, *words) in enumerate(work)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps({"survivors": len(taken()), "failures": failures}))
sys.exit(len(failures) > 0)
