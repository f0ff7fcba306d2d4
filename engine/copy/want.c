/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "copy/run.h"
#include <stdlib.h>
#include <string.h>

/* The file should have something that is wanted. */
static int note_file(struct bt_copy *copy, uint32_t ordinal)
{
	size_t count = bt_store_file_count(copy->from);

	if (ordinal >= copy->file_count) {
		unsigned char *files = realloc(copy->files, count);

		if (!files)
			return BT_E_NOMEM;
		memset(files + copy->file_count, 0, count - copy->file_count);
		copy->files = files;
		copy->file_count = count;
	}
	copy->files[ordinal] = 1;
	return 0;
}

/* Whether the other store lacks it. A page that is there is read, since the snapshot relies on it. */
static int lacks(struct bt_copy *copy, const struct bt_digest *digest, bool page, bool *ret_lacks,
		 struct bt_error *error)
{
	bool has = false;
	int r = copy->to ? bt_store_has(copy->to, digest, page, &has, error) : 0;

	if (!r && has && page)
		r = bt_pack_proves_page(copy->to, digest, &has);
	*ret_lacks = !has;
	return r;
}

static int note_wanted(struct bt_copy *copy, const struct bt_digest *digest, bool page, uint64_t size)
{
	int r = bt_digest_set_add(&copy->wanted.of[page], digest);

	if (r <= 0)
		return r;
	*(page ? &copy->result.pages : &copy->result.contents) += 1;
	copy->result.new_bytes += size;
	return 0;
}

/* size 0: that of the content is not known. */
static int want(struct bt_copy *copy, const struct bt_digest *digest, bool page, uint64_t size, struct bt_error *error)
{
	struct bt_location place;
	bool is_lacking = false;
	int r = lacks(copy, digest, page, &is_lacking, error);

	if (r || !is_lacking)
		return r;
	r = bt_store_find(copy->from, digest, page, &place, error);
	if (r == BT_E_NOT_FOUND)
		return bt_store_missing(copy->from, digest, page, error);
	if (!r)
		r = note_file(copy, place.file);
	return r ? r : note_wanted(copy, digest, page, size ? size : place.size);
}

static void keep_failure(struct bt_copy *copy, int r)
{
	if (r && !copy->failure.code)
		bt_fail(&copy->failure, (enum bt_code)r, NULL, "find what is to be copied");
}

static void want_content(void *arg, const struct bt_chunk *content)
{
	struct bt_copy *copy = arg;

	if (!copy->failure.code)
		keep_failure(copy, want(copy, &content->digest, false, content->size, &copy->failure));
}

static void want_page(void *arg, const struct bt_digest *id)
{
	struct bt_copy *copy = arg;

	if (!copy->failure.code)
		keep_failure(copy, want(copy, id, true, 0, &copy->failure));
}

static void want_named(void *arg, const struct bt_digest *digest)
{
	struct bt_copy *copy = arg;
	struct bt_location place;

	for (int page = 0; page < 2; page++)
		if (!copy->failure.code && !bt_store_find(copy->from, digest, page, &place, &copy->failure))
			keep_failure(copy, want(copy, digest, page, 0, &copy->failure));
}

static void begin_mark(struct bt_copy *copy)
{
	copy->mark.store = copy->from;
	copy->mark.observer = copy->observer;
	copy->mark.added = want_content;
	copy->mark.added_page = want_page;
	copy->mark.added_named = want_named;
	copy->mark.arg = copy;
}

int bt_copy_want(struct bt_copy *copy, const char *name, struct bt_error *error)
{
	begin_mark(copy);
	int r = bt_mark_snapshot(&copy->mark, name, error);

	if (!r && copy->failure.code)
		r = bt_error_pass(error, &copy->failure, (int)copy->failure.code);
	return r;
}

void bt_copy_rest(struct bt_copy *copy)
{
	bt_digest_sets_free(&copy->wanted);
	bt_digest_sets_free(&copy->done);
	free(copy->files);
	copy->files = NULL;
	copy->file_count = 0;
	copy->failure = (struct bt_error){0};
}
