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
/* What the holder did by itself: a file has this name now, in the store or in contents/; a file's name is gone, or
 * another file has it. */
int bt_gate_made(struct bt_gate *gate, const char *name, bool snapshot, struct bt_error *error);
void bt_gate_took(struct bt_gate *gate, uint32_t ordinal);
/* The holder relies on this file as a whole. */
void bt_gate_lean(struct bt_gate *gate, uint32_t ordinal);

/* A snapshot's file becomes a volume. No byte is copied, so this works on a full disk, as does what follows. */
int bt_gate_move(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error);
/* A file of either kind is doomed, and is gone under its old name. */
int bt_gate_doom(struct bt_gate *gate, uint32_t ordinal, struct bt_error *error);
/* Deletes what is doomed, in that order; done is told of each (0, 1, …) when it is gone, and ends it with anything but
 * 0. What is left then gets its name back. */
int bt_gate_delete(struct bt_gate *gate, int (*done)(void *arg, size_t index, struct bt_error *error), void *arg,
		   struct bt_error *error);

#endif
