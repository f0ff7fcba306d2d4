/* SPDX-License-Identifier: MIT */
/*
 * A store with one file, and the input as a segment of its index, with checksums put right: whatever it says, a
 * snapshot taken over it can be restored.
 */
#include "base/bytes.h"
#include "base/io.h"
#include "codec/base64.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include "fuzz.h"
#include "model/document.h"
#include "put_sums.h"
#include "store/store.h"
#include "store/writer.h"
#include <backuptool/snapshot.h>
#include <fcntl.h>
#include <ftw.h>
#include <internal/view.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES	  6 /* of the source; the store has the first two of them */
#define HELD	  2
#define FILE_SIZE 96
#define VOLUME	  "00000000000000000000000000000001.json"
#define SEGMENT	  "cache/index-0000000000000001.seg"
#define TIME	  1763807400

struct world {
	char path[32], store[48], source[48];
	int base;
	unsigned char bytes[FILES][FILE_SIZE];
};

static void make_source(struct world *world)
{
	FUZZ_CHECK(!mkdirat(world->base, "source", 0755));
	for (size_t i = 0; i < FILES; i++) {
		char name[32];
		int fd;

		for (size_t j = 0; j < FILE_SIZE; j++)
			world->bytes[i][j] = (unsigned char)bt_mix64(i * FILE_SIZE + j);
		snprintf(name, sizeof(name), "source/%zu", i);
		fd = openat(world->base, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		FUZZ_CHECK(fd >= 0 && !bt_write_all(fd, world->bytes[i], FILE_SIZE));
		close(fd);
	}
}

static void write_held(struct world *world, struct bt_writer *writer)
{
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_compressor *compressor = bt_compressor_new(3);
	struct bt_held held[HELD];
	unsigned char frame[1024];
	char text[2048];
	size_t length;

	FUZZ_CHECK(hasher && compressor);
	for (size_t i = 0; i < HELD; i++) {
		held[i].size = FILE_SIZE;
		FUZZ_CHECK(!bt_hasher_digest(hasher, world->bytes[i], FILE_SIZE, &held[i].digest));
	}
	FUZZ_CHECK(!bt_compress(compressor, world->bytes, (size_t)HELD * FILE_SIZE, frame, &length));
	bt_base64_encode(text, frame, length);
	const struct bt_block_text block = {text, BT_BASE64_SIZE(length), bt_xxh3_of(frame, length)};
	FUZZ_CHECK(!bt_writer_block(writer, &block, held, HELD, NULL));
	bt_compressor_free(compressor);
	bt_hasher_free(hasher);
}

/* Its name, size and time are always the same: a segment can say that it covers it. */
static void make_store(struct world *world)
{
	const struct timespec times[2] = {{.tv_sec = TIME}, {.tv_sec = TIME}};
	const struct bt_time time = {.seconds = TIME};
	struct bt_buf header = {0}, summary = {0};
	struct bt_writer *writer;
	struct bt_upload *upload;
	int fd;

	FUZZ_CHECK(!mkdirat(world->base, "store", 0700) && !mkdirat(world->base, "store/contents", 0700) &&
		   !mkdirat(world->base, "store/cache", 0700));
	fd = openat(world->base, "store/contents", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && !bt_volume_header_write(&header, &time) && !bt_buf_append(&summary, "{}", 2));
	FUZZ_CHECK(!bt_upload_to_directory(fd, &upload, NULL) && !bt_writer_new(upload, &header, &writer, NULL));
	write_held(world, writer);
	FUZZ_CHECK(!bt_writer_seal(writer, &summary, VOLUME, NULL) && !utimensat(fd, VOLUME, times, 0));
	bt_writer_free(writer);
	bt_buf_free(&header);
	bt_buf_free(&summary);
	close(fd);
}

static void put_segment(struct world *world, const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	int fd = openat(world->base, "store/" SEGMENT, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	FUZZ_CHECK(copy && fd >= 0);
	memcpy(copy, data, size);
	put_sums(copy, size);
	FUZZ_CHECK(!bt_write_all(fd, copy, size));
	close(fd);
	free(copy);
}

static bool take(struct world *world)
{
	const struct bt_store_options opening = {.size = sizeof(opening), .cache_bytes = 1 << 20};
	const struct bt_snapshot_options options = {.size = sizeof(options), .threads = 1};
	struct bt_snapshot_result result = {.size = sizeof(result)};
	struct bt_store *store;

	FUZZ_CHECK(!bt_store_open(world->store, &opening, &store, NULL));
	int r = bt_snapshot_take(store, world->source, &options, NULL, &result, NULL);
	bt_store_close(store);
	return !r;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
	return remove(path);
}

/* By somebody who has the files alone. */
static void compare(struct world *world)
{
	const struct bt_store_options opening = {.size = sizeof(opening), .read_only = true, .cache_bytes = 1 << 20};
	struct bt_snapshot *snapshot;
	const struct bt_page *page;
	struct bt_store *store;
	char cache[64];

	snprintf(cache, sizeof(cache), "%s/cache", world->store);
	nftw(cache, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	FUZZ_CHECK(!bt_store_open(world->store, &opening, &store, NULL) && bt_store_snapshot_count(store) == 1);
	FUZZ_CHECK(!bt_snapshot_open(store, bt_store_snapshot_name(store, 0), &snapshot, NULL));
	FUZZ_CHECK(!bt_page_get(store, &bt_snapshot_info(snapshot)->root.digest, &page, NULL) && page->count == FILES);
	for (size_t i = 0; i < FILES; i++) {
		struct bt_pin pin;

		FUZZ_CHECK(!bt_store_pin(store, &page->entries[i].digest, FILE_SIZE, 0, &pin, NULL));
		FUZZ_CHECK(!memcmp(pin.data, world->bytes[i], FILE_SIZE));
		bt_store_unpin(store, &pin);
	}
	bt_page_put(store, page);
	bt_snapshot_close(snapshot);
	bt_store_close(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = {.path = "/dev/shm/bt-index-XXXXXX"};

	FUZZ_CHECK(mkdtemp(world.path));
	snprintf(world.store, sizeof(world.store), "%s/store", world.path);
	snprintf(world.source, sizeof(world.source), "%s/source", world.path);
	world.base = open(world.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(world.base >= 0);
	make_source(&world);
	make_store(&world);
	put_segment(&world, data, size);
	if (take(&world))
		compare(&world);
	close(world.base);
	nftw(world.path, remove_one, 64, FTW_PHYS | FTW_DEPTH);
	return 0;
}
