/* SPDX-License-Identifier: MIT */
/*
 * cut STORE DIR EVERY [END]: takes a first snapshot of DIR that has a checkpoint at each EVERY-th question, so that it
 * has them at the same places each time, and ends at the END-th. Prints the name of what there is then.
 */
#include <backuptool/snapshot.h>
#include <backuptool/store.h>
#include <stdio.h>
#include <stdlib.h>

struct cut {
	unsigned long calls, every, end;
};

static enum bt_course course(void *arg)
{
	struct cut *cut = arg;

	if (++cut->calls == cut->end)
		return BT_COURSE_END;
	return cut->calls % cut->every ? BT_COURSE_ON : BT_COURSE_CHECKPOINT;
}

static int take(const char *path, const char *target, struct cut *cut, struct bt_error *error)
{
	const struct bt_store_options options = {.size = sizeof(options), .create = true};
	const struct bt_snapshot_options how = {.size = sizeof(how), .volume_size = 100000, .threads = 1};
	const struct bt_observer observer = {.size = sizeof(observer), .arg = cut, .course = course};
	struct bt_snapshot_result result = {.size = sizeof(result)};
	struct bt_store *store;
	int r = bt_store_open(path, &options, &store, error);

	if (r)
		return r;
	r = bt_snapshot_take(store, target, &how, &observer, &result, error);
	if (r == BT_E_CANCELLED && result.partial)
		r = 0;
	if (!r)
		puts(result.name);
	bt_store_close(store);
	return r;
}

int main(int argc, char **argv)
{
	struct cut cut = {.every = argc > 3 ? strtoul(argv[3], NULL, 10) : 0,
			  .end = argc > 4 ? strtoul(argv[4], NULL, 10) : 0};
	struct bt_error error = {0};
	char text[640] = "";
	int r = cut.every ? take(argv[1], argv[2], &cut, &error) : BT_E_INVALID;

	if (r) {
		bt_error_text(&error, text, sizeof(text));
		fprintf(stderr, "cut: %s\n", text);
	}
	return r == BT_E_INCOMPLETE ? 3 : r ? 1 : 0;
}
