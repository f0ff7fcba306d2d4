/* SPDX-License-Identifier: MIT */
#include "snapshot/walk.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "snapshot/entry.h"
#include "snapshot/parent.h"
#include "snapshot/previous.h"
#include <errno.h>
#include <stdlib.h>

struct bt_snap_walk {
	const struct bt_snap_plan *plan;
	struct bt_snap_readers *readers;
	struct bt_snap_node *node; /* the deepest one */
	struct bt_snap_batch *batch;
	struct bt_reader *reader;
	struct bt_table links;
	struct bt_snap_stream *stream; /* being read; NULL: none */
	bool known;		       /* the parent has the file that is being read */
	struct bt_snap_previous previous;
	uint64_t problems, excluded, vanished, large, large_bytes;
	enum bt_doubt doubt;
	enum bt_course course; /* that was wanted last */
	bool begun;
};

int bt_snap_walk_new(struct bt_snap_readers *readers, struct bt_snap_walk **ret_walk)
{
	struct bt_snap_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return BT_E_NOMEM;
	walk->plan = readers->plan;
	walk->readers = readers;
	bt_snap_previous_begin(&walk->previous, walk->plan);
	walk->reader = bt_reader_new(&walk->plan->source);
	walk->batch = bt_snap_batch_new(readers);
	if (walk->reader && walk->batch) {
		*ret_walk = walk;
		return 0;
	}
	bt_snap_walk_free(walk);
	return BT_E_NOMEM;
}

/* Waits for the readers first, because their jobs use everything else. */
void bt_snap_walk_free(struct bt_snap_walk *walk)
{
	struct bt_snap_node *next;

	if (!walk)
		return;
	bt_snap_readers_drain(walk->readers);
	bt_snap_batch_free(walk->batch);
	for (struct bt_snap_node *node = walk->node; node; node = next) {
		next = node->parent;
		bt_snap_node_free(node);
	}
	bt_snap_stream_free(walk->stream);
	bt_snap_links_free(&walk->links);
	bt_reader_free(walk->reader);
	free(walk);
}

/* Frees the directories whose pages are made. */
static void reap(struct bt_snap_walk *walk)
{
	struct bt_snap_node *next;

	for (struct bt_snap_node *node = bt_snap_readers_take_done(walk->readers); node; node = next) {
		next = node->next_done;
		if (!walk->plan->made)
			bt_scan_done(walk->plan->source.scan, node->dir);
		bt_snap_node_free(node);
	}
}

static int flush(struct bt_snap_walk *walk)
{
	struct bt_snap_batch *batch = walk->batch;

	walk->batch = bt_snap_batch_new(walk->readers);
	int r = bt_snap_batch_submit(batch);
	return walk->batch || r ? r : BT_E_NOMEM;
}

/* Directories. */

static int enter(struct bt_snap_walk *walk, struct bt_scan_dir *dir, const struct bt_entry *previous,
		 struct bt_error *error)
{
	struct bt_snap_node *node = calloc(1, sizeof(*node));

	if (!node)
		return BT_E_NOMEM;
	node->dir = dir;
	node->parent = walk->node;
	walk->node = node;
	int r = bt_snap_previous_open(&walk->previous, node, previous);
	return r || walk->plan->made ? r : bt_scan_list(walk->plan->source.scan, dir, error);
}

static bool same_stat(const struct bt_snap_plan *plan, const struct bt_entry *previous, const struct bt_found *found)
{
	return !plan->options->force && previous->has_stat && previous->stat == bt_found_fingerprint(found);
}

static void keep_stat(struct bt_entry *entry, const struct bt_entry *previous)
{
	entry->has_stat = previous->has_stat;
	entry->stat = previous->stat;
}

