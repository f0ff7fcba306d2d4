/* SPDX-License-Identifier: MIT */
/*
 * Walking a directory tree ahead of its reader: helper threads list directories (getdents64 with a large buffer, statx
 * relative to the directory, no path strings) in the order in which the reader will want them; the reader gets them
 * depth first, entries sorted by name bytes. Depth is limited by memory alone: descriptors of directories far up the
 * path are closed and opened again when needed, with device and inode compared.
 */
#ifndef BT_SCAN_SCAN_H
#define BT_SCAN_SCAN_H

#include "policy/match.h"
#include "watch/changes.h"
#include <backuptool/observer.h>
#include <backuptool/types.h>
#include <stdbool.h>
#include <sys/types.h>

struct bt_found {	  /* one entry of a directory, packed */
	const char *name; /* NUL-terminated */
	uint64_t size, inode, dev, links, rdev;
	struct bt_time mtime, ctime;
	uint32_t mode; /* with S_IFMT */
	uint32_t uid, gid;
	uint16_t name_length;
	const char *boundary; /* of a directory on another file system that is not entered: its type as in
				 /proc/self/mountinfo, or "btrfs-subvolume"; belongs to the scan. Else NULL. Mounted
				 snapshots are never entered. What is mounted need not answer: then there is no more
				 than mode 0755 and the owner of the directory above */
	int error; /* errno of statx: the directory lists it, but mode has the type alone, if anything. ENAMETOOLONG for
		      a name over 255 bytes, which has no place in a snapshot */
	struct bt_scan_dir *child; /* directories that will be entered, else NULL */
};

struct bt_scan_dir {
	struct bt_scan_dir *parent; /* NULL for the root */
	struct bt_found *found;	    /* sorted by name bytes */
	size_t count;
	struct bt_found self; /* as its parent saw it; name "" for the root */
	int error;	      /* errno of opening or listing it: found is then empty or incomplete. ENOTDIR: something
				 else than a directory stands in its place */
	bool gone;	      /* with an error: its parent does not list it any more */
	uint64_t excluded;    /* entries left out */
	uint64_t vanished;    /* entries that were listed and, by the time of the look at them, no longer */
	void *user;	      /* the reader's */
	const struct bt_name *change; /* see changes; NULL: none */
	bool deferred;		      /* nothing in it or below it is to be looked at: only listed when asked for */
	struct bt_scan_private *private;
};

struct bt_scan;

struct bt_scan_options {
	const struct bt_rules *rules; /* NULL: none. Borrowed until close */
	const char *const *if_present;
	size_t if_present_count;
	bool caches;
	bool one_file_system; /* directories on others are boundaries; files that are mounted there are files */
	dev_t skip_dev;
	ino_t skip_ino;			    /* a directory left out wherever it appears (the store); 0,0: none */
	const struct bt_changes *changes;   /* directories worth listing; NULL: all. Borrowed until close */
	unsigned threads;		    /* helpers; 0: the reader lists each directory itself, same result */
	const struct bt_observer *observer; /* gets BT_EVENT_EXCLUDED and _VANISHED, from bt_scan_list; NULL: none */
};

int bt_scan_open(const char *target, const struct bt_scan_options *options, struct bt_scan **ret_scan,
		 struct bt_error *error);
void bt_scan_close(struct bt_scan *scan);

struct bt_scan_dir *bt_scan_root(struct bt_scan *scan);
/* Makes sure that dir is listed: waits for a helper or lists it itself. Then its error, found and count are set. Called
 * by the reader in depth-first order. What cannot be read is no failure: BT_E_NOMEM is the only one. */
int bt_scan_list(struct bt_scan *scan, struct bt_scan_dir *dir, struct bt_error *error);
/* A descriptor of the directory, valid until bt_scan_fd_put. Any thread. Negative errno on failure (-ESTALE: another
 * directory is there now). */
int bt_scan_fd_get(struct bt_scan *scan, struct bt_scan_dir *dir);
void bt_scan_fd_put(struct bt_scan *scan, struct bt_scan_dir *dir);
/*
 * Of an entry of dir that could not be found when somebody wanted to look at it or to open it, before the time since:
 * whether it is there nevertheless. false: a second reading of the directory does not list it, so it is gone. true: it
 * is listed, or that cannot be known. Any thread. One reading serves all that failed before it.
 */
bool bt_scan_listed(struct bt_scan *scan, struct bt_scan_dir *dir, const struct bt_found *found, uint64_t since);
uint64_t bt_scan_now(void); /* for since */
/* What an errno says of which such a question is worth asking. */
bool bt_scan_not_found(int error);
/* The reader needs the directory and its found no more, nor anybody its descriptor. Frees it and whatever below it is
 * not done; it need not have been listed. */
void bt_scan_done(struct bt_scan *scan, struct bt_scan_dir *dir);

/* "docs/notes/a.txt" of an entry in dir (name NULL: of dir itself), for messages; allocated, caller frees; NULL on out
 * of memory. */
char *bt_scan_path(const struct bt_scan_dir *dir, const char *name);

#endif
