/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/publish.h"
#include "model/document.h"
#include "model/volume.h"
#include "store/gate.h"
#include <backuptool/prune.h>
#include <backuptool/view.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_copy(struct bt_store *store, const struct bt_snapshot_info *info, const char *temp,
		      struct bt_error *error)
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
	if (!result)
		result = bt_writer_seal(writer, &summary, temp, error);
	bt_writer_free(writer);
	bt_buf_free(&header);
	bt_buf_free(&summary);
	return result;
}

/*
 * The old file gets a second name as a volume before the new one takes over its first: at every moment there is one
 * snapshot of this name and everything that it needs.
 */
static int exchange(struct bt_gate *gate, const char *name, const char *temp, struct bt_error *error)
{
	struct bt_store *store = gate->store;
	char volume[48];
	int dirfd = bt_store_dirfd(store), contents, result = bt_store_contents_dirfd(store, &contents, error);

	if (result)
		return result;
	result = bt_volume_name(volume, error);
	if (!result)
		result = bt_publish_twin(dirfd, name, contents, volume, error);
	if (!result)
		result = bt_gate_made(gate, volume, false, error);
	if (result)
		return result;
	int r = bt_sync_directory(contents);
	if (!r)
		result = bt_gate_pass(gate, error);
	if (result)
		return result;
	if (!r)
		r = renameat(dirfd, temp, dirfd, name) ? -errno : bt_sync_directory(dirfd);
	return r ? bt_publish_failed(temp, -r, name, "replace", error) : 0;
}

static int write_anew(struct bt_gate *gate, const struct bt_snapshot_info *info, struct bt_error *error)
{
	char temp[32];
	int result;

	if (info->classic)
		return bt_fail(error, BT_E_INVALID, info->name, "a snapshot in the original layout has no tags");
	result = bt_publish_temp_name(temp, error);
	if (result)
		return result;
	result = write_copy(gate->store, info, temp, error);
	if (!result)
		result = exchange(gate, info->name, temp, error);
	if (result)
		unlinkat(bt_store_dirfd(gate->store), temp, 0);
	return result;
}

static bool has(const char *const *tags, size_t count, const char *tag)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(tags[i], tag) == 0)
			return true;
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The tags after the change, borrowed from both; there is room for all of them. */
static size_t change_tags(const struct bt_snapshot_info *old, const struct bt_tag_change *change, const char **tags)
{
	size_t count = 0;

	for (size_t i = 0; i < old->tag_count; i++)
		if (!has(change->remove, change->remove_count, old->tags[i]))
			tags[count++] = old->tags[i];
	for (size_t i = 0; i < change->add_count; i++)
		if (!has(tags, count, change->add[i]))
			tags[count++] = change->add[i];
	qsort(tags, count, sizeof(*tags), by_text);
	return count;
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

/* Without a gate, only finds out whether the tags are the same then. */
static int apply(struct bt_gate *gate, const struct bt_snapshot_info *old, const struct bt_tag_change *change,
		 bool *ret_same, struct bt_error *error)
{
	struct bt_snapshot_info info = *old;
	const char **tags = calloc(old->tag_count + change->add_count + 1, sizeof(*tags));
	int result = 0;

	if (!tags)
		return bt_fail(error, BT_E_NOMEM, old->name, NULL);
	info.tags = tags;
	info.tag_count = change_tags(old, change, tags);
	*ret_same = has_tags(old, tags, info.tag_count);
	if (gate && !*ret_same)
		result = write_anew(gate, &info, error);
	free(tags);
	return result;
}

static int open_and_apply(struct bt_store *store, struct bt_gate *gate, const char *name,
			  const struct bt_tag_change *change, bool *ret_same, struct bt_error *error)
{
	struct bt_snapshot *snapshot;
	int result = bt_snapshot_open(store, name, &snapshot, error);

	if (result)
		return result;
	result = apply(gate, bt_snapshot_info(snapshot), change, ret_same, error);
	bt_snapshot_close(snapshot);
	return result;
}

/* The tags may be others than before the lock was waited for. Where there is nothing to do, no lock is taken. */
int bt_snapshot_retag(struct bt_store *store, const char *name, const struct bt_tag_change *change,
		      const struct bt_observer *observer, struct bt_error *error)
{
	char own[NAME_MAX + 1]; /* the caller's may be the store's, which a refresh frees */
	bool same = false;
	struct bt_gate gate;
	int result = open_and_apply(store, NULL, name, change, &same, error);

	if (result || same)
		return result;
	snprintf(own, sizeof(own), "%s", name);
	result = bt_gate_open(store, BT_LOCK_EXCLUSIVE, observer, &gate, error);
	if (result)
		return result;
	result = open_and_apply(store, &gate, own, change, &same, error);
	if (!result && !same)
		result = bt_store_refresh(store, error);
	bt_gate_close(&gate);
	return result;
}
