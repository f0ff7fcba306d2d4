/* SPDX-License-Identifier: MIT */
/* snapshot DIRECTORY STORE: takes a snapshot, makes the store if there is none, and tells what happens meanwhile. */
#include <backuptool/backuptool.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void complain(const char *path, const struct bt_error *error)
{
	char text[640];

	bt_error_text(error, text, sizeof(text));
	fprintf(stderr, "%s%s%s\n", path, *path ? ": " : "", text);
}

/* The observer is called from several threads, one call at a time. */
static void problem(void *arg, const char *path, const struct bt_error *error)
{
	(void)arg;
	complain(path, error);
}

static void progress(void *arg, const struct bt_progress *now)
{
	(void)arg;
	fprintf(stderr, "%" PRIu64 " files\n", now->files);
}

static bool cancelled(void *arg)
{
	(void)arg;
	return stopped;
}

static int take(struct bt_store *store, const char *target, struct bt_error *error)
{
	const struct bt_snapshot_options options = {.size = sizeof(options), .exclude_caches = true};
	const struct bt_observer observer = {
		.size = sizeof(observer), .problem = problem, .progress = progress, .cancelled = cancelled};
	struct bt_snapshot_result result = {.size = sizeof(result)};
	int r = bt_snapshot_take(store, target, &options, &observer, &result, error);

	if (!r || r == BT_E_INCOMPLETE)
		printf("%s: %" PRIu64 " new, %" PRIu64 " changed, %" PRIu64 " unreadable\n", result.name,
		       result.created, result.changed, result.errors);
	return r;
}

int main(int argc, char **argv)
{
	const struct bt_store_options options = {.size = sizeof(options), .create = true};
	struct bt_error error = {0};
	struct bt_store *store;
	int r;

	if (argc != 3) {
		fprintf(stderr, "usage: snapshot DIRECTORY STORE\n");
		return 2;
	}
	signal(SIGINT, stop);
	r = bt_snapshot_place(argv[2], argv[1], &error);
	if (!r)
		r = bt_store_open(argv[2], &options, &store, &error);
	if (!r) {
		r = take(store, argv[1], &error);
		bt_store_close(store);
	}
	if (r)
		complain("", &error);
	return r ? 1 : 0;
}
