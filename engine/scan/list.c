/* SPDX-License-Identifier: MIT */
#include "base/voice.h"
#include "scan/private.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { GONE = -1 }; /* an error of entries that are taken out */

/* A thread's buffers are given back after a directory of more than this. */
#define SCRATCH_KEPT ((size_t)1 << 20)

static bool is_directory(const struct bt_found *found)
{
	return S_ISDIR(found->mode) && found->error == 0;
}

static bool is_store(const struct bt_scan *scan, const struct bt_found *found)
{
	const struct bt_scan_options *options = &scan->options;

	return is_directory(found) && found->inode == options->skip_ino && found->dev == options->skip_dev &&
	       (options->skip_ino != 0 || options->skip_dev != 0);
}

/* By the rules that ask what an entry is. */
static enum bt_scan_choice choose(struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch,
				  struct bt_scan_key *key, struct bt_found *found)
{
	enum bt_scan_choice choice = BT_SCAN_TAKE;

	if (key->type == DT_UNKNOWN)
		choice = bt_scan_filter_entry(scan, node, scratch, key, is_directory(found));
	found->way = key->way;
	found->unmatched = key->unmatched;
	if (choice == BT_SCAN_TAKE && !bt_scan_filter_found(scan, node, scratch, key, found))
		choice = BT_SCAN_LEAVE;
	return choice;
}

/* Looks at all entries whose names are left, in their order, and counts the directories to be entered. */
static int look_at_all(struct bt_scan *scan, struct bt_scan_private *node, int dirfd, struct bt_scan_scratch *scratch,
		       char *names)
{
	for (size_t i = 0; i < scratch->count; i++) {
		struct bt_scan_key *key = &scratch->keys[i];
		struct bt_found *found = &node->dir.found[node->dir.count];

		if (atomic_load_explicit(&scan->stopping, memory_order_relaxed))
			return BT_E_CANCELLED;
		*found = (struct bt_found){.name = names, .name_length = key->length};
		memcpy(names, bt_scan_name(scratch, key), key->length + (size_t)1);
		bt_scan_look(scan, &node->dir, dirfd, key->type, found);
		if (is_store(scan, found))
			continue;
		enum bt_scan_choice choice = choose(scan, node, scratch, key, found);
		int r = choice == BT_SCAN_LEAVE ? bt_scan_note(scan, node, scratch, BT_EVENT_EXCLUDED, found->name,
							       S_ISREG(found->mode) ? found->size : BT_SIZE_UNKNOWN)
						: 0;

		if (r)
			return r;
		if (choice != BT_SCAN_TAKE)
			continue;
		node->child_count += is_directory(found) && !found->boundary;
		node->dir.count++;
		names += key->length + (size_t)1;
	}
	return 0;
}

/* Allocates room for all entries and, after them, for their names. */
static int alloc_block(struct bt_scan_private *node, const struct bt_scan_scratch *scratch, char **ret_names)
{
	size_t array, size, names = 0;

	if (scratch->count == 0)
		return 0;
	for (size_t i = 0; i < scratch->count; i++)
		names += scratch->keys[i].length + (size_t)1;
	if (__builtin_mul_overflow(scratch->count, sizeof(struct bt_found), &array) ||
	    __builtin_add_overflow(array, names, &size))
		return BT_E_NOMEM;
	node->block = malloc(size);
	if (!node->block)
		return BT_E_NOMEM;
	node->dir.found = node->block;
	node->weight += size;
	*ret_names = (char *)node->block + array;
	return 0;
}

static void init_child(const struct bt_scan *scan, struct bt_scan_private *child, struct bt_scan_private *parent,
		       struct bt_found *found)
{
	const struct bt_changes *changes = scan->options.changes;

	found->child = &child->dir;
	child->dir.parent = &parent->dir;
	child->dir.self = *found;
	child->dir.private = child;
	child->above = child->within.ignore = parent->within.ignore;
	child->within.inside = !found->unmatched;
	bt_way_init(&child->way, &parent->way);
	if (changes)
		child->dir.change = bt_changes_below(changes, parent->dir.change, found->name, found->name_length);
	child->dir.deferred = changes && !child->dir.change;
	child->state = child->dir.deferred ? BT_SCAN_DEFERRED : BT_SCAN_PENDING;
}

/* The children, already in line among themselves. */
static int make_children(const struct bt_scan *scan, struct bt_scan_private *node)
{
	struct bt_scan_private *child;

	if (node->child_count == 0)
		return 0;
	node->children = calloc(node->child_count, sizeof(*node->children));
	if (!node->children)
		return BT_E_NOMEM;
	node->weight += node->child_count * sizeof(*node->children);
	child = node->children;
	for (size_t i = 0; i < node->dir.count; i++) {
		struct bt_found *found = &node->dir.found[i];

		if (!is_directory(found) || found->boundary)
			continue;
		init_child(scan, child, node, found);
		if (!child->dir.deferred) {
			child->prev = node->last;
			*(node->last ? &node->last->next : &node->first) = child;
			node->last = child;
		}
		child++;
	}
	return 0;
}

