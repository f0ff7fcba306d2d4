/* SPDX-License-Identifier: MIT */
#include "store/index.h"
#include "base/bytes.h"
#include "base/digest_set.h"
#include "base/fail.h"
#include "base/invariant.h"
#include "base/io.h"
#include "base/listing.h"
#include "base/publish.h"
#include "base/table.h"
#include "base/vec.h"
#include "store/segment.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A segment is made as soon as the visited files have this many records. This bounds the memory for the first visit of
 * a large store. */
#define BUILD_BYTES ((size_t)64 << 20)

/* More are not read, since each needs an open file; segments are merged long before. */
#define SEGMENTS_MAX 4096

struct bt_index {
	pthread_rwlock_t lock;	 /* the list, and which files are there */
	pthread_mutex_t changes; /* one change at a time; taken before lock */
	struct bt_segment **segments;
	size_t count, room;
	unsigned rebuilt; /* how many times */
	bool doubtful;	  /* some of it came out of cache/ */
};

int bt_index_new(struct bt_index **ret_index)
{
	struct bt_index *index = calloc(1, sizeof(*index));

	if (!index)
		return BT_E_NOMEM;
	pthread_rwlock_init(&index->lock, NULL);
	pthread_mutex_init(&index->changes, NULL);
	*ret_index = index;
	return 0;
}

void bt_index_free(struct bt_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < index->count; i++)
		bt_segment_free(index->segments[i]);
	free(index->segments);
	pthread_rwlock_destroy(&index->lock);
	pthread_mutex_destroy(&index->changes);
	free(index);
}

/* Records, and files, whose table is merged with them. */
static uint64_t weight(const struct bt_segment *segment)
{
	return segment->count + segment->file_count;
}

static int push(struct bt_index *index, struct bt_segment *segment)
{
	if (bt_vec_room(index->segments, index->count, index->room))
		return BT_E_NOMEM;
	index->segments[index->count++] = segment;
	return 0;
}

static void discard(struct bt_segment *segment, int cachefd)
{
	if (cachefd >= 0 && segment->name[0])
		unlinkat(cachefd, segment->name, 0);
	bt_segment_free(segment);
}

/* The first segment that, with all newer ones, has to become one. */
static size_t merge_from(const struct bt_index *index)
{
	uint64_t newer = 0;
	size_t from = index->count;

	for (size_t i = index->count; i-- > 0;) {
		uint64_t own = weight(index->segments[i]);

		if (newer && own < 2 * newer)
			from = i;
		newer += own;
	}
	return from;
}

static bool mostly_dead(const struct bt_segment *segment)
{
	uint64_t dead = segment->count - bt_segment_alive(segment);
	size_t dead_files = segment->file_count - bt_segment_alive_files(segment);

	return dead + dead_files > weight(segment) / 2;
}

/* Replaces count segments by one. If that cannot be written they stay, which only costs time. */
static void replace(struct bt_index *index, size_t from, size_t count, int cachefd)
{
	struct bt_segment *merged = NULL;

	if (bt_segment_merge(cachefd, index->segments + from, count, &merged))
		return;
	pthread_rwlock_wrlock(&index->lock);
	for (size_t i = from; i < from + count; i++) {
		bool same = !strcmp(index->segments[i]->name, merged->name);

		discard(index->segments[i], merged->name[0] && !same ? cachefd : -1);
	}
	index->segments[from] = merged;
	size_t rest = index->count - from - count;
	memmove(index->segments + from + 1, index->segments + from + count, rest * sizeof(merged));
	index->count -= count - 1;
	pthread_rwlock_unlock(&index->lock);
}

/* Keeps the sizes geometric and writes segments that are only in memory. If nothing can be written, segments in files
 * stay there. */
static void tidy(struct bt_index *index, int cachefd)
{
	size_t from = merge_from(index), first = index->count;

	while (first && !index->segments[first - 1]->name[0])
		first--;
	if (cachefd < 0 && from < first)
		from = first;
	if (index->count - from > 1)
		replace(index, from, index->count - from, cachefd);
	for (size_t i = 0; i < index->count && cachefd >= 0; i++) {
		if (!index->segments[i]->name[0] || mostly_dead(index->segments[i]))
			replace(index, i, 1, cachefd);
	}
}

