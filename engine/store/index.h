/* SPDX-License-Identifier: MIT */
/*
 * The index over all files of the store: from the digest of a content, or the id of a page, to its location, in O(1).
 *
 * It is kept in cache/ as segments (store/segment.h), each of which covers some of the files. A lookup asks every
 * segment, newest first. New files make a small segment. Segments are merged so that each is at least twice as large as
 * all newer ones together: their number stays logarithmic and the work amortised (as in log-structured merge trees,
 * O'Neil et al. 1996). If there is no writable cache/ of the user's own, the segments are kept in memory.
 *
 * Nothing depends on the index being right. All that is read is compared with its digest. Before a content counts as
 * stored, bt_index_prove compares the index with the file's own lists. A content that the index lacks is stored again.
 */
#ifndef BT_STORE_INDEX_H
#define BT_STORE_INDEX_H

#include "store/file.h"

struct bt_index;

struct bt_location {
	uint32_t file; /* its ordinal, see store.h */
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
	int cachefd;	/* < 0: there is none, everything is in memory */
	bool read_only; /* cachefd is only read */
	int (*visit)(void *arg, uint32_t file, const struct bt_index_visitor *visitor, struct bt_error *error);
	void (*damaged)(void *arg, uint32_t file, const struct bt_error *error);
};

int bt_index_new(struct bt_index **ret_index);
void bt_index_free(struct bt_index *index); /* NULL is fine */

/* Makes the index cover exactly these files: loads the segments of cache/, drops other files, and visits every file
 * that no segment covers. A file that cannot be read is reported through damaged() and left out. */
int bt_index_update(struct bt_index *index, const struct bt_index_source *source, struct bt_error *error);
/* 0 if this process has read all of it from the files themselves. Otherwise some of it came from cache/ and may be
 * wrong; the number is for bt_index_rebuild, and is asked for before the lookup that fails. */
unsigned bt_index_doubt(struct bt_index *index);
/* Visits every file and then replaces all segments at once, also in cache/, unless another thread has done so since the
 * caller asked for the doubt. Lookups use the old segments until then; on failure these stay. */
int bt_index_rebuild(struct bt_index *index, const struct bt_index_source *source, unsigned doubt,
		     struct bt_error *error);

/* Adds a new file (after it was sealed). cachefd < 0: in memory. */
int bt_index_add(struct bt_index *index, int cachefd, const struct bt_covered *file,
		 int (*visit)(void *arg, const struct bt_index_visitor *visitor), void *arg, struct bt_error *error);

/* Compares the index with the file's own lists: *ret_right if they say the same. The lists are visited once for a file
 * whose records came from cache/, and not at all if this process has read them itself. Fails as the visit does, or with
 * BT_E_NOMEM. */
int bt_index_prove(struct bt_index *index, const struct bt_index_source *source, uint32_t file, bool *ret_right,
		   struct bt_error *error);

/* Finds up to max locations, newest first, and returns their number. All calls on one index may run at the same time,
 * except free. */
size_t bt_index_find(struct bt_index *index, const struct bt_digest *digest, bool page, struct bt_location *locations,
		     size_t max);

/* For tests and `stats`. */
size_t bt_index_segments(struct bt_index *index);
uint64_t bt_index_records(struct bt_index *index);

#endif
