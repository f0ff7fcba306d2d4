/* SPDX-License-Identifier: MIT */
#include "source/xattrs.h"
#include "source/inside.h"

#include "base/bytes.h"
#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

/* Some file systems allow more names than the kernel otherwise lists; a page must hold them. */
#define VALUES_MAX ((size_t)4 << 20)
enum { PATH_SIZE = 40 };

/* An fd, or the path in /proc that makes an fd opened with O_PATH usable. */
struct place {
	int fd;
	char path[PATH_SIZE];
};

static ssize_t list_names(const struct place *place, char *names)
{
	ssize_t length = place->path[0] ? listxattr(place->path, names, XATTR_LIST_MAX)
					: flistxattr(place->fd, names, XATTR_LIST_MAX);

	return length < 0 ? -errno : length;
}

static ssize_t get_value(const struct place *place, const char *name, unsigned char *value)
{
	ssize_t length = place->path[0] ? getxattr(place->path, name, value, XATTR_SIZE_MAX)
					: fgetxattr(place->fd, name, value, XATTR_SIZE_MAX);

	return length < 0 ? -errno : length;
}

static int by_name(const void *a, const void *b)
{
	const struct bt_xattr *x = a, *y = b;

	return bt_name_compare(x->name, x->name_length, y->name, y->name_length);
}

static size_t count_names(const char *names, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i += strlen(names + i) + 1)
		count++;
	return count;
}

/* XFS lists an ACL once more under the name that it has on the disk. */
bool bt_xattr_is_derived(const char *name)
{
	return strcmp(name, "trusted.SGI_ACL_FILE") == 0 || strcmp(name, "trusted.SGI_ACL_DEFAULT") == 0;
}

bool bt_xattr_equal(const char *path, const struct bt_xattr *xattr)
{
	char name[XATTR_NAME_MAX + 1], *value = malloc((size_t)xattr->value_length + 1);

	if (!value)
		return false;
	memcpy(name, xattr->name, xattr->name_length);
	name[xattr->name_length] = 0;
	ssize_t length = lgetxattr(path, name, value, (size_t)xattr->value_length + 1);
	bool equal = length == (ssize_t)xattr->value_length && memcmp(value, xattr->value, xattr->value_length) == 0;
	free(value);
	return equal;
}

/* Reads one attribute into *xattr. 1: done; 0: it was removed meanwhile, or is derived; otherwise a negative errno. */
static ssize_t read_one(struct bt_reader *reader, const struct place *place, const char *name, struct bt_arena *arena,
			struct bt_xattr *xattr)
{
	ssize_t length = bt_xattr_is_derived(name) ? -ENODATA : get_value(place, name, reader->value);

	if (length == -ENODATA || name[0] == 0)
		return 0;
	if (length < 0)
		return length;
	xattr->name_length = (uint32_t)strlen(name);
	xattr->value_length = (uint32_t)length;
	xattr->name = bt_arena_copy(arena, name, xattr->name_length);
	xattr->value = bt_arena_copy(arena, reader->value, (size_t)length);
	return xattr->name && xattr->value ? 1 : -ENOMEM;
}

/* Reads all attributes named in reader->names. A negative errno if one of them could not be read (the others are
 * kept). */
static int read_all(struct bt_reader *reader, const struct place *place, size_t length, struct bt_arena *arena,
		    struct bt_entry *entry)
{
	size_t limit = count_names(reader->names, length), count = 0, bytes = 0;
	struct bt_xattr *list = bt_arena_alloc(arena, limit * sizeof(*list));
	int sys = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < length && bytes <= VALUES_MAX; i += strlen(reader->names + i) + 1) {
		ssize_t got = read_one(reader, place, reader->names + i, arena, &list[count]);

		if (got == -ENOMEM)
			return -ENOMEM;
		if (got < 0)
			sys = (int)got;
		if (got > 0)
			bytes += list[count++].value_length;
	}
	if (bytes > VALUES_MAX)
		return -E2BIG;
	if (count == 0)
		return sys;
	struct bt_extra *extra = bt_found_extra(arena, entry);
	if (!extra)
		return -ENOMEM;
	qsort(list, count, sizeof(*list), by_name);
	extra->xattrs = list;
	extra->xattr_count = (uint32_t)count;
	return sys;
}

int bt_source_xattrs(struct bt_reader *reader, int fd, bool path_only, const struct bt_source_out *out)
{
	struct place place = {.fd = fd};
	uint64_t dev = out->outcome->seen.dev;

	out->outcome->xattr_sys = 0;
	if (bt_source_lacks(&reader->without_xattrs, dev))
		return 0;
	if (path_only)
		snprintf(place.path, sizeof(place.path), "/proc/self/fd/%d", fd);
	ssize_t length = list_names(&place, reader->names);
	if (length > 0)
		length = read_all(reader, &place, (size_t)length, out->arena, out->entry);
	if (length == -ENOMEM)
		return BT_E_NOMEM;
	if (length == -EOPNOTSUPP && !path_only)
		bt_source_remember_lack(&reader->without_xattrs, dev);
	/* The entry is open, so it exists: if the path does not, there is no /proc. */
	else if (length < 0 && length != -EOPNOTSUPP && !(path_only && length == -ENOENT))
		out->outcome->xattr_sys = (int)-length;
	return 0;
}
