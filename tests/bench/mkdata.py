#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the benchmark's data out of this machine's /usr and seeded noise: mkdata.py DIR [source] [large] [tiny] [--scale X]

source  about 80,000 small files, 1 GB: files below 300 kB from /usr, and the same again with light edits in two of three files
large   four files of 512 MiB: random bytes, text, shared objects, a sparse disk image
tiny    200,000 files of 100 to 2,000 bytes in 2,000 folders
sample  a twentieth of the first half of source
files-N N empty files, a thousand in each folder
"""
import argparse
import os
import random
import shutil
import subprocess
import zlib

SOURCE_ROOTS = ["/usr/include", "/usr/share", "/usr/lib", "/usr/src"]
TEXT_ENDINGS = (".h", ".txt", ".py", ".pl", ".pm", ".js", ".html", ".xml", "copyright")


def regular_files(roots):
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    yield path


def edited(data, path):
    digest = zlib.crc32(os.fsencode(path))
    if digest % 3 == 0:
        return data
    cut = data.find(b"\n", len(data) // 2) + 1
    return data[:cut] + b"# edited %08x\n" % digest + data[cut:]


def pick_small_files(scale):
    picked, size = [], 0
    for path in regular_files(SOURCE_ROOTS):
        length = os.path.getsize(path)
        if length > 300_000 or path.endswith(".pyc"):
            continue
        picked.append(path)
        size += length
        if len(picked) >= 41000 * scale or size > (540 << 20) * scale:
            break
    return picked


def source(out, scale):
    picked = pick_small_files(scale)
    for half in "ab":
        for path in picked:
            copy = os.path.join(out, half, path[1:])
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            with open(path, "rb") as file:
                data = file.read()
            with open(copy, "wb") as file:
                file.write(edited(data, path) if half == "b" else data)
            mtime = os.stat(path).st_mtime_ns
            os.utime(copy, ns=(mtime, mtime))


def fill(target, roots, size, wanted):
    """Concatenates wanted files, over and over, until target has size bytes."""
    with open(target, "wb") as out:
        while out.tell() < size:
            for path in regular_files(roots):
                if wanted(path):
                    with open(path, "rb") as file:
                        out.write(file.read()[: size - out.tell()])
                if out.tell() >= size:
                    break
            else:
                out.write(b"%d" % out.tell())


def large(out, scale):
    os.makedirs(out, exist_ok=True)
    size = int((512 << 20) * scale)
    noise = random.Random(1)
    with open(out + "/random.bin", "wb") as file:
        for _ in range(size >> 20):
            file.write(noise.randbytes(1 << 20))
    fill(out + "/text.log", ["/usr/include", "/usr/share/doc", "/usr/share"], size, lambda p: p.endswith(TEXT_ENDINGS))
    fill(out + "/binary.bin", ["/usr/lib"], size, lambda p: ".so" in p or p.endswith(".a"))
    with open(out + "/disk.img", "wb") as file:
        file.truncate(max(size, 256 << 20))
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", "/usr/include", out + "/disk.img"], check=True)


def tiny(out, scale):
    choice = random.Random(2)
    with open("/usr/share/common-licenses/GPL-3") as file:
        words = file.read().split()
    for number in range(int(2000 * scale)):
        folder = "%s/%02d/%04d" % (out, number % 40, number)
        os.makedirs(folder)
        for index in range(100):
            with open("%s/file%03d.txt" % (folder, index), "w") as file:
                file.write(" ".join(choice.choices(words, k=choice.randint(15, 300))))


def sample(out, scale):
    for path in pick_small_files(1 / 20):
        copy = os.path.join(out, path[1:])
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copyfile(path, copy)


def empty(out, count):
    for number in range(count):
        if number % 1000 == 0:
            os.makedirs("%s/%04d" % (out, number // 1000))
        os.close(os.open("%s/%04d/%06d" % (out, number // 1000, number), os.O_CREAT | os.O_WRONLY, 0o644))


MAKERS = {"source": source, "large": large, "tiny": tiny, "sample": sample}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory")
    parser.add_argument("sets", nargs="*", default=[], help=", ".join(MAKERS) + ", files-N")
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    for name in options.sets or MAKERS:
        out = os.path.join(options.directory, name)
        if name.startswith("files-"):
            empty(out, int(name[6:]))
        else:
            MAKERS[name](out, options.scale)


if __name__ == "__main__":
    main()
