/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "model/document.h"
#include "store/gate.h"
#include <backuptool/prune.h>
#include <backuptool/view.h>
#include <stdlib.h>
#include <string.h>

static int replace(struct bt_gate *gate, const struct bt_snapshot_info *info, const struct bt_buf *header,
		   const struct bt_buf *summary, struct bt_error *error)
{
	struct bt_writer *writer = NULL;
	uint32_t ordinal;
	int r = bt_store_file_named(gate->store, info->name, &ordinal);

	if (r)
		return bt_fail(error, r, info->name, NULL);
	r = bt_store_create_like(gate->store, ordinal, header, &writer, error);
	if (!r)
		r = bt_gate_replace(gate, ordinal, writer, summary, error);
	bt_writer_free(writer);
	return r;
}

/* The old file becomes a volume, which holds everything that the new one needs. */
static int write_anew(struct bt_gate *gate, const struct bt_snapshot_info *info, struct bt_error *error)
{
	struct bt_buf header = {0}, summary = {0};
	int r;

	if (info->classic)
		return bt_fail(error, BT_E_INVALID, info->name,
			       "a snapshot in the original layout has no tags, and cannot be pinned");
	r = bt_header_write(&header, info);
	if (!r)
		r = bt_summary_write(&summary, info);
	if (r)
		bt_fail(error, r, info->name, "write tags");
	else
		r = replace(gate, info, &header, &summary, error);
	bt_buf_free(&header);
	bt_buf_free(&summary);
	return r;
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

/* The tags after the change, borrowed from both; *tags has room for all of them. */
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

/* Without a gate, only finds out whether the change would change nothing. */
static int apply(struct bt_gate *gate, const struct bt_snapshot_info *old, const struct bt_tag_change *change,
		 bool *ret_same, struct bt_error *error)
{
	struct bt_snapshot_info info = *old;
	const char **tags = calloc(old->tag_count + change->add_count + 1, sizeof(*tags));
	int r = 0;

	if (!tags)
		return bt_fail(error, BT_E_NOMEM, old->name, NULL);
	info.tags = tags;
	info.tag_count = change_tags(old, change, tags);
	info.pinned = change->pin || (old->pinned && !change->unpin);
	*ret_same = has_tags(old, tags, info.tag_count) && info.pinned == old->pinned;
	if (gate && !*ret_same)
		r = write_anew(gate, &info, error);
	free(tags);
	return r;
}

static int open_and_apply(struct bt_store *store, struct bt_gate *gate, const char *name,
			  const struct bt_tag_change *change, bool *ret_same, struct bt_error *error)
{
	struct bt_snapshot *snapshot;
	int r = bt_snapshot_open(store, name, &snapshot, error);

	if (r)
		return r;
	r = apply(gate, bt_snapshot_info(snapshot), change, ret_same, error);
	bt_snapshot_close(snapshot);
	return r;
}

/* Another program may change the tags while this one waits for the lock. If there is nothing to do, no lock is
 * taken. */
int bt_snapshot_retag(struct bt_store *store, const char *name, const struct bt_tag_change *change,
		      const struct bt_observer *observer, struct bt_error *error)
{
	bool same = false;
	struct bt_gate gate;
	int r = open_and_apply(store, NULL, name, change, &same, error);

	if (r || same)
		return r;
	r = bt_gate_open(store, BT_LOCK_EXCLUSIVE, observer, &gate, error);
	if (r)
		return r;
	r = open_and_apply(store, &gate, name, change, &same, error);
	if (!r && !same)
		r = bt_store_refresh(store, error);
	bt_gate_close(&gate);
	return r;
}
