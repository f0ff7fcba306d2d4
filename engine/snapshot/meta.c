/* SPDX-License-Identifier: MIT */
#include "snapshot/reader.h"

#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { TARGET_MAX = 4095 }; /* FORMAT.md §4 */

enum bt_snap_state bt_snap_open_failed(int sys)
{
	if (bt_scan_not_found(sys))
		return BT_SNAP_LOST;
	switch (sys) {
	case ELOOP: /* a link, a socket, a device without driver or no directory by now */
	case ENOTDIR:
	case ENXIO:
	case ENODEV:
	case EAGAIN: /* another program has a lease on it, and was asked to give it back */
		return BT_SNAP_LATER;
	default:
		return BT_SNAP_FAILED;
	}
}

void bt_snap_failed(struct bt_snap_outcome *outcome, int sys)
{
	outcome->state = bt_scan_not_found(sys) ? BT_SNAP_LOST : BT_SNAP_FAILED;
	outcome->sys = sys;
}

void bt_snap_find_out(struct bt_snap_run *run, struct bt_scan_dir *dir, struct bt_snap_outcome *outcome, uint64_t since)
{
	if (outcome->state != BT_SNAP_LOST)
		return;
	outcome->state = bt_scan_listed(run->scan, dir, &outcome->seen, since) ? BT_SNAP_FAILED : BT_SNAP_GONE;
}

/* 0 or an errno. */
static int read_target(struct bt_snap_reader *reader, int fd, struct bt_arena *arena, struct bt_entry *entry)
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

static int fill(struct bt_snap_run *run, struct bt_snap_reader *reader, int fd, const struct bt_snap_out *out)
{
	struct bt_snap_outcome *outcome = out->outcome;
	struct bt_entry *entry = out->entry;
	struct stat st;

	if (fstat(fd, &st) < 0) {
		bt_snap_failed(outcome, errno);
		return 0;
	}
	if ((st.st_mode & S_IFMT) != (outcome->seen.mode & S_IFMT)) {
		outcome->state = BT_SNAP_LATER;
		return 0;
	}
	bt_found_stat(&st, &outcome->seen);
	if (bt_found_describe(out->arena, &outcome->seen, run->root_dev, entry) != 0)
		return BT_E_NOMEM;
	bt_snap_stamp(entry, &outcome->seen, &outcome->read_at);
	if (entry->type == BT_SYMLINK)
		outcome->sys = read_target(reader, fd, out->arena, entry);
	if (outcome->sys == ENOMEM)
		return BT_E_NOMEM;
	if (outcome->sys != 0)
		bt_snap_failed(outcome, outcome->sys);
	return bt_snap_read_xattrs(reader, fd, true, out);
}

int bt_snap_read_meta(struct bt_snap_run *run, struct bt_snap_reader *reader, int dirfd, const struct bt_found *found,
		      const struct bt_snap_out *out)
{
	struct bt_snap_outcome *outcome = out->outcome;

	*outcome = (struct bt_snap_outcome){.state = BT_SNAP_READ, .seen = *found};
	bt_snap_now(&outcome->read_at);
	int fd = bt_openat(dirfd, found->name, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0) {
		outcome->state = bt_snap_open_failed(-fd);
		outcome->sys = -fd;
		return 0;
	}
	int result = fill(run, reader, fd, out);
	bt_close(&fd);
	return result;
}
