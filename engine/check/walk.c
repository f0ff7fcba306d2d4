/* SPDX-License-Identifier: MIT */
/* Walks every snapshot from its root. */
#include "view/walk.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "check/run.h"
#include "view/pages.h"
#include "view/snapshot.h"
#include <string.h>

/* A damaged directory is walked each time that it is met, for the paths that it hurts there. This may visit as many
 * entries as a snapshot has, within these bounds: a small store can name a directory in more places than could be
 * listed. */
#define AGAIN_LEAST ((uint64_t)1 << 20)
#define AGAIN_MOST  ((uint64_t)1 << 24)

#define FILTERED 4 /* depths of pages of large directories that are noted as clean */

/* A directory between the root and the present entry. */
struct level {
	struct bt_digest tree;
	bool clean;
	bool again;		  /* it is walked another time */
	uint64_t hurts[FILTERED]; /* when the walk came to the page of this depth */
};

enum pass {
	COLLECT, /* collects what is needed */
	TRACE,
	WRONG, /* only finds files that do not match their digest */
};

struct walk {
	struct bt_check_run *run;
	const struct bt_snapshot_info *info;
	uint32_t ordinal;
	enum pass pass;
	uint64_t hurts;
	uint64_t again;			   /* entries of directories walked again that may still be visited */
	struct bt_check_found *unreadable; /* of see_unreadable, once there is one */
	struct bt_walk *tree;
	struct bt_walk_step step; /* the present entry, or the directory that could not be read */
};

/* Records that the present entry cannot be restored completely because of found. */
static int hurt(struct walk *walk, struct bt_check_found *found, uint64_t offset, uint64_t length)
{
	struct level *level = bt_walk_level(walk->tree);

	if (level)
		level->clean = false;
	walk->hurts++;
	if (!found && walk->pass != TRACE) /* it was reported before */
		return 0;
	const struct bt_hurt hurt = {.snapshot = walk->info->name,
				     .path = walk->step.path,
				     .offset = offset,
				     .length = length,
				     .path_length = walk->step.path_length,
				     .entry = walk->run->entries};
	return bt_findings_hurt(walk->run, found, &hurt);
}

/* A page cannot be read. What it held is unknown. */
static int hurt_by(struct walk *walk, int code, const struct bt_error *error)
{
	struct bt_check_found facts = {.error = *error, .ordinal = BT_CHECK_NO_FILE, .offset = error->offset};
	struct bt_check_found *found = NULL;

	if (code == BT_E_NOT_FOUND) /* the snapshot was removed meanwhile, by hand, since the lock is held */
		return 0;
	if (code != BT_E_DAMAGED && code != BT_E_SYSTEM)
		return code;
	if (error->reason == BT_R_MISSING_PAGE)
		facts.error.detail[0] = 0; /* one finding for all missing pages */
	int r = walk->pass == TRACE ? bt_findings_add(walk->run, &facts, &found) : 0;
	return r ? r : hurt(walk, found, BT_NO_OFFSET, 0);
}

static int need(struct walk *walk, const struct bt_digest *digest, uint64_t size, uint64_t offset)
{
	struct bt_check_run *run = walk->run;
	struct bt_digest key = bt_check_key(digest, size);
	struct bt_check_found *found;

	if (walk->pass == COLLECT)
		return bt_digest_set_add(&run->needed, &key) < 0 ? BT_E_NOMEM : 0;
	if (walk->pass == WRONG || bt_digest_set_has(&run->good, &key))
		return 0;
	int r = bt_findings_of(run, &key, &found);
	return r ? r : hurt(walk, found, offset, size);
}

static int need_chunks(struct walk *walk, const struct bt_chunk *chunks, size_t count, uint64_t offset)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		r = need(walk, &chunks[i].digest, chunks[i].size, offset);
		offset += chunks[i].size;
	}
	return r;
}

static int need_chunk_pages(struct walk *walk, const struct bt_extra *extra)
{
	uint64_t offset = 0;
	int r = 0;

	for (uint32_t i = 0; i < extra->chunk_page_count && !r; i++) {
		const struct bt_page *page;
		struct bt_error error = {0};

		r = bt_chunk_page_get(walk->run->store, &extra->chunk_pages[i], &page, &error);
		if (r) {
			r = hurt_by(walk, r, &error);
		} else {
			r = need_chunks(walk, page->chunks, page->count, offset);
			bt_page_put(walk->run->store, page);
		}
		offset += extra->chunk_pages[i].size;
	}
	return r;
}

/* In version 1 files this is a missing or damaged content. Otherwise the file could not be read for the snapshot, which
 * is not damage. */
static int see_unreadable(struct walk *walk)
{
	int r = 0;

	if (!walk->info->classic || walk->pass != TRACE)
		return 0;
	if (!walk->unreadable)
		r = bt_classic_damage(walk->run, walk->info->name, walk->ordinal, &walk->unreadable);
	return r ? r : hurt(walk, walk->unreadable, BT_NO_OFFSET, 0);
}

