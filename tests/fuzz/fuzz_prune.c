/* SPDX-License-Identifier: MIT */
/*
 * A small store whose files lie to each other, pruned: a snapshot that could be restored before and was not removed can
 * be restored after, whatever the files say that they hold.
 *
 * The input says of each file what it holds: bytes of a stream, 0 where it ends. All digests of files fit; contents and
 * pages are right, others than their lists say, or damaged.
 */
#include "base/bytes.h"
#include "base/io.h"
#include "codec/base64.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include "fuzz.h"
#include "model/document.h"
#include "model/page.h"
#include "store/writer.h"
#include <backuptool/prune.h>
#include <fcntl.h>
#include <ftw.h>
#include <internal/policy.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTENTS     6
#define PAGES	     3 /* each of two contents */
#define CONTENT_SIZE 64
#define FILES_MAX    6
#define FIRST_TIME   1763807400

enum fault { RIGHT, OTHER_BYTES, BROKEN };

struct input {
	const uint8_t *at, *end;
};

struct pool {
	unsigned char bytes[CONTENTS + 1][CONTENT_SIZE]; /* the last is nobody's */
	struct bt_digest digests[CONTENTS], ids[PAGES];
	struct bt_buf lines[PAGES];
	struct bt_hasher *hasher;
	struct bt_compressor *compressor;
};

struct world {
	struct pool pool;
	struct input input;
	char path[32];
	int store, contents;
	size_t snapshots;
	char names[FILES_MAX][64];
	bool whole[FILES_MAX];
};

