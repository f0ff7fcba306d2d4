/* SPDX-License-Identifier: MIT */
/* Checking all of a store file that is not inside a block. */
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/hash.h"
#include "store/file_inside.h"
#include <string.h>

#define WINDOW ((size_t)256 << 10)

struct verify {
	struct bt_file *file;
	struct bt_hasher *hasher, *whole;
	struct bt_buf text, window;
	uint64_t hashed; /* bytes that whole has */
	const struct bt_verify_step *step;
	struct bt_error *error;
	bool any_block, any_page;
};

/* Hashes the file up to this offset, a little ahead of the other reads, so that the disk reads everything once and in
 * order. */
static int advance(struct verify *verify, uint64_t to)
{
	while (verify->hashed < to) {
		uint64_t left = to - verify->hashed;
		size_t part = left < WINDOW ? (size_t)left : WINDOW;
		int r = verify->step ? verify->step->take(verify->step->arg, part) : 0;

		if (!r)
			r = bt_file_pread(verify->file, verify->window.data, part, verify->hashed, verify->error);
		if (r)
			return r;
		bt_hasher_add(verify->whole, verify->window.data, part);
		verify->hashed += part;
	}
	return 0;
}

static int check_file_digest(struct verify *verify)
{
	struct bt_file *file = verify->file;
	struct bt_digest digest;
	int r = advance(verify, file->file_digest_end);

	if (r)
		return r;
	if (bt_hasher_finish(verify->whole, &digest))
		return bt_fail(verify->error, BT_E_NOMEM, file->name, NULL);
	if (!bt_digest_equal(&digest, &file->file_digest))
		return bt_fail_damaged(verify->error, BT_R_DIGEST_MISMATCH, file->name, BT_NO_OFFSET);
	return 0;
}

/* These bytes at this offset. */
static int check_text(struct verify *verify, const char *text, uint64_t at)
{
	char found[32];
	size_t length = strlen(text);
	int r = bt_file_pread(verify->file, found, length, at, verify->error);

	if (!r && memcmp(found, text, length))
		r = bt_fail_damaged(verify->error, BT_R_NOT_JSON, verify->file->name, at);
	return r;
}

static int check_block(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
		       uint32_t size)
{
	struct verify *verify = arg;
	const char *open = verify->any_block ? ",\n" BT_BLOCK_OPEN : "[\n" BT_BLOCK_OPEN;

	if (offset || block->plain)
		return 0;
	verify->any_block = true;
	int r = advance(verify, block->at + block->length);
	if (!r)
		r = check_text(verify, open, block->at - strlen(open));
	return r ? r : check_text(verify, BT_BLOCK_CLOSE, block->at + block->length);
}

static int check_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct verify *verify = arg;
	struct bt_digest digest;
	const char *open = verify->any_page ? ",\n" : "[\n";

	verify->any_page = true;
	int r = advance(verify, at + length);
	if (!r)
		r = check_text(verify, open, at - strlen(open));
	verify->text.length = 0;
	if (!r && bt_buf_reserve(&verify->text, length))
		r = bt_fail(verify->error, BT_E_NOMEM, verify->file->name, NULL);
	if (!r)
		r = bt_file_pread(verify->file, verify->text.data, length, at, verify->error);
	if (!r && bt_hasher_digest(verify->hasher, verify->text.data, length, &digest))
		r = bt_fail(verify->error, BT_E_NOMEM, verify->file->name, NULL);
	if (!r && !bt_digest_equal(&digest, id))
		r = bt_fail_damaged(verify->error, BT_R_DIGEST_MISMATCH, verify->file->name, at);
	return r;
}

/* Where each list of lines begins and ends. */
static int check_frame(struct verify *verify)
{
	const struct bt_sections *at = &verify->file->sections;
	const char *blocks_end = verify->any_block ? "\n" BT_LIST_END : BT_LIST_END;
	const char *trees_end = verify->any_page ? "\n" BT_LIST_END : BT_LIST_END;
	int r = check_text(verify, BT_BLOCKS_LINE, at->blocks);

	if (!r)
		r = check_text(verify, blocks_end, at->contents - strlen(blocks_end));
	if (!r)
		r = check_text(verify, BT_TREES_LINE, at->trees);
	return r ? r : check_text(verify, trees_end, at->tree_index - strlen(trees_end));
}

static int verify_all(struct verify *verify)
{
	const struct bt_index_visitor visitor = {verify, check_block, check_page};

	verify->hasher = bt_hasher_new();
	verify->whole = bt_hasher_new();
	if (!verify->hasher || !verify->whole || bt_buf_reserve(&verify->window, WINDOW))
		return bt_fail(verify->error, BT_E_NOMEM, verify->file->name, NULL);
	bt_hasher_start(verify->whole);
	int r = bt_file_visit(verify->file, &visitor, verify->error);
	if (!r)
		r = check_frame(verify);
	return r ? r : check_file_digest(verify);
}

int bt_file_verify_in_steps(struct bt_file *file, const struct bt_verify_step *step, struct bt_error *error)
{
	struct verify verify = {.file = file, .step = step, .error = error};
	int r = verify_all(&verify);

	bt_hasher_free(verify.hasher);
	bt_hasher_free(verify.whole);
	bt_buf_free(&verify.text);
	bt_buf_free(&verify.window);
	return r;
}

int bt_file_verify(struct bt_file *file, struct bt_error *error)
{
	return bt_file_verify_in_steps(file, NULL, error);
}
