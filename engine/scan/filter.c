/* SPDX-License-Identifier: MIT */
#include "base/voice.h"
#include "scan/exclusion.h"
#include "scan/private.h"
#include <dirent.h>
#include <string.h>

/* The directory's path is put together once for all its entries. */
int bt_scan_filter_begin(const struct bt_scan *scan, const struct bt_scan_private *node,
			 struct bt_scan_scratch *scratch)
{
	const struct bt_scan_dir *dir;
	size_t prefix = scan->options.prefix ? strlen(scan->options.prefix) : 0, length = prefix, at;
	int r;

	scratch->path.length = 0;
	if (!scan->options.rules)
		return 0;
	for (dir = &node->dir; dir->parent; dir = dir->parent)
		length += dir->self.name_length + (size_t)1;
	r = bt_buf_reserve(&scratch->path, length + UINT16_MAX + 1);
	if (r)
		return r;
	if (prefix)
		memcpy(scratch->path.data, scan->options.prefix, prefix);
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

static struct bt_markers find_markers(const struct bt_exclusion *exclusion, int dirfd,
				      const struct bt_scan_scratch *scratch)
{
	struct bt_markers markers = {0};

	if (exclusion->if_present_count == 0 && !exclusion->caches)
		return markers;
	for (size_t i = 0; i < scratch->count; i++)
		bt_markers_see(exclusion, dirfd, bt_scan_name(scratch, &scratch->keys[i]), &markers);
	return markers;
}

static int leave_out(const struct bt_scan *scan, struct bt_scan_private *node, int dirfd,
		     struct bt_scan_scratch *scratch, const struct bt_scan_key *key)
{
	const char *name = bt_scan_name(scratch, key);
	bool sized = key->type == DT_REG && bt_wants_entries(scan->options.observer);

	return bt_scan_note(scan, node, scratch, BT_EVENT_EXCLUDED, name,
			    sized ? bt_scan_size(dirfd, name) : BT_SIZE_UNKNOWN);
}

int bt_scan_filter_names(const struct bt_scan *scan, struct bt_scan_private *node, int dirfd,
			 struct bt_scan_scratch *scratch)
{
	const struct bt_exclusion exclusion = {.if_present = scan->options.if_present,
					       .if_present_count = scan->options.if_present_count,
					       .caches = scan->options.caches};
	struct bt_markers markers = find_markers(&exclusion, dirfd, scratch);
	size_t kept = 0;
	int r = 0;

	if (!scan->options.rules && !markers.named && !markers.tag)
		return 0;
	for (size_t i = 0; i < scratch->count && !r; i++) {
		const struct bt_scan_key *key = &scratch->keys[i];

		if (bt_markers_exclude(&exclusion, &markers, bt_scan_name(scratch, key)) ||
		    (key->type != DT_UNKNOWN && bt_scan_filter_entry(scan, scratch, key, key->type == DT_DIR)))
			r = leave_out(scan, node, dirfd, scratch, key);
		else
			scratch->keys[kept++] = *key;
	}
	scratch->count = kept;
	return r;
}