static unsigned next(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

static struct bt_digest digest_of(struct pool *pool, const void *data, size_t size)
{
	struct bt_digest digest;

	FUZZ_CHECK(bt_hasher_digest(pool->hasher, data, size, &digest) == 0);
	return digest;
}

static int emit(void *arg, const char *line, size_t length, struct bt_digest *ret_id)
{
	struct pool *pool = arg;
	size_t i = 0;

	while (pool->lines[i].length)
		i++;
	*ret_id = pool->ids[i] = digest_of(pool, line, length);
	return bt_buf_append(&pool->lines[i], line, length);
}

static void make_page(struct pool *pool, size_t page)
{
	struct bt_page_builder builder = {.arg = pool, .emit = emit};
	struct bt_digest id;

	for (size_t i = 0; i < 2; i++) {
		struct bt_entry entry = {.name = i ? "b" : "a",
					 .name_length = 1,
					 .type = BT_FILE,
					 .mode = 0644,
					 .has_digest = true,
					 .digest = pool->digests[2 * page + i],
					 .size = CONTENT_SIZE};

		FUZZ_CHECK(bt_page_builder_add(&builder, &entry) == 0);
	}
	FUZZ_CHECK(bt_page_builder_finish(&builder, &id) == 0);
	bt_page_builder_free(&builder);
}

static void make_pool(struct pool *pool)
{
	pool->hasher = bt_hasher_new();
	pool->compressor = bt_compressor_new(3);
	FUZZ_CHECK(pool->hasher && pool->compressor);
	for (size_t i = 0; i <= CONTENTS; i++)
		for (size_t j = 0; j < CONTENT_SIZE; j++)
			pool->bytes[i][j] = (unsigned char)bt_mix64(i * CONTENT_SIZE + j);
	for (size_t i = 0; i < CONTENTS; i++)
		pool->digests[i] = digest_of(pool, pool->bytes[i], CONTENT_SIZE);
	for (size_t i = 0; i < PAGES; i++)
		make_page(pool, i);
}

static void free_pool(struct pool *pool)
{
	for (size_t i = 0; i < PAGES; i++)
		bt_buf_free(&pool->lines[i]);
	bt_hasher_free(pool->hasher);
	bt_compressor_free(pool->compressor);
}

static void write_block(struct pool *pool, struct bt_writer *writer, const unsigned char *plain,
			const struct bt_held *held, size_t count, bool broken)
{
	unsigned char frame[1024];
	char text[2048];
	size_t length;

	FUZZ_CHECK(bt_frame_bound(count * CONTENT_SIZE) <= sizeof(frame));
	FUZZ_CHECK(bt_compress(pool->compressor, plain, count * CONTENT_SIZE, frame, &length) == 0);
	if (broken)
		memset(frame, 'x', length);
	bt_base64_encode(text, frame, length);
	const struct bt_block_text block = {text, BT_BASE64_SIZE(length), bt_xxh3_of(frame, length)};
	FUZZ_CHECK(bt_writer_block(writer, &block, held, count, NULL) == 0);
}

/* The digest of one, and the bytes of that or of another one. */
static void add_block(struct world *world, struct bt_writer *writer, unsigned first)
{
	struct pool *pool = &world->pool;
	unsigned char plain[4 * CONTENT_SIZE];
	struct bt_held held[4];
	size_t count = 1 + (first >> 1) % 4;

	for (size_t i = 0; i < count; i++) {
		unsigned what = next(&world->input), fault = (what >> 4) % 3;
		size_t content = what % CONTENTS;

		held[i] = (struct bt_held){pool->digests[content], CONTENT_SIZE};
		memcpy(plain + i * CONTENT_SIZE, pool->bytes[fault == OTHER_BYTES ? CONTENTS : content], CONTENT_SIZE);
	}
	write_block(pool, writer, plain, held, count, first >> 4 == 0xf);
}

static void add_page(struct world *world, struct bt_writer *writer, unsigned what)
{
	struct pool *pool = &world->pool;
	size_t page = what % PAGES, line = what & 0x40 ? (page + 1) % PAGES : page;

	FUZZ_CHECK(bt_writer_page(writer, (const char *)pool->lines[line].data, pool->lines[line].length,
				  &pool->ids[page], NULL) == 0);
}

/* What the file holds: as many bytes as it takes until one is 0. */
static void add_parts(struct world *world, struct bt_writer *writer)
{
	unsigned part;

	for (int i = 0; i < 8 && (part = next(&world->input)) != 0; i++) {
		if (part & 1)
			add_block(world, writer, part);
		else
			add_page(world, writer, part >> 1);
	}
}

static void seal(struct bt_writer *writer, struct bt_buf *summary, const char *name)
{
	FUZZ_CHECK(bt_writer_seal(writer, summary, name, NULL) == 0);
	bt_buf_free(summary);
	bt_writer_free(writer);
}

static void make_snapshot(struct world *world, unsigned first)
{
	struct bt_snapshot_info info = {.time.seconds = FIRST_TIME + (int64_t)world->snapshots,
					.host = "h",
					.target = "/home/me",
					.files = 2,
					.directories = 1,
					.root = {.name = "",
						 .type = BT_DIR,
						 .mode = 0755,
						 .has_digest = true,
						 .digest = world->pool.ids[(first >> 1) % PAGES]}};
	struct bt_buf header = {0}, summary = {0};
	struct bt_writer *writer;
	struct bt_upload *upload;
	char *name = world->names[world->snapshots++];

	bt_snapshot_name_format(info.time.seconds, 0, name, sizeof(world->names[0]));
	FUZZ_CHECK(bt_header_write(&header, &info) == 0 && bt_summary_write(&summary, &info) == 0);
	FUZZ_CHECK(bt_upload_to_directory(world->store, &upload, NULL) == 0 &&
		   bt_writer_new(upload, &header, &writer, NULL) == 0);
	add_parts(world, writer);
	seal(writer, &summary, name);
	bt_buf_free(&header);
}

static void make_volume(struct world *world, size_t number)
{
	struct bt_time time = {.seconds = FIRST_TIME};
	struct bt_buf header = {0}, summary = {0};
	struct bt_writer *writer;
	struct bt_upload *upload;
	char name[48];

	snprintf(name, sizeof(name), "%032zx.json", number * 0x1111);
	FUZZ_CHECK(bt_volume_header_write(&header, &time) == 0 && bt_buf_append(&summary, "{}", 2) == 0);
	FUZZ_CHECK(bt_upload_to_directory(world->contents, &upload, NULL) == 0 &&
		   bt_writer_new(upload, &header, &writer, NULL) == 0);
	add_parts(world, writer);
	seal(writer, &summary, name);
	bt_buf_free(&header);
}

static void make_store(struct world *world)
{
	size_t files = 2 + next(&world->input) % (FILES_MAX - 1);

	FUZZ_CHECK(mkdtemp(world->path));
	world->store = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(world->store >= 0 && mkdirat(world->store, "contents", 0700) == 0);
	world->contents = openat(world->store, "contents", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FUZZ_CHECK(world->contents >= 0);
	for (size_t i = 0; i < files && i < FILES_MAX; i++) {
		unsigned first = next(&world->input);

		if (first & 1)
			make_volume(world, i);
		else
			make_snapshot(world, first);
	}
}

static bool can_read(struct bt_store *store, const struct bt_entry *root)
{
	const struct bt_page *page;
	bool can = true;

	if (bt_page_get(store, &root->digest, &page, NULL))
		return false;
	for (size_t i = 0; i < page->count && can; i++) {
		struct bt_pin pin;

		can = bt_store_pin(store, &page->entries[i].digest, page->entries[i].size, 0, &pin, NULL) == 0;
		if (can)
			bt_store_unpin(store, &pin);
	}
	bt_page_put(store, page);
	return can;
}

/* By somebody who knows nothing but the files. */
static bool is_whole(struct world *world, const char *name)
{
	const struct bt_store_options how = {.size = sizeof(how), .read_only = true, .cache_bytes = 1 << 20};
	struct bt_snapshot *snapshot;
	struct bt_store *store;
	bool whole = false;

	FUZZ_CHECK(bt_store_open(world->path, &how, &store, NULL) == 0);
	if (bt_snapshot_open(store, name, &snapshot, NULL) == 0) {
		whole = can_read(store, &bt_snapshot_info(snapshot)->root);
		bt_snapshot_close(snapshot);
	}
	bt_store_close(store);
	return whole;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
	return remove(path);
}

/* What is not in the files themselves. */
static void forget_cache(struct world *world)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/cache", world->path);
	nftw(path, remove_one, 64, FTW_PHYS | FTW_DEPTH);
}

static void prune(struct world *world, unsigned removed, unsigned how)
{
	static const unsigned percents[] = {0, 1, 60, 100};
	const struct bt_prune_options options = {
		.size = sizeof(options), .dead_percent = percents[how % 4], .volume_size = how & 4 ? 100 : 0};
	const struct bt_store_options opening = {.size = sizeof(opening), .cache_bytes = 1 << 20};
	const char *names[FILES_MAX];
	struct bt_store *store;
	size_t count = 0;

	for (size_t i = 0; i < world->snapshots; i++)
		if (removed >> i & 1)
			names[count++] = world->names[i];
	FUZZ_CHECK(bt_store_open(world->path, &opening, &store, NULL) == 0);
	bt_prune(store, names, count, &options, NULL, NULL, NULL);
	bt_store_close(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = {.input = {data, data + size}, .path = "/dev/shm/bt-prune-XXXXXX"};
	unsigned removed, how;

	make_pool(&world.pool);
	removed = next(&world.input);
	how = next(&world.input);
	make_store(&world);
	for (size_t i = 0; i < world.snapshots; i++)
		world.whole[i] = is_whole(&world, world.names[i]);
	/* What the first one kept, the second one may not lose either. */
	for (int turn = 0; turn < 2; turn++) {
		prune(&world, turn ? 0 : removed, turn ? how >> 3 : how);
		forget_cache(&world);
		for (size_t i = 0; i < world.snapshots; i++)
			FUZZ_CHECK(!world.whole[i] || removed >> i & 1 || is_whole(&world, world.names[i]));
	}
	close(world.store);
	close(world.contents);
	nftw(world.path, remove_one, 64, FTW_PHYS | FTW_DEPTH);
	free_pool(&world.pool);
	return 0;
}
