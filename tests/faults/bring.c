/* SPDX-License-Identifier: MIT */
/*
 * bring STORE DIR: restores the newest snapshot over what is in DIR, in one thread and not confined by the kernel: what
 * keeps it from going outside of DIR is only how it goes.
 */
#include <backuptool/restore.h>
#include <backuptool/store.h>
#include <stdio.h>

static int restore(struct bt_store *store, const char *target, struct bt_error *error)
{
	const struct bt_restore_options options = {
		.size = sizeof(options), .overwrite = BT_OVERWRITE_ALWAYS, .delete_extra = true, .threads = 1};
	struct bt_snapshot *snapshot;
	size_t count = bt_store_snapshot_count(store);
	int r = count ? bt_snapshot_open(store, bt_store_snapshot_name(store, count - 1), &snapshot, error)
		      : BT_E_NOT_FOUND;

	if (r)
		return r;
	r = bt_restore(store, snapshot, target, &options, NULL, NULL, error);
	bt_snapshot_close(snapshot);
	return r;
}

int main(int argc, char **argv)
{
	const struct bt_store_options options = {.size = sizeof(options), .read_only = true, .cache_bytes = 1 << 20};
	struct bt_error error = {0};
	struct bt_store *store;
	char text[640] = "";
	int r = argc == 3 ? bt_store_open(argv[1], &options, &store, &error) : BT_E_INVALID;

	if (!r) {
		r = restore(store, argv[2], &error);
		bt_store_close(store);
	}
	if (r) {
		bt_error_text(&error, text, sizeof(text));
		fprintf(stderr, "bring: %s\n", text);
	}
	return r ? 1 : 0;
}
