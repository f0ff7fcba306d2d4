/* SPDX-License-Identifier: MIT */
#include "restore/links.h"
#include <stdlib.h>
#include <string.h>

bool bt_has_links(const struct bt_entry *entry)
{
	return entry->extra && entry->extra->links > 1;
}

void bt_links_init(struct bt_links *links, struct bt_ways *places)
{
	*links = (struct bt_links){.places = places, .seed = bt_seed()};
	pthread_mutex_init(&links->lock, NULL);
}

static void free_table(const struct bt_links *links, struct bt_linked_table *table)
{
	for (size_t i = 0; i < table->capacity; i++) {
		for (struct bt_linked *linked = table->buckets[i], *next; linked; linked = next) {
			next = linked->next;
			bt_place_unref(links->places, linked->place);
			free(linked->name);
			free(linked);
		}
	}
	free(table->buckets);
}

void bt_links_free(struct bt_links *links)
{
	free_table(links, &links->files);
	free_table(links, &links->taken);
	pthread_mutex_destroy(&links->lock);
}

/* The numbers are the snapshot's: seeded, so that nobody can make them fall into one bucket. */
static struct bt_linked **bucket(const struct bt_linked_table *table, const struct bt_seed *seed, uint64_t dev,
				 uint64_t inode)
{
	const uint64_t key[2] = {dev, inode};
	return &table->buckets[bt_seeded_hash(seed, key, sizeof(key)) & (table->capacity - 1)];
}

static struct bt_linked *find(const struct bt_links *links, const struct bt_linked_table *table, uint64_t dev,
			      uint64_t inode)
{
	struct bt_linked *linked = table->capacity ? *bucket(table, &links->seed, dev, inode) : NULL;
	while (linked && (linked->dev != dev || linked->inode != inode))
		linked = linked->next;
	return linked;
}

static struct bt_linked *find_file(const struct bt_links *links, const struct bt_entry *entry)
{
	return find(links, &links->files, entry->extra->dev, entry->extra->inode);
}

static int grow(const struct bt_links *links, struct bt_linked_table *table)
{
	struct bt_linked_table larger = *table;
	larger.capacity = table->capacity ? 2 * table->capacity : 64;
	larger.buckets = calloc(larger.capacity, sizeof(*larger.buckets));
	if (!larger.buckets)
		return BT_E_NOMEM;
	for (size_t i = 0; i < table->capacity; i++) {
		for (struct bt_linked *linked = table->buckets[i], *next; linked; linked = next) {
			struct bt_linked **to = bucket(&larger, &links->seed, linked->dev, linked->inode);
			next = linked->next;
			linked->next = *to;
			*to = linked;
		}
	}
	free(table->buckets);
	*table = larger;
	return 0;
}

/* NULL: out of memory. */
static struct bt_linked *add(const struct bt_links *links, struct bt_linked_table *table, uint64_t dev, uint64_t inode)
{
	if (table->count >= table->capacity && grow(links, table))
		return NULL;
	struct bt_linked *linked = calloc(1, sizeof(*linked));
	if (!linked)
		return NULL;
	linked->dev = dev;
	linked->inode = inode;
	struct bt_linked **to = bucket(table, &links->seed, dev, inode);
	linked->next = *to;
	*to = linked;
	table->count++;
	return linked;
}

int bt_links_see(struct bt_links *links, const struct bt_entry *entry, bool *ret_before)
{
	pthread_mutex_lock(&links->lock);
	bool before = find_file(links, entry) != NULL;
	bool known = before || add(links, &links->files, entry->extra->dev, entry->extra->inode);
	pthread_mutex_unlock(&links->lock);
	if (!known)
		return BT_E_NOMEM;
	*ret_before = before;
	return 0;
}

bool bt_links_take(struct bt_links *links, const struct bt_entry *entry, const struct stat *status)
{
	pthread_mutex_lock(&links->lock);
	const struct bt_linked *file = find_file(links, entry);
	struct bt_linked *there = find(links, &links->taken, status->st_dev, status->st_ino);
	if (!there && (there = add(links, &links->taken, status->st_dev, status->st_ino)) != NULL)
		there->taker = file;
	bool taken = there && there->taker == file;
	pthread_mutex_unlock(&links->lock);
	return taken;
}

void bt_links_set(struct bt_links *links, const struct bt_entry *entry, struct bt_place *place,
		  const struct stat *status)
{
	char *name = strdup(entry->name);
	pthread_mutex_lock(&links->lock);
	struct bt_linked *linked = find_file(links, entry);
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

struct bt_linked bt_links_find(struct bt_links *links, const struct bt_entry *entry)
{
	pthread_mutex_lock(&links->lock);
	const struct bt_linked *linked = find_file(links, entry);
	struct bt_linked found = linked ? *linked : (struct bt_linked){.name = NULL};
	pthread_mutex_unlock(&links->lock);
	return found;
}
