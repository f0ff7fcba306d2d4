/* SPDX-License-Identifier: MIT */
#include "restore/links.h"
#include <stdlib.h>
#include <string.h>

bool bt_restore_has_links(const struct bt_entry *entry)
{
	return entry->extra && entry->extra->links > 1;
}

void bt_restore_links_init(struct bt_restore_links *links, struct bt_ways *places)
{
	*links = (struct bt_restore_links){.places = places};
	pthread_mutex_init(&links->lock, NULL);
}

static void free_table(struct bt_restore_links *links, struct bt_table *table)
{
	size_t at = 0;

	for (struct bt_restore_linked *linked = bt_table_next(table, &at); linked; linked = bt_table_next(table, &at)) {
		bt_place_unref(links->places, linked->place);
		free(linked->name);
		free(linked);
	}
	bt_table_free(table);
}

void bt_restore_links_free(struct bt_restore_links *links)
{
	free_table(links, &links->files);
	free_table(links, &links->assigned);
	pthread_mutex_destroy(&links->lock);
}

static struct bt_restore_linked *find_file(const struct bt_restore_links *links, const struct bt_entry *entry)
{
	return bt_table_find(&links->files, (struct bt_table_key){entry->extra->dev, entry->extra->inode});
}

/* NULL: out of memory. */
static struct bt_restore_linked *add(struct bt_table *table, uint64_t dev, uint64_t inode)
{
	struct bt_restore_linked *linked = calloc(1, sizeof(*linked));

	if (!linked)
		return NULL;
	linked->key = (struct bt_table_key){dev, inode};
	if (bt_table_add(table, linked) == 0)
		return linked;
	free(linked);
	return NULL;
}

int bt_restore_links_see(struct bt_restore_links *links, const struct bt_entry *entry, bool *ret_before)
{
	pthread_mutex_lock(&links->lock);
	bool before = find_file(links, entry);
	bool known = before || add(&links->files, entry->extra->dev, entry->extra->inode);
	pthread_mutex_unlock(&links->lock);
	if (!known)
		return BT_E_NOMEM;
	*ret_before = before;
	return 0;
}

bool bt_restore_links_assign(struct bt_restore_links *links, const struct bt_entry *entry, const struct stat *status)
{
	pthread_mutex_lock(&links->lock);
	const struct bt_restore_linked *file = find_file(links, entry);
	struct bt_restore_linked *there =
		bt_table_find(&links->assigned, (struct bt_table_key){status->st_dev, status->st_ino});

	if (!there) {
		there = add(&links->assigned, status->st_dev, status->st_ino);
		if (there)
			there->assigned_to = file;
	}
	bool same = there && there->assigned_to == file;
	pthread_mutex_unlock(&links->lock);
	return same;
}

void bt_restore_links_set(struct bt_restore_links *links, const struct bt_entry *entry, struct bt_place *place,
			  const struct stat *status)
{
	char *name = strdup(entry->name);

	pthread_mutex_lock(&links->lock);
	struct bt_restore_linked *linked = find_file(links, entry);
	if (linked && name) {
		struct bt_place *before = linked->place;

		free(linked->name);
		linked->name = name;
		linked->place = bt_place_ref(place);
		linked->restored_dev = status->st_dev;
		linked->restored_ino = status->st_ino;
		bt_place_unref(links->places, before);
		name = NULL;
	}
	pthread_mutex_unlock(&links->lock);
	free(name);
}

struct bt_restore_linked bt_restore_links_find(struct bt_restore_links *links, const struct bt_entry *entry)
{
	pthread_mutex_lock(&links->lock);
	const struct bt_restore_linked *linked = find_file(links, entry);
	struct bt_restore_linked found = linked ? *linked : (struct bt_restore_linked){.name = NULL};
	pthread_mutex_unlock(&links->lock);
	return found;
}
