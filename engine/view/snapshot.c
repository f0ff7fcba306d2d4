/* SPDX-License-Identifier: MIT */
#include "view/snapshot.h"
#include "base/arena.h"
#include "base/fail.h"
#include "model/document.h"
#include <errno.h>
#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>

struct bt_snapshot {
	struct bt_arena arena;
	struct bt_snapshot_info info;
};

/* No digest covers the name. The time in version 1 is to the second and local: it follows from the name. */
int bt_snapshot_check_name(const struct bt_snapshot_info *info, struct bt_error *error)
{
	static const char detail[] = "the file's name states another time than its first line";
	bool fill = error && !error->code;
	unsigned clash;
	int64_t seconds;

	if (info->classic || (!bt_snapshot_name_parse(info->name, &seconds, &clash) && seconds == info->time.seconds))
		return 0;
	bt_fail_damaged(error, BT_R_BAD_NAME, info->name, BT_NO_OFFSET);
	if (fill)
		memcpy(error->detail, detail, sizeof(detail));
	return BT_E_DAMAGED;
}

static int read_snapshot(struct bt_store *store, uint32_t ordinal, struct bt_snapshot *snapshot, struct bt_error *error)
{
	const struct bt_file_id *id = bt_store_file_id(store, ordinal);
	struct bt_file *file;
	int r = bt_store_file(store, ordinal, &file, error);

	if (!r)
		r = bt_document_read(file, &snapshot->arena, &snapshot->info, error);
	if (r)
		return r;
	snapshot->info.name = id->name;
	snapshot->info.classic = bt_file_kind(file) == BT_KIND_CLASSIC;
	/* of a version 1 file, not of the one derived from it */
	snapshot->info.file_size = id->size;
	snapshot->info.added_size = snapshot->info.classic ? id->size : bt_file_stored(file, snapshot->info.added_size);
	return 0;
}

static int not_there(struct bt_error *error, const char *name)
{
	return bt_fail(error, BT_E_NOT_FOUND, name, "there is no snapshot of this name");
}

int bt_snapshot_open_misnamed(struct bt_store *store, const char *name, struct bt_snapshot **ret_snapshot,
			      struct bt_error *error)
{
	uint32_t ordinal;

	if (bt_store_file_named(store, name, &ordinal))
		return not_there(error, name);
	struct bt_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	if (!snapshot)
		return bt_fail(error, BT_E_NOMEM, name, NULL);
	struct bt_error failed = {0};
	int r = read_snapshot(store, ordinal, snapshot, &failed);
	if (r == BT_E_SYSTEM && failed.sys == ENOENT) { /* removed since the directory was listed */
		failed = (struct bt_error){0};
		r = not_there(&failed, name);
	}
	if (r)
		bt_snapshot_close(snapshot);
	else
		*ret_snapshot = snapshot;
	return bt_error_pass(error, &failed, r);
}

/* For salvage the name does not matter. */
int bt_snapshot_open(struct bt_store *store, const char *name, struct bt_snapshot **ret_snapshot,
		     struct bt_error *error)
{
	struct bt_snapshot *snapshot;
	int r = bt_snapshot_open_misnamed(store, name, &snapshot, error);

	if (r)
		return r;
	r = bt_store_salvages(store) ? 0 : bt_snapshot_check_name(&snapshot->info, error);
	if (r)
		bt_snapshot_close(snapshot);
	else
		*ret_snapshot = snapshot;
	return r;
}

void bt_snapshot_close(struct bt_snapshot *snapshot)
{
	if (!snapshot)
		return;
	bt_arena_free(&snapshot->arena);
	free(snapshot);
}

const struct bt_snapshot_info *bt_snapshot_info(const struct bt_snapshot *snapshot)
{
	return &snapshot->info;
}
