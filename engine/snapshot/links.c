/* SPDX-License-Identifier: MIT */
#include "snapshot/item.h"

#include "base/seed.h"
#include <stdlib.h>

/* Open addressing with linear probing over those that miss names. */
struct bt_snap_links {
	struct bt_snap_link **slots;
	size_t mask, count;
	struct bt_seed seed; /* a file system of a user has the numbers that he wants */
};

enum { FIRST_SLOTS = 256 };

struct bt_snap_links *bt_snap_links_new(void)
{
	struct bt_snap_links *links = calloc(1, sizeof(*links));

	if (!links)
		return NULL;
	links->slots = calloc(FIRST_SLOTS, sizeof(struct bt_snap_link *));
	if (!links->slots) {
		free(links);
		return NULL;
	}
	links->mask = FIRST_SLOTS - 1;
	links->seed = bt_seed();
	return links;
}

void bt_snap_link_put(struct bt_snap_link *link)
{
	if (!link || atomic_fetch_sub(&link->refs, 1) != 1)
		return;
	bt_arena_free(&link->arena);
	free(link);
}

void bt_snap_links_free(struct bt_snap_links *links)
{
	if (!links)
		return;
	for (size_t i = 0; i <= links->mask; i++)
		bt_snap_link_put(links->slots[i]);
	free(links->slots);
	free(links);
}

static size_t home(const struct bt_snap_links *links, uint64_t dev, uint64_t inode)
{
	const uint64_t key[2] = {dev, inode};

	return (size_t)bt_seeded_hash(&links->seed, key, sizeof(key)) & links->mask;
}

static size_t find(const struct bt_snap_links *links, uint64_t dev, uint64_t inode)
{
	size_t i = home(links, dev, inode);

	while (links->slots[i] && (links->slots[i]->inode != inode || links->slots[i]->dev != dev))
		i = (i + 1) & links->mask;
	return i;
}

static bool grow(struct bt_snap_links *links)
{
	struct bt_snap_link **old = links->slots;
	size_t old_mask = links->mask;
	struct bt_snap_link **slots = calloc(2 * (old_mask + 1), sizeof(*slots));

	if (!slots)
		return false;
	links->slots = slots;
	links->mask = 2 * old_mask + 1;
	for (size_t i = 0; i <= old_mask; i++)
		if (old[i])
			slots[find(links, old[i]->dev, old[i]->inode)] = old[i];
	free(old);
	return true;
}

static void take_out(struct bt_snap_links *links, size_t gap)
{
	for (size_t i = (gap + 1) & links->mask; links->slots[i]; i = (i + 1) & links->mask) {
		size_t wanted = home(links, links->slots[i]->dev, links->slots[i]->inode);

		if (((i - wanted) & links->mask) < ((i - gap) & links->mask))
			continue;
		links->slots[gap] = links->slots[i];
		gap = i;
	}
	links->slots[gap] = NULL;
	links->count--;
}

static struct bt_snap_link *link_new(const struct bt_found *found)
{
	struct bt_snap_link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	link->dev = found->dev;
	link->inode = found->inode;
	link->missing = found->links;
	atomic_init(&link->refs, 1);
	return link;
}

struct bt_snap_link *bt_snap_links_get(struct bt_snap_links *links, const struct bt_found *found, bool *ret_first)
{
	if (2 * (links->count + 1) > links->mask + 1 && !grow(links))
		return NULL;
	size_t i = find(links, found->dev, found->inode);
	struct bt_snap_link *link = links->slots[i];
	*ret_first = !link;
	if (!link) {
		link = link_new(found);
		if (!link)
			return NULL;
		links->slots[i] = link;
		links->count++;
	}
	if (--link->missing == 0)
		take_out(links, i); /* the table's reference becomes the caller's */
	else
		atomic_fetch_add(&link->refs, 1);
	return link;
}

bool bt_snap_links_anew(const struct bt_snap_links *links)
{
	for (size_t i = 0; i <= links->mask; i++)
		if (links->slots[i] && links->slots[i]->anew)
			return true;
	return false;
}
