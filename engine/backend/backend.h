/* SPDX-License-Identifier: MIT */
/*
 * The place where the files of a store lie: whole files under names, in four areas. The store above decides what
 * happens to a name, and in which order. Only this room knows that the name is one in a directory of some file system.
 * So the interface has no links, inodes or descriptors, except where it says "local": a local descriptor may be -1, and
 * is for callers that must know where the store is. Files are read as objects (object.h) and written as uploads
 * (upload.h).
 *
 * Calls that return 0 or -errno fill no error. All are thread-safe except open, close and changed.
 */
#ifndef BT_BACKEND_BACKEND_H
#define BT_BACKEND_BACKEND_H

#include "base/lock.h"
#include <backuptool/error.h>
#include <backuptool/types.h>
#include <stdbool.h>
#include <sys/types.h>

enum bt_area {
	BT_AREA_TOP,	  /* snapshots, and the files that mark it as a store */
	BT_AREA_CONTENTS, /* volumes */
	BT_AREA_DAMAGED,  /* damaged files that a repair set aside */
	BT_AREA_STATE	  /* what is known besides, and is needed by nobody */
};
#define BT_AREAS	(BT_AREA_STATE + 1)
#define BT_CONTENTS_DIR "contents"
#define BT_DAMAGED_DIR	"damaged"
#define BT_STATE_DIR	"state"

struct bt_backend_name {
	enum bt_area area;
	const char *name;
};
/* The path of a file from the top of the store, as errors show it. */
#define BT_BACKEND_PATH_SIZE 300
void bt_backend_path(char path[BT_BACKEND_PATH_SIZE], const struct bt_backend_name *name);

struct bt_backend;
struct bt_backend_options {
	bool make; /* make the place of the store if it is missing */
	bool read_only;
	unsigned open_files; /* number of files that stay open; 0: a part of the limit of the process */
};

/* path and failures are as in bt_store_open. */
int bt_backend_open(const char *path, const struct bt_backend_options *options, struct bt_backend **ret_backend,
		    struct bt_error *error);
/* NULL is fine. undo: removes again what open made, unless there is something in it by now. */
void bt_backend_close(struct bt_backend *backend, bool undo);
bool bt_backend_read_only(const struct bt_backend *backend);	  /* asked for, or writing is not possible */
unsigned bt_backend_open_limit(const struct bt_backend *backend); /* of objects that are kept (bt_object_keep) */
/* Fills error: there is no such store at path; sys is the reason. */
int bt_backend_missing(const char *path, int sys, struct bt_error *error);
/* Whether a program has written here, which leaves other files beside those of snapshots. */
bool bt_backend_marked(struct bt_backend *backend);

/* Tells a file from every other one that has or had its name. Only the back end that made the bytes knows their
 * meaning. An identity of zeros tells nothing: only the size and the times do. */
struct bt_stamp {
	unsigned char identity[16], touched[16];
};
struct bt_stored {
	uint64_t size;
	struct bt_time mtime;
	struct bt_stamp stamp;
	bool is_file; /* false: something that our programs do not put there; size is 0 then */
	bool trusted; /* this user, root, or the owner of the store wrote it */
};
bool bt_stamp_same(const struct bt_stamp *a, const struct bt_stamp *b);
/* Also whether the names, the owner and the permissions of the file are unchanged. */
bool bt_stamp_untouched(const struct bt_stamp *a, const struct bt_stamp *b);

int bt_backend_look(struct bt_backend *backend, enum bt_area area, const char *name,
		    struct bt_stored *ret_stored); /* 0 or -errno */

/* Whether there is such an area: 0, -ENOENT, -ENOTDIR if something else has its name, or another -errno of opening it.
 */
int bt_backend_find(struct bt_backend *backend, enum bt_area area);
/* Lists the wanted names of an area, in any order. If take returns anything but 0, the listing ends and returns
 * that. */
struct bt_list_visitor {
	void *arg;
	bool (*wanted)(void *arg, const char *name);
	int (*take)(void *arg, const char *name, const struct bt_stored *stored);
};
int bt_backend_list(struct bt_backend *backend, enum bt_area area, const struct bt_list_visitor *visitor,
		    struct bt_error *error);
