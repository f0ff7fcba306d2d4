/* SPDX-License-Identifier: MIT */
#include "source/inside.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

/* The errnos by which a file system tells that it lacks a feature. */
static bool has_none(int sys)
{
	return sys == ENOTTY || sys == EOPNOTSUPP || sys == ENOSYS;
}

/* Room for a long, because some FUSE file systems write one. */
static uint32_t get_flags(struct bt_reader *reader, int fd, uint64_t dev)
{
	union {
		unsigned int flags;
		unsigned long room;
	} got = {.room = 0};

	if (bt_source_lacks(&reader->without_flags, dev))
		return 0;
	if (ioctl(fd, FS_IOC_GETFLAGS, &got) == 0)
		return got.flags & BT_INODE_FLAGS;
	if (has_none(errno))
		bt_source_remember_lack(&reader->without_flags, dev);
	return 0;
}

static uint32_t get_project(struct bt_reader *reader, int fd, uint64_t dev)
{
	struct fsxattr attributes = {0};

	if (bt_source_lacks(&reader->without_projects, dev))
		return 0;
	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == 0)
		return attributes.fsx_projid;
	if (has_none(errno))
		bt_source_remember_lack(&reader->without_projects, dev);
	return 0;
}

int bt_source_inode(struct bt_reader *reader, int fd, const struct bt_source_out *out)
{
	uint64_t dev = out->outcome->seen.dev;
	uint32_t flags = get_flags(reader, fd, dev), project = get_project(reader, fd, dev);

	if (flags == 0 && project == 0)
		return 0;
	struct bt_extra *extra = bt_found_extra(out->arena, out->entry);
	if (!extra)
		return BT_E_NOMEM;
	extra->flags = flags;
	extra->project = project;
	return 0;
}
