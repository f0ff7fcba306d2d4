/* SPDX-License-Identifier: MIT */
/*
 * The derived index: digest of a content or id of a page → where it lies, over all files of the store, in O(1).
 *
 * Kept in cache/ as segments (store/segment.h), each covering a set of store files; a lookup asks every segment, newest
 * first. New files make a small segment; segments are merged so that each is at least twice as large as all newer ones
 * together: their number stays logarithmic and the work amortised (as in log-structured merge trees, O'Neil et al.
 * 1996). Nothing depends on the index being right, whoever wrote it: what is read where it points to is compared with
 * its digest; before something counts as stored, bt_index_prove compares what the index says of the file with the
 * file's own lists; and what the index does not know is stored once more. Without a cache/ of one's own that can be
 * written the segments live in memory.
 */
#ifndef BT_STORE_INDEX_H
#define BT_STORE_INDEX_H

#include "store/file.h"

struct bt_index;

struct bt_location {
	uint32_t file; /* ordinal in the store, see store.h */
	bool page;
	struct bt_block block; /* for a page only at and length */
	uint32_t offset, size; /* within the block's plain bytes */
};

/* Covered files are told apart by name, size and mtime. */
struct bt_covered {
	const char *name;
	uint64_t size;
	struct bt_time mtime;
	uint32_t file;
};

struct bt_index_source {
	void *arg;
	const struct bt_covered *files;
	size_t count;
	int cachefd;	/* < 0: none, everything is in memory */
	bool read_only; /* cachefd is only read */
	int (*visit)(void *arg, uint32_t file, const struct bt_index_visitor *visitor, struct bt_error *error);
	void (*damaged)(void *arg, uint32_t file, const struct bt_error *error);
};

int bt_index_new(struct bt_index **ret_index);
void bt_index_free(struct bt_index *index); /* NULL is fine */

/* Makes the index cover exactly these files: takes what cache/ has, forgets what is not among them, and visits every
 * file that no segment covers. A file that cannot be read is reported through damaged() and left out. */
int bt_index_update(struct bt_index *index, const struct bt_index_source *source, struct bt_error *error);
/* 0: this process read all of it out of the files themselves. Else it may lead astray, since some of it came out of
 * cache/: a number to give to rebuild, to be asked for before the lookup that fails. */
unsigned bt_index_doubt(struct bt_index *index);
/* Visits every file and then replaces all segments at once, those in cache/ too, unless somebody did since the caller
 * asked for the doubt. Until then lookups find what they found before, and for good if it fails. */
int bt_index_rebuild(struct bt_index *index, const struct bt_index_source *source, unsigned doubt,
		     struct bt_error *error);

/* Adds a new file (after it was sealed). cachefd < 0: in memory. */
int bt_index_add(struct bt_index *index, int cachefd, const struct bt_covered *file,
		 int (*visit)(void *arg, const struct bt_index_visitor *visitor), void *arg, struct bt_error *error);

/* Whether the index says of the file what the file's own lists say, no more and no less. They are visited for that,
 * once for what came out of cache/; what this process read itself is known to be right. Another result than 0 is the
 * visit's, or BT_E_NOMEM. */
int bt_index_prove(struct bt_index *index, const struct bt_index_source *source, uint32_t file, bool *ret_right,
		   struct bt_error *error);

/* Where it lies: up to max places, newest first; how many. All calls on one index are thread-safe against each other
 * but for free. */
size_t bt_index_find(struct bt_index *index, const struct bt_digest *digest, bool page, struct bt_location *locations,
		     size_t max);

/* For tests and `stats`. */
size_t bt_index_segments(struct bt_index *index);
uint64_t bt_index_records(struct bt_index *index);

#endif
