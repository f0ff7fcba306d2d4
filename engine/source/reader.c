/* SPDX-License-Identifier: MIT */
#include "source/inside.h"

#include "base/bytes.h"
#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BILLION	     1000000000
#define FINE_SLACK   50000000	/* ns: several ticks of a kernel's clock */
#define COARSE_SLACK 2000000000 /* ns: for file systems that keep no fraction */

struct bt_reader *bt_reader_new(const struct bt_source *source)
{
	struct bt_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->source = source;
	reader->hasher = bt_hasher_new();
	reader->pieces = bt_hasher_new();
	reader->names = malloc(XATTR_LIST_MAX);
	reader->value = malloc(XATTR_SIZE_MAX);
	if (reader->hasher && reader->pieces && reader->names && reader->value)
		return reader;
	bt_reader_free(reader);
	return NULL;
}

void bt_reader_free(struct bt_reader *reader)
{
	if (!reader)
		return;
	bt_hasher_free(reader->hasher);
	bt_hasher_free(reader->pieces);
	free(reader->names);
	free(reader->value);
	bt_buffer_put(reader->source->buffers, reader->window);
	free(reader);
}

bool bt_source_lacks(const struct bt_source_lack *lack, uint64_t dev)
{
	for (unsigned i = 0; i < lack->count; i++)
		if (lack->devs[i] == dev)
			return true;
	return false;
}

void bt_source_remember_lack(struct bt_source_lack *lack, uint64_t dev)
{
	if (lack->count < sizeof(lack->devs) / sizeof(*lack->devs))
		lack->devs[lack->count++] = dev;
}

/* The meaning of an errno of open(2) for an entry that was listed. */
static enum bt_source_state not_opened(int sys)
{
	if (bt_scan_not_found(sys))
		return BT_SOURCE_LOST;
	switch (sys) {
	case ELOOP: /* by now a link, a socket, a device without driver, or not a directory */
	case ENOTDIR:
	case ENXIO:
	case ENODEV:
	case EAGAIN: /* another program has a lease on it, and the kernel has asked for it back */
		return BT_SOURCE_OTHER;
	default:
		return BT_SOURCE_FAILED;
	}
}

void bt_source_failed(struct bt_outcome *outcome, int sys)
{
	outcome->state = bt_scan_not_found(sys) ? BT_SOURCE_LOST : BT_SOURCE_FAILED;
	outcome->sys = sys;
}

void bt_source_find_out(const struct bt_source *source, struct bt_scan_dir *dir, struct bt_outcome *outcome,
			uint64_t since)
{
	if (outcome->state != BT_SOURCE_LOST)
		return;
	outcome->state = bt_scan_listed(source->scan, dir, &outcome->seen, since) ? BT_SOURCE_FAILED : BT_SOURCE_GONE;
}

int bt_source_open(const struct bt_reader *reader, int dirfd, const struct bt_found *found, int flags,
		   struct bt_outcome *outcome)
{
	const uint32_t user = reader->source->user;
	int fd = -EPERM;

	*outcome = (struct bt_outcome){.state = BT_SOURCE_READ, .seen = *found};
	bt_source_now(&outcome->read_at);
	if (!(flags & O_PATH) && (user == 0 || user == found->uid))
		fd = bt_openat(dirfd, found->name, flags | O_NOFOLLOW | O_NOATIME, 0);
	if (fd == -EPERM)
		fd = bt_openat(dirfd, found->name, flags | O_NOFOLLOW, 0);
	if (fd < 0) {
		outcome->state = not_opened(-fd);
		outcome->sys = -fd;
	}
	return fd;
}

int bt_source_open_file(const struct bt_reader *reader, int dirfd, const struct bt_found *found,
			struct bt_outcome *outcome)
{
	return bt_source_open(reader, dirfd, found, O_RDONLY | O_NONBLOCK | O_NOCTTY, outcome);
}

bool bt_source_is_steady(const struct bt_found *before, const struct bt_found *after)
{
	return before->size == after->size && bt_time_equal(&before->mtime, &after->mtime) &&
	       bt_time_equal(&before->ctime, &after->ctime);
}

bool bt_source_look(int fd, struct bt_outcome *outcome, struct stat *st)
{
	if (fstat(fd, st) < 0) {
		bt_source_failed(outcome, errno);
		return false;
	}
	bt_found_stat(st, &outcome->seen);
	if (S_ISREG(st->st_mode))
		return true;
	outcome->state = BT_SOURCE_OTHER;
	return false;
}

/* Of an open entry that changed since it was listed. */
static void look_for_birth(int fd, struct bt_found *seen)
{
	struct statx status;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) == 0)
		bt_scan_born(seen, &status);
}

int bt_source_describe(const struct bt_reader *reader, int fd, const struct bt_source_out *out)
{
	struct bt_found *seen = &out->outcome->seen;

	if (reader->source->birth_times && !seen->has_btime)
		look_for_birth(fd, seen);
	return bt_found_describe(out->arena, seen, reader->source->root_dev, out->entry);
}

bool bt_source_is_settled(const struct bt_time *time, const struct bt_time *read_at)
{
	int64_t slack = time->nanoseconds != 0 ? FINE_SLACK : COARSE_SLACK, gap;

	if (__builtin_sub_overflow(read_at->seconds, time->seconds, &gap))
		return time->seconds < 0;
	if (gap > 10 || gap < 0)
		return gap > 0;
	return gap * BILLION + (int64_t)read_at->nanoseconds - (int64_t)time->nanoseconds >= slack;
}

void bt_source_stamp(struct bt_entry *entry, const struct bt_found *seen, const struct bt_time *read_at)
{
	if (!bt_source_is_settled(&seen->ctime, read_at) || !bt_source_is_settled(&seen->mtime, read_at))
		return;
	entry->stat = bt_found_fingerprint(seen);
	entry->has_stat = true;
}

void bt_source_now(struct bt_time *ret_time)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*ret_time = (struct bt_time){now.tv_sec, (uint32_t)now.tv_nsec};
}
