/* SPDX-License-Identifier: MIT */
/*
 * One segment of the index: the table of the files that it covers, and records sorted by digest. Each record says in
 * which file a content or page lies, and where. A segment is a file index-<16 hex>.seg in cache/, or only in memory. It
 * is immutable except for which of its files still exist. It is derived data, so it has the machine's byte order.
 *
 * Records are read with pread, one bucket at a time; only small segments are kept in memory whole. They are not mapped:
 * truncating a mapped file causes SIGBUS, and lookups would pull a large index into memory page by page. The table of
 * buckets is in memory (4 bytes for 16 records), so a lookup costs one pread of a few KiB.
 *
 * Checksums cover the whole file. One covers the header and the tables and is compared when the segment is opened. The
 * tables hold one more for each stretch of records, compared when the stretch is read.
 */
#ifndef BT_STORE_SEGMENT_H
#define BT_STORE_SEGMENT_H

#include "base/buf.h"
#include "store/index.h"

#define BT_NO_FILE UINT32_MAX

struct bt_record {
	struct bt_digest digest;
	uint32_t at_low, at_high;
	uint32_t length, size; /* of the block, or length of the page */
	uint32_t offset, held;
	uint32_t file; /* in the segment's table, and the flags */
};
#define BT_RECORD_PAGE	(UINT32_C(1) << 31)
#define BT_RECORD_PLAIN (UINT32_C(1) << 30)
#define BT_RECORD_FILE	(BT_RECORD_PLAIN - 1)

struct bt_segment_file {
	const char *name; /* in names */
	uint64_t size;
	struct bt_time mtime;
	uint32_t records;
	uint32_t file; /* ordinal in the store, or BT_NO_FILE: its records count for nothing */
	bool proven;   /* its records are those of its lists: they were read in this process */
};

/* A sum over records, independent of their order, by a hash with a secret seed: equal only for the same records. */
struct bt_tally {
	uint64_t count, sum;
};

struct bt_segment {
	char name[32]; /* in cache/; "" if it is only in memory */
	int fd;	       /* of the records, or -1 */
	struct bt_record *records;
	uint64_t count;
	uint64_t *sums;		  /* of each stretch of records; NULL: it is in memory only */
	struct bt_tally *tallies; /* of each file; NULL until bt_segment_tally */
	unsigned bits;		  /* of the digest that choose the bucket */
	uint32_t *buckets;
	struct bt_segment_file *files;
	size_t file_count;
	char *names;
};

/* Not 0: it does not exist or cannot be used. */
int bt_segment_open(int cachefd, const char *name, struct bt_segment **ret_segment);
void bt_segment_free(struct bt_segment *segment);

/* Builds a segment in memory from files that are visited one by one. Zero-initialised it is empty. */
struct bt_segment_build {
	struct bt_buf records, files, names; /* files: of bt_segment_file whose name is an offset in names */
	size_t mark;			     /* where the current file's records begin */
};
int bt_segment_build_start(struct bt_segment_build *build, const struct bt_covered *file);
extern const struct bt_index_visitor bt_segment_build_visitor; /* arg: the build, to be filled in */
int bt_segment_build_end(struct bt_segment_build *build);
void bt_segment_build_cancel(struct bt_segment_build *build); /* instead of end: forgets the current file */
int bt_segment_build_finish(struct bt_segment_build *build, struct bt_segment **ret_segment); /* build is empty then */
void bt_segment_build_free(struct bt_segment_build *build);

/* Merges the records of files that still exist into one segment, written to cache/ if cachefd >= 0, else in memory. One
 * input is copied. The inputs are unchanged. */
int bt_segment_merge(int cachefd, struct bt_segment *const *inputs, size_t count, struct bt_segment **ret_segment);

/* Sums up the records of each file in this segment. BT_E_DAMAGED if they cannot be read. */
int bt_segment_tally(struct bt_segment *segment);
/* For a visit of a file's lists: the sum that its records should have. */
extern const struct bt_index_visitor bt_tally_visitor; /* arg: struct bt_tally, to be filled in */

uint64_t bt_segment_alive(const struct bt_segment *segment); /* records of files that still exist */
size_t bt_segment_alive_files(const struct bt_segment *segment);
/* Up to max places of one digest. */
size_t bt_segment_find(const struct bt_segment *segment, const struct bt_digest *digest, bool page,
		       struct bt_location *locations, size_t max);

#endif
