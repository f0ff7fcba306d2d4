/* SPDX-License-Identifier: MIT */
#include "base/io.h"
#include "scan/private.h"
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Cache Directory Tagging Specification, bford.info/cachedir. */
static const char tag_name[] = "CACHEDIR.TAG";
static const char tag_signature[] = "Signature: 8a477f597d28d172789f06886806bc55";

/* The directory's path is put together once for all its entries. */
int bt_scan_filter_begin(const struct bt_scan *scan, const struct bt_scan_private *node,
			 struct bt_scan_scratch *scratch)
{
	const struct bt_scan_dir *dir;
	size_t length = 0, at;
	int r;

	scratch->path.length = 0;
	if (!scan->options.rules)
		return 0;
	for (dir = &node->dir; dir->parent; dir = dir->parent)
		length += dir->self.name_length + (size_t)1;
	r = bt_buf_reserve(&scratch->path, length + UINT16_MAX + 1);
	if (r)
		return r;
	at = length;
	for (dir = &node->dir; dir->parent; dir = dir->parent) {
		scratch->path.data[--at] = '/';
		at -= dir->self.name_length;
		memcpy(scratch->path.data + at, dir->self.name, dir->self.name_length);
	}
	scratch->path.length = length;
	return 0;
}

bool bt_scan_filter_entry(const struct bt_scan *scan, struct bt_scan_scratch *scratch, const struct bt_scan_key *key,
			  bool directory)
{
	char *path = (char *)scratch->path.data, *name;

	if (!scan->options.rules)
		return false;
	name = path + scratch->path.length;
	memcpy(name, bt_scan_name(scratch, key), key->length + (size_t)1);
	return bt_rules_excluded(scan->options.rules, path, name, directory);
}

static bool is_marker(const struct bt_scan *scan, const char *name)
{
	for (size_t i = 0; i < scan->options.if_present_count; i++)
		if (strcmp(scan->options.if_present[i], name) == 0)
			return true;
	return false;
}

/* A name may stand for a device or FIFO that must not be opened, so it is looked at first. */
static bool tag_valid(int dirfd)
{
	char head[sizeof(tag_signature) - 1];
	struct stat stat;
	bool valid;
	int fd;

	if (fstatat(dirfd, tag_name, &stat, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(stat.st_mode))
		return false;
	fd = bt_openat(dirfd, tag_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return false;
	valid = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) &&
		bt_read_some(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
		memcmp(head, tag_signature, sizeof(head)) == 0;
	close(fd);
	return valid;
}

struct markers {
	bool named, tag; /* such a file is there */
};

static bool kept_beside(const struct bt_scan *scan, const struct markers *markers, const char *name)
{
	if (!markers->named && !markers->tag)
		return true;
	return (markers->named && is_marker(scan, name)) || (markers->tag && strcmp(name, tag_name) == 0);
}

static struct markers find_markers(const struct bt_scan *scan, int dirfd, const struct bt_scan_scratch *scratch)
{
	struct markers markers = {0};

	if (scan->options.if_present_count == 0 && !scan->options.caches)
		return markers;
	for (size_t i = 0; i < scratch->count; i++) {
		const char *name = bt_scan_name(scratch, &scratch->keys[i]);

		markers.named = markers.named || is_marker(scan, name);
		if (scan->options.caches && strcmp(name, tag_name) == 0)
			markers.tag = tag_valid(dirfd);
	}
	return markers;
}

int bt_scan_filter_names(const struct bt_scan *scan, struct bt_scan_private *node, int dirfd,
			 struct bt_scan_scratch *scratch)
{
	struct markers markers = find_markers(scan, dirfd, scratch);
	size_t kept = 0;
	int r = 0;

	if (!scan->options.rules && !markers.named && !markers.tag)
		return 0;
	for (size_t i = 0; i < scratch->count && !r; i++) {
		const struct bt_scan_key *key = &scratch->keys[i];

		if (!kept_beside(scan, &markers, bt_scan_name(scratch, key)) ||
		    (key->type != DT_UNKNOWN && bt_scan_filter_entry(scan, scratch, key, key->type == DT_DIR)))
			r = bt_scan_note(scan, node, scratch, BT_EVENT_EXCLUDED, bt_scan_name(scratch, key));
		else
			scratch->keys[kept++] = *key;
	}
	scratch->count = kept;
	return r;
}
