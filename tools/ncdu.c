/* SPDX-License-Identifier: MIT */
#include "ncdu.h"
#include "output.h"
#include <backuptool/version.h>
#include <backuptool/walk.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct listing {
	const struct tool *tool;
	struct bt_walk *walk;
	size_t depth; /* directories that are open */
	bool incomplete;
};

static void put_text(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			printf("\\%c", byte);
		else if (byte < 0x20 || byte == 0x7f)
			printf("\\u%04x", byte);
		else
			putchar(byte);
	}
	putchar('"');
}

/* Without holes. */
static uint64_t bytes_on_disk(const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;
	uint64_t holes = extra && extra->hole_count ? extra->hole_sums[extra->hole_count - 1] : 0;

	return entry->size > holes ? entry->size - holes : 0;
}

static unsigned mode_of(const struct bt_entry *entry)
{
	static const unsigned types[] = {
		[BT_FILE] = S_IFREG,	[BT_DIR] = S_IFDIR,	[BT_SYMLINK] = S_IFLNK,	 [BT_FIFO] = S_IFIFO,
		[BT_SOCKET] = S_IFSOCK, [BT_CHARDEV] = S_IFCHR, [BT_BLOCKDEV] = S_IFBLK,
	};

	return (entry->type < sizeof(types) / sizeof(*types) ? types[entry->type] : 0) | entry->mode;
}

static void put_extra(const struct bt_extra *extra)
{
	if (extra->links > 1)
		printf(",\"dev\":%" PRIu64 ",\"ino\":%" PRIu64 ",\"hlnkc\":true,\"nlink\":%" PRIu64, extra->dev,
		       extra->inode, extra->links);
	if (extra->error)
		printf(",\"read_error\":true");
	if (extra->boundary)
		printf(",\"excluded\":\"otherfs\"");
}

static void put_info(const struct bt_entry *entry, const char *name)
{
	printf("{\"name\":");
	put_text(name);
	if (entry->type == BT_FILE && entry->size)
		printf(",\"asize\":%" PRIu64 ",\"dsize\":%" PRIu64, entry->size, bytes_on_disk(entry));
	if (entry->type != BT_FILE && entry->type != BT_DIR)
		printf(",\"notreg\":true");
	if (entry->extra)
		put_extra(entry->extra);
	printf(",\"uid\":%" PRIu32 ",\"gid\":%" PRIu32 ",\"mode\":%u", entry->uid, entry->gid, mode_of(entry));
	if (entry->mtime.seconds >= 0)
		printf(",\"mtime\":%" PRId64, entry->mtime.seconds);
	putchar('}');
}

static void close_to(struct listing *listing, size_t depth)
{
	for (; listing->depth > depth; listing->depth--)
		putchar(']');
}

/* Of the directories that the entry is in, the root is one. */
static void put_step(struct listing *listing, const struct bt_walk_step *step)
{
	close_to(listing, step->depth);
	printf(",\n");
	if (step->entry->type == BT_DIR) {
		putchar('[');
		listing->depth++;
	}
	put_info(step->entry, step->entry->name);
}

static int put_all(struct listing *listing)
{
	int code = 0;

	while (!code && !ferror(stdout)) {
		struct bt_walk_step step = {0};
		struct bt_error error = {0};

		code = bt_walk_next(listing->walk, &step, &error);
		if (tool_signals_seen())
			return tool_fail(listing->tool, &(struct bt_error){.code = BT_E_CANCELLED});
		if (code) {
			tool_fail(listing->tool, &error);
			listing->incomplete = true;
			code = code == BT_E_NOMEM ? code : 0;
		} else if (!step.entry) {
			break;
		} else {
			put_step(listing, &step);
		}
	}
	return code ? TOOL_FATAL : TOOL_OK;
}

int tool_ncdu_print(const struct tool *tool, const struct tool_place *place)
{
	const struct bt_snapshot_info *info = place->info;
	tool_auto char *name = tool_format("%s%s%s", info->target, *place->path ? "/" : "", place->path);
	struct listing listing = {.tool = tool, .depth = 1};
	struct bt_error error = {0};
	int r;

	if (bt_walk_new(place->pick.store, info, place->entry, &listing.walk, &error))
		return tool_fail(tool, &error);
	printf("[1,2,{\"progname\":\"backuptool\",\"progver\":\"%s\",\"timestamp\":%" PRId64 "},\n[", BT_VERSION,
	       info->time.seconds > 0 ? info->time.seconds : 0);
	put_info(place->entry, *name ? name : "/");
	r = put_all(&listing);
	close_to(&listing, 0);
	puts("]");
	bt_walk_free(listing.walk);
	return r == TOOL_OK && listing.incomplete ? TOOL_INCOMPLETE : r;
}
