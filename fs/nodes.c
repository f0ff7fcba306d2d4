/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "table.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KIND_SHIFT   62
#define NUMBER_SHIFT 31
#define PART_MASK    UINT64_C(0x7fffffff)
_Static_assert(NODE_SHARED < UINT64_C(1) << (64 - KIND_SHIFT), "a kind fits");
_Static_assert(PART_MASK >> (KIND_SHIFT - NUMBER_SHIFT) == 0, "a number fits below the kind");
_Static_assert(PART_MASK >> NUMBER_SHIFT == 0 && NODE_INDEX_MAX + UINT64_C(1) <= PART_MASK, "an index fits");

_Static_assert(sizeof(struct node_page) == sizeof(struct bt_digest) + 16 && sizeof(struct node_dir) == 16,
	       "records have no gaps: they are compared as bytes");

struct nodes {
	pthread_mutex_t lock;
	struct table pages, dirs;
};

/* The index is stored plus one, so that 1 is the root and 0 is no node. */
uint64_t node_pack(struct node node)
{
	return (uint64_t)node.kind << KIND_SHIFT | (uint64_t)node.number << NUMBER_SHIFT | ((uint64_t)node.index + 1);
}

struct node node_unpack(uint64_t packed)
{
	return (struct node){
		.kind = (enum node_kind)(packed >> KIND_SHIFT),
		.number = (uint32_t)(packed >> NUMBER_SHIFT & PART_MASK),
		.index = (uint32_t)(packed & PART_MASK) - 1,
	};
}

bool node_is_directory_like(uint64_t packed)
{
	return packed >> KIND_SHIFT != NODE_SHARED;
}

int nodes_new(struct nodes **ret_nodes)
{
	struct nodes *nodes = calloc(1, sizeof(*nodes));

	if (!nodes)
		return ENOMEM;
	pthread_mutex_init(&nodes->lock, NULL);
	nodes->pages = (struct table){.record_size = sizeof(struct node_page), .key_size = sizeof(struct node_page)};
	nodes->dirs = (struct table){.record_size = sizeof(struct node_dir), .key_size = sizeof(uint64_t)};
	*ret_nodes = nodes;
	return 0;
}

void nodes_free(struct nodes *nodes)
{
	if (!nodes)
		return;
	table_free(&nodes->pages);
	table_free(&nodes->dirs);
	pthread_mutex_destroy(&nodes->lock);
	free(nodes);
}

static int add(struct nodes *nodes, struct table *table, const void *record, uint32_t *ret_number)
{
	pthread_mutex_lock(&nodes->lock);
	int r = table_add(table, record, ret_number);
	pthread_mutex_unlock(&nodes->lock);
	return r;
}

static bool copy(struct nodes *nodes, const struct table *table, uint32_t number, void *ret_record)
{
	pthread_mutex_lock(&nodes->lock);
	const void *record = table_at(table, number);
	if (record)
		memcpy(ret_record, record, table->record_size);
	pthread_mutex_unlock(&nodes->lock);
	return record;
}

int nodes_page(struct nodes *nodes, const struct node_page *page, uint32_t *ret_number)
{
	return add(nodes, &nodes->pages, page, ret_number);
}

int nodes_dir(struct nodes *nodes, const struct node_dir *dir, uint32_t *ret_number)
{
	return add(nodes, &nodes->dirs, dir, ret_number);
}

bool nodes_dir_find(struct nodes *nodes, uint64_t node, uint32_t *ret_number)
{
	pthread_mutex_lock(&nodes->lock);
	bool found = table_find(&nodes->dirs, &node, ret_number);
	pthread_mutex_unlock(&nodes->lock);
	return found;
}

uint32_t nodes_dir_count(struct nodes *nodes)
{
	pthread_mutex_lock(&nodes->lock);
	uint32_t count = (uint32_t)nodes->dirs.count;
	pthread_mutex_unlock(&nodes->lock);
	return count;
}

bool nodes_page_at(struct nodes *nodes, uint32_t number, struct node_page *ret_page)
{
	return copy(nodes, &nodes->pages, number, ret_page);
}

bool nodes_dir_at(struct nodes *nodes, uint32_t number, struct node_dir *ret_dir)
{
	return copy(nodes, &nodes->dirs, number, ret_dir);
}
