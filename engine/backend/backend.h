/* SPDX-License-Identifier: MIT */
/*
 * Where the files of a store lie: whole files under names, in three areas. The store above says what becomes of a name,
 * and in which order; that it is a name in a directory of some file system only this room knows. So nothing here speaks
 * of links, numbers of files or descriptors, except where it says "local": a descriptor there may be -1, and is for
 * those who must know where the store is. Files are read as objects (object.h) and written as uploads (upload.h).
 *
 * Calls that give 0 or -errno fill no error. Thread-safe but for open, close and changed.
 */
#ifndef BT_BACKEND_BACKEND_H
#define BT_BACKEND_BACKEND_H

#include "base/lock.h"
#include <backuptool/error.h>
#include <backuptool/types.h>
#include <stdbool.h>
#include <sys/types.h>

enum bt_area {
	BT_AREA_TOP,	  /* snapshots; and what tells that it is a store */
	BT_AREA_CONTENTS, /* volumes */
	BT_AREA_DAMAGED	  /* where a repair puts files with damage */
};
#define BT_CONTENTS_DIR "contents"
#define BT_DAMAGED_DIR	"damaged"

struct bt_backend_name {
	enum bt_area area;
	const char *name;
};

struct bt_backend;
struct bt_backend_options {
	bool make; /* the store's place, when it is missing */
	bool read_only;
	unsigned open_files; /* how many stay open; 0: a part of what the process may have */
};

/* path as in bt_store_open, which says what the failures are. */
int bt_backend_open(const char *path, const struct bt_backend_options *options, struct bt_backend **ret_backend,
		    struct bt_error *error);
/* NULL is fine. undo: what open made is removed again, unless something is in it by now. */
void bt_backend_close(struct bt_backend *backend, bool undo);
bool bt_backend_read_only(const struct bt_backend *backend);	  /* asked for, or it cannot be written to */
unsigned bt_backend_open_limit(const struct bt_backend *backend); /* of objects that are kept (bt_object_keep) */
/* There is no such store at path; sys is kept as the reason. */
int bt_backend_missing(const char *path, int sys, struct bt_error *error);
/* Whether programs have written here, which leaves more than files of snapshots. */
bool bt_backend_marked(struct bt_backend *backend);

/* Tells a file from every other one that has or had its name. What the bytes mean only the back end knows that gave
 * them. */
struct bt_stamp {
	unsigned char identity[16], touched[16];
};
struct bt_stored {
	uint64_t size;
	struct bt_time mtime;
	struct bt_stamp stamp;
	bool is_file; /* or something that no program of ours puts there; size is 0 then */
	bool trusted; /* it was written by this user, by root, or by the owner of the store */
};
bool bt_stamp_same(const struct bt_stamp *a, const struct bt_stamp *b);
/* Nor did anything change of it that is no part of the file: names, owner, permissions. */
bool bt_stamp_untouched(const struct bt_stamp *a, const struct bt_stamp *b);

int bt_backend_look(struct bt_backend *backend, enum bt_area area, const char *name,
		    struct bt_stored *ret_stored); /* 0 or -errno */

/* Whether there is such an area: 0, -ENOENT, -ENOTDIR if something else has its name, or why it cannot be opened. */
int bt_backend_find(struct bt_backend *backend, enum bt_area area);
/* All names of an area that are wanted, in any order. A result of take that is not 0 ends it and is returned. */
struct bt_list_visitor {
	void *arg;
	bool (*wanted)(void *arg, const char *name);
	int (*take)(void *arg, const char *name, const struct bt_stored *stored);
};
int bt_backend_list(struct bt_backend *backend, enum bt_area area, const struct bt_list_visitor *visitor,
		    struct bt_error *error);
/* Cheap. False: a list of the first two areas tells what it told when this was asked last. */
bool bt_backend_changed(struct bt_backend *backend);
/* When the last name came or went; 0: there is no such area. */
struct bt_time bt_backend_area_time(const struct bt_backend *backend, enum bt_area area);

/* The area is made when it is missing. Before whatever follows, which does not say as well why it cannot be. */
int bt_backend_reach(struct bt_backend *backend, enum bt_area area, struct bt_error *error);

/* What has one name gets another one, never one that is taken: -EEXIST. 0 or -errno. */
int bt_backend_move(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to);
/* The same, and it keeps the old one: BT_E_EXISTS. */
int bt_backend_twin(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to,
		    struct bt_error *error);
/* Whether both names are one file's. */
bool bt_backend_is_twin(struct bt_backend *backend, const struct bt_backend_name *one,
			const struct bt_backend_name *two);
/* The file takes over a name of its area from whatever has it. */
int bt_backend_replace(struct bt_backend *backend, const struct bt_backend_name *from, const char *name,
		       struct bt_error *error);
/* An unused name for a file that is about to replace another one; sweep removes it when it is left. */
int bt_backend_provisional(char name[32], struct bt_error *error);
int bt_backend_remove(struct bt_backend *backend, const struct bt_backend_name *name); /* 0 or -errno */
/* Makes durable which names the area has. 0 or -errno. */
int bt_backend_settle(struct bt_backend *backend, enum bt_area area);
/* What killed programs left of files that they were writing, see bt_publish_sweep. */
void bt_backend_sweep(struct bt_backend *backend, bool alone);

/* A new file, once it is published. */
struct bt_upload;
int bt_backend_create(struct bt_backend *backend, enum bt_area area, struct bt_upload **ret_upload,
		      struct bt_error *error);

/* The store's locks: see base/lock.h. What holds one is a descriptor in every back end (that of a lock file, of a pipe
 * to the program that renews a lease), since it ends with its program. */
int bt_backend_lock(struct bt_backend *backend, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		    struct bt_error *error);
int bt_backend_claim(struct bt_backend *backend, uint64_t number, int *ret_fd, struct bt_error *error);
int bt_backend_lock_again(struct bt_backend *backend, int fd, enum bt_lock_kind kind); /* 0 or -errno */
/* Whether programs on other hosts know of them; else type is that of the file system. */
bool bt_backend_locks_reach(struct bt_backend *backend, char type[64]);

/* Of an area; borrowed. -1: there is none, or it is not in a file system of this machine. */
int bt_backend_local_fd(struct bt_backend *backend, enum bt_area area);
/* Of its directory; 0 and 0, which no file has: there is none. */
void bt_backend_inode(struct bt_backend *backend, dev_t *ret_dev, ino_t *ret_ino);

/* cache.c: a directory for what is derived from a store, made when it is missing, unless read_only: cache/ of a store
 * that lies in a directory of this machine, else the one at path (NULL: none). fd, or -1: it cannot be had, or it is
 * not the user's own (bt_is_own), so that others may have made what is in it. */
int bt_cache_open(struct bt_backend *backend, const char *path);

/* reach.c: the same of a directory, and by what /proc/self/mountinfo says of a file system. */
bool bt_locks_reach(int dirfd, char type[64]);
bool bt_locks_are_local(const char *type, const char *options);

#endif
