/* SPDX-License-Identifier: MIT */
/* list STORE: the snapshots of a store, oldest first, with their files and bytes. */
#include <backuptool/backuptool.h>
#include <inttypes.h>
#include <stdio.h>

static int complain(const struct bt_error *error)
{
	char text[640];

	bt_error_text(error, text, sizeof(text));
	fprintf(stderr, "%s\n", text);
	return 1;
}

int main(int argc, char **argv)
{
	const struct bt_store_options options = {.size = sizeof(options), .read_only = true};
	struct bt_error error = {0};
	struct bt_store *store;
	int failed = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: list STORE\n");
		return 2;
	}
	if (bt_store_open(argv[1], &options, &store, &error))
		return complain(&error);
	for (size_t i = 0; i < bt_store_snapshot_count(store); i++) {
		const struct bt_snapshot_info *info;
		struct bt_snapshot *snapshot;

		error = (struct bt_error){0};
		if (bt_snapshot_open(store, bt_store_snapshot_name(store, i), &snapshot, &error)) {
			failed = complain(&error); /* the others may be whole */
			continue;
		}
		info = bt_snapshot_info(snapshot);
		printf("%s  %" PRIu64 " files, %" PRIu64 " bytes\n", info->name, info->files, info->directory_size);
		bt_snapshot_close(snapshot);
	}
	bt_store_close(store);
	return failed;
}
