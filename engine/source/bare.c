/* SPDX-License-Identifier: MIT */
#include "source/inside.h"

#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { TARGET_MAX = 4095 }; /* FORMAT.md §4 */

/* 0 or an errno. */
static int read_target(struct bt_reader *reader, int fd, struct bt_arena *arena, struct bt_entry *entry)
{
	ssize_t length = readlinkat(fd, "", reader->names, TARGET_MAX + 1);

	if (length < 0)
		return errno;
	if (length == 0 || length > TARGET_MAX)
		return ENAMETOOLONG;
	struct bt_extra *extra = bt_found_extra(arena, entry);
	char *target = bt_arena_copy(arena, reader->names, (size_t)length);
	if (!extra || !target)
		return ENOMEM;
	extra->target = target;
	extra->target_length = (uint32_t)length;
	return 0;
}

static int fill(struct bt_reader *reader, int fd, const struct bt_source_out *out)
{
	struct bt_outcome *outcome = out->outcome;
	struct bt_entry *entry = out->entry;
	struct stat st;

	if (fstat(fd, &st) < 0) {
		bt_source_failed(outcome, errno);
		return 0;
	}
	if ((st.st_mode & S_IFMT) != (outcome->seen.mode & S_IFMT)) {
		outcome->state = BT_SOURCE_OTHER;
		return 0;
	}
	bt_found_stat(&st, &outcome->seen);
	if (bt_source_describe(reader, fd, out))
		return BT_E_NOMEM;
	bt_source_stamp(entry, &outcome->seen, &outcome->read_at);
	if (entry->type == BT_SYMLINK)
		outcome->sys = read_target(reader, fd, out->arena, entry);
	if (outcome->sys == ENOMEM)
		return BT_E_NOMEM;
	if (outcome->sys != 0)
		bt_source_failed(outcome, outcome->sys);
	return bt_source_xattrs(reader, fd, true, out);
}

int bt_source_bare(struct bt_reader *reader, int dirfd, const struct bt_found *found, const struct bt_source_out *out)
{
	int fd = bt_source_open(reader, dirfd, found, O_PATH, out->outcome);

	if (fd < 0)
		return 0;
	int r = fill(reader, fd, out);
	bt_close(&fd);
	return r;
}
