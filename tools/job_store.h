/* SPDX-License-Identifier: MIT */
/*
 * The store of a job, which is open only while a run is at work: a job that waits holds nothing open in it, so that its
 * disk can be unmounted between two runs. Each run opens it by its path, and takes no other store than that of the
 * first time.
 *
 * Two jobs never protect the same directory of the same host in the same store. While a run is at work, that is a claim
 * in the store (bt_store_claim), which holds wherever its locks do. While the job waits it is a socket in the abstract
 * name space, named after the store's id and the task: it holds between all users of a machine (of a network name
 * space), goes with the process, and touches no disk. One that an ordinary user took counts only for that user's jobs,
 * so that nobody keeps others from theirs.
 */
#ifndef TOOLS_JOB_STORE_H
#define TOOLS_JOB_STORE_H

#include "tool.h"

struct job_store {
	struct tool tool; /* the job's, with the id of the store from the first opening on */
	char id[BT_STORE_ID_SIZE];
	bool made;	     /* by the first opening */
	char *host, *target; /* whose snapshots these are; allocated */
	char *task;
	struct bt_store *store; /* NULL while it waits */
	int claim, socket;	/* -1: not held */
};

/* host and target are taken over. */
void job_store_init(struct job_store *store, const struct tool *tool, char *host, char *target);
/* Says what is wrong, and gives an exit code, or TOOL_OK. Only the first time it may be made. */
int job_store_open(struct job_store *store, bool create);
/* Opens it to be read, if it is there now: nothing is said or made. */
bool job_store_look(struct job_store *store);
/* Nothing in the store is held open any more; the name stays taken. */
void job_store_close(struct job_store *store);
void job_store_free(struct job_store *store);

/* The name of the claim; allocated. */
char *job_store_task(const char *host, const char *target);
/* Whether a job with this task waits, as far as this user's word counts. */
bool job_store_waits(const char *id, const char *task);
/* Takes away what asked or was refused meanwhile, so that there is room for others. For poll(2): store->socket. */
void job_store_answer(const struct job_store *store);

/* Whether there is a snapshot of this host and directory that is younger than that many milliseconds, or a run found
 * nothing changed within that time: the age of the newest, and what it is, allocated. One from the future says nothing.
 */
bool job_store_newest(const struct job_store *store, int64_t younger, int64_t *ret_age, char **ret_name);

#endif
