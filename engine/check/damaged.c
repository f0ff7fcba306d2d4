/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "check/run.h"
#include "codec/hash.h"

struct search {
	struct bt_check_run *run;
	struct bt_file *file;
	uint32_t ordinal;
	struct bt_hasher *hasher;
	struct bt_buf text;
};

static int look_at_page(void *arg, const struct bt_digest *id, uint64_t at, uint32_t length)
{
	struct search *search = arg;
	struct bt_check_found facts = {.ordinal = search->ordinal, .offset = at, .length = length};
	struct bt_digest digest;
	int r = bt_voice_failed(&search->run->voice);

	search->text.length = 0;
	if (r)
		return r;
	if (bt_buf_reserve(&search->text, length))
		return BT_E_NOMEM;
	r = bt_file_pread(search->file, search->text.data, length, at, &facts.error);
	if (!r && bt_hasher_digest(search->hasher, search->text.data, length, &digest))
		return BT_E_NOMEM;
	if (!r && !bt_digest_equal(&digest, id))
		r = bt_fail_damaged(&facts.error, BT_R_DIGEST_MISMATCH, bt_file_name(search->file), at);
	return r ? bt_findings_add(search->run, &facts, NULL) : 0;
}

int bt_check_damaged_pages(struct bt_check_run *run, struct bt_file *file, uint32_t ordinal)
{
	struct search search = {.run = run, .file = file, .ordinal = ordinal, .hasher = bt_hasher_new()};
	const struct bt_index_visitor visitor = {&search, NULL, look_at_page};
	struct bt_error ignored = {0};
	int r = search.hasher ? bt_file_visit(file, &visitor, &ignored) : BT_E_NOMEM;

	bt_hasher_free(search.hasher);
	bt_buf_free(&search.text);
	/* lists that cannot be read have a finding of their own */
	return r == BT_E_DAMAGED || r == BT_E_SYSTEM ? 0 : r;
}
