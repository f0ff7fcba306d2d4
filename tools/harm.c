/* SPDX-License-Identifier: MIT */
/* What damage hurts in all, and what to do about it. */
#include "check.h"
#include "output.h"
#include <backuptool/select.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAMED 5 /* snapshots in a line */

static bool is_known(const struct tool_texts *texts, const char *text)
{
	for (size_t i = texts->count; i-- > 0;)
		if (strcmp(texts->items[i], text) == 0)
			return true;
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void add_snapshot(struct tool_harm *harm, const char *name)
{
	char *copy;

	if (tfind(name, &harm->known, by_text))
		return;
	copy = tool_format("%s", name);
	tool_texts_add(&harm->snapshots, copy);
	(void)tsearch(copy, &harm->known, by_text);
}

static void leave(void *text)
{
}

/* They come in the order of walks through one snapshot after the other, so that what hurts a file twice comes twice in
 * a row. */
void tool_harm_add(struct tool_harm *harm, const struct bt_hurt *hurt)
{
	add_snapshot(harm, hurt->snapshot);
	if (hurt->path && harm->last != hurt->entry)
		harm->paths++;
	harm->last = hurt->entry;
}

void tool_harm_print(const struct tool_harm *harm)
{
	size_t count = harm->snapshots.count;
	char *paths = tool_count(harm->paths, "path in ", "paths in ");

	tool_auto char *snapshots = tool_count(count, "snapshot", "snapshots");
	if (!count)
		printf("damage hurts no snapshot that could be looked through");
	else
		printf("damage hurts %s%s: ", harm->paths ? paths : "", snapshots);
	for (size_t i = 0; i < count && i < NAMED; i++)
		printf("%s%s", i ? ", " : "", harm->snapshots.items[i]);
	puts(count > NAMED ? ", …" : "");
	free(paths);
}

static bool is_there(const char *target)
{
	struct stat status;

	return stat(target, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The directories of the hurt snapshots that are of this host, and are still there, each once. */
static void add_target(struct bt_store *store, const char *name, const char *host, struct tool_texts *targets)
{
	struct bt_snapshot *snapshot = NULL;
	const struct bt_snapshot_info *info;
	struct bt_error error = {0};

	if (bt_snapshot_open(store, name, &snapshot, &error))
		return;
	info = bt_snapshot_info(snapshot);
	if (!info->classic && !info->streams && strcmp(info->host, host) == 0 && !is_known(targets, info->target) &&
	    is_there(info->target))
		tool_texts_add(targets, tool_format("%s", info->target));
	bt_snapshot_close(snapshot);
}

void tool_harm_advise(struct bt_store *store, const struct tool_harm *harm)
{
	struct tool_texts targets = {0};
	char host[BT_HOST_SIZE], *shown;

	bt_host(host);
	for (size_t i = 0; i < harm->snapshots.count && targets.count < NAMED; i++)
		add_target(store, harm->snapshots.items[i], host, &targets);
	printf("next: ");
	if (harm->in_files)
		printf("'backuptool check --repair --dry-run' shows what a repair would do, and 'backuptool check "
		       "--repair' does it");
	if (targets.count)
		printf("%swhat the directory still has is stored again by", harm->in_files ? "; " : "");
	for (size_t i = 0; i < targets.count && i < NAMED; i++) {
		shown = tool_escape(targets.items[i]);
		printf("%s 'backuptool snapshot --force --target-directory %s'", i ? "," : "", shown);
		free(shown);
	}
	if (!harm->in_files)
		printf("%sto give up what is lost, remove the snapshots that have it, with 'backuptool remove'",
		       targets.count ? "; " : "");
	putchar('\n');
	tool_texts_free(&targets);
}

void tool_harm_free(struct tool_harm *harm)
{
	tdestroy(harm->known, leave);
	tool_texts_free(&harm->snapshots);
}
