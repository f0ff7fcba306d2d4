/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/pool.h"
#include "base/sized.h"
#include "copy/run.h"
#include "model/document.h"
#include "view/select.h"
#include <stdlib.h>
#include <string.h>

#define IDLE_MAX ((size_t)8 << 20)

static int enter(struct bt_copy *copy, struct bt_error *error)
{
	int r = bt_store_lock_for_reading(copy->from, copy->observer, &copy->lock, error);

	if (r || !copy->to)
		return r;
	if (copy->options.dry_run)
		return bt_store_lock_for_reading(copy->to, copy->observer, &copy->gate.fd, error);
	r = bt_gate_open(copy->to, BT_LOCK_SHARED, copy->observer, &copy->gate, error);
	if (!r)
		bt_store_sweep(copy->to, false);
	return r;
}

int bt_copy_begin(struct bt_store *from, struct bt_store *to, const struct bt_copy_options *options,
		  const struct bt_observer *observer, struct bt_copy **ret_copy, struct bt_error *error)
{
	struct bt_copy *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	copy->from = from;
	copy->to = to;
	copy->observer = observer;
	copy->lock = copy->gate.fd = -1;
	bt_voice_init(&copy->voice, NULL, "copy");
	bt_buffers_init(&copy->buffers, BT_BUFFERS_MAPPED, IDLE_MAX);
	int r = bt_sized_take(&copy->options, sizeof(copy->options), options, error);
	if (!r && !to && !copy->options.dry_run)
		r = bt_fail(error, BT_E_INVALID, NULL, "there is no store to copy to");
	if (!r && to && bt_store_is_one(from, to))
		r = bt_fail(error, BT_E_INVALID, NULL, "a store is not copied into itself");
	if (!r)
		r = enter(copy, error);
	if (r)
		bt_copy_end(copy);
	else
		*ret_copy = copy;
	return r;
}

void bt_copy_end(struct bt_copy *copy)
{
	if (!copy)
		return;
	bt_copy_rest(copy);
	bt_mark_free(&copy->mark);
	bt_buffers_destroy(&copy->buffers);
	bt_voice_free(&copy->voice);
	if (copy->options.dry_run)
		bt_close(&copy->gate.fd);
	else if (copy->gate.fd >= 0) {
		bt_gate_close(&copy->gate);
		bt_store_refresh(copy->to, NULL);
	}
	bt_close(&copy->lock);
	free(copy);
}

static bool is_same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* Tags and pins may have changed since. */
static bool is_copy(void *arg, const struct bt_snapshot_info *info)
{
	const struct bt_snapshot_info *wanted = arg;

	return bt_time_equal(&info->time, &wanted->time) && is_same_text(info->host, wanted->host) &&
	       is_same_text(info->target, wanted->target) && bt_digest_equal(&info->root.digest, &wanted->root.digest);
}

static int find_copy(struct bt_copy *copy, const struct bt_snapshot_info *info, struct bt_error *error)
{
	struct bt_snapshot_info wanted = *info;
	const char *name = NULL;
	int r = copy->to ? bt_find_of_second(copy->to, info->time.seconds, is_copy, &wanted, &name, error) : 0;

	copy->result.present = name;
	if (name)
		memccpy(copy->result.name, name, 0, sizeof(copy->result.name) - 1);
	return r;
}

/* The page of names may be damaged: then they are lost, and nothing else. */
static struct bt_snapshot_info copied_info(const struct bt_copy *copy, const struct bt_snapshot_info *info)
{
	struct bt_snapshot_info copied = *info;

	copied.has_names = info->has_names && bt_digest_set_has(&copy->mark.pages, &info->names);
	return copied;
}

static int publish(struct bt_copy *copy, struct bt_pack *pack, const struct bt_snapshot_info *info,
		   struct bt_error *error)
{
	struct bt_buf summary = {0};
	int r = bt_pack_seal(pack, error);

	if (!r)
		r = bt_summary_write(&summary, info);
	if (!r)
		r = bt_pack_publish(pack, &copy->gate, &summary, copy->result.name, error);
	bt_buf_free(&summary);
	return r;
}

static int carry(struct bt_copy *copy, const struct bt_snapshot_info *original, struct bt_error *error)
{
	const struct bt_snapshot_info info = copied_info(copy, original);
	struct bt_pack *pack = NULL;
	const struct bt_pack_options options = {
		.store = copy->to,
		.info = &info,
		.name = original->name,
		.level = copy->options.level,
		.volume_size = copy->options.volume_size,
		.threads = copy->options.threads ? copy->options.threads : bt_cpu_count(),
		.voice = &copy->voice,
		.buffers = &copy->buffers,
	};
	int r = bt_pack_new(&options, &pack, error);

	if (!r)
		r = bt_copy_carry(copy, original->name, pack, error);
	if (!r)
		r = publish(copy, pack, &info, error);
	if (!r) {
		copy->result.stored_bytes = bt_pack_counts(pack)->stored;
		copy->result.written_bytes = bt_pack_counts(pack)->written;
	}
	bt_pack_free(pack);
	if (!r && original->has_names && !info.has_names)
		return bt_fail(error, BT_E_INCOMPLETE, NULL,
			       "the names of its users and groups are damaged; it was copied without them");
	return r ? bt_fail(error, (enum bt_code)r, NULL, "copy") : 0;
}

static int copy_opened(struct bt_copy *copy, const struct bt_snapshot_info *info, struct bt_error *error)
{
	if (info->classic)
		return bt_fail(error, BT_E_UNSUPPORTED, NULL,
			       "it is in the original layout, so all of it is in its file: copy it with cp");
	int r = find_copy(copy, info, error);
	if (r || copy->result.present)
		return r;
	r = bt_copy_want(copy, info->name, error);
	copy->progress = (struct bt_progress){.total_bytes = copy->result.new_bytes};
	return r || copy->options.dry_run ? r : carry(copy, info, error);
}

int bt_copy_snapshot(struct bt_copy *copy, const char *name, struct bt_copy_result *ret_result, struct bt_error *error)
{
	struct bt_snapshot *snapshot;

	if (bt_sized_check(ret_result, error))
		return BT_E_INVALID;
	int r = bt_snapshot_open(copy->from, name, &snapshot, error);
	if (r)
		return r;
	copy->result = (struct bt_copy_result){0};
	r = copy_opened(copy, bt_snapshot_info(snapshot), error);
	bt_snapshot_close(snapshot);
	bt_copy_rest(copy);
	if (r && r != BT_E_INCOMPLETE) /* what was marked for it is not in the other store */
		bt_mark_free(&copy->mark);
	bt_sized_give(ret_result, &copy->result, sizeof(copy->result));
	return r;
}
