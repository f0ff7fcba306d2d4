/* SPDX-License-Identifier: MIT */
/* Reads one entry of the live file system, even if it changes at the same time. */
#ifndef BT_SOURCE_SOURCE_H
#define BT_SOURCE_SOURCE_H

#include "base/buffers.h"
#include "base/voice.h"
#include "codec/hash.h"
#include "source/describe.h"

/* Shared by all readers of a directory, and by any number of threads. */
struct bt_source {
	struct bt_scan *scan;
	uint64_t root_dev; /* of the directory that the scan began with */
	bool birth_times;  /* whether entries get them */
	uint32_t user; /* the effective user: access times stay as they are for root, and for files that this user owns
			*/
	struct bt_buffers *buffers; /* for the windows of streams */
	struct bt_voice *voice;	    /* asked whether to continue */
};

/* File systems that lack a feature, so that each is asked only once. */
struct bt_source_lack {
	uint64_t devs[8];
	unsigned count;
};

/* Tools and scratch memory of one reading thread. */
struct bt_reader {
	const struct bt_source *source;
	struct bt_hasher *hasher, *pieces; /* whole files, and their chunks meanwhile */
	char *names;			   /* scratch for lists of xattrs and for link targets */
	unsigned char *value;		   /* scratch for the value of an xattr */
	struct bt_buffer *window;	   /* for streams; made on first use */
	struct bt_source_lack without_xattrs, without_flags, without_projects;
};
struct bt_reader *bt_reader_new(const struct bt_source *source); /* NULL: out of memory */
void bt_reader_free(struct bt_reader *reader);

enum bt_source_state {
	BT_SOURCE_READ,	  /* the entry is complete, except for members that come from its contents */
	BT_SOURCE_GONE,	  /* it does not exist any more */
	BT_SOURCE_LOST,	  /* not found: removed, or listed but unreachable; bt_source_find_out decides */
	BT_SOURCE_FAILED, /* cannot be read: sys */
	BT_SOURCE_OTHER,  /* it is not of the listed type any more, or only bt_source_stream can read it */
};

/* The outcome of reading an entry. */
struct bt_outcome {
	enum bt_source_state state;
	int sys;		/* why it failed */
	int xattr_sys;		/* why its xattrs could not be read, or 0 */
	struct bt_found seen;	/* its state at the last read; name is borrowed */
	struct bt_time read_at; /* time before it was opened */
	bool torn;		/* the bytes never were the file's contents at one time, or are incomplete */
	bool too_short;		/* torn because the file always gives fewer bytes than its size, as in /sys */
};
/* Sets the outcome: it could not be reached or read. */
void bt_source_failed(struct bt_outcome *outcome, int sys);
/* Replaces BT_SOURCE_LOST by the true state. dir: its directory; since: bt_scan_now after it was not found. */
void bt_source_find_out(const struct bt_source *source, struct bt_scan_dir *dir, struct bt_outcome *outcome,
			uint64_t since);

/* Gives the entry its fingerprint, unless a later change might not show in it: a second change within one tick of the
 * file system's clock leaves the times as they are, so they must be older than a tick when the entry was read. */
void bt_source_stamp(struct bt_entry *entry, const struct bt_found *seen, const struct bt_time *read_at);
void bt_source_now(struct bt_time *ret_time);
/* Whether a change after that moment shows in a time that an entry had at it. */
bool bt_source_is_settled(const struct bt_time *time, const struct bt_time *read_at);

/* The destination of the data read of one entry. */
struct bt_source_out {
	struct bt_arena *arena;
	struct bt_entry *entry;
	struct bt_outcome *outcome;
};

/* Reads the xattrs of an open entry into its extra. fd: opened with O_PATH unless it is a file or directory.
 * outcome->xattr_sys: the errno of a failure, or 0. 0 or BT_E_NOMEM. */
int bt_source_xattrs(struct bt_reader *reader, int fd, bool path_only, const struct bt_source_out *out);
/* Reads the inode flags and the project id of an open file or directory likewise; 0 if the file system lacks them. */
int bt_source_inode(struct bt_reader *reader, int fd, const struct bt_source_out *out);

/* Entries without contents: symlinks, devices, FIFOs, sockets, and directories that are not entered. 0 or BT_E_NOMEM.
 */
int bt_source_bare(struct bt_reader *reader, int dirfd, const struct bt_found *found, const struct bt_source_out *out);

/* Reads a whole file into room, which must have at least size + 1 bytes (otherwise BT_SOURCE_OTHER). The entry gets the
 * digest and the number of bytes. 0 or BT_E_NOMEM. */
struct bt_source_room {
	unsigned char *data;
	size_t size;
};
int bt_source_small(struct bt_reader *reader, int dirfd, const struct bt_found *found,
		    const struct bt_source_room *room, const struct bt_source_out *out);

/*
 * Reads a file of any size, piece by piece. The sink gets its chunks in order; restart tells it to forget those so far.
 * The entry gets the metadata, size, holes, and the digest unless the file is one chunk. If the sink returns anything
 * but 0, the reading ends and returns that.
 */
struct bt_source_sink {
	int (*chunk)(struct bt_source_sink *sink, const unsigned char *data, size_t size);
	int (*restart)(struct bt_source_sink *sink);
};
int bt_source_stream(struct bt_reader *reader, int dirfd, const struct bt_found *found, struct bt_source_sink *sink,
		     const struct bt_source_out *out);
/* The same of what a program gives: the entry gets size and digest. A failure of the stream is one of the call. */
struct bt_stream;
int bt_source_feed(struct bt_reader *reader, const struct bt_stream *stream, struct bt_source_sink *sink,
		   struct bt_entry *entry, struct bt_error *error);

#endif
