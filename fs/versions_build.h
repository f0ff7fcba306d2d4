/* SPDX-License-Identifier: MIT */
/* Putting one directory of versions/ together; see versions.h. */
#ifndef FS_VERSIONS_BUILD_H
#define FS_VERSIONS_BUILD_H

#include "dirs.h"

/* One of the distinct trees that a path had. */
struct source {
	struct bt_digest tree;
	uint32_t snapshot; /* serial of the first that has it */
	uint32_t uid, gid;
	mode_t mode;
};

#define BUILT_FIRST_COOKIE 16 /* below are those of "." and ".." */

struct child {
	char *name;
	uint64_t hash;	 /* of the name: what they are sorted by */
	uint64_t cookie; /* where a reader stands after it, whatever comes and goes: the hash, but increasing */
	struct fuse_entry_param param; /* of a version; node 0: a directory */
};

struct built {
	uint64_t path; /* hash of the path in the snapshots */
	struct source *sources;
	struct child *children;
	size_t source_count, child_count;
	size_t source_room, child_room;
};

/* The top: all snapshots. Or what is below name in a parent. ENOENT if no snapshot has the name.
 * What cannot be read in one snapshot is left out. */
int built_top(struct fs *fs, struct built *ret_built);
int built_below(struct fs *fs, const struct built *parent, const char *name, struct built *ret_built);
/* Adds the children; until then only sources and versions are there. */
int built_list(struct fs *fs, struct built *built);
void built_free(struct built *built);
const struct child *built_find(const struct built *built, const char *name);
/* The first child after a cookie (0: the very first); NULL if there is none. */
const struct child *built_after(const struct built *built, uint64_t cookie);

#endif
