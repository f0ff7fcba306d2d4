/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/vec.h"
#include "restore/run.h"
#include "restore/select.h"
#include "view/bounds.h"
#include <fcntl.h>
#include <internal/view.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A directory being walked. Symlinks come last, in a second pass. */
struct level {
	struct bt_place
		*place; /* NULL: it is only looked through, and made or opened when something in it is selected */
	const struct bt_page *page; /* that entry lives in; NULL: the root */
	const struct bt_entry *entry;
	struct bt_dir *dir; /* NULL: not listed */
	size_t path_bytes;  /* of its path, with a slash at the end */
	bool symlinks, second;
	/* Paths [next, high) of the selection lie below it; their next components begin at depth. high 0: all of it is
	 * selected. */
	size_t next, high, depth;
	size_t path_length; /* in walk->path: where the names in it begin */
	bool whole;	    /* it is selected itself by patterns, or there are none */
	bool blocked;	    /* it cannot be made or opened */
};

struct walk {
	struct bt_restore_run *run;
	const struct bt_selection *selection;
	struct level *levels;
	size_t count, capacity;
	struct bt_bounds bounds;
	struct bt_buf path; /* below the root of the snapshot; kept where there are patterns */
};

static int no_memory(struct walk *walk)
{
	return bt_voice_fail(&walk->run->tell.voice, BT_E_NOMEM, NULL);
}

/* The last level, of which the directories above may not be opened either. */
static void tell_level(struct walk *walk, const struct level *level, const struct bt_error *error)
{
	const struct level *above = level;
	char *path = NULL;

	while (!above->place)
		above--;
	if (above != level)
		path = strndup((const char *)walk->path.data + above->path_length,
			       level->path_length - above->path_length - 1);
	bt_tell_problem(&walk->run->tell, above->place, path, error);
	free(path);
}

/* Replaces what comes after the path of the last level by a name, if there are patterns. */
static int name_path(struct walk *walk, const struct bt_entry *entry)
{
	if (!bt_picks_any(&walk->run->picks))
		return 0;
	walk->path.length = walk->levels[walk->count - 1].path_length;
	return bt_buf_append(&walk->path, entry->name, entry->name_length + 1u) ? no_memory(walk) : 0;
}

/* What patterns say of an entry in the last level, whose path it has by now. */
static enum bt_pick pick(const struct walk *walk, const struct bt_entry *entry)
{
	const struct level *level = &walk->levels[walk->count - 1];
	const char *path = (const char *)walk->path.data;

	if (!bt_picks_any(&walk->run->picks))
		return BT_PICK_WHOLE;
	return bt_picks_ask(&walk->run->picks, level->whole, path, path + level->path_length, entry->type == BT_DIR);
}

static bool is_unread(const struct bt_entry *entry)
{
	return entry->extra && entry->extra->error;
}

/* above: the paths that are selected, and whether it is selected itself. Takes over the reference to place; references
 * page itself. */
static int push(struct walk *walk, struct bt_place *place, const struct bt_page *page, const struct bt_entry *entry,
		const struct level *above)
{
	struct level level = {.place = place, .page = page, .entry = entry, .whole = above->whole};

	if (above->high) {
		level.high = above->high;
		level.next = above->next;
		level.depth = above->depth;
	}
	if (bt_vec_room(walk->levels, walk->count, walk->capacity)) {
		bt_place_unref(&walk->run->places, place);
		return no_memory(walk);
	}
	if (page)
		bt_page_ref(walk->run->store, page);
	if (walk->count)
		level.path_bytes = walk->levels[walk->count - 1].path_bytes + entry->name_length + 1;
	if (walk->count && walk->path.length) /* the NUL becomes a slash */
		walk->path.data[walk->path.length - 1] = '/';
	level.path_length = walk->path.length;
	walk->levels[walk->count++] = level;
	return 0;
}

static void drop_level(struct walk *walk)
{
	struct level *level = &walk->levels[--walk->count];

	bt_dir_free(level->dir);
	bt_page_put(walk->run->store, level->page);
	bt_place_unref(&walk->run->places, level->place);
}

/* Ends a directory: its metadata is set after its contents. An existing directory that only leads to selected paths
 * keeps its own. */
static int end_level(struct walk *walk)
{
	const struct level *level = &walk->levels[walk->count - 1];
	bool leads = level->place && (level->high || !level->whole) && !level->place->fresh;
	int r = level->place ? bt_restore_batch_add(walk->run, leads ? BT_ITEM_ANCESTOR : BT_ITEM_END, level->place,
						    level->page, level->entry)
			     : 0;

	drop_level(walk);
	return r;
}

