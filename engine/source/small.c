/* SPDX-License-Identifier: MIT */
#include "source/inside.h"

#include "base/io.h"
#include <errno.h>
#include <unistd.h>

static bool finds_hole(int fd, off_t size)
{
	off_t hole = lseek(fd, 0, SEEK_HOLE);

	return hole >= 0 && hole < size;
}

/* A usual file has as many blocks as its size needs, and costs no call. A file with more may have them after its end,
 * or for attributes, and still have a hole; so may a file with attributes that has just as many. */
static bool has_holes(int fd, const struct stat *st)
{
	off_t allocated = (off_t)st->st_blocks * 512;

	if (allocated >= st->st_size && allocated - st->st_size < st->st_blksize)
		return false;
	return finds_hole(fd, st->st_size);
}

/* Reads size bytes, and one more if the file has grown; fewer if it has shrunk. A usual file costs one call. */
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

/* One attempt. Its stat is compared with the one before: of the listing, or of the last attempt. So each attempt needs
 * only one. *ret_again: the file changed meanwhile. Returns the bytes read, or a negative value with the outcome
 * filled. */
static ssize_t attempt(int fd, const struct bt_source_room *room, struct bt_outcome *outcome, bool *ret_again)
{
	const struct bt_found before = outcome->seen;
	struct stat st;
	ssize_t got = 0;

	if (before.size >= room->size) {
		outcome->state = BT_SOURCE_OTHER;
		return -1;
	}
	if (before.size > 0)
		got = read_all(fd, room->data, (size_t)before.size);
	if (!bt_source_look(fd, outcome, &st))
		return -1;
	if (got < 0) {
		bt_source_failed(outcome, (int)-got);
		return -1;
	}
	if (has_holes(fd, &st)) {
		outcome->state = BT_SOURCE_OTHER;
		return -1;
	}
	bool same = before.inode == outcome->seen.inode && before.dev == outcome->seen.dev &&
		    bt_source_is_steady(&before, &outcome->seen);
	outcome->too_short = same && (uint64_t)got < before.size;
	*ret_again = !outcome->too_short && (!same || (uint64_t)got != before.size);
	return got;
}

static int finish(struct bt_reader *reader, int fd, const struct bt_source_room *room, const struct bt_source_out *out,
		  size_t size)
{
	const struct bt_outcome *outcome = out->outcome;
	struct bt_entry *entry = out->entry;

	if (bt_source_describe(reader, fd, out))
		return BT_E_NOMEM;
	entry->size = size;
	entry->has_digest = true;
	if (!outcome->torn)
		bt_source_stamp(entry, &outcome->seen, &outcome->read_at);
	return bt_hasher_digest(reader->hasher, room->data, size, &entry->digest);
}

static int read_open(struct bt_reader *reader, int fd, const struct bt_source_room *room,
		     const struct bt_source_out *out)
{
	struct bt_outcome *outcome = out->outcome;
	bool again = true;
	ssize_t got = 0;

	/* A change since the listing does not count as one during the read. */
	for (int i = 0; i <= BT_SOURCE_TRIES && again; i++) {
		if (i > 0)
			bt_source_now(&outcome->read_at);
		got = attempt(fd, room, outcome, &again);
		if (got < 0)
			return 0;
	}
	outcome->torn = again || outcome->too_short;
	int r = finish(reader, fd, room, out, (size_t)got);
	if (!r)
		r = bt_source_xattrs(reader, fd, false, out);
	if (!r)
		r = bt_source_inode(reader, fd, out);
	if (!r && out->entry->extra && out->entry->extra->xattr_count > 0 && finds_hole(fd, (off_t)got))
		outcome->state = BT_SOURCE_OTHER;
	return r;
}

int bt_source_small(struct bt_reader *reader, int dirfd, const struct bt_found *found,
		    const struct bt_source_room *room, const struct bt_source_out *out)
{
	int fd = bt_source_open_file(reader, dirfd, found, out->outcome);

	if (fd < 0)
		return 0;
	int r = read_open(reader, fd, room, out);
	bt_close(&fd);
	return r;
}
