/* SPDX-License-Identifier: MIT */
/* Snapshots of a part: what a run has when it stops on its way. */
#include "base/fail.h"
#include "snapshot/run.h"

/* Its extended attributes are read again by the next run. */
static int read_extras(struct bt_snap_run *run, struct bt_snap_node *node, const struct bt_source_out *out)
{
	int fd = bt_scan_fd_get(run->plan.source.scan, node->dir), r;

	if (fd < 0)
		return 0;
	r = bt_source_xattrs(run->finish.reader, fd, false, out);
	if (!r)
		r = bt_source_inode(run->finish.reader, fd, out);
	bt_scan_fd_put(run->plan.source.scan, node->dir);
	return r;
}

/* A directory on the way has no fingerprint: the next run looks at it again. */
static int describe(struct bt_snap_run *run, struct bt_snap_node *node, struct bt_arena *arena, struct bt_entry *entry)
{
	struct bt_outcome unused = {0};
	const struct bt_source_out out = {arena, entry, &unused};

	*entry = (struct bt_entry){0};
	if (bt_found_describe(arena, &node->dir->self, run->plan.source.root_dev, entry))
		return BT_E_NOMEM;
	int r = read_extras(run, node, &out);
	return r ? r : bt_snap_owners_add(&run->finish.owners, entry);
}

/* Writes the pages of the directories on the way as they are so far; root is the target's entry. */
static int close_directories(struct bt_snap_run *run, struct bt_snap_totals *so_far, struct bt_arena *arena,
			     struct bt_entry *root, struct bt_error *error)
{
	const struct bt_entry *below = NULL;
	int r = 0;

	for (struct bt_snap_node *node = bt_snap_walk_open(run->walk); node && !r; node = node->parent) {
		struct bt_digest tree = {{0}};

		r = bt_snap_node_so_far(&run->finish, node, below, &tree, error);
		if (!r)
			r = describe(run, node, arena, root);
		root->digest = tree;
		below = root;
		so_far->directories++;
		so_far->xattrs |= root->extra && root->extra->xattr_count > 0;
	}
	return r;
}

/* What the user wants to become of the snapshot is about the complete one. */
static struct bt_snapshot_info info_of(const struct bt_snap_run *run)
{
	struct bt_snapshot_info info = run->request.info;

	info.partial = true;
	info.pinned = info.has_expires = false;
	info.tags = NULL;
	info.tag_count = 0;
	return info;
}

/* Also pieces of a file that is so large that it was the only one yet. */
static bool has_anything(const struct bt_snap_run *run)
{
	const struct bt_snap_totals *totals = &run->finish.totals;

	return totals->files + totals->directories + totals->others > 0 ||
	       bt_pack_counts(run->finish.pack)->new_bytes > 0;
}

void bt_snap_unlist_partials(struct bt_snap_run *run)
{
	struct bt_error unused = {0};
	bool done;

	bt_gate_unlist(&run->gate, (const uint32_t *)run->partials.data, run->partials.length / sizeof(uint32_t), &done,
		       &unused);
	if (done)
		bt_buf_clear(&run->partials);
}

static int publish(struct bt_snap_run *run, const struct bt_snapshot_info *info, char name[64], struct bt_error *error)
{
	uint32_t ordinal;
	int r = bt_pack_seal(run->finish.pack, error);

	if (!r)
		r = bt_pack_checkpoint(run->finish.pack, &run->gate, info, name, error);
	if (r)
		return r;
	bt_snap_unlist_partials(run);
	if (bt_store_file_named(run->plan.store, name, &ordinal))
		return 0;
	return bt_buf_append(&run->partials, &ordinal, sizeof(ordinal));
}

int bt_snap_checkpoint(struct bt_snap_run *run, char name[64], struct bt_error *error)
{
	struct bt_snapshot_info info = info_of(run);
	struct bt_snap_totals so_far = run->finish.totals;
	struct bt_arena arena = {0};

	*name = 0;
	if (!has_anything(run) || bt_snap_walk_is_behind(run->walk))
		return 0;
	int r = bt_pack_flush(run->finish.pack, error);
	if (!r)
		r = bt_snap_walk_count(run->walk, &so_far);
	if (!r)
		r = close_directories(run, &so_far, &arena, &info.root, error);
	if (!r)
		r = bt_snap_run_names(run, &info, error);
	bt_snap_run_count(run, &so_far, &info);
	if (!r)
		r = publish(run, &info, name, error);
	bt_arena_free(&arena);
	return r;
}
