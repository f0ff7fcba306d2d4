/* SPDX-License-Identifier: MIT */
/*
 * What deletes in the store, gives files other names, or publishes a snapshot that relies on others goes through a
 * gate: the lock, and a look at the store as it is under it. A network file system can take a lock away without a
 * word (a partition, a suspended machine), and give it back as silently when somebody else has had it meanwhile. So,
 * when more than a second has passed since the last look, the gate asks for the lock again and looks once more:
 *   BT_LOCK_EXCLUSIVE  no file has come or gone but by the holder;
 *   BT_LOCK_SHARED     no file on which the holder relies is gone or doomed: none that it wrote, none of which
 *                      bt_store_has said that it has something
 *
 * Otherwise it is BT_E_LOCKED with sys ENOLCK: the holder ends, and what it has not done stays undone. Time spent
 * suspended counts. One thread at a time, which has the store for itself, as for a refresh.
 *
 * Contents are deleted in two steps. First all files get a name that says they are doomed: they are read as ever, but a
 * program that sees that name does not rely on them. Then comes a look: a program that began before it either has the
 * lock, or what it made is seen. So even a deletion that takes effect long after its lock was lost does no harm: its
 * name was doomed before.
 */
#ifndef BT_STORE_GATE_H
#define BT_STORE_GATE_H

#include "base/buf.h"
#include "store/store.h"

struct bt_gate {
	struct bt_store *store;
	enum bt_lock_kind kind;
	int fd;		      /* the lock; -1: none, everything passes */
	uint32_t known;	      /* ordinals at the last look */
	bool alert;	      /* other hosts do not see the lock: look each time */
	int64_t next;	      /* look, in milliseconds */
	struct bt_buf doomed; /* ordinals */
};

/* Takes the lock, waiting as the options say, and refreshes the store. With the exclusive one, what a killed program
 * left doomed is an ordinary volume again, under a name that nobody else is about to delete. */
int bt_gate_open(struct bt_store *store, enum bt_lock_kind kind, const struct bt_observer *observer,
		 struct bt_gate *ret_gate, struct bt_error *error);
/* What is doomed still gets its name back. */
void bt_gate_close(struct bt_gate *gate);
/* Before each step that cannot be taken back. */
int bt_gate_pass(struct bt_gate *gate, struct bt_error *error);
/* The holder relies on this file as a whole. */
void bt_gate_lean(struct bt_gate *gate, uint32_t ordinal);

/*
 * The steps. Each passes the gate at the moment from which it cannot be taken back, and is told in the order in which
 * it is done: a kill or a power cut between two of them leaves every byte that was in the store under some name, and
 * every snapshot listed has what it needs. Where a file gets a second name, it is a hard link; on file systems without
 * them, a whole copy.
 */

/* A snapshot. Pass; the file is synced, gets its name, and its directory is synced; pass, since even that may have
 * taken long: otherwise its name goes again. BT_E_EXISTS: again with another name. */
int bt_gate_publish(struct bt_gate *gate, struct bt_writer *writer, const struct bt_buf *summary, const char *name,
		    struct bt_error *error);
/*
 * A new file takes the name of a snapshot. The new one is whole and durable under a provisional name; the old one gets
 * a second name as a volume (replace) or in damaged/ (mend, which says where), and that is synced; pass; the new one
 * takes the name over, and that is synced. So at every moment there is one snapshot of this name, and everything that
 * it needs. A provisional name that is left is swept away.
 */
#define BT_ASIDE_SIZE 128
int bt_gate_replace(struct bt_gate *gate, uint32_t ordinal, struct bt_writer *writer, const struct bt_buf *summary,
		    struct bt_error *error);
int bt_gate_mend(struct bt_gate *gate, uint32_t ordinal, struct bt_writer *writer, const struct bt_buf *summary,
		 char damaged[BT_ASIDE_SIZE], struct bt_error *error);
/*
 * A file of either kind goes to damaged/, under the path that is given back. It gets a second name there, which is
 * synced; pass; its first name goes, and that is synced. What is no file has one name, and is moved: pass, and both
 * directories are synced.
 */
int bt_gate_set_aside(struct bt_gate *gate, uint32_t ordinal, char path[BT_ASIDE_SIZE], struct bt_error *error);
/* The same with the store's id, in place of which it gets a new one. */
int bt_gate_renew_identity(struct bt_gate *gate, char path[BT_ASIDE_SIZE], struct bt_error *error);
/* A snapshot gets another name, never one that is taken: BT_E_EXISTS. Pass; rename; sync. */
int bt_gate_rename(struct bt_gate *gate, uint32_t ordinal, const char *name, struct bt_error *error);
/* A file of which nobody needs anything. Pass; its name goes, and bt_store_settle makes that durable. */
int bt_gate_remove(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error);

/* A snapshot's file becomes a volume. No byte is copied, so this works on a full disk, as does what follows. Both are
 * durable with bt_store_settle. */
int bt_gate_move(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error);
/* A file of either kind is doomed, and is gone under its old name. */
int bt_gate_doom(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error);
/* Deletes what is doomed, in that order; done is told of each (0, 1, …) when it is gone, and ends it with anything but
 * 0. What is left then gets its name back. */
int bt_gate_delete(struct bt_gate *gate, int (*done)(void *arg, size_t index, struct bt_error *error), void *arg,
		   struct bt_error *error);

#endif
