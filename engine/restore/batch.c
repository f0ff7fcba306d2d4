/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "restore/meta.h"
#include "restore/run.h"
#include <errno.h>
#include <internal/view.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH_ITEMS  128
#define BATCH_WEIGHT ((size_t)1 << 20)
#define ITEM_WEIGHT  ((size_t)4 << 10)

struct item {
	enum bt_restore_item kind;
	struct bt_place *place;
	const struct bt_page *page; /* NULL: pinned by an item before it, or entry needs none */
	const struct bt_entry *entry;
};

struct bt_restore_batch {
	struct bt_job job; /* first */
	struct bt_restore_run *run;
	const struct bt_page *last_page;
	size_t count;
	struct item items[BATCH_ITEMS];
};

static int work_on_batch(struct bt_job *job, void *worker)
{
	struct bt_restore_batch *batch = (struct bt_restore_batch *)job;

	for (size_t i = 0; i < batch->count; i++) {
		const struct item *item = &batch->items[i];

		if (bt_voice_failed(&batch->run->tell.voice))
			break;
		if (item->kind == BT_ITEM_ENTRY)
			bt_restore_entry(batch->run, worker, item->place, item->entry);
	}
	return 0;
}

static bool same_metadata(const struct bt_restore_run *run, const struct stat *status, const struct bt_entry *entry)
{
	return (status->st_mode & 07777) == entry->mode && bt_meta_owner_equal(run, entry, status) &&
	       bt_mtime_equal(entry, status);
}

/* Restores mode and mtime: it may have been made writable, and new entries changed its time. */
static void keep_directory(const struct bt_place *place, int fd)
{
	const struct stat *before = &place->before;
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, before->st_mtim};
	struct stat now;

	if ((before->st_mode & 0700) != 0700)
		(void)!fchmod(fd, before->st_mode & 07777);
	if (fstat(fd, &now) == 0 &&
	    (now.st_mtim.tv_sec != before->st_mtim.tv_sec || now.st_mtim.tv_nsec != before->st_mtim.tv_nsec))
		(void)!futimens(fd, times);
}

/* If nothing differs nothing is written, since the file system may be read-only. */
static bool is_right(struct bt_restore_run *run, int fd, const struct bt_entry *entry)
{
	struct stat now;

	return fstat(fd, &now) == 0 && same_metadata(run, &now, entry) && bt_meta_equal(run, fd, ".", entry, &now);
}

/* Whether a directory that is there keeps its metadata. */
static bool is_to_stay(const struct bt_restore_run *run, const struct bt_place *place, const struct bt_entry *entry)
{
	enum bt_overwrite overwrite = run->options.overwrite;

	return !place->fresh && (overwrite == BT_OVERWRITE_NEVER ||
				 (overwrite == BT_OVERWRITE_IF_NEWER && bt_mtime_compare(entry, &place->before) <= 0));
}

/* entry NULL: the place only leads to selected paths. */
static void set_directory(struct bt_restore_run *run, struct bt_place *place, int fd, const struct bt_entry *entry)
{
	if (!entry || is_to_stay(run, place, entry))
		keep_directory(place, fd);
	else if (place->fresh || !is_right(run, fd, entry))
		bt_meta_apply(run, place, NULL, fd, entry, !place->fresh || place->default_acl ? BT_META_STRIP : 0);
	if (place->parent && place->before.st_dev != place->parent->before.st_dev && syncfs(fd))
		bt_tell_sys(&run->tell, place, NULL, errno, "sync");
}

static enum bt_event directory_event(const struct bt_restore_run *run, const struct bt_place *place,
				     const struct bt_entry *entry)
{
	if (place->fresh)
		return BT_EVENT_NEW;
	if (is_to_stay(run, place, entry) || same_metadata(run, &place->before, entry))
		return BT_EVENT_UNCHANGED;
	return BT_EVENT_CHANGED;
}

static void end_directory(struct bt_restore_run *run, struct bt_place *place, const struct bt_entry *entry)
{
	if (!run->options.dry_run) {
		int fd = bt_place_get(&run->places, place);

		if (fd < 0) {
			bt_tell_sys(&run->tell, place, NULL, -fd, "open");
			return;
		}
		set_directory(run, place, fd, entry);
		bt_place_ascend(&run->places, place);
		bt_place_put(&run->places, place);
	}
	if (entry)
		bt_tell_done(&run->tell, directory_event(run, place, entry), place, NULL, entry);
}

static int finish_batch(struct bt_job *job, int r)
{
	struct bt_restore_batch *batch = (struct bt_restore_batch *)job;
	struct bt_restore_run *run = batch->run;

	for (size_t i = 0; i < batch->count; i++) {
		struct item *item = &batch->items[i];

		if (!bt_voice_failed(&run->tell.voice)) {
			if (item->kind == BT_ITEM_LINK)
				bt_restore_link(run, item->place, item->entry);
			if (item->kind == BT_ITEM_END)
				end_directory(run, item->place, item->entry);
			if (item->kind == BT_ITEM_ANCESTOR)
				end_directory(run, item->place, NULL);
		}
		bt_place_unref(&run->places, item->place);
	}
	for (size_t i = 0; i < batch->count; i++)
		bt_page_put(run->store, batch->items[i].page);
	free(batch);
	return 0;
}

int bt_restore_batch_flush(struct bt_restore_run *run)
{
	struct bt_restore_batch *batch = run->batch;

	run->batch = NULL;
	return batch ? bt_pool_submit(run->pool, &batch->job) : 0;
}

static int new_batch(struct bt_restore_run *run)
{
	run->batch = calloc(1, sizeof(*run->batch));
	if (!run->batch)
		return bt_voice_fail(&run->tell.voice, BT_E_NOMEM, NULL);
	run->batch->job.work = work_on_batch;
	run->batch->job.finish = finish_batch;
	run->batch->run = run;
	return 0;
}

int bt_restore_batch_add(struct bt_restore_run *run, enum bt_restore_item kind, struct bt_place *place,
			 const struct bt_page *page, const struct bt_entry *entry)
{
	int r = run->batch ? 0 : new_batch(run);

	if (r)
		return r;
	struct bt_restore_batch *batch = run->batch;
	struct item *item = &batch->items[batch->count++];
	*item = (struct item){.kind = kind, .place = bt_place_ref(place), .entry = entry};
	if (page && page != batch->last_page) {
		bt_page_ref(run->store, page);
		item->page = batch->last_page = page;
	}
	batch->job.weight += ITEM_WEIGHT;
	if (entry->type == BT_FILE)
		batch->job.weight += entry->size < BATCH_WEIGHT ? (size_t)entry->size : BATCH_WEIGHT;
	if (batch->count == BATCH_ITEMS || batch->job.weight >= BATCH_WEIGHT)
		return bt_restore_batch_flush(run);
	return 0;
}
