/* SPDX-License-Identifier: MIT */
#include "restore/links.h"
#include "base/bytes.h"
#include <stdlib.h>
#include <string.h>

bool bt_has_links(const struct bt_entry *entry)
{
	return entry->extra && entry->extra->links > 1;
}

void bt_links_init(struct bt_links *links, struct bt_places *places, uint64_t seed)
{
	*links = (struct bt_links){.places = places, .seed = seed};
	pthread_mutex_init(&links->lock, NULL);
}

void bt_links_free(struct bt_links *links)
{
	for (size_t i = 0; i < links->capacity; i++) {
		for (struct bt_linked *linked = links->buckets[i], *next; linked; linked = next) {
			next = linked->next;
			bt_place_unref(links->places, linked->place);
			free(linked->name);
			free(linked);
		}
	}
	free(links->buckets);
	pthread_mutex_destroy(&links->lock);
}

/* The numbers are the snapshot's: seeded, so that nobody can make them fall into one bucket. */
static struct bt_linked **bucket(const struct bt_links *links, uint64_t dev, uint64_t inode)
{
	uint64_t key[2] = {dev, inode};
	return &links->buckets[bt_hash_bytes(key, sizeof(key), links->seed) & (links->capacity - 1)];
}

static struct bt_linked *find(const struct bt_links *links, const struct bt_entry *entry)
{
	struct bt_linked *linked = links->capacity ? *bucket(links, entry->extra->dev, entry->extra->inode) : NULL;
	while (linked && (linked->dev != entry->extra->dev || linked->inode != entry->extra->inode))
		linked = linked->next;
	return linked;
}

static int grow(struct bt_links *links)
{
	struct bt_links larger = *links;
	larger.capacity = links->capacity ? 2 * links->capacity : 64;
	larger.buckets = calloc(larger.capacity, sizeof(*larger.buckets));
	if (!larger.buckets)
		return BT_E_NOMEM;
	for (size_t i = 0; i < links->capacity; i++) {
		for (struct bt_linked *linked = links->buckets[i], *next; linked; linked = next) {
			struct bt_linked **to = bucket(&larger, linked->dev, linked->inode);
			next = linked->next;
			linked->next = *to;
			*to = linked;
		}
	}
	free(links->buckets);
	links->buckets = larger.buckets;
	links->capacity = larger.capacity;
	return 0;
}

static int add(struct bt_links *links, const struct bt_entry *entry)
{
	if (links->count >= links->capacity && grow(links))
		return BT_E_NOMEM;
	struct bt_linked *linked = calloc(1, sizeof(*linked));
	if (!linked)
		return BT_E_NOMEM;
	linked->dev = entry->extra->dev;
	linked->inode = entry->extra->inode;
	struct bt_linked **to = bucket(links, linked->dev, linked->inode);
	linked->next = *to;
	*to = linked;
	links->count++;
	return 0;
}

int bt_links_see(struct bt_links *links, const struct bt_entry *entry, bool *ret_before)
{
	pthread_mutex_lock(&links->lock);
	bool before = find(links, entry) != NULL;
	int result = before ? 0 : add(links, entry);
	pthread_mutex_unlock(&links->lock);
	if (!result)
		*ret_before = before;
	return result;
}

void bt_links_set(struct bt_links *links, const struct bt_entry *entry, struct bt_place *place,
		  const struct stat *status)
{
	char *name = strdup(entry->name);
	pthread_mutex_lock(&links->lock);
	struct bt_linked *linked = find(links, entry);
	if (linked && name) {
		struct bt_place *before = linked->place;
		free(linked->name);
		linked->name = name;
		linked->place = bt_place_ref(links->places, place);
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
	const struct bt_linked *linked = find(links, entry);
	struct bt_linked found = linked ? *linked : (struct bt_linked){.name = NULL};
	pthread_mutex_unlock(&links->lock);
	return found;
}