static void sweep(struct walk *walk, const struct level *level)
{
	struct bt_ways *places = &walk->run->places;
	int fd = bt_place_get(places, level->place);

	if (fd < 0)
		return; /* the entry that needs it reports that */
	bt_temp_sweep(fd);
	bt_place_put(places, level->place);
}

static void tell_unread(struct walk *walk, const struct level *level)
{
	struct bt_error error = {0};

	bt_fail(&error, BT_E_INCOMPLETE, NULL, "the directory could not be read when the snapshot was taken");
	tell_level(walk, level, &error);
}

static bool is_found(const struct level *level)
{
	return level->place && !level->second && !level->place->fresh && !level->place->absent;
}

/* Begins with a directory. */
static int start_level(struct walk *walk)
{
	struct bt_restore_run *run = walk->run;
	struct level *level = &walk->levels[walk->count - 1];
	struct bt_error error = {0};

	if (is_unread(level->entry)) {
		tell_unread(walk, level);
		return end_level(walk);
	}
	if (is_found(level) && !run->options.dry_run)
		sweep(walk, level);
	if (level->high)
		return 0;
	if (bt_dir_new(run->store, &level->entry->digest, &level->dir, &error)) {
		tell_level(walk, level, &error);
		return end_level(walk);
	}
	/* Not in the second pass, in which there may be temporary files of this run. */
	if (run->options.delete_extra && is_found(level))
		bt_extras_remove(run, level->place, &level->entry->digest, level->whole);
	return 0;
}

/* Whether the entry is a directory in the place, too. */
static bool is_there(struct walk *walk, struct bt_place *place, const struct bt_entry *entry)
{
	struct stat status;
	int fd = place && !place->fresh ? bt_place_get(&walk->run->places, place) : -1;
	bool there = fd >= 0 && fstatat(fd, entry->name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);

	if (fd >= 0)
		bt_place_put(&walk->run->places, place);
	return there;
}

/* Makes or opens the directories that are only looked through so far; false if one cannot be. */
static bool open_levels(struct walk *walk)
{
	for (size_t i = 1; i < walk->count; i++) {
		struct level *level = &walk->levels[i];

		if (level->blocked || walk->levels[i - 1].blocked)
			level->blocked = true;
		if (level->blocked || level->place)
			continue;
		level->place = bt_restore_enter(walk->run, walk->levels[i - 1].place, level->entry);
		level->blocked = !level->place;
		if (is_found(level) && !walk->run->options.dry_run)
			sweep(walk, level);
	}
	return !walk->levels[walk->count - 1].blocked;
}

/* A directory in which something may be selected is opened at once only if something in it may have to go. */
static int look_through(struct walk *walk, struct level *level, const struct bt_page *page,
			const struct bt_entry *entry, struct level *below)
{
	struct bt_place *place = NULL;

	if (walk->run->options.delete_extra && !below->high && is_there(walk, level->place, entry)) {
		place = bt_restore_enter(walk->run, level->place, entry);
		if (!place)
			return bt_voice_failed(&walk->run->tell.voice);
	}
	below->whole = false;
	int r = push(walk, place, page, entry, below);
	return r ? r : start_level(walk);
}

static int enter_directory(struct walk *walk, struct level *level, const struct bt_page *page,
			   const struct bt_entry *entry, struct level *below)
{
	enum bt_pick picked = pick(walk, entry);

	if (picked == BT_PICK_NONE)
		return 0;
	if (picked == BT_PICK_BELOW)
		return look_through(walk, level, page, entry, below);
	if (!open_levels(walk))
		return bt_voice_failed(&walk->run->tell.voice);
	struct bt_place *place = bt_restore_enter(walk->run, level->place, entry);

	if (!below->high)
		bt_restore_owners_count(&walk->run->owners, entry);

	if (!place)
		return bt_voice_failed(&walk->run->tell.voice);
	below->whole = true;
	int r = push(walk, place, page, entry, below);
	return r ? r : start_level(walk);
}

static int add_entry(struct walk *walk, struct level *level, const struct bt_page *page, const struct bt_entry *entry)
{
	struct bt_restore_run *run = walk->run;
	bool before = false;

	if (pick(walk, entry) == BT_PICK_NONE || !open_levels(walk))
		return bt_voice_failed(&run->tell.voice);
	bt_restore_owners_count(&run->owners, entry);
	if (entry->extra && entry->extra->torn)
		bt_tell_torn(&run->tell, level->place, entry->name);
	if (bt_restore_has_links(entry) && bt_restore_links_see(&run->links, entry, &before))
		return no_memory(walk);
	if (before)
		return bt_restore_batch_add(run, BT_ITEM_LINK, level->place, page, entry);
	if (entry->type == BT_FILE && entry->size > BT_LARGE)
		return bt_restore_large(run, level->place, page, entry);
	return bt_restore_batch_add(run, BT_ITEM_ENTRY, level->place, page, entry);
}

