/* SPDX-License-Identifier: MIT */
/* golden_kept STORE DIRECTORY: takes a snapshot with the members of a header that no command writes yet. For
 * make_golden.
 */
#include <backuptool/snapshot.h>

#include <stdio.h>

int main(int argc, char **argv)
{
	const struct bt_time expires = {4102444800, 123456789};
	const struct bt_snapshot_options options = {.size = sizeof(options),
						    .host = "golden.example",
						    .description = "kept \"as it is\"",
						    .pinned = true,
						    .partial = true,
						    .expires = &expires};
	struct bt_snapshot_result result = {.size = sizeof(result)};
	struct bt_error error = {0};
	struct bt_store *store;
	char text[640];
	int r = argc == 3 ? bt_store_open(argv[1], NULL, &store, &error) : BT_E_INVALID;

	if (!r) {
		r = bt_snapshot_take(store, argv[2], &options, NULL, &result, &error);
		bt_store_close(store);
	}
	bt_error_text(&error, text, sizeof(text));
	if (r)
		fprintf(stderr, "golden_kept: %s\n", text);
	return r ? 1 : 0;
}
