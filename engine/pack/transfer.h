/* SPDX-License-Identifier: MIT */
/*
 * Copies contents and pages out of the files of a store into a pack, which belongs to the same store or to another one.
 * A block that is mostly wanted is copied as text, without compressing it again. The wanted contents of other blocks
 * are packed into new blocks, since a few bytes would keep a megabyte otherwise. One thread at a time may use it.
 */
#ifndef BT_PACK_TRANSFER_H
#define BT_PACK_TRANSFER_H

#include "base/digest_set.h"
#include "pack/pack.h"

struct bt_transfer_options {
	struct bt_store *from;
	struct bt_pack *pack;
	/* A block is copied as text if at most this percentage of it is not wanted; 0: if all of it is wanted. */
	unsigned percent;
	bool verify; /* every content that is copied as text is compared with its digest; if it is damaged, the wanted
			contents of the block are taken from wherever they are sound */
	bool recompress; /* nothing is copied as text: all is compressed again */
	void *arg;
	bool (*wants_content)(void *arg, const struct bt_digest *digest);
	bool (*wants_page)(void *arg, const struct bt_digest *id);
	/* Is called before each block of which something is wanted, and each page that is wanted. live: wanted plain
	 * bytes of the block; block NULL: a page. A result other than 0 ends the work and is returned. */
	int (*step)(void *arg, const char *path, const struct bt_block *block, uint64_t live, struct bt_error *error);
};

struct bt_transfer;
int bt_transfer_new(const struct bt_transfer_options *options, struct bt_transfer **ret_transfer,
		    struct bt_error *error);
void bt_transfer_free(struct bt_transfer *transfer); /* NULL is fine */
/* Copies what is wanted of the file. All copies of a content that the file has are copied, since without verify nobody
 * knows which is right. */
int bt_transfer_file(struct bt_transfer *transfer, uint32_t ordinal, struct bt_error *error);
/* Copies one content or page from wherever it is sound. BT_R_MISSING_…: no file has it. */
int bt_transfer_content(struct bt_transfer *transfer, const struct bt_held *content, struct bt_error *error);
int bt_transfer_page(struct bt_transfer *transfer, const struct bt_digest *id, struct bt_error *error);
/* What was copied. The caller may empty it. */
struct bt_digest_sets *bt_transfer_copied(struct bt_transfer *transfer);

/* The bytes of the block that stand for this many live plain bytes; 0 only for 0. */
uint64_t bt_transfer_living(const struct bt_block *block, uint64_t live);
/* Whether the text of the block is copied unchanged. living: as bt_transfer_living gives it. */
bool bt_transfer_as_text(const struct bt_block *block, uint64_t living, unsigned percent);

#endif
