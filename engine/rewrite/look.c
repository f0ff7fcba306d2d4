/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "rewrite/run.h"
#include <stdlib.h>

struct look {
	struct bt_rewrite_run *run;
	struct bt_walk *walk;
	bool into_lost; /* the directory that is entered next is lost */
	struct bt_rewrite_sums *lost;
};

static struct bt_rewrite_level *here(const struct look *look)
{
	return bt_walk_level(look->walk);
}

/* What stands for a page under a path. */
static int key_of(struct bt_rewrite_run *run, const struct bt_digest *path, const void *facts, size_t size,
		  struct bt_digest *ret_key)
{
	bt_hasher_start(run->hasher);
	bt_hasher_add(run->hasher, path, sizeof(*path));
	bt_hasher_add(run->hasher, facts, size);
	return bt_hasher_finish(run->hasher, ret_key);
}

int bt_rewrite_enter(struct bt_rewrite_run *run, const struct bt_rewrite_level *above, const struct bt_entry *directory,
		     struct bt_rewrite_level *ret_level)
{
	int r = 0;

	*ret_level = (struct bt_rewrite_level){.tree = directory->digest};
	if (above) {
		ret_level->lost = above->lost;
		ret_level->length = above->length + directory->name_length + 1;
		r = key_of(run, &above->path, directory->name, directory->name_length, &ret_level->path);
	}
	return r ? r : key_of(run, &ret_level->path, &ret_level->tree, sizeof(ret_level->tree), &ret_level->key);
}

struct bt_rewrite_place *bt_rewrite_place(const struct bt_rewrite_run *run, const struct bt_digest *key)
{
	return bt_table_find_key(&run->places, key);
}

bool bt_rewrite_matches(const struct bt_rewrite_run *run, const struct bt_walk_step *step,
			const struct bt_rewrite_level *level)
{
	return run->rules &&
	       bt_rules_excluded(run->rules, step->path, step->path + level->length, step->entry->type == BT_DIR);
}

static void add_sums(struct bt_rewrite_sums *to, const struct bt_rewrite_sums *sums)
{
	to->matches += sums->matches;
	to->entries += sums->entries;
	to->files += sums->files;
	to->directories += sums->directories;
	to->others += sums->others;
	to->bytes += sums->bytes;
	to->errors += sums->errors;
	to->torn += sums->torn;
	to->boundaries += sums->boundaries;
}

static void count_lost(struct bt_rewrite_sums *sums, const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;

	sums->entries++;
	sums->files += entry->type == BT_FILE;
	sums->directories += entry->type == BT_DIR;
	sums->others += entry->type != BT_FILE && entry->type != BT_DIR;
	sums->bytes += entry->type == BT_FILE ? entry->size : 0;
	sums->errors += extra && (extra->error || extra->torn);
	sums->torn += extra && extra->torn;
	sums->boundaries += extra && extra->boundary;
}

/* What is damaged in what goes keeps it from nothing. */
static int mark(struct bt_rewrite_run *run, struct bt_mark *mark, const struct bt_entry *entry, struct bt_error *error)
{
	struct bt_error found = {0};
	int r = bt_mark_entry(mark, entry, &found);

	mark->depth = 0;
	if (r && r != BT_E_DAMAGED)
		return bt_error_pass(error, &found, r);
	return run->failed ? bt_fail(error, BT_E_NOMEM, NULL, NULL) : 0;
}

static int note_page(struct bt_rewrite_run *run, const struct bt_digest *id)
{
	int r = bt_digest_set_add(&run->gone.pages, id);

	return r > 0 ? bt_buf_append(&run->pages, id, sizeof(*id)) : r;
}

/* A directory that was gone through under this path before need not be again. */
static int enter(struct look *look, const struct bt_entry *directory, bool lost)
{
	struct bt_rewrite_run *run = look->run;
	struct bt_rewrite_level *level = here(look), below;
	const struct bt_rewrite_place *place;
	int r = bt_rewrite_enter(run, level, directory, &below);

	if (r)
		return r;
	below.lost |= lost;
	place = bt_rewrite_place(run, &below.key);
	if (place)
		add_sums(&level->sums, &place->sums);
	if (place || bt_digest_set_has(&run->clean, &below.key)) {
		bt_walk_skip(look->walk);
		return 0;
	}
	*(struct bt_rewrite_level *)bt_walk_below(look->walk) = below;
	look->into_lost = below.lost;
	return 0;
}

