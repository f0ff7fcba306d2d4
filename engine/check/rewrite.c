/* SPDX-License-Identifier: MIT */
/* Copies the intact parts of a file unchanged into a new one, and verifies all of them. */
#include "base/bytes.h"
#include "base/fail.h"
#include "check/run.h"
#include "codec/frame.h"
#include "codec/hash.h"
#include <errno.h>

struct copy {
	struct bt_rewrite *rewrite;
	struct bt_decompressor *decompressor;
	struct bt_hasher *hasher;
	struct bt_buf text, plain;
	struct bt_buf held; /* struct bt_held: the contents of the block so far */
	struct bt_block block;
	struct bt_error *error;
};

/* Contents of a block that decodes are named by their bytes, not by what a list says. */
static int name_contents(struct copy *copy, struct bt_held *held, size_t count)
{
	const unsigned char *data = copy->plain.data;

	for (size_t i = 0; i < count; i++) {
		if (bt_hasher_digest(copy->hasher, data, held[i].size, &held[i].digest))
			return BT_E_NOMEM;
		data += held[i].size;
	}
	return 0;
}

/* Damage, or a medium that gives an I/O error. Any other failure does not concern the file, which stays as it is
 * then. */
static bool is_lost(int r, const struct bt_error *error)
{
	return r == BT_E_DAMAGED || (r == BT_E_SYSTEM && error->sys == EIO);
}

/* Reads again after a failure, since the check has just read it. */
static int read_block(struct copy *copy, struct bt_error *ret_error)
{
	int r = BT_E_SYSTEM;

	for (int i = 0; i < 2 && r == BT_E_SYSTEM; i++) {
		*ret_error = (struct bt_error){0};
		r = bt_file_block(copy->rewrite->file, &copy->block, copy->decompressor, &copy->text, copy->plain.data,
				  ret_error);
	}
	return r;
}

static int end_block(struct copy *copy)
{
	struct bt_held *held = (struct bt_held *)copy->held.data;
	size_t count = copy->held.length / sizeof(*held);
	struct bt_error damage = {0};

	copy->held.length = copy->plain.length = 0;
	if (!count)
		return 0;
	int r = bt_buf_reserve(&copy->plain, copy->block.size);
	if (!r)
		r = read_block(copy, &damage);
	if (is_lost(r, &damage))
		return 0;
	if (!r)
		r = name_contents(copy, held, count);
	if (r)
		return r;
	struct bt_block_text text = {.text = (const char *)copy->text.data, .length = copy->block.length};
	r = bt_xxh3_of_base64(text.text, text.length, &text.xxh3);
	if (r)
		return r;
	copy->rewrite->blocks++;
	return bt_writer_block(copy->rewrite->writer, &text, held, count, copy->error);
}

static int rewrite_content(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
			   uint32_t size)
{
	struct copy *copy = arg;
	const struct bt_held held = {*digest, size};
	int r = offset ? 0 : end_block(copy);

	if (!r)
		r = bt_buf_append(&copy->held, &held, sizeof(held));
	copy->block = *block;
	return r;
}

static int rewrite_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct copy *copy = arg;
	struct bt_error damage = {0};
	struct bt_digest digest;

	copy->text.length = 0;
	if (bt_buf_reserve(&copy->text, length))
		return BT_E_NOMEM;
	int r = bt_file_pread_twice(copy->rewrite->file, copy->text.data, length, at, &damage);
	if (r)
		return is_lost(r, &damage) ? 0 : r;
	if (bt_hasher_digest(copy->hasher, copy->text.data, length, &digest))
		return BT_E_NOMEM;
	if (!bt_digest_equal(&digest, id))
		return 0;
	copy->rewrite->pages++;
	return bt_writer_page(copy->rewrite->writer, (const char *)copy->text.data, length, id, copy->error);
}

int bt_rewrite_file(struct bt_rewrite *rewrite, struct bt_error *error)
{
	struct copy copy = {
		.rewrite = rewrite, .decompressor = bt_decompressor_new(), .hasher = bt_hasher_new(), .error = error};
	const struct bt_index_visitor blocks = {&copy, rewrite_content, NULL}, pages = {&copy, NULL, rewrite_page};
	int r = copy.decompressor && copy.hasher ? 0 : BT_E_NOMEM;

	if (!r)
		r = bt_file_visit_loosely(rewrite->file, &blocks, error);
	if (!r)
		r = end_block(&copy);
	if (!r)
		r = bt_file_visit_loosely(rewrite->file, &pages, error);
	bt_decompressor_free(copy.decompressor);
	bt_hasher_free(copy.hasher);
	bt_buf_free(&copy.text);
	bt_buf_free(&copy.plain);
	bt_buf_free(&copy.held);
	return r ? bt_fail(error, (enum bt_code)r, bt_file_name(rewrite->file), "copy the intact parts") : 0;
}
