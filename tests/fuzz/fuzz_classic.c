/* SPDX-License-Identifier: MIT */
/* A version 1 file. It is refused with a reason; or what is derived from it is a file that every reader accepts, with
 * pages that parse and contents that are what their digests say. */
#include "base/arena.h"
#include "base/bytes.h"
#include "base/io.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include "fuzz.h"
#include "model/classic.h"
#include "model/document.h"
#include "model/page.h"
#include "store/store.h"
#include <sys/mman.h>
#include <unistd.h>

struct check {
	struct bt_file *file;
	struct bt_decompressor *decompressor;
	struct bt_hasher *hasher;
	struct bt_buf text;
};

static int check_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			 uint32_t size)
{
	struct check *check = arg;
	struct bt_digest found;
	struct bt_error error = {0};
	unsigned char *data = malloc(block->size);

	FUZZ_CHECK(data && offset == 0 && size == block->size);
	FUZZ_CHECK(bt_file_block(check->file, block, check->decompressor, &check->text, data, &error) == 0);
	FUZZ_CHECK(bt_hasher_digest(check->hasher, data, size, &found) == 0);
	FUZZ_CHECK(bt_digest_equal(&found, digest));
	free(data);
	return 0;
}

static int check_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct check *check = arg;
	struct bt_digest found;
	struct bt_error error = {0};
	struct bt_page *page;
	size_t weight;
	char *line = malloc(length);

	FUZZ_CHECK(line && bt_file_pread(check->file, line, length, at, &error) == 0);
	FUZZ_CHECK(bt_hasher_digest(check->hasher, line, length, &found) == 0 && bt_digest_equal(&found, id));
	FUZZ_CHECK(bt_page_parse(line, length, at, &page, &weight, &error) == 0);
	bt_page_free(page);
	free(line);
	return 0;
}

static struct bt_object *object_of(int fd)
{
	struct bt_object *object;

	FUZZ_CHECK(bt_object_of_fd(dup(fd), "input", &object, NULL) == 0);
	return object;
}

static void check_derived(int out, int source)
{
	struct check check = {.decompressor = bt_decompressor_new(), .hasher = bt_hasher_new()};
	const struct bt_index_visitor visitor = {&check, check_content, check_page};
	struct bt_arena arena = {0};
	struct bt_snapshot_info info;
	struct bt_error error = {0};

	FUZZ_CHECK(check.decompressor && check.hasher);
	FUZZ_CHECK(bt_file_open_classic(object_of(out), object_of(source), "input", &check.file, &error) == 0);
	FUZZ_CHECK(bt_document_read(check.file, &arena, &info, &error) == 0);
	FUZZ_CHECK(bt_file_visit(check.file, &visitor, &error) == 0);
	FUZZ_CHECK(bt_file_verify(check.file, &error) == 0);
	bt_file_free(check.file);
	bt_arena_free(&arena);
	bt_buf_free(&check.text);
	bt_hasher_free(check.hasher);
	bt_decompressor_free(check.decompressor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bt_error error = {0};
	int source = memfd_create("source", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);

	FUZZ_CHECK(source >= 0 && out >= 0 && bt_write_all(source, data, size) == 0);
	struct bt_object *object = object_of(source);
	bt_is_classic(object);
	bt_object_close(object);
	int r = bt_classic_derive(source, "input", out, NULL, &error);
	if (!r)
		check_derived(out, source);
	else
		FUZZ_CHECK(r == BT_E_DAMAGED && error.code == r && error.reason != BT_R_NONE);
	close(source);
	close(out);
	return 0;
}
