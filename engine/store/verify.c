/* SPDX-License-Identifier: MIT */
/* Checking all of a store file that is not inside a block. */
#include "base/bytes.h"
#include "base/fail.h"
#include "codec/hash.h"
#include "store/file_inside.h"
#include "store/rest.h"
#include <string.h>

#define PROOF_STEP ((uint64_t)4 << 20)
#define PAGES_STEP ((size_t)64 << 10) /* pages are small, and read several at once */

struct verify {
	struct bt_file *file;
	struct bt_hasher *hasher;
	struct bt_buf pages; /* bytes of the file from pages_at on */
	uint64_t pages_at;
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

/* Makes all of this be in memory, and what follows it. Where that is damaged, it alone. */
static int load_pages(struct verify *verify, uint64_t at, size_t length)
{
	uint64_t end = verify->file->sections.tree_index;
	size_t more = end - at < PAGES_STEP ? (size_t)(end - at) : PAGES_STEP;

	verify->pages.length = 0;
	if (bt_buf_reserve(&verify->pages, length > PAGES_STEP ? length : PAGES_STEP))
		return bt_fail(verify->error, BT_E_NOMEM, verify->file->name, NULL);
	int r = more > length ? bt_file_pread(verify->file, verify->pages.data, more, at, NULL) : BT_E_DAMAGED;
	if (r) {
		more = length;
		r = bt_file_pread(verify->file, verify->pages.data, more, at, verify->error);
	}
	if (r)
		return r;
	verify->pages.length = more;
	verify->pages_at = at;
	return 0;
}

static int read_page(struct verify *verify, uint64_t at, size_t length, const unsigned char **ret_data)
{
	uint64_t before = at - verify->pages_at;
	bool there =
		at >= verify->pages_at && before <= verify->pages.length && length <= verify->pages.length - before;
	int r = there ? 0 : load_pages(verify, at, length);

	if (!r)
		*ret_data = verify->pages.data + (at - verify->pages_at);
	return r;
}

static int check_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct verify *verify = arg;
	const unsigned char *line;
	struct bt_digest digest;
	const char *open = verify->any_page ? ",\n" : "[\n";
	int r = go_on(verify);

	verify->any_page = true;
	if (!r)
		r = read_page(verify, at - strlen(open), strlen(open) + length, &line);
	if (!r && memcmp(line, open, strlen(open)) != 0)
		r = bt_fail_damaged(verify->error, BT_R_NOT_JSON, verify->file->name, at - strlen(open));
	if (!r && bt_hasher_digest(verify->hasher, line + strlen(open), length, &digest))
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
	bt_buf_free(&verify->pages);
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
