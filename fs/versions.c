/* SPDX-License-Identifier: MIT */
#include "versions.h"
#include "hash.h"
#include "look.h"
#include "loop.h"
#include "root.h"
#include "table.h"
#include "versions_build.h"
#include "versions_places.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT	  64
#define DEPTH_MAX 2048 /* more components than any path that the kernel takes */

struct kept {
	struct built built;
	uint32_t place;
	bool used, listed;
	uint64_t stamp;
};

struct versions {
	atomic_uint outdated; /* counts changes; the kept directories belong to this count */
	unsigned current;
	pthread_mutex_t lock; /* guards the kept directories */
	struct places *places;
	struct kept kept[KEPT];
	uint64_t clock;
};

int versions_new(struct fs *fs)
{
	struct versions *versions = calloc(1, sizeof(*versions));

	if (!versions)
		return ENOMEM;
	pthread_mutex_init(&versions->lock, NULL);
	if (places_new(table_seed(), &versions->places) != 0) {
		free(versions);
		return ENOMEM;
	}
	fs->versions = versions;
	return 0;
}

static void drop(struct kept *kept)
{
	built_free(&kept->built);
	*kept = (struct kept){0};
}

static void drop_all(struct versions *versions)
{
	for (size_t i = 0; i < KEPT; i++)
		drop(&versions->kept[i]);
}

void versions_outdate(struct fs *fs)
{
	fs->versions->outdated++;
}

void versions_free(struct fs *fs)
{
	struct versions *versions = fs->versions;

	if (!versions)
		return;
	drop_all(versions);
	places_free(versions->places);
	pthread_mutex_destroy(&versions->lock);
	free(versions);
	fs->versions = NULL;
}

static fuse_ino_t node_of(uint32_t place)
{
	return node_pack((struct node){.kind = NODE_TOP, .number = TOP_VERSIONS, .index = place});
}

fuse_ino_t versions_top(struct fs *fs)
{
	return node_of(0);
}

bool versions_has(fuse_ino_t packed)
{
	struct node node = node_unpack(packed);

	return node.kind == NODE_TOP && node.number == TOP_VERSIONS;
}

void versions_looked(struct fs *fs, fuse_ino_t node, long lookups)
{
	if (fs->versions)
		places_looked(fs->versions->places, node_unpack(node).index, lookups);
}

bool versions_any_known(const struct fs *fs)
{
	return fs->versions && places_any_told(fs->versions->places);
}

/* The kernel forgets a used version with its last user only if it was told of the version, not just of the directory
 * above. */
void versions_forget_unused(struct fs *fs)
{
	struct place_told told;
	uint32_t number = fs->versions ? places_count(fs->versions->places) : 0;

	while (number > 0 && places_told_below(fs->versions->places, &number, &told)) {
		for (size_t at = 0; at < told.size; at += strlen(told.names + at) + 1)
			fuse_lowlevel_notify_inval_entry(fs->session, node_of(number), told.names + at,
							 strlen(told.names + at));
		free(told.names);
		if (told.path.name) /* the top has no name */
			fuse_lowlevel_notify_inval_entry(fs->session, node_of(told.path.parent), told.path.name,
							 strlen(told.path.name));
	}
}

void versions_tell(struct fs *fs)
{
	for (uint32_t i = 0; fs->versions && places_take_listed(fs->versions->places, &i); i++)
		fuse_lowlevel_notify_inval_inode(fs->session, node_of(i), 0, 0);
}

static void leave(struct fs *fs)
{
	pthread_mutex_unlock(&fs->versions->lock);
}

bool versions_pause(struct fs *fs)
{
	return !fs->versions || pthread_mutex_trylock(&fs->versions->lock) == 0;
}

void versions_resume(struct fs *fs)
{
	if (fs->versions)
		leave(fs);
}

/* A reader of one that is outdated meanwhile goes on with it; the next one to enter drops it. */
static void drop_outdated(struct versions *versions)
{
	unsigned outdated = versions->outdated;

	if (versions->current != outdated)
		drop_all(versions);
	versions->current = outdated;
}

