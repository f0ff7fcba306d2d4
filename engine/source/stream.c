/* SPDX-License-Identifier: MIT */
#include "source/cut.h"
#include "source/inside.h"

#include "base/io.h"
#include "base/vec.h"
#include "codec/chunker.h"
#include "model/page.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOUND_MAX ((size_t)2 * BT_HOLES_MAX) /* holes in memory while the longest are chosen */

static const unsigned char zeros[64 << 10];

/* One pass over an open file. */
struct pass {
	struct bt_cutter cutter;
	int fd;
	struct bt_found before; /* its state when the pass began */
	uint64_t size;		/* as expected, then as read */
	uint64_t offset;	/* read up to here */
	struct bt_extent *hole; /* in the arena of the entry */
	size_t hole_count, hole_room, next_hole;
	bool changed;	/* the file changed, and the pass ended there */
	bool last;	/* no other pass follows */
	uint64_t taken; /* bytes read */
	uint64_t spent; /* bytes read by passes that failed */
	int sys;	/* why it could not be read */
};

static int add_hole(struct pass *pass, uint64_t offset, uint64_t length)
{
	if (bt_vec_room(pass->hole, pass->hole_count, pass->hole_room))
		return BT_E_NOMEM;
	pass->hole[pass->hole_count++] = (struct bt_extent){offset, length};
	return 0;
}

static int by_length(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return (one > other) - (one < other);
}

/* Keeps the longest holes, as many as an entry may have; the others are read as zeros. */
static int drop_short(struct pass *pass)
{
	size_t excess = pass->hole_count > BT_HOLES_MAX ? pass->hole_count - BT_HOLES_MAX : 0, kept = 0, equal = 0;
	uint64_t *lengths = excess > 0 ? malloc(pass->hole_count * sizeof(*lengths)) : NULL, longest;

	if (excess == 0)
		return 0;
	if (!lengths)
		return BT_E_NOMEM;
	for (size_t i = 0; i < pass->hole_count; i++)
		lengths[i] = pass->hole[i].length;
	qsort(lengths, pass->hole_count, sizeof(*lengths), by_length);
	longest = lengths[excess - 1]; /* the longest hole that goes; of several that are as long, the first ones go */
	while (equal < excess && lengths[excess - 1 - equal] == longest)
		equal++;
	free(lengths);
	for (size_t i = 0; i < pass->hole_count; i++) {
		uint64_t length = pass->hole[i].length;

		if (length > longest || (length == longest && equal == 0))
			pass->hole[kept++] = pass->hole[i];
		else if (length == longest)
			equal--;
	}
	pass->hole_count = kept;
	return 0;
}

static int find_holes(struct pass *pass)
{
	int r = 0;

	for (uint64_t at = 0; at < pass->size && !r;) {
		off_t data = lseek(pass->fd, (off_t)at, SEEK_DATA);

		if (data < 0 && errno != ENXIO)
			return 0;
		uint64_t begin = data < 0 || (uint64_t)data > pass->size ? pass->size : (uint64_t)data;
		if (begin > at && add_hole(pass, at, begin - at) != 0)
			return BT_E_NOMEM;
		if (pass->hole_count == FOUND_MAX)
			r = drop_short(pass);
		if (begin == pass->size || r)
			return r;
		off_t hole = lseek(pass->fd, data, SEEK_HOLE);
		if (hole < 0 || (uint64_t)hole <= begin)
			return 0;
		at = (uint64_t)hole;
		r = bt_voice_failed(pass->cutter.reader->source->voice);
	}
	return r;
}

/* The exact map, or its longest holes. A file system that cannot tell gives none. */
static int map_holes(struct pass *pass)
{
	int r = find_holes(pass);

	return r ? r : drop_short(pass);
}

static uint64_t holes_length(const struct pass *pass)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < pass->hole_count; i++)
		sum += pass->hole[i].length;
	return sum;
}

