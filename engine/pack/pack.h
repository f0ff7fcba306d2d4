/* SPDX-License-Identifier: MIT */
/*
 * Packs contents, blocks and pages into new files of the store: into the file of a snapshot and volumes for the data
 * that exceeds it, or into one volume.
 *
 * One thread at a time may call these functions. Small contents are packed together into blocks. A pool compresses
 * blocks in parallel and writes them in their order, so that the files do not depend on the number of threads. If the
 * pool fails, the next call returns the failure.
 */
#ifndef BT_PACK_PACK_H
#define BT_PACK_PACK_H

#include "base/buffers.h"
#include "base/voice.h"
#include "store/gate.h"
#include <backuptool/view.h>

#define BT_PACK_SMALL ((size_t)512 << 10) /* contents up to this size fit into a block with others */
#ifndef BT_PACK_BLOCK
#define BT_PACK_BLOCK ((size_t)1 << 20) /* plain bytes after which a block is full, at usual levels */
#endif
#define BT_PACK_DENSE ((size_t)4 << 20) /* the most that a block holds at BT_LEVEL_MAX + 1; any chunk fits */

struct bt_pack;

struct bt_pack_options {
	struct bt_store *store;
	const struct bt_snapshot_info
		*info;		    /* for the header of the snapshot's file; NULL: everything goes into a volume */
	const char *name;	    /* of the snapshot, tried first; NULL: the first free one of its time */
	bool dry;		    /* contents are only counted, and no file is made */
	int level;		    /* of compression */
	uint64_t volume_size;	    /* bytes after which a file is full; 0: the default */
	unsigned threads;	    /* 0: blocks are made by the calling thread */
	struct bt_voice *voice;	    /* is told the first failure of a thread, and asked whether to continue */
	struct bt_buffers *buffers; /* mapped buffers; all that are taken are given back */
};

struct bt_pack_counts {
	uint64_t new_bytes; /* of contents that were new */
	uint64_t stored;    /* bytes of Base64 of their blocks */
	uint64_t written;   /* sizes of the files sealed */
	bool healed;	    /* a page that the store had lost was written again */
};

int bt_pack_new(const struct bt_pack_options *options, struct bt_pack **ret_pack, struct bt_error *error);
/* Drops files that are not sealed; NULL is fine. Gives the size of those that are. */
uint64_t bt_pack_free(struct bt_pack *pack);

/* Whether a content shares its block. BT_PACK_ALONE: it gets a block of its own if it is large enough. */
enum bt_pack_how { BT_PACK_TOGETHER, BT_PACK_ALONE };

/* Stores a content unless the store or this pack has it. */
int bt_pack_content(struct bt_pack *pack, const struct bt_held *content, const unsigned char *data,
		    enum bt_pack_how how, struct bt_error *error);
/* The same with BT_PACK_ALONE; the buffer is taken over. */
int bt_pack_buffer(struct bt_pack *pack, const struct bt_held *content, struct bt_buffer *buffer,
		   struct bt_error *error);
/* Stores a content even if the store has it, because that copy will be removed. */
int bt_pack_moved(struct bt_pack *pack, const struct bt_held *content, const unsigned char *data,
		  struct bt_error *error);
/* Stores a block unchanged, even if the store has its contents, which later calls do not know of. */
struct bt_block_text;
int bt_pack_block(struct bt_pack *pack, const struct bt_block_text *text, const struct bt_held *held, size_t count,
		  struct bt_error *error);

/* Stores a page unless the store or this pack has it. known: a page of the store that was read and verified, or NULL.
 */
int bt_pack_page(struct bt_pack *pack, const struct bt_digest *known, const char *line, size_t length,
		 struct bt_digest *ret_id, struct bt_error *error);
/* Whether a page that bt_store_has can be read now: 0 or BT_E_NOMEM. An earlier read is not enough, since the page may
 * be cached from a file that was removed. */
int bt_pack_proves_page(struct bt_store *store, const struct bt_digest *id, bool *ret_sound);
/* Stores a page even if the store has it. */
int bt_pack_moved_page(struct bt_pack *pack, const char *line, size_t length, const struct bt_digest *id,
		       struct bt_error *error);

/* Waits until all blocks are written, including the one that is being filled. */
int bt_pack_flush(struct bt_pack *pack, struct bt_error *error);
/* Seals the volume, if there is one. Call it after the flush. */
int bt_pack_seal(struct bt_pack *pack, struct bt_error *error);
/* Publishes the snapshot's file with this summary under the wanted name or the first free one of its time. Call it
 * after the last volume is sealed. */
int bt_pack_publish(struct bt_pack *pack, struct bt_gate *gate, const struct bt_buf *summary, char name[64],
		    struct bt_error *error);

/*
 * Publishes what there is so far under the header of info, and goes on with a new file, which has the header of before.
 * Call it after the flush, and after the last volume is sealed. The file written so far becomes a volume, so that what
 * is published has nothing of its own: other files replace it later. Names follow each other as by bt_pack_publish.
 */
int bt_pack_checkpoint(struct bt_pack *pack, struct bt_gate *gate, const struct bt_snapshot_info *info, char name[64],
		       struct bt_error *error);

/* Complete after the flush. */
const struct bt_pack_counts *bt_pack_counts(const struct bt_pack *pack);

#endif