/* False: no such directory, as for a file handle of another mount. */
static bool enter(struct fs *fs, fuse_ino_t node)
{
	if (!fs->versions)
		return false;
	loop_slow(fs);
	pthread_mutex_lock(&fs->versions->lock);
	drop_outdated(fs->versions);
	struct place_path path;
	if (places_at(fs->versions->places, node_unpack(node).index, &path))
		return true;
	leave(fs);
	return false;
}

static struct kept *find_kept(struct versions *versions, uint32_t place)
{
	for (size_t i = 0; i < KEPT; i++) {
		struct kept *kept = &versions->kept[i];

		if (!kept->used || kept->place != place)
			continue;
		kept->stamp = ++versions->clock;
		return kept;
	}
	return NULL;
}

/* Drops a kept directory to make room, but not keep. */
static struct kept *free_kept(struct versions *versions, const struct kept *keep)
{
	struct kept *oldest = NULL;

	for (size_t i = 0; i < KEPT; i++) {
		struct kept *kept = &versions->kept[i];

		if (!kept->used)
			return kept;
		if (kept != keep && (!oldest || kept->stamp < oldest->stamp))
			oldest = kept;
	}
	drop(oldest);
	return oldest;
}

/* Takes over built. */
static struct kept *keep(struct versions *versions, uint32_t place, const struct built *built,
			 const struct kept *parent)
{
	struct kept *kept = free_kept(versions, parent);

	*kept = (struct kept){.built = *built, .place = place, .used = true, .stamp = ++versions->clock};
	return kept;
}

static int build_one(struct fs *fs, uint32_t place, const struct kept *parent, struct kept **ret_kept)
{
	struct versions *versions = fs->versions;
	struct place_path path;
	struct built built;
	int r = ESTALE;

	if (places_at(versions->places, place, &path))
		r = parent ? built_below(fs, &parent->built, path.name, &built) : built_top(fs, &built);
	if (!r)
		*ret_kept = keep(versions, place, &built, parent);
	return r;
}

/* Builds the missing directories on the way from the top, or from the nearest kept one. */
static int get_kept(struct fs *fs, uint32_t place, struct kept **ret_kept)
{
	uint32_t *chain = malloc(DEPTH_MAX * sizeof(*chain));
	size_t depth = 0;
	struct kept *kept = NULL;
	int r = chain ? 0 : ENOMEM;

	for (struct place_path at = {.parent = place}; !r; places_at(fs->versions->places, at.parent, &at)) {
		kept = find_kept(fs->versions, at.parent);
		if (kept)
			break;
		if (depth == DEPTH_MAX)
			r = ENAMETOOLONG;
		else
			chain[depth++] = at.parent;
		if (at.parent == 0)
			break;
	}
	while (!r && depth > 0)
		r = build_one(fs, chain[--depth], kept, &kept);
	free(chain);
	if (!r)
		*ret_kept = kept;
	return r;
}

static int get_listed(struct fs *fs, uint32_t place, struct kept **ret_kept)
{
	int r = get_kept(fs, place, ret_kept);

	if (r || (*ret_kept)->listed)
		return r;
	r = built_list(fs, &(*ret_kept)->built);
	(*ret_kept)->listed = !r;
	return r;
}

/* The rights that all trees grant: if one was closed to others, the directory is. The set of trees changes with the
 * list of snapshots. */
static void attr_of(struct fs *fs, const struct kept *kept, struct stat *ret_stat)
{
	const struct built *built = &kept->built;
	struct bt_entry entry = {.type = BT_DIR, .mode = built->source_count ? 07777 : 0555};

	for (size_t i = 0; i < built->source_count; i++) {
		const struct source *source = &built->sources[i];

		entry.mode &= (uint16_t)source->mode;
		if (i > 0 && source->gid != entry.gid)
			entry.mode &= 0707;
		if (i > 0 && source->uid != entry.uid)
			entry.mode &= 0077;
		entry.uid = source->uid;
		entry.gid = source->gid;
	}
	if (built->source_count == 0) {
		entry.uid = geteuid();
		entry.gid = getegid();
	}
	struct timespec changed = look_changed(fs);
	entry.mtime = (struct bt_time){changed.tv_sec, (uint32_t)changed.tv_nsec};
	attr_fill(&fs->options.rules, &entry, attr_ino(&entry, hash_add(built->path, TOP_VERSIONS), 0), ret_stat);
}

