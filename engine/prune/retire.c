/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "base/publish.h"
#include "model/volume.h"
#include "prune/run.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The file keeps what is needed as a volume: no byte is copied, so this works on a full disk. */
static int move_to_contents(struct bt_prune_run *run, const struct bt_file_id *id, struct bt_error *error)
{
	char name[48];
	int fd = -1, result = bt_prune_set_fate(run, id->ordinal, BT_FATE_MOVED, error);

	if (!result && !run->options->dry_run)
		result = bt_store_contents_dirfd(run->store, &fd, error);
	if (result)
		return result;
	result = bt_volume_name(name, error);
	if (result)
		return result;
	int r = run->options->dry_run ? 0 : bt_rename_new(bt_store_dirfd(run->store), id->name, fd, name);
	if (r < 0)
		return bt_fail_sys(error, -r, id->name, "move to contents");
	bt_prune_gone(run, id);
	run->result.files_moved++;
	return 0;
}

static int retire_file(struct bt_prune_run *run, const struct bt_file_id *id, struct bt_error *error)
{
	struct bt_share share;
	bool classic = false;
	int result = id->snapshot ? bt_prune_is_classic(run, id->name, &classic, error) : 0;

	if (result)
		return result;
	if (classic)
		return bt_prune_delete(run, id, error);
	result = bt_prune_share(run, id->ordinal, &share, error);
	if (result)
		return result;
	if (share.damaged && !id->snapshot)
		return 0;
	run->result.files_damaged += share.damaged;
	if (share.damaged)
		return move_to_contents(run, id, error);
	if (!share.live)
		return bt_prune_delete(run, id, error);
	result = bt_prune_hold(run, id->ordinal, error);
	if (!result && id->snapshot)
		result = move_to_contents(run, id, error);
	return result;
}

/* Names of snapshots go first and durably: no crash may leave a snapshot listed without its contents. */
static int retire_all(struct bt_prune_run *run, bool snapshots, struct bt_error *error)
{
	size_t count = bt_store_file_count(run->store);
	int result = 0;

	for (size_t i = 0; i < count && !result; i++) {
		const struct bt_file_id *id = bt_store_file_id(run->store, (uint32_t)i);

		if (id->gone || id->snapshot != snapshots || (snapshots && !bt_prune_removes(run, id->ordinal)))
			continue;
		result = bt_prune_go_on(run, error);
		if (!result)
			result = retire_file(run, id, error);
		if (!result && snapshots)
			run->result.removed++;
	}
	return result;
}

int bt_prune_retire(struct bt_prune_run *run, struct bt_error *error)
{
	int lock, result = bt_prune_lock(run, &lock, error);

	if (result)
		return result;
	if (!run->options->dry_run)
		bt_store_sweep(run->store, true);
	bt_prune_forget(run);
	result = bt_prune_hold_snapshots(run, error);
	if (!result)
		result = retire_all(run, true, error);
	if (!result)
		result = bt_prune_sync(run, error);
	if (!result)
		result = retire_all(run, false, error);
	if (!result && !run->options->dry_run)
		result = bt_store_refresh(run->store, error);
	bt_close(&lock);
	return result;
}