static int fill_directory(struct bt_snap_walk *walk, struct bt_snap_node *node, struct bt_snap_item *item)
{
	const struct bt_snap_plan *plan = walk->plan;
	struct bt_arena *arena = bt_snap_batch_arena(walk->batch);
	struct bt_time now;

	item->found = &node->dir->self;
	item->outcome.seen = node->dir->self;
	item->has_previous = node->has_previous;
	item->previous = node->previous;
	if (node->dir->error != 0) {
		bt_source_failed(&item->outcome, node->dir->error);
		if (item->outcome.state == BT_SOURCE_LOST)
			item->outcome.state = node->dir->gone ? BT_SOURCE_GONE : BT_SOURCE_FAILED;
		if (node->dir->error == ENOTDIR && node->parent)
			item->outcome.state = BT_SOURCE_OTHER;
		return 0;
	}
	if (bt_found_describe(arena, &node->dir->self, plan->source.root_dev, &item->entry))
		return BT_E_NOMEM;
	if (node->has_previous && same_stat(plan, &node->previous, &node->dir->self)) {
		keep_stat(&item->entry, &node->previous);
		return bt_snap_take_over(arena, &node->previous, &item->entry);
	}
	if (plan->made)
		return 0;
	bt_source_now(&now);
	bt_source_stamp(&item->entry, &node->dir->self, &now);
	item->reads = true;
	return 0;
}

/* Tells that a file with patterns counts as not there. */
static int bad_rules(struct bt_snap_walk *walk, const struct bt_scan_dir *dir)
{
	struct bt_error problem = {0};
	char *path = bt_scan_path(dir, dir->rules_name);

	if (!path)
		return BT_E_NOMEM;
	bt_fail_sys(&problem, dir->rules_error, path, "use the patterns of the file");
	bt_voice_tell(&walk->plan->observer->voice, path, &problem);
	walk->problems++;
	free(path);
	return 0;
}

static void count_left_out(struct bt_snap_walk *walk, const struct bt_scan_dir *dir)
{
	walk->excluded += dir->excluded;
	walk->vanished += dir->vanished;
	walk->large += dir->large;
	walk->large_bytes += dir->large_bytes;
}

/* A directory that would only lead to what is taken, and leads to nothing. */
static bool leads_nowhere(const struct bt_snap_node *node)
{
	return node->dir->self.way && !node->holds && node->dir->error == 0;
}

static void drop(struct bt_snap_walk *walk, struct bt_snap_node *node)
{
	bool told = node->has_previous || !bt_snap_wants_entries(walk->plan->observer);
	char *path = told ? NULL : bt_scan_path(node->dir, NULL);

	bt_snap_previous_drop(&walk->previous, node);
	if (path)
		bt_snap_told(walk->plan->observer, BT_EVENT_EXCLUDED, path, BT_SIZE_UNKNOWN);
	free(path);
	walk->excluded++;
	bt_scan_done(walk->plan->source.scan, node->dir);
	bt_snap_node_free(node);
}

static int leave(struct bt_snap_walk *walk)
{
	struct bt_snap_node *node = walk->node;
	struct bt_snap_item *item;

	node->unknown = node->dir->error != 0;
	bt_snap_previous_close(&walk->previous, node);
	count_left_out(walk, node->dir);
	walk->node = node->parent;
	if (node->dir->rules_error && bad_rules(walk, node->dir))
		return BT_E_NOMEM;
	if (leads_nowhere(node)) {
		drop(walk, node);
		return 0;
	}
	if (node->parent)
		node->parent->holds = true;
	item = bt_snap_batch_add(walk->batch);
	if (!item)
		return BT_E_NOMEM;
	item->kind = BT_SNAP_DIRECTORY;
	item->node = node;
	return fill_directory(walk, node, item);
}

/* Files and the rest. */

static struct bt_snap_item *new_item(struct bt_snap_walk *walk, enum bt_snap_kind kind, const struct bt_found *found)
{
	struct bt_snap_item *item = bt_snap_batch_add(walk->batch);

	if (item) {
		item->kind = kind;
		item->node = walk->node;
		item->found = found;
		item->outcome.seen = *found;
		walk->node->holds = true;
	}
	return item;
}

static int remember_previous(struct bt_snap_walk *walk, struct bt_snap_item *item, const struct bt_entry *previous)
{
	if (!previous)
		return 0;
	item->has_previous = true;
	return bt_snap_entry_copy(bt_snap_batch_arena(walk->batch), previous, &item->previous);
}

/* By what a copy of the file has in common with it. */
static bool is_trusted(const struct bt_snap_plan *plan, const struct bt_entry *previous, const struct bt_found *found)
{
	if (!plan->options->trust_mtime_size || plan->options->force || previous->type != BT_FILE)
		return false;
	return previous->size == found->size && bt_time_equal(&previous->mtime, &found->mtime) &&
	       previous->mode == (found->mode & 07777) && previous->uid == found->uid && previous->gid == found->gid &&
	       bt_source_is_settled(&previous->mtime, &plan->parent->time);
}