/* No file is in two segments, and the buckets of each divide its records. */
static void check_index(struct bt_index *index)
{
#ifdef BT_INVARIANTS
	struct bt_digest_set files = {0};
	pthread_rwlock_rdlock(&index->lock);
	for (size_t i = 0; i < index->count; i++) {
		const struct bt_segment *segment = index->segments[i];
		size_t last = (size_t)1 << segment->bits;

		for (size_t k = 0; k < last; k++)
			bt_invariant(segment->buckets[k] <= segment->buckets[k + 1]);
		bt_invariant(!segment->buckets[0] && segment->buckets[last] == segment->count);
		for (size_t k = 0; k < segment->file_count; k++) {
			uint32_t file = segment->files[k].file;
			const struct bt_table_key key = {file, 1};

			bt_invariant(file == BT_NO_FILE || bt_digest_set_add_key(&files, key));
		}
	}
	pthread_rwlock_unlock(&index->lock);
	bt_digest_set_free(&files);
#endif
}

struct wanted_file {
	struct bt_covered file; /* first: the key */
	bool covered;
};

/* The files that the index is to cover. */
struct wanted {
	const struct bt_index_source *source;
	struct wanted_file *files;
	struct bt_table table;
};

static uint64_t hash_covered(const struct bt_seed *seed, const void *key)
{
	const struct bt_covered *file = key;

	return bt_seeded_hash(seed, file->name, strlen(file->name));
}

static bool same_covered(const void *key, const void *other)
{
	const struct bt_covered *a = key, *b = other;

	return a->size == b->size && bt_time_equal(&a->mtime, &b->mtime) && !strcmp(a->name, b->name);
}

static int wanted_new(struct wanted *wanted, const struct bt_index_source *source)
{
	static const struct bt_table_kind kind = {hash_covered, same_covered};
	int r = 0;

	*wanted = (struct wanted){.source = source, .table = {.kind = &kind}};
	wanted->files = calloc(source->count + 1, sizeof(*wanted->files));
	if (!wanted->files)
		return BT_E_NOMEM;
	for (size_t i = 0; i < source->count && !r; i++) {
		wanted->files[i].file = source->files[i];
		/* if two files look the same, the second one is visited */
		if (!bt_table_find_key(&wanted->table, &source->files[i]))
			r = bt_table_add(&wanted->table, &wanted->files[i]);
	}
	return r;
}

static void wanted_free(struct wanted *wanted)
{
	bt_table_free(&wanted->table);
	free(wanted->files);
}

/* The ordinal of a segment's file, if it is wanted and no other segment covers it already. */
static uint32_t claim(struct wanted *wanted, const struct bt_segment_file *file)
{
	const struct bt_covered key = {.name = file->name, .size = file->size, .mtime = file->mtime};
	struct wanted_file *found = bt_table_find_key(&wanted->table, &key);

	if (!found || found->covered)
		return BT_NO_FILE;
	found->covered = true;
	return found->file.file;
}

static bool is_loaded(const struct bt_index *index, const char *name)
{
	for (size_t i = 0; i < index->count; i++) {
		if (!strcmp(index->segments[i]->name, name))
			return true;
	}
	return false;
}

static bool is_segment_name(const char *name)
{
	size_t length = strlen(name);

	return length == strlen("index-0123456789abcdef.seg") && !strncmp(name, "index-", 6) &&
	       !strcmp(name + length - 4, ".seg");
}

/* Deletes a useless segment. One that vanished meanwhile was merged by another program. */
static int load_segment(struct bt_index *index, const struct bt_index_source *source, const char *name)
{
	struct bt_segment *segment = NULL;
	int r = bt_segment_open(source->cachefd, name, &segment);

	if (r == BT_E_DAMAGED && !source->read_only)
		unlinkat(source->cachefd, name, 0);
	if (r)
		return r == BT_E_NOMEM ? r : 0;
	r = push(index, segment);
	if (r)
		bt_segment_free(segment);
	index->doubtful = true;
	return r;
}

static int load_segments(struct bt_index *index, const struct bt_index_source *source)
{
	struct bt_listing listing;
	int r = 0, looked = 0;

	bt_listing_begin(&listing, source->cachefd);
	for (const char *name; !r && looked < SEGMENTS_MAX && (name = bt_listing_next(&listing));) {
		if (!is_segment_name(name) || is_loaded(index, name))
			continue;
		r = load_segment(index, source, name);
		looked++;
	}
	bt_listing_end(&listing);
	return r;
}

