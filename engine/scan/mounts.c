/* SPDX-License-Identifier: MIT */
#include "scan/private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* What an entry can say of a file system's type; see FORMAT.md §4. */
#define TYPE_MAX    64
#define OUR_TYPE    "fuse.backupfs"
#define TYPE_HIDDEN "unknown" /* of a mount that mountinfo does not show */

struct mount {
	uint64_t id, dev;
	const char *type; /* one of the types */
};

/* The one copy of a type, which stays as long as the scan; NULL on out of memory. */
static const char *keep_type(struct bt_scan_mounts *mounts, const char *text)
{
	char type[TYPE_MAX + 1];
	size_t length = 0;

	for (; text[length] > ' ' && length < TYPE_MAX; length++)
		type[length] = text[length] > 0x7e ? '?' : text[length];
	type[length] = '\0';
	for (const struct bt_scan_type *known = mounts->types; known; known = known->next)
		if (strcmp(known->text, type) == 0)
			return known->text;
	struct bt_scan_type *added = malloc(sizeof(*added) + length + 1);
	if (!added)
		return NULL;
	memcpy(added->text, type, length + 1);
	added->next = mounts->types;
	mounts->types = added;
	return added->text;
}

/* "36 25 0:41 / /mnt ro - fuse.backupfs …": id, parent, device; the type is after the dash, as blanks within a field
 * are escaped. */
static int add_line(struct bt_scan_mounts *mounts, const char *line)
{
	const char *type = strstr(line, " - ");
	char *at;
	uint64_t id = strtoull(line, &at, 10);
	unsigned long major;

	strtoull(at, &at, 10);
	major = strtoul(at, &at, 10);
	if (!type || type[3] <= ' ' || *at != ':')
		return 0;
	struct mount mount = {
		.id = id, .dev = makedev(major, strtoul(at + 1, NULL, 10)), .type = keep_type(mounts, type + 3)};
	if (!mount.type)
		return BT_E_NOMEM;
	mounts->own = mounts->own || strcmp(mount.type, OUR_TYPE) == 0;
	return bt_buf_append(&mounts->list, &mount, sizeof(mount));
}

/* If the kernel does not tell, nothing new is mounted. */
static int read_mounts(struct bt_scan_mounts *mounts)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (file)
		mounts->list.length = 0;
	while (file && !r && getline(&line, &size, file) >= 0)
		r = add_line(mounts, line);
	free(line);
	if (file)
		fclose(file);
	return r;
}

int bt_scan_mounts_init(struct bt_scan_mounts *mounts)
{
	*mounts = (struct bt_scan_mounts){0};
	pthread_mutex_init(&mounts->lock, NULL);
	return read_mounts(mounts);
}

void bt_scan_mounts_destroy(struct bt_scan_mounts *mounts)
{
	struct bt_scan_type *next;

	for (struct bt_scan_type *type = mounts->types; type; type = next) {
		next = type->next;
		free(type);
	}
	bt_buf_free(&mounts->list);
	pthread_mutex_destroy(&mounts->lock);
}

/* A mount is known by its id; kernels that do not tell it, and emulators that tell a wrong one, leave the device. */
static const char *find_type(const struct bt_scan_mounts *mounts, const struct statx *status)
{
	const uint64_t dev = makedev(status->stx_dev_major, status->stx_dev_minor);
	const char *by_device = NULL;

	for (size_t at = 0; at < mounts->list.length; at += sizeof(struct mount)) {
		struct mount mount;

		memcpy(&mount, mounts->list.data + at, sizeof(mount));
		if (status->stx_mask & STATX_MNT_ID && mount.id == status->stx_mnt_id)
			return mount.type;
		if (mount.dev == dev)
			by_device = mount.type;
	}
	return by_device;
}

const char *bt_scan_mounted(struct bt_scan_mounts *mounts, const struct statx *status)
{
	pthread_mutex_lock(&mounts->lock);
	const char *type = find_type(mounts, status);
	if (!type && read_mounts(mounts) == 0) /* it may be new */
		type = find_type(mounts, status);
	pthread_mutex_unlock(&mounts->lock);
	return type ? type : TYPE_HIDDEN;
}

bool bt_scan_is_ours(const char *type)
{
	return strcmp(type, OUR_TYPE) == 0;
}
