/* SPDX-License-Identifier: MIT */
/* Checking all of a store file that is not inside a block. */
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/hash.h"
#include "store/file_inside.h"
#include "store/rest.h"
#include <string.h>

#define PROOF_STEP ((uint64_t)4 << 20)

struct verify {
	struct bt_file *file;
	struct bt_hasher *hasher;
	struct bt_buf text;
	const struct bt_verify_step *step;
	struct bt_error *error;
	bool lines; /* of blocks, too */
	bool any_block, any_page;
};

static int go_on(const struct verify *verify)
{
	return verify->step ? verify->step->take(verify->step->arg) : 0;
}

/* These bytes at this offset. */
static int check_text(struct bt_file *file, const char *text, uint64_t at, struct bt_error *error)
{
	char found[32];
	size_t length = strlen(text);
	int r = bt_file_pread(file, found, length, at, error);

	if (!r && memcmp(found, text, length))
		r = bt_fail_damaged(error, BT_R_NOT_JSON, file->name, at);
	return r;
}

int bt_file_verify_line(struct bt_file *file, const struct bt_block *block, struct bt_error *error)
{
	bool first = block->at == file->sections.blocks + strlen(BT_BLOCKS_LINE BT_BLOCK_OPEN);
	const char *open = first ? "[\n" BT_BLOCK_OPEN : ",\n" BT_BLOCK_OPEN;
	int r = check_text(file, open, block->at - strlen(open), error);

	return r ? r : check_text(file, BT_BLOCK_CLOSE, block->at + block->length, error);
}

static int check_block(void *arg, const struct bt_block *block, const struct bt_digest *digest, uint32_t offset,
		       uint32_t size)
{
	struct verify *verify = arg;

	if (offset || block->plain)
		return 0;
	verify->any_block = true;
	return verify->lines ? bt_file_verify_line(verify->file, block, verify->error) : 0;
}

static int check_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct verify *verify = arg;
	struct bt_digest digest;
	const char *open = verify->any_page ? ",\n" : "[\n";
	int r = go_on(verify);

	verify->any_page = true;
	if (!r)
		r = check_text(verify->file, open, at - strlen(open), verify->error);
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
static int check_frame(const struct verify *verify)
{
	struct bt_file *file = verify->file;
	const struct bt_sections *at = &file->sections;
	const char *blocks_end = verify->any_block ? "\n" BT_LIST_END : BT_LIST_END;
	const char *trees_end = verify->any_page ? "\n" BT_LIST_END : BT_LIST_END;
	int r = check_text(file, BT_BLOCKS_LINE, at->blocks, verify->error);

	if (!r)
		r = check_text(file, blocks_end, at->contents - strlen(blocks_end), verify->error);
	if (!r)
		r = check_text(file, BT_TREES_LINE, at->trees, verify->error);
	return r ? r : check_text(file, trees_end, at->tree_index - strlen(trees_end), verify->error);
}

/* One text can be compressed in many ways, of which the file has the one that was written. */
static int check_stored(const struct verify *verify)
{
	struct bt_file *file = verify->file;
	struct bt_rest_proof proof;
	int r = bt_rest_proof_begin(&proof, file->named, file->name, verify->error);

	for (uint64_t at = PROOF_STEP; !r && at < bt_object_size(file->named) && bt_is_rest(file->named);
	     at += PROOF_STEP) {
		r = go_on(verify);
		if (!r)
			r = bt_rest_proof_to(&proof, at, verify->error);
	}
	if (!r)
		r = bt_rest_proof_finish(&proof, verify->error);
	bt_rest_proof_end(&proof);
	return r;
}

static int verify_all(struct verify *verify)
{
	const struct bt_index_visitor visitor = {verify, check_block, check_page};

	verify->hasher = bt_hasher_new();
	if (!verify->hasher)
		return bt_fail(verify->error, BT_E_NOMEM, verify->file->name, NULL);
	int r = bt_file_visit(verify->file, &visitor, verify->error);
	if (!r)
		r = check_frame(verify);
	if (!r)
		r = check_stored(verify);
	bt_hasher_free(verify->hasher);
	bt_buf_free(&verify->text);
	return r;
}

int bt_file_verify_rest(struct bt_file *file, const struct bt_verify_step *step, struct bt_error *error)
{
	struct verify verify = {.file = file, .step = step, .error = error};

	return verify_all(&verify);
}

int bt_file_verify(struct bt_file *file, struct bt_error *error)
{
	struct verify verify = {.file = file, .lines = true, .error = error};

	return verify_all(&verify);
}