/* A file in several contents. Those of version 1 were compared with the digest of the whole already. */
static int see_whole(struct walk *walk, const struct bt_entry *entry)
{
	const struct bt_page *page = bt_walk_page(walk->tree);
	struct bt_check_found *found = NULL;

	if (walk->info->classic)
		return 0;
	if (walk->pass == TRACE)
		return walk->run->pool ? bt_wholes_see(walk->run, page, entry) : 0;
	int r = bt_wholes_find(walk->run, page, entry, &found);
	return r || !found ? r : hurt(walk, found, BT_NO_OFFSET, 0);
}

static int see_pieces(struct walk *walk, const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;
	uint64_t hurts = walk->hurts;
	int r = extra->chunk_page_count ? need_chunk_pages(walk, extra)
					: need_chunks(walk, extra->chunks, extra->chunk_count, 0);

	return r || walk->pass == COLLECT || walk->hurts != hurts ? r : see_whole(walk, entry);
}

static int see_file(struct walk *walk, const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;

	if (extra && extra->error)
		return see_unreadable(walk);
	if (extra && (extra->chunk_page_count || extra->has_chunks))
		return see_pieces(walk, entry);
	return entry->size ? need(walk, &entry->digest, entry->size, 0) : 0;
}

/* The directory is reported instead of all that is hurt below it. */
static int hurt_below(struct walk *walk)
{
	static const char detail[] = "of the paths to the same damage not all are named";
	struct bt_check_found facts = {.ordinal = BT_CHECK_NO_FILE, .offset = BT_NO_OFFSET}, *found = NULL;

	bt_fail_damaged(&facts.error, BT_R_TOO_LARGE, walk->info->name, BT_NO_OFFSET);
	memcpy(facts.error.detail, detail, sizeof(detail));
	int r = bt_findings_add(walk->run, &facts, &found);
	return r ? r : hurt(walk, found, BT_NO_OFFSET, 0);
}

/* Decides whether the directory is walked. */
static int see_directory(struct walk *walk, const struct bt_digest *tree)
{
	struct level *below = bt_walk_below(walk->tree);

	*below = (struct level){.tree = *tree, .clean = true};
	below->again = bt_digest_set_has(&walk->run->unclean, tree);
	if (bt_digest_set_has(&walk->run->clean, tree)) {
		bt_walk_skip(walk->tree);
		return 0;
	}
	if (below->again && !walk->again) {
		bt_walk_skip(walk->tree);
		return hurt_below(walk);
	}
	bt_check_progress(walk->run, walk->info->name, 0, 0);
	return 0;
}

/* Ends a directory. */
static int settle_directory(struct walk *walk)
{
	struct level *level = bt_walk_level(walk->tree), *above = bt_walk_above(walk->tree);
	struct bt_check_run *run = walk->run;
	bool settled = level->clean || walk->pass == COLLECT;

	if (!level->clean && above)
		above->clean = false;
	return bt_digest_set_add(settled ? &run->clean : &run->unclean, &level->tree) < 0 ? BT_E_NOMEM : 0;
}

static int see_entry(struct walk *walk, const struct bt_entry *entry)
{
	walk->run->entries++;
	if (entry->type == BT_FILE)
		return see_file(walk, entry);
	return entry->type == BT_DIR && entry->has_digest ? see_directory(walk, &entry->digest) : 0;
}

static int walk_on(struct walk *walk, bool *ret_more)
{
	struct bt_error error = {0};
	int r = bt_walk_next(walk->tree, &walk->step, &error);
	const struct level *level = bt_walk_level(walk->tree);

	if (level && level->again && walk->again)
		walk->again--;
	*ret_more = r || level;
	if (r)
		return hurt_by(walk, r, &error);
	if (walk->step.entry)
		return see_entry(walk, walk->step.entry);
	return level ? settle_directory(walk) : 0;
}

static uint64_t again_most(const struct bt_snapshot_info *info)
{
	uint64_t sum;

	if (bt_add_overflows(info->files, info->directories, &sum) || bt_add_overflows(sum, info->others, &sum) ||
	    sum > AGAIN_MOST)
		return AGAIN_MOST;
	return sum < AGAIN_LEAST ? AGAIN_LEAST : sum;
}

static bool is_clean(void *arg, const struct bt_digest *page, size_t depth)
{
	const struct walk *walk = arg;
	struct level *level = bt_walk_level(walk->tree);

	if (bt_digest_set_has(&walk->run->clean, page))
		return true;
	if (depth < FILTERED)
		level->hurts[depth] = walk->hurts;
	return false;
}

/* A page that is not noted, for want of memory or else, is walked again. */
static void note_clean(void *arg, const struct bt_digest *page, size_t depth)
{
	const struct walk *walk = arg;
	const struct level *level = bt_walk_level(walk->tree);

	if (depth < FILTERED && level->hurts[depth] == walk->hurts)
		bt_digest_set_add(&walk->run->clean, page);
}

