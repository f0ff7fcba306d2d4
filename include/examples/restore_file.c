/* SPDX-License-Identifier: MIT */
/* restore_file STORE SNAPSHOT PATH OUTPUT: brings back one file of a snapshot ("latest", "@yesterday", a name) to the
 * same path below the directory OUTPUT. */
#include <backuptool/backuptool.h>
#include <stdio.h>
#include <time.h>

static void complain(const char *path, const struct bt_error *error)
{
	char text[640];

	bt_error_text(error, text, sizeof(text));
	fprintf(stderr, "%s%s%s\n", path, *path ? ": " : "", text);
}

static void problem(void *arg, const char *path, const struct bt_error *error)
{
	(void)arg;
	complain(path, error);
}

static int restore_file(struct bt_store *store, char **argv, struct bt_error *error)
{
	const char *paths[] = {argv[3]};
	const struct bt_restore_options options = {.size = sizeof(options), .paths = paths, .path_count = 1};
	const struct bt_observer observer = {.size = sizeof(observer), .problem = problem};
	const struct bt_scope scope = {.size = sizeof(scope), .now = time(NULL)};
	struct bt_restore_result result = {.size = sizeof(result)};
	struct bt_snapshot *snapshot;
	struct bt_choice choice = {.size = sizeof(choice)};
	int r = bt_select(store, argv[2], &scope, &choice, error);

	if (!r)
		r = bt_snapshot_open(store, choice.name, &snapshot, error);
	if (r)
		return r;
	r = bt_restore(store, snapshot, argv[4], &options, &observer, &result, error);
	bt_snapshot_close(snapshot);
	return r;
}

int main(int argc, char **argv)
{
	const struct bt_store_options options = {.size = sizeof(options), .read_only = true};
	struct bt_error error = {0};
	struct bt_store *store;
	int r;

	if (argc != 5) {
		fprintf(stderr, "usage: restore_file STORE SNAPSHOT PATH OUTPUT\n");
		return 2;
	}
	r = bt_store_open(argv[1], &options, &store, &error);
	if (!r) {
		r = restore_file(store, argv, &error);
		bt_store_close(store);
	}
	if (r)
		complain("", &error);
	return r ? 1 : 0;
}
