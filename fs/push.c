/* SPDX-License-Identifier: MIT */
#include "push.h"
#include "hash.h"
#include <errno.h>
#include <stdlib.h>

#define LEAVES	   256
#define BYTES_MAX  (512u << 10) /* of siblings in one plan */
#define SMALL_FILE (128u << 10)
#define NEAR	   8 /* most entries between two reads that belong together */
#define SURE	   3 /* confidence from which on one read of a directory is enough */
#define CERTAIN	   8 /* the highest confidence */
#define PAGE	   4096

/* A leaf whose files were read. */
struct seen {
	uint32_t leaf, last;
	uint32_t pushed; /* entries before this one were stored */
	bool used;
};

struct push {
	pthread_mutex_t storing;
	pthread_mutex_t lock; /* guards the members below */
	unsigned confidence;  /* how sure it is that directories are read through */
	struct seen seen[LEAVES];
};

int push_new(struct push **ret_push)
{
	struct push *push = calloc(1, sizeof(*push));

	if (!push)
		return ENOMEM;
	pthread_mutex_init(&push->storing, NULL);
	pthread_mutex_init(&push->lock, NULL);
	*ret_push = push;
	return 0;
}

void push_free(struct push *push)
{
	if (!push)
		return;
	pthread_mutex_destroy(&push->storing);
	pthread_mutex_destroy(&push->lock);
	free(push);
}

static bool is_small(const struct bt_entry *entry)
{
	return entry->type == BT_FILE && entry->size > 0 && entry->size <= SMALL_FILE && attr_is_shareable(entry);
}

static bool is_first(const struct held *held, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++)
		if (is_small(&held->page->entries[i]))
			return false;
	return true;
}

static bool grow_confidence(struct push *push, bool good)
{
	if (good)
		push->confidence += push->confidence < CERTAIN;
	else
		push->confidence -= push->confidence < 2 ? push->confidence : 2;
	return push->confidence >= SURE;
}

/* Whether the entries from *ret_from on are likely to be read next. */
static bool expects_more(struct push *push, uint32_t leaf, uint32_t index, bool first, uint32_t *ret_from)
{
	pthread_mutex_lock(&push->lock);
	struct seen *seen = &push->seen[hash_add(HASH_SEED, leaf) % LEAVES];
	bool known = seen->used && seen->leaf == leaf;
	bool near = known && index > seen->last && (index - seen->last <= NEAR || index >= seen->pushed);
	bool sure = grow_confidence(push, known ? near : first);
	bool expected = known ? near : sure && first;
	if (!known)
		*seen = (struct seen){.leaf = leaf, .used = true};
	seen->last = index;
	*ret_from = seen->pushed > index ? seen->pushed : index + 1;
	pthread_mutex_unlock(&push->lock);
	return expected;
}

static void note_pushed(struct push *push, uint32_t leaf, uint32_t end)
{
	pthread_mutex_lock(&push->lock);
	struct seen *seen = &push->seen[hash_add(HASH_SEED, leaf) % LEAVES];
	if (seen->used && seen->leaf == leaf && seen->pushed < end)
		seen->pushed = end;
	pthread_mutex_unlock(&push->lock);
}

/* False: the content is not decoded, which ends the plan. */
static bool plan_file(struct fs *fs, struct node node, const struct bt_entry *entry, struct push_plan *plan)
{
	struct bt_slice slice;

	if (bt_slice_start(fs->store, entry, 0, BT_SLICE_DECODED, &slice, NULL) != 0)
		return false;
	if (!slice.data || slice.length != entry->size) { /* several pieces: rare, and not worth it */
		bt_slice_end(fs->store, &slice);
		return true;
	}
	plan->parts[plan->count].node = node_pack(node);
	plan->parts[plan->count].slice = slice;
	plan->parts[plan->count].data = slice.data;
	plan->parts[plan->count].offset = 0;
	plan->parts[plan->count++].length = slice.length;
	return true;
}

void push_plan_siblings(struct fs *fs, fuse_ino_t packed, const struct held *held, struct push_plan *ret_plan)
{
	struct node node = node_unpack(packed);
	uint64_t bytes = 0;
	uint32_t at;

	ret_plan->count = 0;
	ret_plan->end = 0;
	if (!fs->push || node.kind != NODE_SHARED || !is_small(held->entry) ||
	    !expects_more(fs->push, node.number, node.index, is_first(held, node.index), &at))
		return;
	for (; at < held->page->count && ret_plan->count < PUSH_MAX; at++) {
		const struct bt_entry *entry = &held->page->entries[at];

		if (!is_small(entry))
			continue;
		node.index = at;
		bytes += entry->size;
		if (bytes > BYTES_MAX || !plan_file(fs, node, entry, ret_plan))
			break;
	}
	ret_plan->leaf = node.number;
	ret_plan->end = at;
}

void push_plan_rest(struct fs *fs, fuse_ino_t packed, const struct held *held, uint64_t offset,
		    const struct bt_slice *slice, struct push_plan *ret_plan)
{
	ret_plan->count = 0;
	ret_plan->end = 0;
	if (!fs->push || node_unpack(packed).kind != NODE_SHARED || is_small(held->entry) || !slice->data)
		return;
	uint64_t start = offset - slice->before, end = offset + slice->length;
	uint64_t begin = (start + PAGE - 1) / PAGE * PAGE;
	if (end < held->entry->size)
		end -= end % PAGE; /* a part of a page is only complete at the end of the file */
	if (begin >= end)
		return;
	ret_plan->parts[0].node = packed;
	ret_plan->parts[0].slice = (struct bt_slice){0};
	ret_plan->parts[0].data = slice->data - (offset - start) + (begin - start);
	ret_plan->parts[0].offset = begin;
	ret_plan->parts[0].length = end - begin;
	ret_plan->count = 1;
}

void push_store(struct fs *fs, const struct push_plan *plan)
{
	if (pthread_mutex_trylock(&fs->push->storing) != 0)
		return;
	if (plan->end > 0)
		note_pushed(fs->push, plan->leaf, plan->end);
	for (unsigned i = 0; i < plan->count; i++) {
		struct fuse_bufvec data = FUSE_BUFVEC_INIT((size_t)plan->parts[i].length);

		data.buf[0].mem = (void *)(uintptr_t)plan->parts[i].data;
		if (fuse_lowlevel_notify_store(fs->session, plan->parts[i].node, (off_t)plan->parts[i].offset, &data,
					       FUSE_BUF_NO_SPLICE) == -ENODEV)
			break;
	}
	pthread_mutex_unlock(&fs->push->storing);
}

void push_plan_end(struct fs *fs, struct push_plan *plan)
{
	while (plan->count > 0)
		bt_slice_end(fs->store, &plan->parts[--plan->count].slice);
}
