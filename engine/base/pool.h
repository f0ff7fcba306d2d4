/* SPDX-License-Identifier: MIT */
/*
 * An ordered worker pool: several threads work on jobs in any order, and jobs are finished one at a time in the order
 * of submission. With threads == 0 both happen inside bt_pool_submit, with the same results.
 *
 * Submit waits while the weight of all unfinished jobs would exceed the budget (a single job of any weight is accepted
 * if there is no other). finish may submit to another pool, never to its own. After the first result != 0 of work or
 * finish the pool has failed: work is no longer called, but finish still is, so that jobs can free themselves. Jobs
 * submitted after the one that failed first get BT_E_CANCELLED even if their work was done, so the results that finish
 * gets do not depend on the number of threads. finish runs on a worker, or inside bt_pool_submit. Any number of threads
 * may submit.
 */
#ifndef BT_BASE_POOL_H
#define BT_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct bt_pool;

struct bt_job {
	int (*work)(struct bt_job *job, void *worker); /* NULL: nothing to do in parallel */
	int (*finish)(struct bt_job *job, int result); /* result of work, or BT_E_CANCELLED; frees the job */
	size_t weight;				       /* bytes, for the budget */
	struct bt_job *next;			       /* the pool's */
	int result, state;			       /* the pool's */
};

struct bt_pool_options {
	unsigned threads;
	size_t budget;
	void *(*worker_new)(void *arg); /* called for each thread (once if there are none); NULL on out of memory */
	void (*worker_free)(void *worker);
	void *arg;
};

int bt_pool_new(const struct bt_pool_options *options, struct bt_pool **ret_pool);
/* Takes the job in any case. Returns the first failure of the pool so far, or 0. */
int bt_pool_submit(struct bt_pool *pool, struct bt_job *job);
int bt_pool_drain(struct bt_pool *pool); /* waits for all jobs; returns the first failure, and keeps it */
void bt_pool_free(struct bt_pool *pool); /* drains first; NULL is fine */
unsigned bt_cpu_count(void);		 /* processors this process may use, at least 1 */

#endif
