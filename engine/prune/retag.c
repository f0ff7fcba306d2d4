/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "base/lock.h"
#include "base/publish.h"
#include "model/document.h"
#include "model/volume.h"
#include "prune/run.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int write_copy(struct bt_store *store, const struct bt_snapshot_info *info, struct bt_error *error)
{
	struct bt_buf header = {0}, summary = {0};
	struct bt_writer *writer = NULL;
	int result = bt_header_write(&header, info);

	if (!result)
		result = bt_summary_write(&summary, info);
	if (result)
		bt_fail(error, result, info->name, "write tags");
	else
		result = bt_writer_new(bt_store_dirfd(store), &header, &writer, error);
	if (!result && unlinkat(bt_store_dirfd(store), BT_TEMP_RETAGGED, 0) && errno != ENOENT)
		result = bt_fail_sys(error, errno, BT_TEMP_RETAGGED, "remove");
	if (!result)
		result = bt_writer_seal(writer, &summary, BT_TEMP_RETAGGED, error);
	bt_writer_free(writer);
	bt_buf_free(&header);
	bt_buf_free(&summary);
	return result;
}

/*
 * The old file gets a second name as a volume before the new one takes over its first: at every moment there is one
 * snapshot of this name and everything that it needs.
 */
static int exchange(struct bt_store *store, const char *name, struct bt_error *error)
{
	char volume[48];
	int dirfd = bt_store_dirfd(store), contents, result = bt_store_contents_dirfd(store, &contents, error);

	if (result)
		return result;
	bt_volume_name(volume);
	if (linkat(dirfd, name, contents, volume, 0))
		return bt_fail_sys(error, errno, name, "keep contents");
	if (fsync(contents) || renameat(dirfd, BT_TEMP_RETAGGED, dirfd, name) || fsync(dirfd))
		return bt_fail_sys(error, errno, name, "replace");
	return 0;
}

static int retag_open(struct bt_store *store, const struct bt_snapshot_info *old, const char *const *tags, size_t count,
		      struct bt_error *error)
{
	struct bt_snapshot_info info = *old;
	int result;

	if (old->classic)
		return bt_fail(error, BT_E_INVALID, old->name, "a snapshot in the original layout has no tags");
	info.tags = tags;
	info.tag_count = count;
	result = write_copy(store, &info, error);
	return result ? result : exchange(store, old->name, error);
}

static bool has_tags(const struct bt_snapshot_info *info, const char *const *tags, size_t count)
{
	if (info->tag_count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(info->tags[i], tags[i]) != 0)
			return false;
	return true;
}

/* Whether there is nothing to do, which takes no lock. */
static int look(struct bt_store *store, const char *name, const char *const *tags, size_t count, bool *ret_same,
		struct bt_error *error)
{
	struct bt_snapshot *snapshot;
	int result = bt_snapshot_open(store, name, &snapshot, error);

	if (result)
		return result;
	*ret_same = has_tags(bt_snapshot_info(snapshot), tags, count);
	bt_snapshot_close(snapshot);
	return 0;
}

static int retag_locked(struct bt_store *store, const char *name, const char *const *tags, size_t count,
			struct bt_error *error)
{
	struct bt_snapshot *snapshot;
	int result = bt_snapshot_open(store, name, &snapshot, error);

	if (result)
		return result;
	result = retag_open(store, bt_snapshot_info(snapshot), tags, count, error);
	bt_snapshot_close(snapshot);
	return result ? result : bt_store_refresh(store, error);
}

int bt_snapshot_retag(struct bt_store *store, const char *name, const char *const *tags, size_t count,
		      const struct bt_observer *observer, struct bt_error *error)
{
	bool same = false;
	int lock, result = look(store, name, tags, count, &same, error);

	if (result || same)
		return result;
	result = bt_store_lock(store, BT_LOCK_EXCLUSIVE, observer, &lock, error);
	if (result)
		return result;
	result = retag_locked(store, name, tags, count, error);
	bt_close(&lock);
	return result;
}