static int walk_tree(struct walk *walk)
{
	const struct bt_dir_filter filter = {.arg = walk, .skips = is_clean, .ended = note_clean};
	const struct bt_walk_options options = {.level_size = sizeof(struct level), .ends = true, .filter = &filter};
	const struct bt_entry *root = &walk->info->root;
	bool more = true;
	int r = bt_walk_begin(walk->run->store, &options, root, &walk->tree, NULL);

	if (r)
		return r;
	walk->again = again_most(walk->info);
	walk->run->entries++;
	r = root->has_digest ? see_directory(walk, &root->digest) : 0;
	while (!r && more) {
		r = bt_voice_failed(&walk->run->voice);
		if (!r)
			r = walk_on(walk, &more);
	}
	bt_walk_free(walk->tree);
	return r;
}

/* Two files may have exchanged their names, so each name is compared with the time that is recorded. */
static int check_name(struct walk *walk)
{
	struct bt_check_found facts = {.ordinal = walk->ordinal, .misnamed = true}, *found = NULL;
	const struct bt_hurt hurt = {.snapshot = walk->info->name, .offset = BT_NO_OFFSET};

	if (walk->pass != TRACE || !bt_snapshot_check_name(walk->info, &facts.error))
		return 0;
	int r = bt_findings_add(walk->run, &facts, &found);
	return r ? r : bt_findings_hurt(walk->run, found, &hurt);
}

/* Without the names an entry is restored whole, and to the right number. */
static int check_names(struct walk *walk, const struct bt_snapshot *snapshot)
{
	struct bt_check_found facts = {.ordinal = BT_CHECK_NO_FILE}, *found = NULL;
	const struct bt_hurt hurt = {.snapshot = walk->info->name, .names = true, .offset = BT_NO_OFFSET};
	struct bt_owners *names = NULL;
	int r = walk->pass == TRACE ? bt_owners_open(walk->run->store, snapshot, &names, &facts.error) : 0;

	bt_owners_close(names);
	if (r != BT_E_DAMAGED && r != BT_E_SYSTEM)
		return r;
	facts.offset = facts.error.offset;
	if (facts.error.reason == BT_R_MISSING_PAGE)
		facts.error.detail[0] = 0;
	r = bt_findings_add(walk->run, &facts, &found);
	return r ? r : bt_findings_hurt(walk->run, found, &hurt);
}

static int not_opened(struct walk *walk, const char *name, int code, const struct bt_error *error)
{
	struct bt_check_found facts = {
		.error = *error, .ordinal = walk->ordinal, .whole = true, .offset = error->offset};
	const struct bt_hurt hurt = {.snapshot = name, .offset = BT_NO_OFFSET};
	struct bt_check_found *found = NULL;

	if (code != BT_E_DAMAGED && code != BT_E_SYSTEM)
		return code;
	if (walk->pass != TRACE)
		return 0;
	int r = bt_findings_add(walk->run, &facts, &found);
	return r ? r : bt_findings_hurt(walk->run, found, &hurt);
}

static int walk_snapshot(struct bt_check_run *run, const char *name, enum pass pass)
{
	struct walk walk = {.run = run, .pass = pass, .step = {.path = ""}};
	struct bt_snapshot *snapshot;
	struct bt_error error = {0};
	int r = bt_store_file_named(run->store, name, &walk.ordinal);

	if (!r && bt_findings_whole(run, walk.ordinal))
		return 0; /* the step that read the file reported it */
	if (!r)
		r = bt_snapshot_open_misnamed(run->store, name, &snapshot, &error);
	if (r)
		return not_opened(&walk, name, r, &error);
	walk.info = bt_snapshot_info(snapshot);
	r = check_name(&walk);
	if (!r)
		r = check_names(&walk, snapshot);
	if (!r)
		r = walk_tree(&walk);
	if (pass == TRACE)
		run->result.snapshots++;
	bt_snapshot_close(snapshot);
	return r;
}

static int walk_snapshots(struct bt_check_run *run, enum pass pass, struct bt_error *error)
{
	const struct bt_check_options *options = run->options;
	size_t count = options->name_count ? options->name_count : bt_store_snapshot_count(run->store);
	int r = 0;

	for (size_t i = count; i-- > 0 && !r;) {
		const char *name = options->name_count ? options->names[i] : bt_store_snapshot_name(run->store, i);

		r = bt_voice_failed(&run->voice);
		if (!r)
			r = walk_snapshot(run, name, pass);
		if (r)
			bt_fail(error, (enum bt_code)r, name, NULL);
	}
	bt_digest_set_free(&run->clean);
	bt_digest_set_free(&run->unclean);
	return r;
}

int bt_check_needed(struct bt_check_run *run, struct bt_error *error)
{
	return walk_snapshots(run, COLLECT, error);
}

int bt_check_snapshots(struct bt_check_run *run, struct bt_error *error)
{
	int r = bt_wholes_begin(run);

	if (r)
		return bt_fail(error, (enum bt_code)r, NULL, NULL);
	r = walk_snapshots(run, TRACE, error);
	int last = bt_wholes_end(run);
	if (!r && last)
		r = bt_fail(error, (enum bt_code)last, NULL, NULL);
	return r || !run->wrong.count ? r : walk_snapshots(run, WRONG, error);
}