static int skip_hole(struct pass *pass, const struct bt_extent *hole)
{
	pass->offset = hole->offset + hole->length;
	if (!pass->cutter.hashes)
		return 0;
	for (uint64_t left = hole->length; left > 0;) {
		size_t part = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);

		bt_hasher_add(pass->cutter.reader->hasher, zeros, part);
		left -= part;
		if (left % (sizeof(zeros) << 8) == 0) {
			int stopped = bt_voice_failed(pass->cutter.reader->source->voice);

			if (stopped)
				return stopped;
		}
	}
	return 0;
}

/* The end of the data at the offset; holes that begin here are skipped. */
static int data_end(struct pass *pass, uint64_t *ret_end)
{
	while (pass->next_hole < pass->hole_count && pass->hole[pass->next_hole].offset == pass->offset) {
		int r = skip_hole(pass, &pass->hole[pass->next_hole++]);

		if (r)
			return r;
	}
	*ret_end = pass->next_hole < pass->hole_count ? pass->hole[pass->next_hole].offset : pass->size;
	return 0;
}

/* Fills the window up to the end of the data. */
static int fill(struct pass *pass)
{
	struct bt_cutter *cutter = &pass->cutter;
	uint64_t end = 0;
	size_t want;

	bt_cutter_shift(cutter);
	for (unsigned char *at = bt_cutter_room(cutter, &want); want > 0; at = bt_cutter_room(cutter, &want)) {
		int r = data_end(pass, &end);

		if (!r)
			r = bt_voice_failed(cutter->reader->source->voice);
		if (r)
			return r;
		if (pass->offset == end)
			return 0;
		if (want > end - pass->offset)
			want = (size_t)(end - pass->offset);
		ssize_t got = bt_pread_some(pass->fd, at, want, pass->offset);
		if (got < 0) {
			pass->sys = (int)-got;
			return 0;
		}
		bt_cutter_took(cutter, (size_t)got);
		pass->taken += (size_t)got;
		pass->offset += (uint64_t)got;
		if ((size_t)got < want) { /* it has become shorter */
			pass->size = pass->offset;
			pass->hole_count = pass->next_hole;
		}
	}
	return 0;
}

/* All failed passes together read no more bytes than the file has, so that not more than that is stored in vain. */
static bool may_try_again(const struct pass *pass)
{
	return !pass->last && pass->spent + pass->taken <= pass->size - holes_length(pass);
}

/* If the file has changed, the bytes read so far are useless. */
static bool has_changed(const struct pass *pass)
{
	struct bt_found now = {0};
	struct stat st;

	if (!may_try_again(pass) || fstat(pass->fd, &st) < 0)
		return false;
	bt_found_stat(&st, &now);
	return !bt_source_is_steady(&pass->before, &now);
}

static int read_through(struct pass *pass)
{
	bool last = false;

	bt_hasher_start(pass->cutter.reader->hasher);
	while (!last) {
		int r = fill(pass);

		pass->changed = !r && pass->sys == 0 && has_changed(pass);
		if (r || pass->sys != 0 || pass->changed)
			return r;
		last = pass->offset == pass->size && pass->next_hole == pass->hole_count;
		r = bt_cutter_cut(&pass->cutter, last);
		if (r)
			return r;
	}
	return 0;
}

/* Hashing zeros takes as long as hashing data, but holes cost the owner of the file nothing: the time spent on a file
 * has to be bounded by the data in it. */
static bool is_mostly_holes(const struct pass *pass)
{
	uint64_t holes = holes_length(pass);

	return holes > BT_WHOLE_HOLES && holes > pass->size - holes;
}

/* The number of blocks does not show holes: as many blocks may lie after the end. */
static int run_pass(struct pass *pass)
{
	int r = map_holes(pass);

	if (r)
		return r;
	pass->cutter.delayed = pass->hole_count == 0 && pass->size <= BT_CHUNK_MAX && pass->size > 0;
	pass->cutter.hashes = !pass->cutter.delayed && !is_mostly_holes(pass);
	return read_through(pass);
}