/* Cheap. False: listing the first two areas would give the same as when this was last called. */
bool bt_backend_changed(struct bt_backend *backend);
/* The time at which a name was last added or removed; 0: there is no such area. */
struct bt_time bt_backend_area_time(const struct bt_backend *backend, enum bt_area area);

/* Makes the area if it is missing. Called before other work in the area, because it gives the better error. */
int bt_backend_reach(struct bt_backend *backend, enum bt_area area, struct bt_error *error);

/* Renames a file. -EEXIST: the new name is taken, and stays as it is. 0 or -errno. */
int bt_backend_move(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to);
/* Gives a file a second name. BT_E_EXISTS: the name is taken. */
int bt_backend_twin(struct bt_backend *backend, const struct bt_backend_name *from, const struct bt_backend_name *to,
		    struct bt_error *error);
/* Whether both names belong to one file. */
bool bt_backend_is_twin(struct bt_backend *backend, const struct bt_backend_name *one,
			const struct bt_backend_name *two);
/* Renames a file within its area, replacing the file that has the name. */
int bt_backend_replace(struct bt_backend *backend, const struct bt_backend_name *from, const char *name,
		       struct bt_error *error);
/* An unused name for a file that will replace another one; sweep removes such a file if it is left over. */
int bt_backend_provisional(char name[32], struct bt_error *error);
int bt_backend_remove(struct bt_backend *backend, const struct bt_backend_name *name); /* 0 or -errno */
/* Makes the names of the area durable. 0 or -errno. */
int bt_backend_settle(struct bt_backend *backend, enum bt_area area);
/* Removes unfinished files that killed programs left, see bt_publish_sweep. */
void bt_backend_sweep(struct bt_backend *backend, bool alone);

/* Begins a new file, which appears when it is published. */
struct bt_upload;
int bt_backend_create(struct bt_backend *backend, enum bt_area area, struct bt_upload **ret_upload,
		      struct bt_error *error);

/* The store's locks: see base/lock.h. In every back end a descriptor holds the lock (that of a lock file, or of a pipe
 * to the program that renews a lease), since it is closed when its program ends. */
int bt_backend_lock(struct bt_backend *backend, enum bt_lock_kind kind, const struct bt_lock_wait *wait, int *ret_fd,
		    struct bt_error *error);
int bt_backend_claim(struct bt_backend *backend, uint64_t number, int *ret_fd, struct bt_error *error);
int bt_backend_lock_again(struct bt_backend *backend, int fd, enum bt_lock_kind kind); /* 0 or -errno */
/* Whether somebody has that claim, and who (BT_HOLDER_SIZE). */
bool bt_backend_claimed(struct bt_backend *backend, uint64_t number, char *holder);
/* Bytes of its file system that this user can have, and all; 0 if it is not one of this machine. */
void bt_backend_room(struct bt_backend *backend, uint64_t *ret_free, uint64_t *ret_total);
/* Whether programs on other hosts see these locks; if not, type is the type of the file system. */
bool bt_backend_locks_reach(struct bt_backend *backend, char type[64]);

/* The directory of an area, local and borrowed. -1: there is no such area, or it is not in a file system of this
 * machine. */
int bt_backend_local_fd(struct bt_backend *backend, enum bt_area area);
/* Device and inode of its directory; both 0, which no file has, if it is not in a directory of this machine. */
void bt_backend_inode(struct bt_backend *backend, dev_t *ret_dev, ino_t *ret_ino);

/* cache.c: opens the directory for data derived from a store, and makes it if it is missing, unless read_only. It is
 * cache/ of a store that lies in a directory of this machine, otherwise the one at path (NULL: no directory). fd, or
 * -1: it cannot be opened, or it is not the user's own (bt_is_own), so that others may have made the files in it. */
int bt_cache_open(struct bt_backend *backend, const char *path);

/* reach.c: as bt_backend_locks_reach, for a directory; and for the type and options of a file system in
 * /proc/self/mountinfo. */
bool bt_locks_reach(int dirfd, char type[64]);
bool bt_locks_are_local(const char *type, const char *options);

#endif