/* Under Landlock the kernel follows each path up to the root, so that the cost of a deep tree grows with the square of
 * its depth. The rest of a directory that lies too deep is left out, and the walk goes on. */
static int go_no_deeper(struct walk *walk, const struct level *level, int r, const struct bt_error *bound)
{
	struct bt_error error = {0};

	if (r != BT_E_INCOMPLETE)
		return bt_voice_fail(&walk->run->tell.voice, r, bound);
	bt_fail(&error, BT_E_INCOMPLETE, NULL,
		"it is too far down for one go: not all that is in it is restored; mount the snapshot and copy the "
		"rest");
	tell_level(walk, level, &error);
	return end_level(walk);
}

static int list_next(struct walk *walk, struct level *level)
{
	const struct bt_entry *entry;
	struct bt_error error = {0};
	int r = bt_dir_next(level->dir, &entry, &error);

	if (r) {
		if (!level->second)
			tell_level(walk, level, &error);
		if (bt_dir_skip(level->dir))
			return bt_voice_failed(&walk->run->tell.voice);
		entry = NULL;
	}
	if (!entry && level->symlinks && !level->second) {
		bt_dir_free(level->dir);
		level->dir = NULL;
		level->second = true;
		return start_level(walk);
	}
	if (!entry)
		return end_level(walk);
	level->symlinks |= entry->type == BT_SYMLINK;
	if ((entry->type == BT_SYMLINK) != level->second)
		return 0;
	r = bt_bounds_take(&walk->bounds, level->path_bytes + entry->name_length, &error);
	if (r)
		return go_no_deeper(walk, level, r, &error);
	const struct bt_page *page = bt_dir_here(level->dir).page;
	r = name_path(walk, entry);
	if (r)
		return r;
	if (entry->type == BT_DIR)
		return enter_directory(walk, level, page, entry, &(struct level){0});
	return add_entry(walk, level, page, entry);
}

/* Selects the paths that share their next component with the first one left. */
static int select_next(struct walk *walk, struct level *level)
{
	struct bt_restore_run *run = walk->run;
	const struct bt_page *page;
	const struct bt_entry *entry;
	struct bt_error error = {0};

	if (level->next == level->high)
		return end_level(walk);
	char *const *paths = walk->selection->paths;
	const char *name = paths[level->next] + level->depth;
	size_t length = bt_component_length(name, 0);
	struct level below = {.next = level->next, .depth = level->depth + length + 1};
	bool ends = !name[length];
	while (level->next < level->high && bt_component_length(paths[level->next], level->depth) == length &&
	       memcmp(paths[level->next] + level->depth, name, length) == 0)
		level->next++;
	below.high = ends ? 0 : level->next;
	if (bt_dir_lookup(run->store, &level->entry->digest, name, length, &page, &entry, &error)) {
		tell_level(walk, level, &error);
		return 0;
	}
	int r = name_path(walk, entry);
	if (!r)
		r = entry->type == BT_DIR ? enter_directory(walk, level, page, entry, &below)
					  : add_entry(walk, level, page, entry);
	bt_page_put(run->store, page);
	return r;
}

int bt_restore_walk(struct bt_restore_run *run, struct bt_place *root, const struct bt_selection *selection)
{
	struct walk walk = {.run = run, .selection = selection, .bounds = bt_bounds_of(run->store, run->info)};
	struct level all = {.high = selection->count, .whole = !run->picks.includes};
	int r = bt_picks_any(&run->picks) && *run->base ? bt_buf_append(&walk.path, run->base, strlen(run->base) + 1)
							: 0;

	if (r) {
		bt_place_unref(&run->places, root);
		return no_memory(&walk);
	}
	if (walk.path.length)
		walk.path.data[walk.path.length - 1] = '/';
	r = push(&walk, root, run->root_page, run->root, &all);

	if (!selection->count && all.whole)
		bt_restore_owners_count(&run->owners, run->root);

	if (!r)
		r = start_level(&walk);
	while (!r && walk.count) {
		struct level *level = &walk.levels[walk.count - 1];

		r = bt_voice_failed(&run->tell.voice);
		if (!r)
			r = level->high ? select_next(&walk, level) : list_next(&walk, level);
	}
	while (walk.count)
		drop_level(&walk);
	free(walk.levels);
	bt_buf_free(&walk.path);
	int flushed = bt_restore_batch_flush(run);
	return r ? r : flushed;
}