/* One attempt at the whole file. pass returns the results. */
static int attempt(struct pass *pass, struct bt_outcome *outcome, bool *ret_again)
{
	struct stat st;

	*ret_again = false;
	if (!bt_source_look(pass->fd, outcome, &st))
		return 0;
	pass->before = outcome->seen;
	pass->size = pass->before.size;
	int r = run_pass(pass);
	if (!r && pass->sys != 0) {
		bt_source_failed(outcome, pass->sys);
		return 0;
	}
	if (r || !bt_source_look(pass->fd, outcome, &st))
		return r;
	*ret_again =
		pass->changed || !bt_source_is_steady(&pass->before, &outcome->seen) || pass->size > pass->before.size;
	outcome->too_short = !*ret_again && pass->size < pass->before.size;
	return 0;
}

static int finish(struct pass *pass, const struct bt_source_out *out)
{
	const struct bt_outcome *outcome = out->outcome;
	struct bt_arena *arena = out->arena;
	struct bt_entry *entry = out->entry;

	if (bt_source_describe(pass->cutter.reader, pass->fd, out))
		return BT_E_NOMEM;
	entry->size = pass->size;
	if (!outcome->torn)
		bt_source_stamp(entry, &outcome->seen, &outcome->read_at);
	if (pass->hole_count > 0) {
		struct bt_extra *extra = bt_found_extra(arena, entry);
		struct bt_extent *holes = bt_arena_copy(arena, pass->hole, pass->hole_count * sizeof(*holes));

		if (!extra || !holes)
			return BT_E_NOMEM;
		extra->holes = holes;
		extra->hole_count = (uint32_t)pass->hole_count;
	}
	/* The sink knows the digest of a file in one chunk, but not that of a file that became empty. */
	entry->has_digest = pass->cutter.hashes || (!pass->cutter.any && pass->hole_count == 0);
	return entry->has_digest ? bt_hasher_finish(pass->cutter.reader->hasher, &entry->digest) : 0;
}

static int read_open(struct pass *pass, const struct bt_source_out *out)
{
	struct bt_outcome *outcome = out->outcome;
	bool again = true;
	int r = 0;

	posix_fadvise(pass->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	for (int i = 0; again && (i == 0 || pass->changed || may_try_again(pass)); i++) {
		uint64_t spent = pass->spent + pass->taken;

		if (i > 0) {
			bt_source_now(&outcome->read_at);
			r = pass->cutter.sink->restart(pass->cutter.sink);
			if (r)
				return r;
		}
		free(pass->hole);
		*pass = (struct pass){.cutter = {.reader = pass->cutter.reader, .sink = pass->cutter.sink},
				      .fd = pass->fd,
				      .last = i + 1 == BT_SOURCE_TRIES,
				      .spent = spent};
		r = attempt(pass, outcome, &again);
		if (r || outcome->state != BT_SOURCE_READ)
			return r;
	}
	outcome->torn = again || outcome->too_short;
	r = finish(pass, out);
	if (r)
		return r;
	r = bt_source_xattrs(pass->cutter.reader, pass->fd, false, out);
	return r ? r : bt_source_inode(pass->cutter.reader, pass->fd, out);
}

int bt_source_stream(struct bt_reader *reader, int dirfd, const struct bt_found *found, struct bt_source_sink *sink,
		     const struct bt_source_out *out)
{
	if (bt_cutter_window(reader))
		return BT_E_NOMEM;
	struct pass pass = {.cutter = {.reader = reader, .sink = sink},
			    .fd = bt_source_open_file(reader, dirfd, found, out->outcome)};
	if (pass.fd < 0)
		return 0;
	int r = read_open(&pass, out);
	free(pass.hole);
	bt_close(&pass.fd);
	return r;
}