static bool unchanged(const struct bt_snap_plan *plan, const struct bt_entry *previous, const struct bt_found *found)
{
	if (!previous || previous->type != bt_found_type(found->mode))
		return false;
	if (!same_stat(plan, previous, found) && !is_trusted(plan, previous, found))
		return false;
	if (previous->extra && (previous->extra->error || previous->extra->torn))
		return false;
	return previous->type != BT_FILE ||
	       (previous->size == found->size && bt_snap_contents_there(plan->store, previous));
}

static int keep(struct bt_snap_walk *walk, const struct bt_found *found, const struct bt_entry *previous)
{
	struct bt_arena *arena = bt_snap_batch_arena(walk->batch);
	struct bt_snap_item *item = new_item(walk, BT_SNAP_KEEP, found);

	if (!item || bt_found_describe(arena, found, walk->plan->source.root_dev, &item->entry) != 0)
		return BT_E_NOMEM;
	item->has_previous = true;
	item->previous.type = previous->type;
	keep_stat(&item->entry, previous);
	return bt_snap_take_over(arena, previous, &item->entry);
}

static int bad(struct bt_snap_walk *walk, const struct bt_found *found, const struct bt_entry *previous)
{
	struct bt_snap_item *item = new_item(walk, BT_SNAP_BAD, found);

	if (!item)
		return BT_E_NOMEM;
	item->outcome.state = BT_SOURCE_FAILED;
	item->outcome.sys = found->error;
	return remember_previous(walk, item, previous);
}

/* Tells a name that no page can hold; file systems of other operating systems have such names. */
static int bad_name(struct bt_snap_walk *walk, const struct bt_found *found)
{
	struct bt_error problem = {0};
	char *path = bt_scan_path(walk->node->dir, found->name);

	if (!path)
		return BT_E_NOMEM;
	bt_fail_sys(&problem, ENAMETOOLONG, path, "read");
	bt_voice_tell(&walk->plan->observer->voice, path, &problem);
	walk->problems++;
	free(path);
	return 0;
}

/* Once the end is wanted, it stays so. */
static enum bt_course ask(struct bt_snap_walk *walk)
{
	enum bt_course course = bt_snap_course(walk->plan->observer);

	if (course > walk->course)
		walk->course = course;
	return walk->course;
}

struct pieces {
	struct bt_source_sink sink;
	struct bt_snap_walk *walk;
};

static int piece(struct bt_source_sink *sink, const unsigned char *data, size_t size)
{
	struct bt_snap_walk *walk = ((struct pieces *)sink)->walk;

	if (ask(walk) == BT_COURSE_END)
		return BT_E_CANCELLED;
	return bt_snap_piece_submit(walk->readers, walk->stream, data, size);
}

static int restart(struct bt_source_sink *sink)
{
	struct bt_snap_walk *walk = ((struct pieces *)sink)->walk;
	struct bt_snap_item *item = bt_snap_batch_add(walk->batch);

	if (!item)
		return BT_E_NOMEM;
	item->kind = BT_SNAP_RESTART;
	item->node = walk->node;
	item->stream = walk->stream;
	return flush(walk);
}

/* Reads a large file on this thread; its chunks go to the readers between the batches. */
static int read_stream(struct bt_snap_walk *walk, const struct bt_found *found)
{
	struct pieces pieces = {.sink = {piece, restart}, .walk = walk};
	struct bt_snap_stream *stream = walk->stream;
	const struct bt_source_out out = {&stream->arena, &stream->entry, &stream->outcome};
	struct bt_scan_dir *dir = walk->node->dir;
	int dirfd = bt_scan_fd_get(walk->plan->source.scan, dir);

	if (dirfd < 0) {
		stream->outcome = (struct bt_outcome){.seen = *found};
		bt_source_failed(&stream->outcome, -dirfd);
	} else {
		int r = bt_source_stream(walk->reader, dirfd, found, &pieces.sink, &out);

		bt_scan_fd_put(walk->plan->source.scan, dir);
		if (r)
			return r;
	}
	bt_source_find_out(&walk->plan->source, dir, &stream->outcome, bt_scan_now());
	return 0;
}

