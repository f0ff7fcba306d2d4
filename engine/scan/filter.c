/* SPDX-License-Identifier: MIT */
#include "base/voice.h"
#include "scan/exclusion.h"
#include "scan/private.h"
#include <dirent.h>
#include <string.h>

/* The directory's path is put together once for all its entries. */
static int put_path(const struct bt_scan *scan, const struct bt_scan_private *node, struct bt_buf *path)
{
	const struct bt_scan_dir *dir;
	size_t prefix = scan->options.prefix ? strlen(scan->options.prefix) : 0, length = prefix, at;
	int r;

	for (dir = &node->dir; dir->parent; dir = dir->parent)
		length += dir->self.name_length + (size_t)1;
	r = bt_buf_reserve(path, length + UINT16_MAX + 1);
	if (r)
		return r;
	if (prefix)
		memcpy(path->data, scan->options.prefix, prefix);
	at = length;
	for (dir = &node->dir; dir->parent; dir = dir->parent) {
		path->data[--at] = '/';
		at -= dir->self.name_length;
		memcpy(path->data + at, dir->self.name, dir->self.name_length);
	}
	path->length = length;
	return 0;
}

static bool asks_paths(const struct bt_scan *scan)
{
	return scan->options.listed || bt_exclusion_asks_paths(scan->options.exclusion);
}

/* The entry's path in the scratch; its name begins at *ret_name. */
static const char *path_of(struct bt_scan_scratch *scratch, const struct bt_scan_key *key, const char **ret_name)
{
	char *path = (char *)scratch->path.data, *name = path + scratch->path.length;

	memcpy(name, bt_scan_name(scratch, key), key->length + (size_t)1);
	*ret_name = name;
	return path;
}

/* What is listed below the directory whose path is in the scratch. */
static void find_listed(const struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch)
{
	char *slash = (char *)scratch->path.data + scratch->path.length - 1;

	if (!node->dir.parent) {
		node->listed = bt_listed_root(scan->options.listed);
		return;
	}
	*slash = 0;
	node->listed = bt_listed_find(scan->options.listed, &node->dir.parent->private->listed,
				      (const char *)scratch->path.data);
	*slash = '/';
}

int bt_scan_filter_begin(const struct bt_scan *scan, struct bt_scan_private *node, int dirfd,
			 struct bt_scan_scratch *scratch)
{
	const struct bt_exclusion *exclusion = scan->options.exclusion;

	scratch->path.length = 0;
	if (!asks_paths(scan))
		return 0;
	int r = put_path(scan, node, &scratch->path);
	if (r)
		return r;
	if (scan->options.listed)
		find_listed(scan, node, scratch);
	if (!exclusion->ignore_files.count)
		return 0;
	r = bt_ignore_read(&exclusion->ignore_files, dirfd, scratch->path.length, node->above, &node->within.ignore,
			   &node->dir.rules_name);
	node->dir.rules_error = r > 0 ? r : 0;
	return r < 0 ? r : 0;
}

void bt_scan_filter_unread(const struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch)
{
	if (!scan->options.listed || put_path(scan, node, &scratch->path))
		return;
	find_listed(scan, node, scratch);
	bt_listed_pass(scan->options.listed, &node->listed);
}

/* What is listed in or below an entry that is left out is not missed. */
static void pass(const struct bt_scan *scan, const struct bt_scan_private *node, struct bt_scan_scratch *scratch,
		 const struct bt_scan_key *key)
{
	const char *name, *path;

	if (!scan->options.listed)
		return;
	path = path_of(scratch, key, &name);
	struct bt_listed_range range = bt_listed_find(scan->options.listed, &node->listed, path);
	bt_listed_pass(scan->options.listed, &range);
}

enum bt_scan_choice bt_scan_filter_entry(const struct bt_scan *scan, const struct bt_scan_private *node,
					 struct bt_scan_scratch *scratch, struct bt_scan_key *key, bool directory)
{
	struct bt_listed_range range = {.whole = true};
	const char *name, *path;

	if (!asks_paths(scan))
		return BT_SCAN_TAKE;
	path = path_of(scratch, key, &name);
	if (scan->options.listed)
		range = bt_listed_find(scan->options.listed, &node->listed, path);
	if (!range.whole && (!directory || range.first == range.end))
		return BT_SCAN_UNASKED;
	enum bt_reach reach = bt_exclusion_reach(scan->options.exclusion, &node->within, path, name, directory);
	key->unmatched = reach == BT_REACH_WAY;
	key->way = key->unmatched || !range.whole;
	return reach == BT_REACH_OUT ? BT_SCAN_LEAVE : BT_SCAN_TAKE;
}

bool bt_scan_filter_found(const struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch,
			  const struct bt_scan_key *key, const struct bt_found *found)
{
	const struct bt_exclusion *exclusion = scan->options.exclusion;
	bool large = !found->error && bt_exclusion_is_too_large(exclusion, found->mode, found->size);

	node->dir.large += large;
	node->dir.large_bytes += large ? found->size : 0;
	if (!large && !(exclusion->nodump && found->nodump))
		return true;
	pass(scan, node, scratch, key);
	return false;
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

	pass(scan, node, scratch, key);
	return bt_scan_note(scan, node, scratch, BT_EVENT_EXCLUDED, name,
			    sized ? bt_scan_size(dirfd, name) : BT_SIZE_UNKNOWN);
}

int bt_scan_filter_names(const struct bt_scan *scan, struct bt_scan_private *node, int dirfd,
			 struct bt_scan_scratch *scratch)
{
	const struct bt_exclusion *exclusion = scan->options.exclusion;
	struct bt_markers markers = find_markers(exclusion, dirfd, scratch);
	size_t kept = 0;
	int r = 0;

	if (!asks_paths(scan) && !markers.named && !markers.tag)
		return 0;
	for (size_t i = 0; i < scratch->count && !r; i++) {
		struct bt_scan_key *key = &scratch->keys[i];
		enum bt_scan_choice choice = BT_SCAN_TAKE;

		if (bt_markers_exclude(exclusion, &markers, bt_scan_name(scratch, key)))
			choice = BT_SCAN_LEAVE;
		else if (key->type != DT_UNKNOWN)
			choice = bt_scan_filter_entry(scan, node, scratch, key, key->type == DT_DIR);
		if (choice == BT_SCAN_LEAVE)
			r = leave_out(scan, node, dirfd, scratch, key);
		else if (choice == BT_SCAN_TAKE)
			scratch->keys[kept++] = *key;
	}
	scratch->count = kept;
	return r;
}
