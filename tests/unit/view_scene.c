/* SPDX-License-Identifier: MIT */
#include "view_scene.h"

struct scene scene_new(void)
{
	struct scene scene = {.sample = sample_new()};

	scene.writer = sample_writer(scene.sample.dirfd, SNAPSHOT_HEADER);
	return scene;
}

void scene_seal(struct scene *scene)
{
	sample_seal(scene->writer, "{}", SNAPSHOT);
	bt_writer_free(scene->writer);
	scene->writer = NULL;
	assert_int_equal(bt_store_open(scene->sample.path, NULL, &scene->store, NULL), 0);
}

void scene_free(struct scene *scene)
{
	bt_store_close(scene->store);
	sample_free(&scene->sample);
}

int emit(void *arg, const char *line, size_t length, struct bt_digest *ret_id)
{
	*ret_id = sample_digest(line, length);
	return bt_writer_page(arg, line, length, ret_id, NULL);
}

struct bt_entry file_entry(const char *name)
{
	return (struct bt_entry){.name = name,
				 .name_length = (uint16_t)strlen(name),
				 .type = BT_FILE,
				 .mode = 0644,
				 .uid = 1000,
				 .gid = 1000,
				 .size = 0,
				 .digest = sample_digest("", 0),
				 .has_digest = true};
}

struct bt_entry dir_entry(const char *name, const struct bt_digest *tree)
{
	struct bt_entry entry = file_entry(name);

	entry.type = BT_DIR;
	entry.digest = *tree;
	return entry;
}

unsigned char *put_chunks(struct scene *scene, struct bt_chunk *chunks, size_t count, size_t *ret_size)
{
	unsigned char *all = malloc(count * 200);
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		size_t own = 1 + i * 37 % 150;
		unsigned char *data = sample_bytes(i, own);

		memcpy(all + size, data, own);
		struct bt_held held = {sample_digest(data, own), (uint32_t)own};
		chunks[i] = (struct bt_chunk){held.digest, own};
		if (i == 0 || !bt_digest_equal(&chunks[i].digest, &chunks[i - 1].digest))
			sample_block(scene->writer, data, own, &held, 1);
		size += own;
		free(data);
	}
	*ret_size = size;
	return all;
}

struct bt_digest put_chunk_page(struct scene *scene, const struct bt_chunk *chunks, size_t count)
{
	struct bt_buf line = {0};

	assert_int_equal(bt_chunk_page_write(&line, chunks, count), 0);
	struct bt_digest id;
	assert_int_equal(emit(scene->writer, (const char *)line.data, line.length, &id), 0);
	bt_buf_free(&line);
	return id;
}
