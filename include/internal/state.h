/* SPDX-License-Identifier: MIT */
/*
 * What no snapshot holds: when a run, a prune or a check ended last, and how. A small file for each in state/ of the
 * store (FORMAT.md section 1). Losing it loses no data: then it is only not known. So nothing that fails here is worth
 * more than to be passed over, and what others could have written counts as not there.
 */
#ifndef INTERNAL_STATE_H
#define INTERNAL_STATE_H

#include <backuptool/select.h>
#include <backuptool/store.h>
#include <stdbool.h>

enum bt_state_task {
	BT_STATE_RUN,	/* a snapshot of a host and a directory */
	BT_STATE_PRUNE, /* of a host and a directory by its job, or of the whole store: both are "" */
	BT_STATE_CHECK	/* of the whole store */
};

#define BT_STATE_TARGET_SIZE 4097
#define BT_STATE_ERROR_SIZE  1025
#define BT_STATE_NAME_SIZE   128 /* of a snapshot's file */
#define BT_STATE_PART_SIZE   32

struct bt_state {
	enum bt_state_task task;
	char host[BT_HOST_SIZE], target[BT_STATE_TARGET_SIZE];
	struct bt_time time;		   /* when it ended */
	uint64_t exit;			   /* the code of the command */
	char error[BT_STATE_ERROR_SIZE];   /* why not; "" if it worked */
	char snapshot[BT_STATE_NAME_SIZE]; /* of a run: that it made, or since which nothing had changed; "" none */
	uint64_t failures;		   /* of a run: how many in a row did not end with 0 */
	struct bt_time next;		   /* of a run: when the job's next one is due; 0: not known */
	uint64_t count;			   /* snapshots that a run made or a prune removed; findings of a check */
	char part[BT_STATE_PART_SIZE];	   /* of a check: "1/7", "10%"; "" all of it */
};

/* Replaces the one of the same task, host and directory. Not durable. Fails where only newer programs may write. */
int bt_state_put(struct bt_store *store, const struct bt_state *state, struct bt_error *error);
/* False: there is none, or it cannot be read. */
bool bt_state_get(struct bt_store *store, enum bt_state_task task, const char *host, const char *target,
		  struct bt_state *ret_state);

/* All of them, in any order, but no more than BT_STATE_MOST; visit gets each for as long as it runs. Gives the number
 * of files that have the name of one and were refused. */
#define BT_STATE_MOST 4096
size_t bt_state_list(struct bt_store *store, void (*visit)(void *arg, const struct bt_state *state), void *arg);

/* Who holds the claim of a task (bt_store_claim), as a lock's holder is told; false: nobody. */
#define BT_STATE_HOLDER_SIZE 120
bool bt_store_claimed(struct bt_store *store, const char *task, char holder[BT_STATE_HOLDER_SIZE]);

/* Bytes of the store's files as a refresh found them, and of the file system, if it is one of this machine (else all of
 * them are 0). */
struct bt_room {
	uint64_t bytes, free, total; /* free: for this user */
};
void bt_store_room(struct bt_store *store, struct bt_room *ret_room);

#endif