/* The same of what a program gives. */
static int read_made(struct bt_snap_walk *walk, const struct bt_found *found, struct bt_error *error)
{
	struct pieces pieces = {.sink = {piece, restart}, .walk = walk};
	struct bt_snap_stream *stream = walk->stream;

	stream->outcome = (struct bt_outcome){.seen = *found};
	if (bt_found_describe(&stream->arena, found, 0, &stream->entry))
		return BT_E_NOMEM;
	return bt_source_feed(walk->reader, bt_snap_made_stream(walk->plan->made, found), &pieces.sink, &stream->entry,
			      error);
}

static int stream(struct bt_snap_walk *walk, const struct bt_found *found, const struct bt_entry *previous,
		  struct bt_snap_link *link, struct bt_error *error)
{
	int r = flush(walk);

	walk->stream = !r ? calloc(1, sizeof(*walk->stream)) : NULL;
	if (!r && !walk->stream)
		r = BT_E_NOMEM;
	if (!r) {
		walk->known = previous;
		walk->stream->node = walk->node;
		walk->stream->found = found;
		r = walk->plan->made ? read_made(walk, found, error) : read_stream(walk, found);
	}
	struct bt_snap_item *item = !r ? new_item(walk, BT_SNAP_END, found) : NULL;
	if (!item) {
		bt_snap_link_put(link);
		return r ? r : BT_E_NOMEM;
	}
	item->link = link;
	item->stream = walk->stream;
	walk->stream = NULL;
	return remember_previous(walk, item, previous);
}

/* Whether the file may have names in directories that are not walked: it got one since the parent, or is another
 * file. */
static bool has_new_name(const struct bt_found *found, const struct bt_entry *previous)
{
	return found->links > 1 && (!previous || previous->type != bt_found_type(found->mode) || !previous->extra ||
				    previous->extra->links != found->links || previous->extra->inode != found->inode);
}

static int read_file(struct bt_snap_walk *walk, const struct bt_found *found, const struct bt_entry *previous,
		     struct bt_error *error)
{
	struct bt_snap_link *link = NULL;
	bool first = true;

	if (found->links > 1) {
		link = bt_snap_links_get(&walk->links, found, &first);
		if (!link)
			return BT_E_NOMEM;
		link->has_new_name |= has_new_name(found, previous);
	}
	if (first && (found->size > BT_SNAP_SMALL || walk->plan->made))
		return stream(walk, found, previous, link, error);
	struct bt_snap_item *item = new_item(walk, first ? BT_SNAP_FILE : BT_SNAP_LINK, found);
	if (!item) {
		bt_snap_link_put(link);
		return BT_E_NOMEM;
	}
	item->link = link;
	item->reads = first;
	if (first)
		bt_snap_batch_plan(walk->batch, item, (size_t)found->size);
	return remember_previous(walk, item, previous);
}

static int read_meta(struct bt_snap_walk *walk, const struct bt_found *found, const struct bt_entry *previous)
{
	struct bt_snap_item *item = new_item(walk, BT_SNAP_BARE, found);

	if (!item)
		return BT_E_NOMEM;
	item->reads = true;
	return remember_previous(walk, item, previous);
}

/* A directory that is not entered. The file system mounted there is left alone, so nothing of it is read. */
static int boundary(struct bt_snap_walk *walk, const struct bt_found *found, const struct bt_entry *previous)
{
	struct bt_arena *arena = bt_snap_batch_arena(walk->batch);
	struct bt_snap_item *item = new_item(walk, BT_SNAP_BARE, found);
	struct bt_extra *extra;

	if (!item || bt_found_describe(arena, found, walk->plan->source.root_dev, &item->entry) != 0)
		return BT_E_NOMEM;
	extra = bt_found_extra(arena, &item->entry);
	if (!extra)
		return BT_E_NOMEM;
	extra->boundary = found->boundary;
	return remember_previous(walk, item, previous);
}

/* Whether, according to the changes, nothing changed below a directory. A directory that was replaced or moved here
 * differs. */
static bool as_before(const struct bt_snap_plan *plan, const struct bt_entry *previous, const struct bt_found *found)
{
	struct bt_error error = {0};
	bool has;

	return found->child->deferred && previous && previous->type == BT_DIR &&
	       !(previous->extra && previous->extra->error) && same_stat(plan, previous, found) &&
	       bt_store_has(plan->store, &previous->digest, true, &has, &error) == 0 && has;
}

static int doubt(struct bt_snap_walk *walk, enum bt_doubt doubt)
{
	walk->doubt = doubt;
	return BT_E_CANCELLED;
}

