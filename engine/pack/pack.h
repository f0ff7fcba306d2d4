/* SPDX-License-Identifier: MIT */
/*
 * Contents, blocks and pages into new files of the store: into the file of a snapshot and volumes for what exceeds it,
 * or into one volume.
 *
 * One thread at a time may call. Small contents are packed into blocks; a pool compresses blocks in parallel and writes
 * them in the order in which they came, so that the files do not depend on the number of threads. Its failures are
 * handed on by whichever call comes next.
 */
#ifndef BT_PACK_PACK_H
#define BT_PACK_PACK_H

#include "base/buffers.h"
#include "base/voice.h"
#include "store/gate.h"
#include <backuptool/view.h>

#define BT_PACK_SMALL ((size_t)512 << 10) /* contents up to here fit into a block with others */
#define BT_PACK_BLOCK ((size_t)1 << 20)	  /* plain bytes after which a block is full, at usual levels */

struct bt_pack;

struct bt_pack_options {
	struct bt_store *store;
	const struct bt_snapshot_info
		*info;		    /* what the header of the snapshot's file says; NULL: all goes into a volume */
	bool dry;		    /* contents are only counted, and no file is made */
	int level;		    /* of compression */
	uint64_t volume_size;	    /* bytes after which a file is full; 0: the usual */
	unsigned threads;	    /* 0: blocks are made by the calling thread */
	struct bt_voice *voice;	    /* hears the first failure of a thread, and says whether to go on */
	struct bt_buffers *buffers; /* mapped ones; gets all of its back */
};

struct bt_pack_counts {
	uint64_t new_bytes; /* of contents that were taken on */
	uint64_t stored;    /* bytes of their blocks' Base64 */
	uint64_t written;   /* sizes of the files sealed */
	bool healed;	    /* a page that the store had lost was written again */
};

int bt_pack_new(const struct bt_pack_options *options, struct bt_pack **ret_pack, struct bt_error *error);
void bt_pack_free(struct bt_pack *pack); /* abandons what is not sealed; NULL is fine */

/* How a content becomes part of a block: BT_PACK_ALONE of one of its own if it is large enough. */
enum bt_pack_how { BT_PACK_TOGETHER, BT_PACK_ALONE };

/* Stores a content unless the store or this pack has it. */
int bt_pack_content(struct bt_pack *pack, const struct bt_held *content, const unsigned char *data,
		    enum bt_pack_how how, struct bt_error *error);
/* The same with BT_PACK_ALONE; the buffer is taken over. */
int bt_pack_buffer(struct bt_pack *pack, const struct bt_held *content, struct bt_buffer *buffer,
		   struct bt_error *error);
/* Stores a content whatever the store has: a copy of it will go. */
int bt_pack_moved(struct bt_pack *pack, const struct bt_held *content, const unsigned char *data,
		  struct bt_error *error);
/* Stores a block as it is; text: its Base64. Only into a volume. */
int bt_pack_block(struct bt_pack *pack, const char *text, size_t length, const struct bt_held *held, size_t count,
		  struct bt_error *error);

/* Stores a page unless the store or this pack has it. known: a page of the store that was read and verified, or NULL.
 */
int bt_pack_page(struct bt_pack *pack, const struct bt_digest *known, const char *line, size_t length,
		 struct bt_digest *ret_id, struct bt_error *error);
/* Stores a page whatever the store has. */
int bt_pack_moved_page(struct bt_pack *pack, const char *line, size_t length, const struct bt_digest *id,
		       struct bt_error *error);

/* Waits until all blocks are written, also the one that is being filled. */
int bt_pack_flush(struct bt_pack *pack, struct bt_error *error);
/* Seals the volume, if there is one. After the flush. */
int bt_pack_seal(struct bt_pack *pack, struct bt_error *error);
/* Publishes the snapshot's file with this summary under the first free name of its time. After the last volume. */
int bt_pack_publish(struct bt_pack *pack, struct bt_gate *gate, const struct bt_buf *summary, char name[64],
		    struct bt_error *error);

/* Complete after the flush. */
const struct bt_pack_counts *bt_pack_counts(const struct bt_pack *pack);

#endif
