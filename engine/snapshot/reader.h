/* SPDX-License-Identifier: MIT */
/* Reading one entry from the file system, whatever happens to it meanwhile. */
#ifndef BT_SNAPSHOT_READER_H
#define BT_SNAPSHOT_READER_H

#include "snapshot/entry.h"
#include "snapshot/run.h"

#define BT_SNAP_TRIES 3 /* a file that changed while it was read is read again, this often in all */

/* File systems that do not know something: each is asked once. */
struct bt_snap_lack {
	uint64_t devs[8];
	unsigned count;
};

/* What one thread needs to read with. */
struct bt_snap_reader {
	struct bt_hasher *hasher, *pieces; /* whole files, and their chunks meanwhile */
	char *names;			   /* scratch for lists of xattrs and for link targets */
	unsigned char *value;		   /* for a value */
	struct bt_buffer *window;	   /* for streams; made on first use */
	struct bt_snap_lack without_xattrs, without_flags, without_projects;
};
struct bt_snap_reader *bt_snap_reader_new(void); /* NULL: out of memory */
void bt_snap_reader_free(struct bt_snap_reader *reader, struct bt_buffers *buffers);

enum bt_snap_state {
	BT_SNAP_READ,	/* the entry is complete, but for what its contents say */
	BT_SNAP_GONE,	/* nothing there any more */
	BT_SNAP_LOST,	/* not found: gone, or listed but not to be had. bt_snap_find_out tells */
	BT_SNAP_FAILED, /* cannot be read: sys */
	BT_SNAP_LATER,	/* not what it was in the listing, or not for here: bt_snap_stream */
};

/* What came of reading an entry. */
struct bt_snap_outcome {
	enum bt_snap_state state;
	int sys;		/* why it failed */
	int xattr_sys;		/* why its xattrs could not be read, or 0 */
	struct bt_found seen;	/* when it was read last; name borrowed */
	struct bt_time read_at; /* before it was opened */
	bool torn;		/* the bytes are none that it ever was, or not all */
	bool brief;		/* because it gives fewer than its size, and always did, as in /sys */
};

/* Opens a regular file for reading, without waiting for anything and without following links: fd or -errno. user: the
 * effective one, who leaves the access times of his own files alone, and root of all. */
int bt_snap_open(int dirfd, const struct bt_found *seen, uint32_t user);
/* Whether a file stayed the same between the two looks. */
bool bt_snap_steady(const struct bt_found *before, const struct bt_found *after);
/* Looks at an open file: false with the outcome filled unless it is regular. */
bool bt_snap_look(int fd, struct bt_snap_outcome *outcome, struct stat *st);
/* What an errno means for an entry that was listed: of opening, and of what comes after it. */
enum bt_snap_state bt_snap_open_failed(int sys);
void bt_snap_failed(struct bt_snap_outcome *outcome, int sys);
/* Makes of BT_SNAP_LOST what it is. dir: where it lies; since: bt_scan_now after it was not found. */
void bt_snap_find_out(struct bt_snap_run *run, struct bt_scan_dir *dir, struct bt_snap_outcome *outcome,
		      uint64_t since);

/* Where what is read of one entry goes. */
struct bt_snap_out {
	struct bt_arena *arena;
	struct bt_entry *entry;
	struct bt_snap_outcome *outcome;
};

/* xattrs.c: reads the xattrs of what an open fd (O_PATH for all but files and directories) stands for into the entry's
 * extra. outcome->xattr_sys: why it could not be done, or 0. 0 or BT_E_NOMEM. */
int bt_snap_read_xattrs(struct bt_snap_reader *reader, int fd, bool path_only, const struct bt_snap_out *out);

/* inode.c: the inode flags and the project id of an open file or directory likewise. What cannot be asked for is none.
 */
int bt_snap_read_inode(struct bt_snap_reader *reader, int fd, const struct bt_snap_out *out);
bool bt_snap_lacks(const struct bt_snap_lack *lack, uint64_t dev);
void bt_snap_remember_lack(struct bt_snap_lack *lack, uint64_t dev);

/* meta.c: entries without contents: symlinks, devices, FIFOs, sockets, and directories that are not entered. */
int bt_snap_read_meta(struct bt_snap_run *run, struct bt_snap_reader *reader, int dirfd, const struct bt_found *found,
		      const struct bt_snap_out *out);

/* small.c: a file whole into room (size + 1 bytes at least, else it is for later). The digest and the bytes read are
 * in the entry. 0 or BT_E_NOMEM. */
struct bt_snap_room {
	unsigned char *data;
	size_t size;
};
int bt_snap_read_small(struct bt_snap_run *run, struct bt_snap_reader *reader, int dirfd, const struct bt_found *found,
		       const struct bt_snap_room *room, const struct bt_snap_out *out);

/*
 * stream.c: a file of any size, piece by piece. The sink gets its chunks in order; restart tells it to forget those
 * of this file. What the sink cannot know comes back in the entry: metadata, size, holes, and the digest unless the
 * file is one chunk. A result != 0 of the sink ends it and is returned.
 */
struct bt_snap_sink {
	int (*chunk)(struct bt_snap_sink *sink, const unsigned char *data, size_t size);
	int (*restart)(struct bt_snap_sink *sink);
};
int bt_snap_stream(struct bt_snap_run *run, struct bt_snap_reader *reader, int dirfd, const struct bt_found *found,
		   struct bt_snap_sink *sink, const struct bt_snap_out *out);

#endif