static int visit(struct bt_snap_walk *walk, const struct bt_found *found, struct bt_error *error)
{
	const struct bt_entry *previous = bt_snap_previous_match(&walk->previous, walk->node, found);
	int r;

	if (previous && !(found->child && found->error == 0)) {
		r = bt_snap_previous_tree(&walk->previous, previous, found->error == 0);
		if (r)
			return r;
	}
	if (!bt_name_valid(found->name, found->name_length))
		return bad_name(walk, found);
	if (found->error != 0)
		return bad(walk, found, previous);
	if (found->child)
		return as_before(walk->plan, previous, found) ? keep(walk, found, previous)
							      : enter(walk, found->child, previous, error);
	if (found->boundary)
		return boundary(walk, found, previous);
	if (!walk->plan->made && unchanged(walk->plan, previous, found))
		return keep(walk, found, previous);
	if (bt_found_type(found->mode) == BT_FILE)
		return read_file(walk, found, previous, error);
	if (walk->plan->changes && has_new_name(found, previous))
		return doubt(walk, BT_DOUBT_LINKS);
	return read_meta(walk, found, previous);
}

static int step(struct bt_snap_walk *walk, struct bt_error *error)
{
	struct bt_snap_node *node = walk->node;
	int r = bt_voice_failed(&walk->plan->observer->voice);

	if (r)
		return r;
	reap(walk);
	if (bt_snap_batch_is_full(walk->batch)) {
		r = flush(walk);
		if (r)
			return r;
	}
	/* A listing that is incomplete is not trusted at all. */
	if (node->dir->error == 0 && node->at < node->dir->count)
		return visit(walk, &node->dir->found[node->at++], error);
	return leave(walk);
}

static int begin(struct bt_snap_walk *walk, struct bt_error *error)
{
	const struct bt_snap_plan *plan = walk->plan;
	struct bt_scan_dir *root = plan->made ? &plan->made->dir : bt_scan_root(plan->source.scan);
	int r = enter(walk, root, plan->parent ? &plan->parent->root : NULL, error);

	walk->begun = true;
	if (!r && root->error != 0)
		r = bt_fail_sys(error, root->error, NULL, "read the target directory");
	return r;
}

int bt_snap_walk_run(struct bt_snap_walk *walk, enum bt_course *ret_course, struct bt_error *error)
{
	int r = walk->begun ? 0 : begin(walk, error);

	walk->course = BT_COURSE_ON;
	while (!r && walk->node && ask(walk) == BT_COURSE_ON)
		r = step(walk, error);
	if (r == BT_E_CANCELLED && walk->course == BT_COURSE_END) /* in the middle of a file, which is left out */
		r = 0;
	*ret_course = walk->node ? walk->course : BT_COURSE_ON;
	return r ? r : flush(walk);
}

struct bt_snap_node *bt_snap_walk_open(const struct bt_snap_walk *walk)
{
	return walk->node;
}

bool bt_snap_walk_is_behind(struct bt_snap_walk *walk)
{
	if (walk->stream && walk->known)
		return true;
	for (struct bt_snap_node *node = walk->node; node; node = node->parent)
		if (bt_snap_previous_has_more(&walk->previous, node))
			return true;
	return false;
}

int bt_snap_walk_count(struct bt_snap_walk *walk, struct bt_snap_totals *totals)
{
	totals->differences += walk->previous.unmatched;
	totals->removed += walk->previous.removed;
	totals->removed_bytes += walk->previous.removed_bytes;
	totals->problems += walk->problems;
	totals->vanished += walk->vanished;
	if (!walk->plan->changes)
		return 0;
	if (bt_snap_links_have_new(&walk->links))
		return doubt(walk, BT_DOUBT_LINKS);
	return bt_snap_previous_rest(&walk->previous, totals) ? 0 : doubt(walk, BT_DOUBT_DAMAGE);
}

enum bt_doubt bt_snap_walk_doubt(const struct bt_snap_walk *walk)
{
	return walk->doubt;
}

uint64_t bt_snap_walk_excluded(const struct bt_snap_walk *walk)
{
	return walk->excluded;
}

void bt_snap_walk_large(const struct bt_snap_walk *walk, uint64_t *ret_count, uint64_t *ret_bytes)
{
	*ret_count = walk->large;
	*ret_bytes = walk->large_bytes;
}
