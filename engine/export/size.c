/* SPDX-License-Identifier: MIT */
/* How large the document will be, before anything of it is written. */
#include "base/digest_set.h"
#include "base/fail.h"
#include "base/io.h"
#include "base/sized.h"
#include "base/voice.h"
#include "export/parts.h"
#include "store/store.h"
#include <backuptool/export.h>
#include <errno.h>
#include <sys/statvfs.h>

#define AROUND 100 /* bytes around a path and its digest, or around a content; paths that are escaped take more */

struct sizing {
	const struct bt_observer *observer;
	struct bt_digest_set counted; /* contents */
	uint64_t bytes;
};

/* As much as there can be at most. */
static void add_bytes(struct sizing *sizing, uint64_t bytes)
{
	if (__builtin_add_overflow(sizing->bytes, bytes, &sizing->bytes))
		sizing->bytes = UINT64_MAX;
}

static int count_file(void *arg, const struct bt_buf *path, const struct bt_entry *entry)
{
	struct sizing *sizing = arg;

	if (bt_cancelled(sizing->observer))
		return BT_E_CANCELLED;
	if (!bt_export_has_content(entry))
		return 0;
	add_bytes(sizing, path->length + AROUND);
	int added = bt_digest_set_add(&sizing->counted, &entry->digest);
	if (added <= 0)
		return added;
	add_bytes(sizing, entry->size + entry->size / 3 + 4 + AROUND); /* Base64; a size is below 2^63 */
	return 0;
}

/* They are told when it is written. */
static void pass_over(void *arg, const struct bt_buf *path, const struct bt_error *error)
{
}

static int look_at_space(const char *path, uint64_t *ret_bytes, struct bt_error *error)
{
	struct statvfs space;
	const char *name = NULL;
	int fd = -1, r = bt_export_open_parent(path, true, &name, &fd, error);

	if (r)
		return r;
	if (fstatvfs(fd, &space))
		r = bt_fail_sys(error, errno, path, "look at the space that is left");
	else if (__builtin_mul_overflow((uint64_t)space.f_bavail, (uint64_t)space.f_frsize, ret_bytes))
		*ret_bytes = UINT64_MAX;
	bt_close(&fd);
	return r;
}

int bt_export_classic_size(struct bt_store *store, const struct bt_snapshot *snapshot, const char *path,
			   const struct bt_observer *observer, struct bt_export_size *ret_size, struct bt_error *error)
{
	struct sizing sizing = {.observer = observer};
	const struct bt_file_visitor visitor = {&sizing, count_file, pass_over};
	struct bt_export_size size = {0};
	int r = bt_sized_check(ret_size, error);

	if (!r)
		r = look_at_space(path, &size.space, error);
	if (r)
		return r;
	r = bt_visit_files(store, bt_snapshot_info(snapshot), "", &visitor);
	bt_digest_set_free(&sizing.counted);
	size.bytes = sizing.bytes;
	size.store = bt_store_bytes(store);
	bt_sized_give(ret_size, &size, sizeof(size));
	return r ? bt_fail(error, (enum bt_code)r, NULL, "write the export") : 0;
}
