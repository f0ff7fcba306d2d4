/* SPDX-License-Identifier: MIT */
/* What the files of this room share. */
#ifndef BT_SCAN_PRIVATE_H
#define BT_SCAN_PRIVATE_H

#include "base/buf.h"
#include "base/ways.h"
#include "scan/mounts.h"
#include "scan/scan.h"
#include <pthread.h>
#include <stdatomic.h>

enum bt_scan_state {
	BT_SCAN_DEFERRED, /* not in the line */
	BT_SCAN_PENDING,  /* nobody has begun to list it */
	BT_SCAN_BEGUN,
	BT_SCAN_LISTED, /* and not yet asked for by the reader */
	BT_SCAN_TAKEN,
};

/* A second reading of a directory. */
struct bt_scan_again {
	uint64_t began;			     /* bt_scan_now */
	struct bt_time mtime, ctime, looked; /* of the directory before the reading, and when that was */
	unsigned readings;
	int error;     /* errno for which it failed */
	bool listed[]; /* for each found */
};

/* A directory. All children of one directory lie in one array, which is freed with their parent. */
struct bt_scan_private {
	struct bt_scan_dir dir; /* dir.private points back to here */

	struct bt_within within; /* set when its parent was listed; its own patterns come when it is listed itself */
	const struct bt_ignore *above; /* the patterns that are its parents' */
	struct bt_listed_range listed; /* set when it is listed itself */

	/* Set once by the thread that lists it, before state becomes BT_SCAN_LISTED. */
	void *block; /* found and the names in it */
	struct bt_scan_private *children;
	size_t child_count;
	struct bt_scan_private *first, *last; /* children for the line; NULL: none */
	char *told; /* for the observer: a size, an event in one byte, a name and a NUL, told_size in all */
	size_t told_size;
	size_t weight;
	int result; /* 0, or the code that bt_scan_list returns */

	/* The reader's alone. */
	bool gone;	      /* done */
	size_t children_gone; /* number of the first children that are done */

	/* Under the scan's lock. */
	enum bt_scan_state state;
	struct bt_scan_private *next, *prev; /* the line */

	struct bt_scan_again *again; /* under again_lock; NULL: none */

	struct bt_way way; /* its descriptor */
};

/* Opens the directory name in parent, which belongs to uid. fd or -errno; -ENOTDIR: it is not a directory any more. */
int bt_scan_open_directory(const struct bt_scan *scan, int parent, const char *name, uint32_t uid);

/* A name while its directory is being listed. */
struct bt_scan_key {
	uint64_t prefix; /* the first bytes that not all names share, for comparing */
	size_t offset;	 /* in the names */
	uint16_t length;
	unsigned char type;  /* DT_… */
	bool way, unmatched; /* as of what was found */
};

/* Buffers that a thread keeps between directories. */
struct bt_scan_scratch {
	unsigned char *records; /* of getdents64 */
	struct bt_buf names;	/* each with a NUL after it */
	struct bt_scan_key *keys;
	size_t count, capacity;
	struct bt_buf path; /* of the directory with a final slash, then an entry's name; only if there are rules */
	struct bt_buf told; /* as in the directory */
};

static inline const char *bt_scan_name(const struct bt_scan_scratch *scratch, const struct bt_scan_key *key)
{
	return (const char *)scratch->names.data + key->offset;
}

void bt_scan_scratch_free(struct bt_scan_scratch *scratch);

/*
 * The line: directories not yet listed, in the order in which a depth-first reader wants them. A directory that is
 * being listed keeps its place until its children take it. So the first one in the line that nobody has begun is the
 * one that is wanted soonest.
 */
struct bt_scan {
	struct bt_scan_options options;
	struct bt_scan_private *root;
	uint64_t root_dev;
	struct bt_scan_mounts mounts;
	bool asks_first; /* whether a directory is a mount point, before touching it */
	unsigned owner;	 /* whose directories we may open with O_NOATIME */
	bool privileged;
	int statx_flags;
	unsigned statx_mask;
	struct bt_ways fds;
	pthread_mutex_t again_lock;
	struct bt_scan_scratch scratch; /* the reader's */
	atomic_bool stopping;

	pthread_mutex_t lock;
	pthread_cond_t work; /* something is in the line, or ahead has room again */
	pthread_cond_t listed;
	struct bt_scan_private *first, *last;
	size_t ahead; /* weight of the directories that are listed and not yet taken */
	bool full;    /* helpers wait until ahead has fallen by half */
	unsigned idle;
	pthread_t *helpers;
	unsigned helper_count;
};

/* descriptor.c */
void bt_scan_fds_init(struct bt_scan *scan);

/* Lists a directory into node: its found, children, error, result. Called by the thread that has begun it. */
void bt_scan_read(struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch);

/* look.c */
void bt_scan_fill(const struct bt_scan *scan, struct bt_found *found, const struct statx *stat);
/* Fills found, whose name is set, for an entry of dir of this type (DT_…). If only the name is known, sets error. */
void bt_scan_look(struct bt_scan *scan, const struct bt_scan_dir *dir, int dirfd, unsigned char type,
		  struct bt_found *found);

/* again.c: forgets the second reading of the directory. */
void bt_scan_forget_again(struct bt_scan_private *node);

/* Reads all names into the scratch. 0, errno, or BT_E_NOMEM. */
int bt_scan_gather(struct bt_scan *scan, int fd, struct bt_scan_scratch *scratch);
void bt_scan_sort(struct bt_scan_scratch *scratch);

/* Prepares the rules for the entries of node: fills scratch->path, and reads the patterns that the directory has. */
int bt_scan_filter_begin(const struct bt_scan *scan, struct bt_scan_private *node, int dirfd,
			 struct bt_scan_scratch *scratch);
/* Removes names that rules and markers leave out from the keys, which are sorted. Names of unknown type are left for
 * bt_scan_filter_entry. */
int bt_scan_filter_names(const struct bt_scan *scan, struct bt_scan_private *node, int fd,
			 struct bt_scan_scratch *scratch);
enum bt_scan_choice { BT_SCAN_TAKE, BT_SCAN_LEAVE, BT_SCAN_UNASKED };
/* Sets what key says of the way, too. */
enum bt_scan_choice bt_scan_filter_entry(const struct bt_scan *scan, const struct bt_scan_private *node,
					 struct bt_scan_scratch *scratch, struct bt_scan_key *key, bool directory);
/* Whether it is taken, by what is known once it was looked at. */
bool bt_scan_filter_found(const struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch,
			  const struct bt_scan_key *key, const struct bt_found *found);
/* What is listed below a directory that cannot be read is not missed. */
void bt_scan_filter_unread(const struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch);

/* list.c: counts an entry that is left out or has vanished, and keeps it for the observer; bytes is its size or
 * BT_SIZE_UNKNOWN. 0 or BT_E_NOMEM. */
int bt_scan_note(const struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch,
		 enum bt_event event, const char *name, uint64_t bytes);

/* look.c: the size of a file that is not looked at otherwise, as far as the kernel knows it. */
uint64_t bt_scan_size(int dirfd, const char *name);

#endif
