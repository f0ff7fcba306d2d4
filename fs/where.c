/* SPDX-License-Identifier: MIT */
#include "where.h"
#include "root.h"
#include <string.h>

/* Puts a part before the text that begins at *at. False: no room. */
static bool put_before(char *text, size_t *at, const char *name, size_t length)
{
	bool more = text[*at] != '\0';

	if (length + more > *at)
		return false;
	if (more)
		text[--*at] = '/';
	*at -= length;
	memcpy(text + *at, name, length);
	return true;
}

static bool shows(struct fs *fs, const struct node_dir *record, const struct node_page *leaf, const char *name)
{
	struct found found = {0};
	struct dir dir;

	if (dir_open(fs, record->node, &dir) != 0)
		return false;
	bool same = dir_find(fs, &dir, name, &found) == 0 && memcmp(found.place.id, &leaf->id, sizeof(leaf->id)) == 0;
	dir_close(fs, &dir);
	return same;
}

/* Finds a directory that shows the name on this leaf. */
static bool find_dir(struct fs *fs, uint32_t leaf, const char *name, struct node_dir *ret_dir)
{
	struct node_page wanted, page;

	if (!nodes_page_at(fs->nodes, leaf, &wanted))
		return false;
	for (uint32_t number = nodes_dir_count(fs->nodes); number-- > 0;)
		if (nodes_dir_at(fs->nodes, number, ret_dir) && nodes_page_at(fs->nodes, ret_dir->page, &page) &&
		    page.path == wanted.path && (wanted.snapshot == 0 || wanted.snapshot == ret_dir->snapshot + 1) &&
		    shows(fs, ret_dir, &wanted, name))
			return true;
	return false;
}

/* One step up: the name of a directory, and the node of its parent. */
static bool put_parent(struct fs *fs, fuse_ino_t *packed, char *text, size_t *at)
{
	struct held held;
	struct node_dir above;

	if (!nodes_dir_at(fs->nodes, node_unpack(*packed).number, &above) || held_get(fs, *packed, &held) != 0)
		return false;
	bool fits = put_before(text, at, held.entry->name, held.entry->name_length);
	held_end(fs, &held);
	*packed = above.node;
	return fits;
}

const char *where_is(struct fs *fs, fuse_ino_t packed, const struct bt_entry *entry, char text[WHERE_SIZE])
{
	size_t at = WHERE_SIZE - 1;
	uint32_t serial;
	struct node node = node_unpack(packed);
	struct node_dir dir = {0};

	text[at] = '\0';
	if (!put_before(text, &at, entry->name, entry->name_length))
		return entry->name;
	bool known = node.kind == NODE_SHARED ? find_dir(fs, node.number, entry->name, &dir)
					      : nodes_dir_at(fs->nodes, node.number, &dir);
	packed = dir.node;
	while (known && node_unpack(packed).kind == NODE_OWN)
		known = put_parent(fs, &packed, text, &at);
	if (known && node_snapshot(fs, packed, &serial))
		put_before(text, &at, root_file_name(fs, serial), root_name_length(fs, serial));
	return text + at;
}
