/* SPDX-License-Identifier: MIT */
/* What the sources of struct memory share. Under its lock but for begin, which takes it, and end, which gives it back.
 */
#ifndef BT_TESTS_MEMORY_INSIDE_H
#define BT_TESTS_MEMORY_INSIDE_H

#include "backend/ops.h"
#include "base/buf.h"
#include "memory_backend.h"
#include <pthread.h>

extern int memory_locks; /* a directory */

struct memory_blob {
	atomic_uint references; /* several memories share it */
	uint64_t number;
	struct bt_time mtime;
	struct bt_buf bytes;
};

struct memory_name {
	enum bt_area area;
	char name[BT_BACKEND_PATH_SIZE];
	struct memory_blob *blob; /* of a change: NULL, it is gone */
	uint64_t after;		  /* of a change: one that has to be there, too; 0: none */
	uint64_t number;	  /* of a change */
};

struct memory_names {
	struct memory_name *names;
	size_t count, room;
};

struct memory {
	char path[64];
	pthread_mutex_t lock;
	struct memory_names live, durable, pending; /* pending: changes that were not settled */
	struct memory_names *history;		    /* live before each change, for lists that lag */
	size_t history_count, history_room;
	uint64_t changes, settled, numbers;
	struct bt_time times[BT_AREAS];
	struct memory_plan plan;
	unsigned calls[MEMORY_ANY + 1];
	bool struck, down;
	int owed; /* of the call under way: what it fails with when it is done */
	struct memory *next;
};

int memory_begin(struct memory *memory, enum memory_op op); /* 0 or -errno */
int memory_end(struct memory *memory, int r);

struct memory_blob *memory_blob_new(struct memory *memory, const struct bt_buf *bytes); /* copied */
struct memory_blob *memory_blob_ref(struct memory_blob *blob);
struct bt_stamp memory_stamp(const struct memory_blob *blob);
void memory_blob_unref(struct memory_blob *blob);

const struct memory_name *memory_find(const struct memory_names *names, enum bt_area area, const char *name);
void memory_put(struct memory *memory, enum bt_area area, const char *name, struct memory_blob *blob);
/* to: where it goes, or NULL. */
void memory_take(struct memory *memory, const struct bt_backend_name *name, const struct bt_backend_name *to);
void memory_settle(struct memory *memory, enum bt_area area);
struct memory_names memory_listed(struct memory *memory); /* a copy */
void memory_names_free(struct memory_names *names);
struct memory *memory_named(const char *path); /* NULL: there is none */

/* What objects and uploads do whose bytes lie in memory, in this back end and in others. */
ssize_t memory_pread(const struct bt_buf *bytes, void *data, size_t length, uint64_t offset);
bool memory_keep(struct bt_object *object, bool keep);
void memory_release(struct bt_object *object);
int memory_upload_failed(const struct bt_upload *upload, int sys, struct bt_error *error);

#endif
