/* SPDX-License-Identifier: MIT */
/* Puts one directory of versions/ together; see versions.h. */
#ifndef FS_VERSIONS_BUILD_H
#define FS_VERSIONS_BUILD_H

#include "dirs.h"

/* One of the distinct trees that a path had over time. */
struct source {
	struct bt_digest tree;
	uint32_t snapshot; /* serial of the first snapshot that has it */
	uint32_t uid, gid;
	mode_t mode;
};

#define BUILT_FIRST_COOKIE 16 /* lower ones are for "." and ".." */

struct child {
	char *name;
	uint64_t hash; /* of the name: children are sorted by it */
	uint64_t
		cookie; /* the offset of a reader after it, which other names do not change: the hash, but increasing */
	struct fuse_entry_param param; /* of a version; node 0: a directory */
};

struct built {
	uint64_t path; /* hash of the path in the snapshots */
	struct source *sources;
	struct child *children;
	size_t source_count, child_count;
	size_t source_room, child_room;
};

/* Builds the top, from all snapshots, or the directory name in a parent; ENOENT if no snapshot has it. What cannot be
 * read in one snapshot is left out. */
int built_top(struct fs *fs, struct built *ret_built);
int built_below(struct fs *fs, const struct built *parent, const char *name, struct built *ret_built);
/* Adds the directories among the children; before, only sources and versions are there. */
int built_list(struct fs *fs, struct built *built);
void built_free(struct built *built);
const struct child *built_find(const struct built *built, const char *name);
/* The first child after a cookie (0: the first of all); NULL: no more. */
const struct child *built_after(const struct built *built, uint64_t cookie);

#endif