int versions_attr(struct fs *fs, fuse_ino_t node, struct stat *ret_stat)
{
	struct kept *kept;

	if (!enter(fs, node))
		return ESTALE;
	int r = get_kept(fs, node_unpack(node).index, &kept);
	if (!r)
		attr_of(fs, kept, ret_stat);
	leave(fs);
	return r;
}

int versions_parent(struct fs *fs, fuse_ino_t node, fuse_ino_t *ret_parent)
{
	uint32_t number = node_unpack(node).index;

	if (!enter(fs, node))
		return ESTALE;
	struct place_path path;
	if (places_at(fs->versions->places, number, &path))
		*ret_parent = number ? node_of(path.parent) : FUSE_ROOT_ID;
	leave(fs);
	return 0;
}

/* A name that no snapshot has gets no record: programs ask for many of these. */
static int get_below(struct fs *fs, const struct kept *parent, const char *name, uint32_t *ret_place,
		     struct kept **ret_kept)
{
	struct versions *versions = fs->versions;
	struct built built;

	if (places_find(versions->places, parent->place, name, ret_place))
		return get_kept(fs, *ret_place, ret_kept);
	int r = built_below(fs, &parent->built, name, &built);
	if (r)
		return r;
	r = places_add(versions->places, parent->place, name, ret_place);
	if (r)
		built_free(&built);
	else
		*ret_kept = keep(versions, *ret_place, &built, parent);
	return r;
}

/* Looks up a version, or a directory of versions. Not found: node 0. */
static int lookup(struct fs *fs, uint32_t parent, const char *name, struct fuse_entry_param *ret_param)
{
	struct kept *kept, *below;
	int r = get_kept(fs, parent, &kept);

	if (r)
		return r;
	uint32_t place;
	const struct child *version = kept->listed || kept->built.child_count ? built_find(&kept->built, name) : NULL;
	if (version && version->param.ino) {
		*ret_param = version->param;
		places_told(fs->versions->places, parent, name);
		return 0;
	}
	r = get_below(fs, kept, name, &place, &below);
	*ret_param = (struct fuse_entry_param){.attr_timeout = A_WHILE, .entry_timeout = A_WHILE};
	if (r)
		return r == ENOENT ? 0 : r;
	ret_param->ino = node_of(place);
	attr_of(fs, below, &ret_param->attr);
	return 0;
}

int versions_lookup(struct fs *fs, fuse_ino_t parent, const char *name, struct fuse_entry_param *ret_param)
{
	if (!enter(fs, parent))
		return ESTALE;
	int r = lookup(fs, node_unpack(parent).index, name, ret_param);
	leave(fs);
	return r;
}

int versions_after(struct fs *fs, fuse_ino_t node, uint64_t cookie, struct versions_entry *ret_entry)
{
	struct kept *kept;

	if (!enter(fs, node))
		return ESTALE;
	int r = get_listed(fs, node_unpack(node).index, &kept);
	if (cookie < BUILT_FIRST_COOKIE)
		places_listed(fs->versions->places, node_unpack(node).index);
	const struct child *child = r ? NULL : built_after(&kept->built, cookie);
	if (child) {
		snprintf(ret_entry->name, sizeof(ret_entry->name), "%s", child->name);
		ret_entry->param = child->param;
		ret_entry->cookie = child->cookie;
		if (child->param.ino)
			places_told(fs->versions->places, kept->place, child->name);
	}
	leave(fs);
	return child ? 0 : r ? r : ENOENT;
}
