/* SPDX-License-Identifier: MIT */
#include "store_opened.h"

struct bt_writer *write_small(int dirfd, const char *header)
{
	struct bt_writer *writer = sample_writer(dirfd, header);

	sample_contents(writer, 1, 3, 50);
	sample_contents(writer, 10, 1, 200);
	sample_page(writer, "{\"entries\":[]}");
	sample_page(writer, "{\"entries\":[1]}");
	sample_page(writer, "{\"entries\":[2,3]}");
	return writer;
}

struct bt_store *open_store_with(const struct sample *sample, const struct bt_store_options *options)
{
	struct bt_store *store;

	assert_int_equal(bt_store_open_with(sample->path, options, NULL, &store, NULL), 0);
	return store;
}

/* Of the last store asked for. */
static int open_by_path(struct bt_store *store)
{
	static int kept = -1;
	char path[256];

	snprintf(path, sizeof(path), "%s/contents", store->path);
	if (kept >= 0)
		close(kept);
	kept = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return kept;
}

int contents_of(struct bt_store *store)
{
	assert_int_equal(bt_backend_reach(store->backend, BT_AREA_CONTENTS, NULL), 0);
	int fd = bt_backend_local_fd(store->backend, BT_AREA_CONTENTS);

	return fd >= 0 ? fd : open_by_path(store);
}

struct bt_store *open_store(const struct sample *sample)
{
	const struct bt_store_options create = {.size = sizeof(create), .create = true};

	return open_store_with(sample, &create);
}

void assert_content(struct bt_store *store, uint64_t seed, size_t size)
{
	unsigned char *data = sample_bytes(seed, size);
	struct bt_digest digest = sample_digest(data, size);
	struct bt_pin pin;
	struct bt_error error = {0};

	assert_int_equal(bt_store_pin(store, &digest, size, 0, &pin, &error), 0);
	assert_int_equal(pin.size, size);
	assert_memory_equal(pin.data, data, size);
	bt_store_unpin(store, &pin);
	free(data);
}
