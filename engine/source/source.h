/* SPDX-License-Identifier: MIT */
/* Reading one entry of the live file system, whatever happens to it meanwhile. */
#ifndef BT_SOURCE_SOURCE_H
#define BT_SOURCE_SOURCE_H

#include "base/buffers.h"
#include "base/voice.h"
#include "codec/hash.h"
#include "source/describe.h"

/* Where readers read. Any number of threads may share one. */
struct bt_source {
	struct bt_scan *scan;
	uint64_t root_dev; /* of the directory that the scan began with */
	uint32_t user;	   /* the effective one, who leaves the access times of his own files alone, and root of all */
	struct bt_buffers *buffers; /* for the windows of streams */
	struct bt_voice *voice;	    /* says whether to go on */
};

/* File systems that do not know something: each is asked once. */
struct bt_source_lack {
	uint64_t devs[8];
	unsigned count;
};

/* What one thread needs to read with. */
struct bt_reader {
	const struct bt_source *source;
	struct bt_hasher *hasher, *pieces; /* whole files, and their chunks meanwhile */
	char *names;			   /* scratch for lists of xattrs and for link targets */
	unsigned char *value;		   /* for a value */
	struct bt_buffer *window;	   /* for streams; made on first use */
	struct bt_source_lack without_xattrs, without_flags, without_projects;
};
struct bt_reader *bt_reader_new(const struct bt_source *source); /* NULL: out of memory */
void bt_reader_free(struct bt_reader *reader);

enum bt_source_state {
	BT_SOURCE_READ,	  /* the entry is complete, but for what its contents say */
	BT_SOURCE_GONE,	  /* nothing there any more */
	BT_SOURCE_LOST,	  /* not found: gone, or listed but not to be had. bt_source_find_out tells */
	BT_SOURCE_FAILED, /* cannot be read: sys */
	BT_SOURCE_OTHER,  /* not what it was in the listing, or only bt_source_stream can read it */
};

/* What came of reading an entry. */
struct bt_outcome {
	enum bt_source_state state;
	int sys;		/* why it failed */
	int xattr_sys;		/* why its xattrs could not be read, or 0 */
	struct bt_found seen;	/* when it was read last; name borrowed */
	struct bt_time read_at; /* before it was opened */
	bool torn;		/* the bytes are none that it ever was, or not all */
	bool too_short;		/* torn because it gives fewer bytes than its size, and always did, as in /sys */
};
/* It could not be reached or read. */
void bt_source_failed(struct bt_outcome *outcome, int sys);
/* Makes of BT_SOURCE_LOST what it is. dir: where it lies; since: bt_scan_now after it was not found. */
void bt_source_find_out(const struct bt_source *source, struct bt_scan_dir *dir, struct bt_outcome *outcome,
			uint64_t since);

/* Gives the entry its fingerprint unless a later change might leave it the same: a change within the clock's tick of
 * the file system leaves the times as they are, so they must be older than that when it was read. */
void bt_source_stamp(struct bt_entry *entry, const struct bt_found *seen, const struct bt_time *read_at);
void bt_source_now(struct bt_time *ret_time);

/* Where what is read of one entry goes. */
struct bt_source_out {
	struct bt_arena *arena;
	struct bt_entry *entry;
	struct bt_outcome *outcome;
};

/* The xattrs of what an open fd (O_PATH for all but files and directories) stands for into the entry's extra.
 * outcome->xattr_sys: why it could not be done, or 0. 0 or BT_E_NOMEM. */
int bt_source_xattrs(struct bt_reader *reader, int fd, bool path_only, const struct bt_source_out *out);
/* The inode flags and the project id of an open file or directory likewise. What cannot be asked for is none. */
int bt_source_inode(struct bt_reader *reader, int fd, const struct bt_source_out *out);

/* Entries without contents: symlinks, devices, FIFOs, sockets, and directories that are not entered. 0 or BT_E_NOMEM.
 */
int bt_source_bare(struct bt_reader *reader, int dirfd, const struct bt_found *found, const struct bt_source_out *out);

/* A file whole into room (size + 1 bytes at least, else it is BT_SOURCE_OTHER). The digest and the bytes read are in
 * the entry. 0 or BT_E_NOMEM. */
struct bt_source_room {
	unsigned char *data;
	size_t size;
};
int bt_source_small(struct bt_reader *reader, int dirfd, const struct bt_found *found,
		    const struct bt_source_room *room, const struct bt_source_out *out);

/*
 * A file of any size, piece by piece. The sink gets its chunks in order; restart tells it to forget those of this file.
 * What the sink cannot know comes back in the entry: metadata, size, holes, and the digest unless the file is one
 * chunk. A result other than 0 of the sink ends it and is returned.
 */
struct bt_source_sink {
	int (*chunk)(struct bt_source_sink *sink, const unsigned char *data, size_t size);
	int (*restart)(struct bt_source_sink *sink);
};
int bt_source_stream(struct bt_reader *reader, int dirfd, const struct bt_found *found, struct bt_source_sink *sink,
		     const struct bt_source_out *out);

#endif