int bt_scan_note(const struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch,
		 enum bt_event event, const char *name, uint64_t bytes)
{
	const char code = (char)event;

	++*(event == BT_EVENT_VANISHED ? &node->dir.vanished : &node->dir.excluded);
	if (!bt_wants_entries(scan->options.observer))
		return 0;
	if (bt_buf_append(&scratch->told, &bytes, sizeof(bytes)) || bt_buf_append(&scratch->told, &code, 1))
		return BT_E_NOMEM;
	return bt_buf_append(&scratch->told, name, strlen(name) + 1);
}

static int keep_noted(struct bt_scan_private *node, struct bt_scan_scratch *scratch)
{
	if (scratch->told.length == 0)
		return 0;
	node->told = malloc(scratch->told.length);
	if (!node->told)
		return BT_E_NOMEM;
	memcpy(node->told, scratch->told.data, scratch->told.length);
	node->told_size = scratch->told.length;
	node->weight += scratch->told.length;
	return 0;
}

/* Removes entries that are gone; the others stay with their errors. */
static int drop_gone(struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch)
{
	uint64_t since = bt_scan_now();
	struct bt_found *found = node->dir.found;
	size_t count = node->dir.count, lost = 0;
	int r = 0;

	for (size_t i = 0; i < count; i++)
		if (bt_scan_not_found(found[i].error) && !bt_scan_listed(scan, &node->dir, &found[i], since)) {
			found[i].error = GONE;
			lost++;
		}
	bt_scan_forget_again(node); /* its order changes */
	if (lost == 0)
		return 0;
	node->dir.count = 0;
	for (size_t i = 0; i < count && !r; i++)
		if (found[i].error == GONE)
			r = bt_scan_note(scan, node, scratch, BT_EVENT_VANISHED, found[i].name, BT_SIZE_UNKNOWN);
		else
			found[node->dir.count++] = found[i];
	return r;
}

static int read_open(struct bt_scan *scan, struct bt_scan_private *node, int dirfd, struct bt_scan_scratch *scratch)
{
	char *names = NULL;
	int r;

	scratch->told.length = 0;
	r = bt_scan_gather(scan, dirfd, scratch);
	if (r < 0)
		return r;
	node->dir.error = r;
	bt_scan_sort(scratch);
	r = bt_scan_filter_begin(scan, node, dirfd, scratch);
	if (!r)
		r = bt_scan_filter_names(scan, node, dirfd, scratch);
	if (!r)
		r = alloc_block(node, scratch, &names);
	if (!r)
		r = look_at_all(scan, node, dirfd, scratch, names);
	if (!r)
		r = drop_gone(scan, node, scratch);
	if (!r)
		r = make_children(scan, node);
	if (!r)
		r = keep_noted(node, scratch);
	return r;
}

/* Whether another directory has its name now, as after two were exchanged by renaming. That one is listed then. */
static bool replaced(struct bt_scan *scan, struct bt_scan_private *node)
{
	struct bt_found *self = &node->dir.self, now = *self;
	int parent = bt_scan_fd_get(scan, node->dir.parent);
	struct statx status;

	if (parent < 0)
		return false;
	int failed = statx(parent, self->name, scan->statx_flags, scan->statx_mask, &status);
	bt_scan_fd_put(scan, node->dir.parent);
	if (failed)
		return false;
	bt_scan_fill(scan, &now, &status);
	if (!S_ISDIR(now.mode) || now.dev != self->dev || now.inode == self->inode || is_store(scan, &now))
		return false;
	*self = now;
	return true;
}

void bt_scan_read(struct bt_scan *scan, struct bt_scan_private *node, struct bt_scan_scratch *scratch)
{
	int fd = bt_scan_fd_get(scan, &node->dir);

	if (fd == -ESTALE && node->dir.parent && replaced(scan, node))
		fd = bt_scan_fd_get(scan, &node->dir);
	if (fd < 0) {
		node->dir.error = -fd;
	} else {
		node->result = read_open(scan, node, fd, scratch);
		bt_scan_fd_put(scan, &node->dir);
	}
	if (node->dir.error)
		bt_scan_filter_unread(scan, node, scratch);
	if (bt_scan_not_found(node->dir.error) && node->dir.parent)
		node->dir.gone = !bt_scan_listed(scan, node->dir.parent, &node->dir.self, bt_scan_now());
	if (!node->children)
		node->child_count = 0;
	if (scratch->names.capacity > SCRATCH_KEPT || scratch->capacity * sizeof(*scratch->keys) > SCRATCH_KEPT)
		bt_scan_scratch_free(scratch);
}
