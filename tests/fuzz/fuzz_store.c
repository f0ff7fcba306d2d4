/* SPDX-License-Identifier: MIT */
/*
 * A store file: refused with a reason, or everything it lists lies inside of it. Each input is tried as it is, and once
 * more with the digests of its end put right, so that what lies behind them is reached.
 */
#include "base/bytes.h"
#include "base/io.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include "fuzz.h"
#include "store/file.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct visit {
	struct bt_file *file;
	struct bt_decompressor *decompressor;
	struct bt_buf text, data;
	uint64_t size, block, inside;
};

static int see_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
		       uint32_t size)
{
	struct visit *visit = arg;

	FUZZ_CHECK(block->at < visit->size && block->length <= visit->size - block->at);
	FUZZ_CHECK(block->size <= BT_BLOCK_MAX && size && size <= block->size && offset <= block->size - size);
	FUZZ_CHECK(offset == (block->at == visit->block ? visit->inside : 0));
	visit->inside = (uint64_t)offset + size;
	if (visit->block == block->at)
		return 0;
	visit->block = block->at;
	visit->data.length = 0;
	struct bt_block unchecked = *block;
	unchecked.has_xxh3 = false;
	if (bt_buf_reserve(&visit->data, block->size))
		return 0;
	bt_file_block(visit->file, block, visit->decompressor, &visit->text, visit->data.data, NULL);
	bt_file_block(visit->file, &unchecked, visit->decompressor, &visit->text, visit->data.data, NULL);
	return 0;
}

static int see_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct visit *visit = arg;

	FUZZ_CHECK(at < visit->size && length <= visit->size - at && length <= BT_PAGE_MAX);
	return 0;
}

static void try_file(const uint8_t *data, size_t size)
{
	struct visit visit = {.size = size};
	const struct bt_index_visitor visitor = {&visit, see_content, see_page};
	struct bt_error error = {0};
	struct bt_object *object;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && !bt_write_all(fd, data, size));
	FUZZ_CHECK(!bt_object_of_fd(fd, "input", &object, NULL));
	if (bt_file_open(object, "input", &visit.file, &error)) {
		FUZZ_CHECK(error.code == BT_E_DAMAGED && error.reason > BT_R_NONE && !strcmp(error.file, "input"));
		return;
	}
	visit.decompressor = bt_decompressor_new();
	if (bt_file_visit(visit.file, &visitor, &error))
		FUZZ_CHECK(error.code == BT_E_DAMAGED && error.reason > BT_R_NONE && error.offset <= size);
	error = (struct bt_error){0};
	if (bt_file_verify(visit.file, &error))
		FUZZ_CHECK(error.code == BT_E_DAMAGED && error.reason > BT_R_NONE);
	bt_decompressor_free(visit.decompressor);
	bt_buf_free(&visit.text);
	bt_buf_free(&visit.data);
	bt_file_free(visit.file);
}

/* Writes the digest of two parts behind the key, if it is there. */
static char *put_digest(char *end, const char *key, const char *parts[4])
{
	struct bt_hasher *hasher = bt_hasher_new();
	struct bt_digest digest;
	char *at = strstr(end, key);

	if (at && strlen(at) >= strlen(key) + 64) {
		bt_hasher_start(hasher);
		bt_hasher_add(hasher, parts[0], (size_t)(parts[1] - parts[0]));
		bt_hasher_add(hasher, parts[2], (size_t)(parts[3] - parts[2]));
		bt_hasher_finish(hasher, &digest);
		bt_hex_encode(at + strlen(key), digest.bytes, 32);
	}
	bt_hasher_free(hasher);
	return at;
}

/* False if there is no end line that says where things are. */
static bool put_digests(char *text, size_t size)
{
	uint64_t at[5];
	char *end = NULL, *open;

	for (char *next = text; (next = memmem(next, (size_t)(text + size - next), "\"end\":{", 7)); next++)
		end = next;
	if (!end || sscanf(end,
			   "\"end\":{\"blocks\":%" SCNu64 ",\"contents\":%" SCNu64 ",\"trees\":%" SCNu64
			   ",\"tree_index\":%" SCNu64 ",\"summary\":%" SCNu64,
			   &at[0], &at[1], &at[2], &at[3], &at[4]) != 5)
		return false;
	for (int i = 0; i < 5; i++)
		if (at[i] > (uint64_t)(end - text) || (i && at[i] < at[i - 1]))
			return false;
	open = strstr(end, "\"open_sha256\":\"");
	put_digest(end, "\"index_sha256\":\"",
		   (const char *[]){text + at[1], text + at[2], text + at[3], text + at[4]});
	if (open)
		put_digest(end, "\"open_sha256\":\"", (const char *[]){text, text + at[0], text + at[4], open});
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);

	FUZZ_CHECK(copy);
	memcpy(copy, data, size);
	copy[size] = 0;
	try_file(data, size);
	if (put_digests(copy, size))
		try_file((const uint8_t *)copy, size);
	free(copy);
	return 0;
}
