/* SPDX-License-Identifier: MIT */
/*
 * Every program that deletes or renames files of the store, or publishes a snapshot that relies on other files, goes
 * through a gate: it takes the lock and looks at the store under it. A network file system can silently take a lock
 * away (a partition, a suspended machine), and give it back after another program has had it. So, if more than a second
 * has passed since the last look, the gate asks for the lock again and looks once more:
 *   BT_LOCK_EXCLUSIVE  only the holder has added or removed files;
 *   BT_LOCK_SHARED     no file on which the holder relies is gone or doomed: neither one that it wrote, nor one for
 *                      which bt_store_has was true
 *
 * Otherwise it fails with BT_E_LOCKED and sys ENOLCK: the holder stops without taking further steps. Time spent
 * suspended counts. One thread at a time may use the gate, and no refresh may run meanwhile.
 *
 * Contents are deleted in two steps. First all files get a name that says they are doomed: they are still read, but a
 * program that sees that name does not rely on them. Then the gate looks: a program that began earlier either has the
 * lock, or its new files are seen. So even a deletion that takes effect long after the lock was lost does no harm:
 * the name was doomed before.
 */
#ifndef BT_STORE_GATE_H
#define BT_STORE_GATE_H

#include "base/buf.h"
#include "store/store.h"

struct bt_gate {
	struct bt_store *store;
	enum bt_lock_kind kind;
	int fd;		      /* the lock; -1: there is none, and every step passes */
	uint32_t known;	      /* ordinals at the last look */
	bool alert;	      /* other hosts do not see the lock: look every time */
	int64_t next;	      /* look, in milliseconds */
	struct bt_buf doomed; /* ordinals */
};

/* Takes the lock, waiting as the options say, and refreshes the store. With the exclusive lock, files that a killed
 * program left doomed become ordinary volumes again, under names that no other program is about to delete. */
int bt_gate_open(struct bt_store *store, enum bt_lock_kind kind, const struct bt_observer *observer,
		 struct bt_gate *ret_gate, struct bt_error *error);
/* Files that are still doomed become ordinary volumes. */
void bt_gate_close(struct bt_gate *gate);
/* Called before each step that cannot be taken back. */
int bt_gate_pass(struct bt_gate *gate, struct bt_error *error);
/* The holder relies on this file as a whole. */
void bt_gate_lean(struct bt_gate *gate, uint32_t ordinal);

/*
 * The steps. Each passes the gate just before it cannot be taken back ("pass"). The comments say what is done in which
 * order. After a kill or a power cut at any moment, every byte that was in the store is still there under some name,
 * and every listed snapshot has all that it needs. A second name of a file is a hard link, or a copy on file systems
 * without hard links.
 */

/* Publishes a snapshot. Pass; the file is synced, gets its name, and its directory is synced; pass again, since that
 * may have taken long: if this fails, the name is removed. BT_E_EXISTS: call again with another name. */
int bt_gate_publish(struct bt_gate *gate, struct bt_writer *writer, const struct bt_buf *summary, const char *name,
		    struct bt_error *error);
/*
 * Gives the name of a snapshot to a new file. The new file is made whole and durable under a provisional name; the old
 * one gets a second name as a volume (replace) or in damaged/ (mend, which says where), and that is synced; pass; the
 * new file takes the name over, and that is synced. So at every moment there is one snapshot of this name, with all
 * that it needs. A provisional name that is left is removed by bt_store_sweep.
 */
#define BT_ASIDE_SIZE 128
int bt_gate_replace(struct bt_gate *gate, uint32_t ordinal, struct bt_writer *writer, const struct bt_buf *summary,
		    struct bt_error *error);
int bt_gate_mend(struct bt_gate *gate, uint32_t ordinal, struct bt_writer *writer, const struct bt_buf *summary,
		 char damaged[BT_ASIDE_SIZE], struct bt_error *error);
/*
 * Moves a file of either kind to damaged/ and returns its new path. It gets a second name there, which is synced; pass;
 * its first name is removed, and that is synced. Something that is not a file cannot have two names: pass; it is moved,
 * and both directories are synced.
 */
int bt_gate_set_aside(struct bt_gate *gate, uint32_t ordinal, char path[BT_ASIDE_SIZE], struct bt_error *error);
/* The same with the file of the store's id; the store gets a new id. */
int bt_gate_renew_identity(struct bt_gate *gate, char path[BT_ASIDE_SIZE], struct bt_error *error);
/* Renames a snapshot. BT_E_EXISTS if the name is taken. Pass; rename; sync. */
int bt_gate_rename(struct bt_gate *gate, uint32_t ordinal, const char *name, struct bt_error *error);
/* Makes a new file in the way of a snapshot's a volume instead: it is never listed. The file is synced under a
 * provisional name; it gets the name of a volume, and that is synced. */
int bt_gate_shelve(struct bt_gate *gate, struct bt_writer *writer, const struct bt_buf *summary,
		   struct bt_error *error);
/* Makes snapshots' files volumes, for the holder of the shared lock: pass; the lock is made the exclusive one, unless
 * another program has it, too, or nobody can tell; the files are moved, which is synced; the lock is the shared one
 * again. *ret_done: false, nothing was changed. */
int bt_gate_unlist(struct bt_gate *gate, const uint32_t *ordinals, size_t count, bool *ret_done,
		   struct bt_error *error);
/* Removes a file of which nothing is needed. Pass; its name is removed; bt_store_settle makes that durable. */
int bt_gate_remove(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error);

/* Makes a snapshot's file a volume. Nothing is copied, so this and the next one work on a full disk. bt_store_settle
 * makes both durable. */
int bt_gate_move(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error);
/* Dooms a file of either kind: it is renamed. */
int bt_gate_doom(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error);
/* Deletes the doomed files, in the order in which they were doomed. done is called after each (0, 1, …); a result other
 * than 0 ends it, and the files that are left become ordinary volumes. */
int bt_gate_delete(struct bt_gate *gate, int (*done)(void *arg, size_t index, struct bt_error *error), void *arg,
		   struct bt_error *error);

#endif
