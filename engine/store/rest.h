/* SPDX-License-Identifier: MIT */
/*
 * Files that lie compressed (FORMAT.md §8), read and written as if they were plain: an object and an upload that stand
 * before those of the back end, so that all others know only offsets in the text.
 */
#ifndef BT_STORE_REST_H
#define BT_STORE_REST_H

#include "backend/object.h"
#include "backend/upload.h"
#include "base/buf.h"
#include "base/buffers.h"
#include "base/cache.h"
#include "codec/hash.h"
#include <pthread.h>
#include <stdatomic.h>

#define BT_REST_SUFFIX ".zst" /* of the names of such files */

/* What the files of a store share: the frames decoded last, and what decodes them. */
struct bt_rest_tools;
struct bt_rest {
	struct bt_cache *frames;
	struct bt_buffers buffers; /* that they lie in */
	pthread_mutex_t lock;	   /* of tools */
	struct bt_rest_tools *tools;
	atomic_ullong opened; /* objects so far */
};
int bt_rest_init(struct bt_rest *rest); /* 0 or BT_E_NOMEM; may be destroyed in either case */
void bt_rest_destroy(struct bt_rest *rest);

/* Reads the table of a file; errors call it name. Takes the object over, also on failure. loosely: a file whose table
 * is damaged is searched for frames. */
int bt_rest_open(struct bt_rest *rest, struct bt_object *stored, const char *name, bool loosely,
		 struct bt_object **ret_object, struct bt_error *error);
bool bt_is_rest(const struct bt_object *object);
/* Fills error after reading has failed with -sys: where in the file, and why. */
int bt_rest_failed(struct bt_object *object, const char *name, size_t length, uint64_t offset, int sys,
		   struct bt_error *error);
/* Where the part of the text ends that is lost together with this byte of it. */
uint64_t bt_rest_part_end(struct bt_object *object, uint64_t offset);
/* Bytes in the file of what stands for the text up to an offset. */
uint64_t bt_rest_stored_to(struct bt_object *object, uint64_t offset);

/* Comparing all bytes of a file with the digest in it, along with reading its text. */
struct bt_rest_proof {
	struct bt_object *object;
	const char *name;
	struct bt_hasher *hasher;
	struct bt_buf part;
	uint64_t done; /* bytes of the file */
};
/* With an object that is no such file the others do nothing, and succeed. */
int bt_rest_proof_begin(struct bt_rest_proof *proof, struct bt_object *object, const char *name,
			struct bt_error *error);
/* The text was read up to this offset. */
int bt_rest_proof_to(struct bt_rest_proof *proof, uint64_t offset, struct bt_error *error);
int bt_rest_proof_finish(struct bt_rest_proof *proof, struct bt_error *error);
void bt_rest_proof_end(struct bt_rest_proof *proof);

/* What is written to this upload is compressed on the way to that one, which is taken over, also on failure. Its spools
 * are plain. */
int bt_rest_upload(struct bt_upload *stored, struct bt_upload **ret_upload, struct bt_error *error);
bool bt_is_rest_upload(const struct bt_upload *upload);
uint64_t bt_rest_upload_size(const struct bt_upload *upload); /* of the file so far; all of it after publishing */

#endif
