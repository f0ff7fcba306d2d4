/* SPDX-License-Identifier: MIT */
#include "snapshot/reader.h"

#include "base/bytes.h"
#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int bt_snap_open(int dirfd, const struct bt_found *seen, uint32_t user)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

	if (user == 0 || user == seen->uid) {
		int fd = bt_openat(dirfd, seen->name, flags | O_NOATIME, 0);

		if (fd != -EPERM)
			return fd;
	}
	return bt_openat(dirfd, seen->name, flags, 0);
}

bool bt_snap_steady(const struct bt_found *before, const struct bt_found *after)
{
	return before->size == after->size && bt_time_equal(&before->mtime, &after->mtime) &&
	       bt_time_equal(&before->ctime, &after->ctime);
}

bool bt_snap_look(int fd, struct bt_snap_outcome *outcome, struct stat *st)
{
	if (fstat(fd, st) < 0) {
		bt_snap_failed(outcome, errno);
		return false;
	}
	bt_found_stat(st, &outcome->seen);
	if (S_ISREG(st->st_mode))
		return true;
	outcome->state = BT_SNAP_LATER;
	return false;
}

static bool finds_hole(int fd, off_t size)
{
	off_t hole = lseek(fd, 0, SEEK_HOLE);

	return hole >= 0 && hole < size;
}

/* The usual file has the blocks that its size needs, and costs no call. One with more may have them behind its end, or
 * for attributes, and a hole besides; one with attributes may have as many as it needs, and a hole all the same. */
static bool has_holes(int fd, const struct stat *st)
{
	off_t allocated = (off_t)st->st_blocks * 512;

	if (allocated >= st->st_size && allocated - st->st_size < st->st_blksize)
		return false;
	return finds_hole(fd, st->st_size);
}

/* Size bytes and, if it has grown, one more; fewer if it has shrunk. The usual file costs one call. */
static ssize_t read_all(int fd, unsigned char *data, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t part = pread(fd, data + got, size + 1 - got, (off_t)got);

		if (part < 0 && errno != EINTR)
			return -errno;
		if (part == 0)
			break;
		if (part > 0)
			got += (size_t)part;
	}
	return (ssize_t)got;
}

/* One attempt, compared with what was seen before it: the listing, or the look after the attempt before. So one look
 * for each is enough. *ret_again: it changed meanwhile. Returns the bytes read, negative with the outcome filled. */
static ssize_t attempt(int fd, const struct bt_snap_room *room, struct bt_snap_outcome *outcome, bool *ret_again)
{
	const struct bt_found before = outcome->seen;
	struct stat st;
	ssize_t got = 0;

	if (before.size >= room->size) {
		outcome->state = BT_SNAP_LATER;
		return -1;
	}
	if (before.size > 0)
		got = read_all(fd, room->data, (size_t)before.size);
	if (!bt_snap_look(fd, outcome, &st))
		return -1;
	if (got < 0) {
		bt_snap_failed(outcome, (int)-got);
		return -1;
	}
	if (has_holes(fd, &st)) {
		outcome->state = BT_SNAP_LATER;
		return -1;
	}
	bool same = before.inode == outcome->seen.inode && before.dev == outcome->seen.dev &&
		    bt_snap_steady(&before, &outcome->seen);
	outcome->brief = same && (uint64_t)got < before.size;
	*ret_again = !outcome->brief && (!same || (uint64_t)got != before.size);
	return got;
}

static int finish(struct bt_snap_run *run, struct bt_snap_reader *reader, const struct bt_snap_room *room,
		  const struct bt_snap_out *out, size_t size)
{
	const struct bt_snap_outcome *outcome = out->outcome;
	struct bt_entry *entry = out->entry;

	if (bt_found_describe(out->arena, &outcome->seen, run->root_dev, entry) != 0)
		return BT_E_NOMEM;
	entry->size = size;
	entry->has_digest = true;
	if (!outcome->torn)
		bt_snap_stamp(entry, &outcome->seen, &outcome->read_at);
	return bt_hasher_digest(reader->hasher, room->data, size, &entry->digest);
}

static int read_open(struct bt_snap_run *run, struct bt_snap_reader *reader, int fd, const struct bt_snap_room *room,
		     const struct bt_snap_out *out)
{
	struct bt_snap_outcome *outcome = out->outcome;
	bool again = true;
	ssize_t got = 0;

	/* What changed since the listing is not to blame for it. */
	for (int i = 0; i <= BT_SNAP_TRIES && again; i++) {
		if (i > 0)
			bt_snap_now(&outcome->read_at);
		got = attempt(fd, room, outcome, &again);
		if (got < 0)
			return 0;
	}
	outcome->torn = again || outcome->brief;
	int result = finish(run, reader, room, out, (size_t)got);
	if (result == 0)
		result = bt_snap_read_xattrs(reader, fd, false, out);
	if (result == 0)
		result = bt_snap_read_inode(reader, fd, out);
	if (result == 0 && out->entry->extra && out->entry->extra->xattr_count > 0 && finds_hole(fd, (off_t)got))
		outcome->state = BT_SNAP_LATER;
	return result;
}

int bt_snap_read_small(struct bt_snap_run *run, struct bt_snap_reader *reader, int dirfd, const struct bt_found *found,
		       const struct bt_snap_room *room, const struct bt_snap_out *out)
{
	struct bt_snap_outcome *outcome = out->outcome;

	*outcome = (struct bt_snap_outcome){.state = BT_SNAP_READ, .seen = *found};
	bt_snap_now(&outcome->read_at);
	int fd = bt_snap_open(dirfd, found, run->user);
	if (fd < 0) {
		outcome->state = bt_snap_open_failed(-fd);
		outcome->sys = -fd;
		return 0;
	}
	int result = read_open(run, reader, fd, room, out);
	bt_close(&fd);
	return result;
}