static int larger_first(const void *a, const void *b)
{
	uint64_t x = weight(*(struct bt_segment *const *)a), y = weight(*(struct bt_segment *const *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Larger segments come first, so that a merged one is used instead of its inputs. */
static void match_files(struct bt_index *index, struct wanted *wanted)
{
	size_t kept = 0;
	const struct bt_index_source *source = wanted->source;

	if (index->count)
		qsort(index->segments, index->count, sizeof(struct bt_segment *), larger_first);
	for (size_t i = 0; i < index->count; i++) {
		struct bt_segment *segment = index->segments[i];

		for (size_t k = 0; k < segment->file_count; k++)
			segment->files[k].file = claim(wanted, &segment->files[k]);
		if (bt_segment_alive_files(segment))
			index->segments[kept++] = segment;
		else
			discard(segment, source->read_only ? -1 : source->cachefd);
	}
	index->count = kept;
}

static int finish_build(struct bt_index *index, struct bt_segment_build *build)
{
	struct bt_segment *segment = NULL;

	if (!build->files.length)
		return 0;
	int r = bt_segment_build_finish(build, &segment);
	if (r)
		return r;
	pthread_rwlock_wrlock(&index->lock);
	r = push(index, segment);
	pthread_rwlock_unlock(&index->lock);
	if (r)
		bt_segment_free(segment);
	return r;
}

static int visit_file(const struct bt_index_source *source, const struct bt_covered *file,
		      struct bt_segment_build *build)
{
	struct bt_index_visitor visitor = bt_segment_build_visitor;
	struct bt_error error = {0};

	visitor.arg = build;
	if (bt_segment_build_start(build, file))
		return BT_E_NOMEM;
	int r = source->visit(source->arg, file->file, &visitor, &error);
	if (!r)
		return bt_segment_build_end(build);
	bt_segment_build_cancel(build);
	if (r == BT_E_NOMEM || r == BT_E_CANCELLED)
		return r;
	source->damaged(source->arg, file->file, &error);
	return 0;
}

static int visit_uncovered(struct bt_index *index, const struct wanted *wanted, int cachefd)
{
	const struct bt_index_source *source = wanted->source;
	struct bt_segment_build build = {0};
	int r = 0;

	for (size_t i = 0; i < source->count && !r; i++) {
		if (wanted->files[i].covered)
			continue;
		r = visit_file(source, &source->files[i], &build);
		if (!r && build.records.length >= BUILD_BYTES) {
			r = finish_build(index, &build);
			tidy(index, cachefd);
		}
	}
	if (!r)
		r = finish_build(index, &build);
	bt_segment_build_free(&build);
	return r;
}

/* Visits the files that no segment covers. */
static int complete(struct bt_index *index, const struct bt_index_source *source, const struct wanted *wanted)
{
	int cachefd = source->read_only ? -1 : source->cachefd;
	int r = visit_uncovered(index, wanted, cachefd);

	if (!r)
		tidy(index, cachefd);
	return r;
}

static int update(struct bt_index *index, const struct bt_index_source *source)
{
	struct wanted wanted;
	int r = wanted_new(&wanted, source);

	pthread_rwlock_wrlock(&index->lock);
	if (!r)
		r = load_segments(index, source);
	if (!r)
		match_files(index, &wanted);
	pthread_rwlock_unlock(&index->lock);
	if (!r)
		r = complete(index, source, &wanted);
	wanted_free(&wanted);
	if (source->cachefd >= 0 && !source->read_only)
		bt_publish_sweep(source->cachefd, false);
	return r;
}

int bt_index_update(struct bt_index *index, const struct bt_index_source *source, struct bt_error *error)
{
	pthread_mutex_lock(&index->changes);
	int r = update(index, source);
	check_index(index);
	pthread_mutex_unlock(&index->changes);
	return r ? bt_fail(error, r, NULL, "build the index") : 0;
}

unsigned bt_index_doubt(struct bt_index *index)
{
	pthread_rwlock_rdlock(&index->lock);
	unsigned doubt = index->doubtful ? index->rebuilt + 1 : 0;
	pthread_rwlock_unlock(&index->lock);
	return doubt;
}

/* Builds a separate index from the files alone. */
static int build_aside(struct bt_index *fresh, const struct bt_index_source *source)
{
	struct wanted wanted;
	int r = wanted_new(&wanted, source);

	if (!r)
		r = complete(fresh, source, &wanted);
	wanted_free(&wanted);
	return r;
}

/* The old segments go to the other one. */
static void exchange(struct bt_index *index, struct bt_index *fresh)
{
	struct bt_segment **segments = index->segments;
	size_t count = index->count, room = index->room;

	pthread_rwlock_wrlock(&index->lock);
	index->segments = fresh->segments;
	index->count = fresh->count;
	index->room = fresh->room;
	index->rebuilt++;
	index->doubtful = false;
	pthread_rwlock_unlock(&index->lock);
	fresh->segments = segments;
	fresh->count = count;
	fresh->room = room;
}

static void unlink_others(const struct bt_index *old, const struct bt_index *index, int cachefd)
{
	for (size_t i = 0; i < old->count; i++) {
		const char *name = old->segments[i]->name;

		if (name[0] && !is_loaded(index, name))
			unlinkat(cachefd, name, 0);
	}
}

/* Lookups find the old contents until it is done. */
static int rebuild(struct bt_index *index, const struct bt_index_source *source)
{
	struct bt_index *fresh = NULL;
	int r = bt_index_new(&fresh);

	if (!r)
		r = build_aside(fresh, source);
	if (!r) {
		exchange(index, fresh);
		if (source->cachefd >= 0 && !source->read_only)
			unlink_others(fresh, index, source->cachefd);
	}
	bt_index_free(fresh);
	return r;
}

int bt_index_rebuild(struct bt_index *index, const struct bt_index_source *source, unsigned doubt,
		     struct bt_error *error)
{
	pthread_mutex_lock(&index->changes);
	int r = bt_index_doubt(index) == doubt ? rebuild(index, source) : 0;
	pthread_mutex_unlock(&index->changes);
	return r ? bt_fail(error, r, NULL, "build the index") : 0;
}

/* The segment that covers a file, and where it is in its table; NULL: none does. */
static struct bt_segment *covering(const struct bt_index *index, uint32_t file, size_t *ret_at)
{
	for (size_t i = index->count; i-- > 0;) {
		for (size_t k = 0; k < index->segments[i]->file_count; k++) {
			if (index->segments[i]->files[k].file == file) {
				*ret_at = k;
				return index->segments[i];
			}
		}
	}
	return NULL;
}

static int prove(struct bt_segment *segment, size_t at, const struct bt_index_source *source, struct bt_error *error)
{
	struct bt_index_visitor visitor = bt_tally_visitor;
	struct bt_segment_file *file = &segment->files[at];
	struct bt_tally listed = {0};
	int r = bt_segment_tally(segment);

	visitor.arg = &listed;
	if (r == BT_E_DAMAGED)
		return 0;
	if (!r)
		r = source->visit(source->arg, file->file, &visitor, error);
	if (!r)
		file->proven = !memcmp(&listed, &segment->tallies[at], sizeof(listed));
	return r;
}

int bt_index_prove(struct bt_index *index, const struct bt_index_source *source, uint32_t file, bool *ret_right,
		   struct bt_error *error)
{
	size_t at = 0;
	int r = 0;

	pthread_mutex_lock(&index->changes);
	struct bt_segment *segment = covering(index, file, &at);
	if (segment && !segment->files[at].proven)
		r = prove(segment, at, source, error);
	*ret_right = !r && segment && segment->files[at].proven;
	pthread_mutex_unlock(&index->changes);
	return r;
}

static int add(struct bt_index *index, const struct bt_covered *file,
	       int (*visit)(void *arg, const struct bt_index_visitor *visitor), void *arg)
{
	struct bt_segment_build build = {0};
	struct bt_index_visitor visitor = bt_segment_build_visitor;

	visitor.arg = &build;
	int r = bt_segment_build_start(&build, file);
	if (!r)
		r = visit(arg, &visitor);
	if (!r)
		r = bt_segment_build_end(&build);
	if (!r)
		r = finish_build(index, &build);
	bt_segment_build_free(&build);
	return r;
}

int bt_index_add(struct bt_index *index, int cachefd, const struct bt_covered *file,
		 int (*visit)(void *arg, const struct bt_index_visitor *visitor), void *arg, struct bt_error *error)
{
	size_t at;
	int r = 0;

	pthread_mutex_lock(&index->changes);
	if (!covering(index, file->file, &at)) {
		r = add(index, file, visit, arg);
		if (!r)
			tidy(index, cachefd);
	}
	pthread_mutex_unlock(&index->changes);
	return r ? bt_fail(error, r, NULL, "build the index") : 0;
}

size_t bt_index_find(struct bt_index *index, const struct bt_digest *digest, bool page, struct bt_location *locations,
		     size_t max)
{
	size_t found = 0;

	pthread_rwlock_rdlock(&index->lock);
	for (size_t i = index->count; i-- > 0 && found < max;)
		found += bt_segment_find(index->segments[i], digest, page, locations + found, max - found);
	pthread_rwlock_unlock(&index->lock);
	return found;
}

size_t bt_index_segments(struct bt_index *index)
{
	pthread_rwlock_rdlock(&index->lock);
	size_t count = index->count;
	pthread_rwlock_unlock(&index->lock);
	return count;
}

uint64_t bt_index_records(struct bt_index *index)
{
	uint64_t records = 0;

	pthread_rwlock_rdlock(&index->lock);
	for (size_t i = 0; i < index->count; i++)
		records += bt_segment_alive(index->segments[i]);
	pthread_rwlock_unlock(&index->lock);
	return records;
}
