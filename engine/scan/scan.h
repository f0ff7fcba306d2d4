/* SPDX-License-Identifier: MIT */
/*
 * Lists a directory tree ahead of its reader. Helper threads list directories (getdents64 with a large buffer, statx
 * relative to the directory, no path strings) in the order in which the reader will want them. The reader gets them
 * depth first, with entries sorted by the bytes of their names. Depth is limited by memory alone: descriptors of
 * directories far up the path are closed, and opened again when needed, comparing device and inode.
 */
#ifndef BT_SCAN_SCAN_H
#define BT_SCAN_SCAN_H

#include "policy/listed.h"
#include "scan/exclusion.h"
#include "watch/changes.h"
#include <backuptool/observer.h>
#include <backuptool/types.h>
#include <stdbool.h>
#include <sys/types.h>

struct bt_found {	  /* one entry of a directory, packed */
	const char *name; /* NUL-terminated */
	uint64_t size, inode, dev, links, rdev;
	struct bt_time mtime, ctime;
	int64_t born; /* seconds of the birth time, if has_btime */
	uint32_t born_nanoseconds;
	uint32_t mode; /* with S_IFMT */
	uint32_t uid, gid;
	int error; /* errno of statx: the directory lists the name, but mode has at most the type. ENAMETOOLONG for a
		      name over 255 bytes, which no snapshot can have */
	uint16_t name_length;
	bool has_btime : 1;
	bool nodump : 1;	   /* it has that inode flag */
	bool way : 1;		   /* a directory that is of the selection only if something below is */
	bool unmatched : 1;	   /* for the scan: it matches no pattern of what is taken */
	const char *boundary;	   /* of a directory on another file system that is not entered: the type of that as in
				      /proc/self/mountinfo, or "btrfs-subvolume"; belongs to the scan. Else NULL. Mounted
				      snapshots are never entered. If the file system does not answer, the entry has only
				      mode 0755 and the owner of the directory above */
	struct bt_scan_dir *child; /* directories that will be entered, else NULL */
};

struct bt_scan_dir {
	struct bt_scan_dir *parent; /* NULL for the root */
	struct bt_found *found;	    /* sorted by name bytes */
	size_t count;
	struct bt_found self; /* as its parent saw it; name "" for the root */
	int error;	      /* errno of opening or listing it: found is then empty or incomplete. ENOTDIR: its name
				 belongs to something else now */
	bool gone;	      /* with an error: its parent does not list it any more */
	uint64_t excluded;    /* entries left out */
	uint64_t large, large_bytes; /* of these: files that are too large, and their sizes */
	int rules_error;	     /* 0, or why the file of patterns in it that has the next name does not count */
	const char *rules_name;
	uint64_t vanished;	      /* entries that were gone when statx was called for them */
	void *user;		      /* the reader's */
	const struct bt_name *change; /* see changes; NULL: none */
	bool deferred;		      /* nothing changed in it or below: it is listed only when asked for */
	struct bt_scan_private *private;
};

struct bt_scan;

struct bt_scan_options {
	const struct bt_exclusion *exclusion; /* NULL: everything is found. Borrowed until close */
	struct bt_listed *listed; /* what is asked for at all, without prefix; NULL: everything. Borrowed until close */
	const char *prefix; /* of all paths that its patterns are asked about: "docs/"; NULL: none. Borrowed likewise */
	bool one_file_system; /* directories on others are boundaries; files that are mounted there are files */
	bool birth_times;     /* found ones get them where the file system has them */
	dev_t skip_dev;
	ino_t skip_ino;			  /* a directory that is left out wherever it appears (the store); 0, 0: none */
	const struct bt_changes *changes; /* directories worth listing; NULL: all. Borrowed until close */
	unsigned threads;		  /* helpers; 0: the reader lists each directory itself, same result */
	const struct bt_observer *observer; /* gets BT_EVENT_EXCLUDED and _VANISHED, from bt_scan_list; NULL: none */
};

int bt_scan_open(const char *target, const struct bt_scan_options *options, struct bt_scan **ret_scan,
		 struct bt_error *error);
void bt_scan_close(struct bt_scan *scan);

struct bt_scan_dir *bt_scan_root(struct bt_scan *scan);
/* Waits until dir is listed, or lists it; then its error, found and count are set. To be called by the reader in
 * depth-first order. The only failure is BT_E_NOMEM: a directory that cannot be read has an error of its own. */
int bt_scan_list(struct bt_scan *scan, struct bt_scan_dir *dir, struct bt_error *error);
/* A descriptor of the directory, valid until bt_scan_fd_put. Any thread. -errno on failure; -ESTALE: another directory
 * has its name now. */
int bt_scan_fd_get(struct bt_scan *scan, struct bt_scan_dir *dir);
void bt_scan_fd_put(struct bt_scan *scan, struct bt_scan_dir *dir);
/*
 * Whether an entry of dir still exists, after an attempt to look at it or to open it, made before the time since, did
 * not find it. False: a second reading of the directory does not list it, so it is gone. True: it is listed, or nobody
 * can tell. Any thread. One reading answers for all attempts made before it.
 */
bool bt_scan_listed(struct bt_scan *scan, struct bt_scan_dir *dir, const struct bt_found *found, uint64_t since);
uint64_t bt_scan_now(void); /* for since */
/* Whether this errno of an attempt means that bt_scan_listed should be asked. */
bool bt_scan_not_found(int error);
/* Frees the directory, its found, and everything below it, listed or not. Nobody may use them or its descriptor
 * afterwards. */
void bt_scan_done(struct bt_scan *scan, struct bt_scan_dir *dir);

/* Sets the birth time, if there is one in what statx gave. */
struct statx;
void bt_scan_born(struct bt_found *found, const struct statx *stat);

/* The path of an entry in dir (name NULL: of dir itself) for messages, such as "docs/notes/a.txt". Allocated; NULL on
 * out of memory. */
char *bt_scan_path(const struct bt_scan_dir *dir, const char *name);

#endif
