/* SPDX-License-Identifier: MIT */
/* A store that is being made: one writer for everything, then an open store. */
#ifndef BT_TESTS_VIEW_SCENE_H
#define BT_TESTS_VIEW_SCENE_H

#include "store_samples.h"

#include "model/page.h"

struct scene {
	struct sample sample;
	struct bt_writer *writer;
	struct bt_store *store;
};

struct scene scene_new(void);
void scene_seal(struct scene *scene);
void scene_free(struct scene *scene);
int emit(void *arg, const char *line, size_t length, struct bt_digest *ret_id);
struct bt_entry file_entry(const char *name);
struct bt_entry dir_entry(const char *name, const struct bt_digest *tree);

/* count contents of different sizes, and what they are one after the other. */
unsigned char *put_chunks(struct scene *scene, struct bt_chunk *chunks, size_t count, size_t *ret_size);
struct bt_digest put_chunk_page(struct scene *scene, const struct bt_chunk *chunks, size_t count);

#endif
