/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "restore/flags.h"
#include "restore/meta.h"
#include "restore/run.h"
#include <errno.h>
#include <internal/view.h>
#include <stdlib.h>
#include <unistd.h>

#define SEGMENT ((size_t)4 << 20)

/* A file that is written in segments: workers decode and write them in any order, and the digest of the whole is
 * computed in order as they finish. */
struct large {
	struct bt_job last; /* first */
	uint64_t last_gap;  /* zeros at the end */
	struct bt_restore_run *run;
	struct bt_place *place;
	const struct bt_page *page;
	const struct bt_entry *entry;
	int fd, dirfd; /* dirfd: pinned */
	char temp[BT_TEMP_SIZE];
	bool exists;
	struct bt_whole *whole;
	atomic_bool failed;
};

struct segment {
	struct bt_job job; /* first */
	struct large *large;
	uint64_t gap, offset; /* gap: zeros before it */
	size_t length;
	unsigned char *data;
};

static void fail(struct large *large, const struct bt_error *error)
{
	if (!atomic_exchange(&large->failed, true) && error->code != BT_E_CANCELLED)
		bt_tell_unwritten(&large->run->tell, large->place, large->entry->name, error);
}

static int write_segment(struct segment *segment, struct bt_error *error)
{
	struct large *large = segment->large;

	if (!segment->length)
		return 0;
	segment->data = malloc(segment->length);
	if (!segment->data)
		return bt_fail(error, BT_E_NOMEM, NULL, "restore the snapshot");
	int r = bt_entry_pread(large->run->store, large->entry, segment->data, segment->length, segment->offset, NULL,
			       error);
	if (r)
		return r;
	r = bt_pwrite_all(large->fd, segment->data, segment->length, segment->offset);
	return r ? bt_fail_sys(error, -r, NULL, "write") : 0;
}

static int work_on_segment(struct bt_job *job, void *worker)
{
	struct segment *segment = (struct segment *)job;
	struct bt_error error = {0};

	if (bt_voice_failed(&segment->large->run->tell.voice))
		atomic_store(&segment->large->failed, true);
	if (!atomic_load(&segment->large->failed) && write_segment(segment, &error))
		fail(segment->large, &error);
	return 0;
}

static int finish_segment(struct bt_job *job, int r)
{
	struct segment *segment = (struct segment *)job;
	struct large *large = segment->large;

	if (!atomic_load(&large->failed)) {
		bt_whole_add(large->whole, NULL, segment->gap);
		bt_whole_add(large->whole, segment->data, segment->length);
	}
	bt_tell_bytes(&large->run->tell, large->place, large->entry->name, segment->gap + segment->length,
		      segment->length);
	free(segment->data);
	free(segment);
	return 0;
}

/* Called when all segments are written. */
static void complete_large(struct large *large)
{
	struct bt_restore_run *run = large->run;
	struct bt_error error = {0};
	struct stat status;
	int r = bt_whole_end(large->whole, &error);

	if (!r && ftruncate(large->fd, (off_t)large->entry->size))
		r = bt_fail_sys(&error, errno, NULL, "write");
	if (!r)
		bt_meta_apply(run, large->place, large->entry->name, large->fd, large->entry,
			      BT_META_RENAMED | (large->place->default_acl ? BT_META_STRIP : 0));
	if (!r && (fstat(large->fd, &status) || close(large->fd)))
		r = bt_fail_sys(&error, errno, NULL, "write");
	else if (!r)
		large->fd = -1;
	if (r) {
		fail(large, &error);
		return;
	}
	r = bt_temp_install(run, large->place, large->dirfd,
			    &(struct bt_arrival){large->temp, large->entry->name, large->entry, false});
	large->temp[0] = 0;
	if (r < 0) {
		bt_tell_not_installed(run, large->place, large->dirfd, large->entry->name, r);
		return;
	}
	if (!r)
		bt_meta_seal(run, large->place, large->dirfd, large->entry);
	enum bt_event event = r ? BT_EVENT_UNCHANGED : large->exists ? BT_EVENT_CHANGED : BT_EVENT_NEW;
	bt_restore_done(run, event, large->place, large->entry, r ? NULL : &status);
}

static void free_large(struct large *large)
{
	bt_close(&large->fd);
	if (large->temp[0])
		(void)!unlinkat(large->dirfd, large->temp, 0);
	bt_place_put(&large->run->places, large->place);
	bt_place_unref(&large->run->places, large->place);
	bt_page_put(large->run->store, large->page);
	bt_whole_free(large->whole);
	free(large);
}

