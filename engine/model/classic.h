/* SPDX-License-Identifier: MIT */
/*
 * Version 1 files (FORMAT.md §5). Such a file is read once, in memory bounded by the number of names, not by contents,
 * and a derived file of version 2 is written for it, which then is used like any other snapshot. It has the pages and
 * the summary of a snapshot, "kind":"classic", and contents lines that say where each Base64 piece (3 MiB of plain
 * bytes at most) is in the version 1 file ("at", "length", "size", "holds": offsets in that file, so blocks need not be
 * contiguous). Every content is decoded and compared with its digest. If one is wrong (not Base64, or another digest)
 * or missing, its files become entries with "error":"EIO".
 *
 * The rest is strict JSON. "timestamp", "files" and "file_contents" must be there. Contents are read in place, so
 * escapes in them are refused (bad-escape). Below the common directory a component that is not a valid name is
 * bad-name; paths of which some are absolute, or one is a file and a directory, are bad-target; a path has at most
 * 1 MiB. Directories have mode 0755, files 0644, all the snapshot's time and the owner of the file itself.
 */
#ifndef BT_MODEL_CLASSIC_H
#define BT_MODEL_CLASSIC_H

#include <backuptool/observer.h>

/* Scans fd (a version 1 file called name) and writes the derived file to out (an empty file open for reading and
 * writing). The observer, which may be NULL, is asked for cancelled only. */
int bt_classic_derive(int fd, const char *name, int out, const struct bt_observer *observer, struct bt_error *error);

#endif
