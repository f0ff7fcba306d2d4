/* SPDX-License-Identifier: MIT */
/* Shared by the sources of struct bt_pack. */
#ifndef BT_PACK_INSIDE_H
#define BT_PACK_INSIDE_H

#include "base/digest_set.h"
#include "base/pool.h"
#include "codec/hash.h"
#include "pack/pack.h"

#define BT_PACK_NAME 64

struct bt_pack_block;

/* The sizes and the level of blocks. */
struct bt_packing {
	int level;
	size_t full, room; /* plain bytes at which a block goes to the packers, and the most that it can hold */
	size_t alone;	   /* contents smaller than this are always packed with their neighbours */
};

struct bt_pack {
	struct bt_store *store;
	struct bt_voice *voice;
	struct bt_buffers *buffers;
	bool dry;
	struct bt_time time;		     /* of the snapshot */
	const struct bt_snapshot_info *info; /* of the snapshot; NULL: there is none */
	const char *name;		     /* wanted for it, or NULL */
	unsigned clash;			     /* that its name has at least */
	struct bt_pack_counts counts;

	/* block.c */
	struct bt_packing packing;
	struct bt_pool *packers;
	struct bt_pack_block *block; /* being filled; NULL: none */
	pthread_mutex_t taken_lock;
	struct bt_digest_set taken; /* contents that are taken on, but not in the index yet */

	/* page.c */
	struct bt_hasher *page_hasher;
	struct bt_digest *recent;

	/* files.c: the lock protects all members below, counts.stored and counts.written */
	pthread_mutex_t lock;
	struct bt_writer *snapshot, *volume; /* NULL: none */
	struct bt_hasher *names; /* hashes the digests in the volume, which gives its name; NULL: the name is random */
	uint64_t volume_size;
};

/* block.c */
int bt_packers_new(struct bt_pack *pack, const struct bt_pack_options *options);
void bt_pack_drop_block(struct bt_pack *pack);

/* page.c */
int bt_pack_pages_new(struct bt_pack *pack);

/* files.c */
int bt_pack_files_new(struct bt_pack *pack, const struct bt_pack_options *options, struct bt_error *error);
void bt_pack_files_free(struct bt_pack *pack);

#endif