static int see(struct look *look, const struct bt_walk_step *step, struct bt_error *error)
{
	struct bt_rewrite_run *run = look->run;
	struct bt_rewrite_level *level = here(look);
	bool matches = !level->lost && bt_rewrite_matches(run, step, level), directory = step->entry->type == BT_DIR;
	int r = 0;

	level->sums.matches += matches;
	if (matches || level->lost)
		count_lost(&level->sums, step->entry);
	if (matches || (!level->lost && !directory))
		r = mark(run, matches ? &run->gone : &run->kept, step->entry, error);
	if (!r && directory && step->entry->has_digest && enter(look, step->entry, matches))
		r = bt_fail(error, BT_E_NOMEM, NULL, NULL);
	return r;
}

static int keep_place(struct bt_rewrite_run *run, const struct bt_rewrite_level *level)
{
	struct bt_rewrite_place *place = calloc(1, sizeof(*place));

	if (!place)
		return BT_E_NOMEM;
	place->key = level->key;
	place->sums = level->sums;
	if (!bt_table_add(&run->places, place))
		return 0;
	free(place);
	return BT_E_NOMEM;
}

static int end_directory(struct look *look)
{
	struct bt_rewrite_level *level = here(look), *above = bt_walk_above(look->walk);
	struct bt_rewrite_run *run = look->run;
	int r = 0;

	add_sums(above ? &above->sums : look->lost, &level->sums);
	if (!level->lost && !level->sums.entries)
		return bt_digest_set_add(&run->clean, &level->key) < 0 ? BT_E_NOMEM : 0;
	if (!level->lost)
		r = note_page(run, &level->tree);
	return r ? r : keep_place(run, level);
}

static bool was_clean(void *arg, const struct bt_digest *page, size_t depth)
{
	const struct look *look = arg;
	struct bt_rewrite_level *level = here(look);
	struct bt_digest key;

	level->before[depth] = level->sums.entries;
	if (level->lost || key_of(look->run, &level->path, page, sizeof(*page), &key))
		return false;
	return bt_digest_set_has(&look->run->clean, &key);
}

static void end_page(void *arg, const struct bt_digest *page, size_t depth)
{
	const struct look *look = arg;
	struct bt_rewrite_run *run = look->run;
	const struct bt_rewrite_level *level = here(look);
	struct bt_digest key;
	int r = 0;

	if (level->lost)
		return;
	if (level->before[depth] != level->sums.entries)
		r = note_page(run, page);
	else if (!key_of(run, &level->path, page, sizeof(*page), &key))
		r = bt_digest_set_add(&run->clean, &key);
	if (r < 0)
		run->failed = r;
}

static void tell(struct bt_rewrite_run *run, const char *path)
{
	run->progress.files++;
	if (!bt_pace_due(&run->pace, run->observer))
		return;
	run->progress.path = path;
	run->observer->progress(run->observer->arg, &run->progress);
}

static int go_on(struct look *look, bool *ret_more, struct bt_error *error)
{
	struct bt_error found = {0};
	struct bt_walk_step step;
	bool into_lost = look->into_lost;
	int r = bt_walk_next(look->walk, &step, &found);
	const struct bt_rewrite_level *level = here(look);

	look->into_lost = false;
	*ret_more = level;
	if (bt_cancelled(look->run->observer))
		return bt_fail(error, BT_E_CANCELLED, NULL, NULL);
	if (r == BT_E_DAMAGED && level && (into_lost || level->lost))
		return 0;
	if (r)
		return bt_error_pass(error, &found, r);
	if (!level)
		return 0;
	tell(look->run, step.path);
	if (step.entry)
		return see(look, &step, error);
	return end_directory(look) ? bt_fail(error, BT_E_NOMEM, NULL, NULL) : 0;
}

int bt_rewrite_look(struct bt_rewrite_run *run, const struct bt_snapshot_info *info, struct bt_rewrite_sums *ret_lost,
		    struct bt_error *error)
{
	struct look look = {.run = run, .lost = ret_lost};
	const struct bt_dir_filter filter = {.arg = &look, .skips = was_clean, .ended = end_page, .leaves = true};
	const struct bt_walk_options options = {
		.info = info, .level_size = sizeof(struct bt_rewrite_level), .filter = &filter, .ends = true};
	struct bt_rewrite_level root;
	const struct bt_rewrite_place *place;
	bool more = true;

	*ret_lost = (struct bt_rewrite_sums){0};
	if (bt_rewrite_enter(run, NULL, &info->root, &root))
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	place = bt_rewrite_place(run, &root.key);
	if (place)
		*ret_lost = place->sums;
	if (!run->rules || place || bt_digest_set_has(&run->clean, &root.key))
		return 0;
	int r = bt_walk_begin(run->store, &options, &info->root, &look.walk, error);
	if (r)
		return r;
	*(struct bt_rewrite_level *)bt_walk_below(look.walk) = root;
	while (!r && more)
		r = go_on(&look, &more, error);
	bt_walk_free(look.walk);
	return r || !run->failed ? r : bt_fail(error, BT_E_NOMEM, NULL, NULL);
}
