/* SPDX-License-Identifier: MIT */
#include "source/describe.h"
#include "base/bytes.h"
#include <sys/sysmacros.h>

#define BILLION	    1000000000
#define SECONDS_MAX ((INT64_C(1) << 53) - 1) /* FORMAT.md §2 */
#define OWNER_MAX   (UINT32_MAX - 1)

static bool is_as_seen(const struct stat *st, const struct bt_found *seen)
{
	return st->st_ino == seen->inode && st->st_dev == seen->dev && st->st_ctim.tv_sec == seen->ctime.seconds &&
	       st->st_ctim.tv_nsec == seen->ctime.nanoseconds;
}

void bt_found_stat(const struct stat *st, struct bt_found *seen)
{
	seen->has_btime = seen->has_btime && is_as_seen(st, seen);
	seen->size = st->st_size < 0 ? 0 : (uint64_t)st->st_size;
	seen->inode = st->st_ino;
	seen->dev = st->st_dev;
	seen->links = st->st_nlink;
	seen->rdev = st->st_rdev;
	seen->mtime = (struct bt_time){st->st_mtim.tv_sec, (uint32_t)st->st_mtim.tv_nsec};
	seen->ctime = (struct bt_time){st->st_ctim.tv_sec, (uint32_t)st->st_ctim.tv_nsec};
	seen->mode = st->st_mode;
	seen->uid = st->st_uid;
	seen->gid = st->st_gid;
}

static const uint32_t formats[] = {
	[BT_FILE] = S_IFREG,	[BT_DIR] = S_IFDIR,	[BT_SYMLINK] = S_IFLNK,	 [BT_FIFO] = S_IFIFO,
	[BT_SOCKET] = S_IFSOCK, [BT_CHARDEV] = S_IFCHR, [BT_BLOCKDEV] = S_IFBLK,
};

uint32_t bt_type_format(uint8_t type)
{
	return formats[type];
}

uint8_t bt_found_type(uint32_t mode)
{
	for (uint8_t type = BT_FILE; type <= BT_BLOCKDEV; type++)
		if (formats[type] == (mode & S_IFMT))
			return type;
	return 0;
}

/* Some file systems give times that neither the format nor other file systems can hold. */
static struct bt_time tame(struct bt_time time)
{
	if (time.seconds > SECONDS_MAX)
		time.seconds = SECONDS_MAX;
	if (time.seconds < -SECONDS_MAX)
		time.seconds = -SECONDS_MAX;
	if (time.nanoseconds >= BILLION)
		time.nanoseconds = BILLION - 1;
	return time;
}

struct bt_extra *bt_found_extra(struct bt_arena *arena, struct bt_entry *entry)
{
	if (!entry->extra) {
		struct bt_extra *extra = bt_arena_alloc(arena, sizeof(*extra));

		if (!extra)
			return NULL;
		*extra = (struct bt_extra){0};
		entry->extra = extra;
	}
	return (struct bt_extra *)entry->extra;
}

int bt_found_describe(struct bt_arena *arena, const struct bt_found *seen, uint64_t root_dev,
		      struct bt_entry *ret_entry)
{
	uint8_t type = bt_found_type(seen->mode);
	bool device = type == BT_CHARDEV || type == BT_BLOCKDEV, linked = type != BT_DIR && seen->links > 1;
	struct bt_entry entry = {
		.name = seen->name,
		.name_length = seen->name_length,
		.type = type,
		.mode = seen->mode & 07777,
		.uid = seen->uid > OWNER_MAX ? OWNER_MAX : seen->uid,
		.gid = seen->gid > OWNER_MAX ? OWNER_MAX : seen->gid,
		.size = type == BT_FILE ? seen->size : 0,
		.mtime = tame(seen->mtime),
	};

	if (device || linked || seen->has_btime) {
		struct bt_extra *extra = bt_found_extra(arena, &entry);

		if (!extra)
			return BT_E_NOMEM;
		if (device) {
			extra->dev_major = major(seen->rdev);
			extra->dev_minor = minor(seen->rdev);
		}
		if (linked) {
			extra->inode = seen->inode;
			extra->links = seen->links;
			extra->dev = seen->dev == root_dev ? 0 : seen->dev;
		}
		extra->has_btime = seen->has_btime;
		if (seen->has_btime)
			extra->btime = tame((struct bt_time){seen->born, seen->born_nanoseconds});
	}
	*ret_entry = entry;
	return 0;
}

uint64_t bt_found_fingerprint(const struct bt_found *seen)
{
	const uint64_t parts[] = {seen->inode,
				  (uint64_t)seen->ctime.seconds,
				  seen->ctime.nanoseconds,
				  (uint64_t)seen->mtime.seconds,
				  seen->mtime.nanoseconds,
				  seen->size,
				  seen->mode,
				  seen->uid,
				  seen->gid,
				  seen->rdev,
				  seen->links};
	uint64_t mix = 0x6261636b75707431; /* any constant */

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		mix = bt_mix64(mix + bt_mix64(parts[i] + i));
	return mix;
}