static int finish_last(struct bt_job *job, int r)
{
	struct large *large = (struct large *)job;

	if (!atomic_load(&large->failed))
		bt_whole_add(large->whole, NULL, large->last_gap);
	if (!atomic_load(&large->failed) && !bt_voice_failed(&large->run->tell.voice))
		complete_large(large);
	free_large(large);
	return 0;
}

static int submit(struct large *large, uint64_t gap, uint64_t offset, size_t length)
{
	struct segment *segment = calloc(1, sizeof(*segment));

	if (!segment)
		return bt_voice_fail(&large->run->tell.voice, BT_E_NOMEM, NULL);
	*segment = (struct segment){.large = large, .gap = gap, .offset = offset, .length = length};
	segment->job = (struct bt_job){.work = work_on_segment, .finish = finish_segment, .weight = length};
	return bt_pool_submit(large->run->pool, &segment->job);
}

/* The end of the data that begins at offset, and the length of the hole after it. */
static uint64_t data_end(const struct bt_entry *entry, uint64_t offset, uint32_t *hole, uint64_t *ret_gap)
{
	const struct bt_extra *extra = entry->extra;

	*ret_gap = 0;
	if (!extra || *hole >= extra->hole_count)
		return entry->size;
	uint64_t end = extra->holes[*hole].offset;
	*ret_gap = extra->holes[(*hole)++].length;
	return end > offset ? end : offset;
}

static int submit_segments(struct large *large)
{
	uint64_t offset = 0, gap = 0, next_gap;
	uint32_t hole = 0;
	int r = 0;

	while (!r && offset < large->entry->size) {
		uint64_t end = data_end(large->entry, offset, &hole, &next_gap);

		while (!r && offset < end) {
			size_t length = end - offset < SEGMENT ? (size_t)(end - offset) : SEGMENT;

			r = bt_voice_failed(&large->run->tell.voice);
			if (!r)
				r = submit(large, gap, offset, length);
			offset += length;
			gap = 0;
		}
		offset = end + next_gap;
		gap += next_gap;
	}
	if (r)
		atomic_store(&large->failed, true);
	large->last_gap = gap;
	large->last = (struct bt_job){.finish = finish_last};
	int last = bt_pool_submit(large->run->pool, &large->last);
	return r ? r : last;
}

static struct large *new_large(struct bt_restore_run *run, struct bt_place *place, const struct bt_page *page,
			       const struct bt_entry *entry)
{
	struct large *large = calloc(1, sizeof(*large));

	if (!large || bt_whole_begin(entry, &large->whole, NULL)) {
		free(large);
		return NULL;
	}
	large->run = run;
	large->place = bt_place_ref(place);
	if (page)
		bt_page_ref(run->store, page);
	large->page = page;
	large->entry = entry;
	return large;
}

/* Whether the file has to be written as a whole for sure; a worker decides on the others. */
static bool must_write(struct bt_restore_run *run, struct bt_place *place, int dirfd, const struct bt_entry *entry,
		       struct bt_restore_existing *ret_there)
{
	int r = bt_restore_decide(run, place, dirfd, entry, ret_there);

	return !r && ret_there->decision == BT_WRITE &&
	       !(ret_there->exists && bt_guard_keeps(&run->guard, &place->before, entry->name, &ret_there->status));
}

int bt_restore_large(struct bt_restore_run *run, struct bt_place *place, const struct bt_page *page,
		     const struct bt_entry *entry)
{
	struct bt_restore_existing there;
	int dirfd = place->absent ? -1 : bt_place_get(&run->places, place);

	if (dirfd < 0 || run->options.dry_run || run->options.salvage || (entry->extra && entry->extra->error) ||
	    !must_write(run, place, dirfd, entry, &there)) {
		if (dirfd >= 0)
			bt_place_put(&run->places, place);
		return bt_restore_batch_add(run, BT_ITEM_ENTRY, place, page, entry);
	}
	struct large *large = new_large(run, place, page, entry);
	if (!large) {
		bt_place_put(&run->places, place);
		return bt_voice_fail(&run->tell.voice, BT_E_NOMEM, NULL);
	}
	large->dirfd = dirfd;
	large->exists = there.exists;
	if (there.newer)
		bt_tell_newer(&run->tell);
	large->fd = bt_temp_open(run, dirfd, large->temp);
	if (large->fd < 0) {
		large->temp[0] = 0;
		bt_tell_not_created(run, place, dirfd, entry->name, large->fd);
		free_large(large);
		return 0;
	}
	bt_inode_begin(large->fd, entry);
	int r = bt_restore_batch_flush(run);
	int submitted = submit_segments(large);
	return r ? r : submitted;
}
