/* SPDX-License-Identifier: MIT */
/* Who else needs what matches. */
#include "base/fail.h"
#include "base/sized.h"
#include "rewrite/run.h"

static bool is_made_anew(const struct bt_rewrite_run *run, const char *name)
{
	for (size_t i = 0; i < run->pair_count; i++)
		if (!strcmp(run->pairs[i].from, name))
			return true;
	return false;
}

/* Calls visit for each snapshot that stays as it is. */
static int each_other(struct bt_rewrite_run *run, void *arg,
		      int (*visit)(void *arg, const char *name, struct bt_error *error), struct bt_error *error)
{
	size_t count = bt_store_snapshot_count(run->store);
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		const char *name = bt_store_snapshot_name(run->store, i);

		if (!is_made_anew(run, name))
			r = visit(arg, name, error);
	}
	return r;
}

static int mark_other(void *arg, const char *name, struct bt_error *error)
{
	return bt_mark_snapshot(arg, name, error);
}

/* Looks for the first thing in a snapshot that goes elsewhere. What was seen in snapshots without any is not looked at
 * again. */
struct search {
	struct bt_rewrite_run *run;
	struct bt_observer observer; /* ends the mark when something is found */
	struct bt_mark mark;
	struct bt_buf pages, hits; /* struct bt_digest: seen in this snapshot, and what of it goes elsewhere */
	bool failed;
};

static void see_digest(void *arg, const struct bt_digest *digest)
{
	struct search *search = arg;

	if (bt_digest_set_has(&search->run->gone.contents, digest))
		search->failed |= bt_buf_append(&search->hits, digest, sizeof(*digest)) != 0;
}

static void see_content(void *arg, const struct bt_chunk *content)
{
	see_digest(arg, &content->digest);
}

static void see_page(void *arg, const struct bt_digest *id)
{
	struct search *search = arg;

	search->failed |= bt_buf_append(&search->pages, id, sizeof(*id)) != 0;
}

static bool is_found(void *arg)
{
	const struct search *search = arg;

	return search->hits.length || search->failed || bt_cancelled(search->run->observer);
}

static void forget_all(struct bt_digest_set *set, const struct bt_buf *list)
{
	const struct bt_digest *digests = (const struct bt_digest *)list->data;

	for (size_t i = 0; i < list->length / sizeof(*digests); i++)
		bt_digest_set_remove(set, &digests[i]);
}

static int search_other(void *arg, const char *name, struct bt_error *error)
{
	struct search *search = arg;
	struct bt_error found = {0};

	bt_buf_clear(&search->pages);
	bt_buf_clear(&search->hits);
	int r = bt_mark_snapshot(&search->mark, name, &found);
	if (search->failed)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	if (!search->hits.length)
		return r ? bt_error_pass(error, &found, r) : 0;
	forget_all(&search->mark.pages, &search->pages);
	forget_all(&search->mark.contents, &search->hits);
	search->mark.depth = 0;
	return bt_buf_append(&search->run->names, &name, sizeof(name)) ? bt_fail(error, BT_E_NOMEM, NULL, NULL) : 0;
}

static int name_others(struct bt_rewrite_run *run, struct bt_error *error)
{
	struct search search = {.run = run};

	search.observer = (struct bt_observer){.size = sizeof(search.observer), .arg = &search, .cancelled = is_found};
	search.mark = (struct bt_mark){.store = run->store,
				       .observer = &search.observer,
				       .added = see_content,
				       .added_page = see_page,
				       .added_named = see_digest,
				       .arg = &search};
	int r = each_other(run, &search, search_other, error);
	bt_mark_free(&search.mark);
	bt_buf_free(&search.pages);
	bt_buf_free(&search.hits);
	return r;
}

/* Puts together what nothing needs any more. */
static int sum_up(struct bt_rewrite_run *run, const struct bt_mark *others, struct bt_rewrite_loss *loss,
		  bool *ret_needed)
{
	const struct bt_chunk *contents = (const struct bt_chunk *)run->contents.data;
	int r = 0;

	loss->contents = run->contents.length / sizeof(*contents);
	for (size_t i = 0; i < loss->contents && !r; i++) {
		bool other = bt_digest_set_has(&others->contents, &contents[i].digest);

		*ret_needed |= other;
		loss->bytes += contents[i].size;
		if (other || bt_digest_set_has(&run->kept.contents, &contents[i].digest)) {
			loss->kept_contents++;
			loss->kept_bytes += contents[i].size;
		} else {
			r = bt_buf_append(&run->digests, &contents[i].digest, sizeof(contents[i].digest));
		}
	}
	return r || !run->pages.length ? r : bt_buf_append(&run->digests, run->pages.data, run->pages.length);
}

int bt_rewrite_loss(struct bt_rewrite_run *run, struct bt_rewrite_loss *ret_loss, struct bt_error *error)
{
	struct bt_rewrite_loss loss = {0};
	struct bt_mark others = {.store = run->store, .observer = run->observer};
	bool needed = false;

	if (bt_sized_check(ret_loss, error))
		return BT_E_INVALID;
	bt_buf_clear(&run->names);
	bt_buf_clear(&run->digests);
	int r = each_other(run, &others, mark_other, error);
	if (!r && sum_up(run, &others, &loss, &needed))
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	bt_mark_free(&others);
	if (!r && needed)
		r = name_others(run, error);
	if (r)
		return r;
	loss.names = (const char *const *)run->names.data;
	loss.name_count = run->names.length / sizeof(*loss.names);
	loss.digests = (const struct bt_digest *)run->digests.data;
	loss.digest_count = run->digests.length / sizeof(*loss.digests);
	bt_sized_give(ret_loss, &loss, sizeof(loss));
	return 0;
}
