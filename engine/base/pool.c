/* SPDX-License-Identifier: MIT */
#include "base/pool.h"

#include "base/invariant.h"
#include <backuptool/error.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { QUEUED, RUNNING, DONE };

struct bt_pool {
	struct bt_pool_options options;
	pthread_mutex_t lock;
	pthread_mutex_t serial; /* held by the one submitter that works, when there are no threads */
	pthread_cond_t work_there, room_there, all_done;
	/* Jobs that are not finished, in order of submission; todo is the first that nobody has taken. */
	struct bt_job *head, *tail, *todo;
	size_t weight;	   /* of those */
	size_t unfinished; /* their number, with the one in finish */
	unsigned waiting;  /* submitters */
	bool finishing;	   /* some thread is in finish_ready */
	bool stopping;
	int stopped; /* first result != 0 seen in any order: no more work from here on */
	int failure; /* first in order of submission: what finish and the callers are told */
	unsigned thread_count, worker_count;
	void **workers;
	pthread_t *threads;
};

/* Jobs after the first failure are cancelled, even if their work was done: so the outcome does not depend on the number
 * of threads. */
static int outcome(const struct bt_pool *pool, const struct bt_job *job)
{
	return pool->failure != 0 ? BT_E_CANCELLED : job->result;
}

static void note_failure(struct bt_pool *pool, int result)
{
	if (result && pool->failure == 0)
		pool->failure = result;
	if (result && pool->stopped == 0)
		pool->stopped = result;
}

/* The jobs that are not finished: one of them may be in finish, and is in the counts alone. With the lock held. */
static void check_pool(const struct bt_pool *pool)
{
#ifdef BT_INVARIANTS
	const struct bt_job *job, *last = NULL, *queued = NULL;
	size_t count = 0, weight = 0;

	for (job = pool->head; job; last = job, job = job->next, count++) {
		weight += job->weight;
		queued = queued || job->state != QUEUED ? queued : job;
	}
	bt_invariant(pool->tail == last && pool->todo == queued);
	bt_invariant(count <= pool->unfinished && pool->unfinished <= count + pool->finishing);
	bt_invariant(weight <= pool->weight && (count < pool->unfinished || weight == pool->weight));
	bt_invariant(!pool->failure || pool->stopped);
#endif
}

static void take_head(struct bt_pool *pool)
{
	struct bt_job *job = pool->head;
	size_t weight = job->weight;
	int r = outcome(pool, job);

	pool->head = job->next;
	if (!pool->head)
		pool->tail = NULL;
	note_failure(pool, r);
	check_pool(pool);
	pthread_mutex_unlock(&pool->lock);
	r = job->finish(job, r);
	pthread_mutex_lock(&pool->lock);
	note_failure(pool, r);
	pool->weight -= weight;
	pool->unfinished--;
	check_pool(pool);
	if (pool->waiting > 0)
		pthread_cond_broadcast(&pool->room_there);
	if (pool->unfinished == 0)
		pthread_cond_broadcast(&pool->all_done);
}

/* With the lock held. A thread that comes while another one is here leaves its job to that one. */
static void finish_ready(struct bt_pool *pool)
{
	if (pool->finishing)
		return;
	pool->finishing = true;
	while (pool->head && pool->head->state == DONE)
		take_head(pool);
	pool->finishing = false;
}

static void work_on(struct bt_pool *pool, struct bt_job *job, void *worker)
{
	job->state = RUNNING;
	if (pool->stopped != 0) {
		job->result = BT_E_CANCELLED;
	} else {
		pthread_mutex_unlock(&pool->lock);
		int r = job->work(job, worker);
		pthread_mutex_lock(&pool->lock);
		job->result = r;
		if (r && pool->stopped == 0)
			pool->stopped = r;
	}
	job->state = DONE;
}

/* Skips jobs without work: they were done when they were submitted. */
static struct bt_job *next_todo(struct bt_job *job)
{
	while (job && job->state != QUEUED)
		job = job->next;
	return job;
}

struct worker_start {
	struct bt_pool *pool;
	void *worker;
};

static void *worker_main(void *arg)
{
	struct worker_start start = *(struct worker_start *)arg;
	struct bt_pool *pool = start.pool;

	free(arg);
	pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (!pool->todo && !pool->stopping)
			pthread_cond_wait(&pool->work_there, &pool->lock);
		if (!pool->todo)
			break;
		struct bt_job *job = pool->todo;
		pool->todo = next_todo(job->next);
		work_on(pool, job, start.worker);
		check_pool(pool);
		finish_ready(pool);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static bool has_room(const struct bt_pool *pool, size_t weight)
{
	if (pool->unfinished == 0)
		return true;
	return weight <= pool->options.budget && pool->weight <= pool->options.budget - weight;
}

static void append(struct bt_pool *pool, struct bt_job *job)
{
	job->next = NULL;
	job->result = 0;
	job->state = job->work ? QUEUED : DONE;
	if (pool->tail)
		pool->tail->next = job;
	else
		pool->head = job;
	pool->tail = job;
	pool->weight += job->weight;
	pool->unfinished++;
	if (job->work && !pool->todo)
		pool->todo = job;
}

static void submit_parallel(struct bt_pool *pool, struct bt_job *job)
{
	while (!has_room(pool, job->weight)) {
		pool->waiting++;
		pthread_cond_wait(&pool->room_there, &pool->lock);
		pool->waiting--;
	}
	append(pool, job);
	check_pool(pool);
	if (job->work)
		pthread_cond_signal(&pool->work_there);
	else
		finish_ready(pool);
}

static void submit_serial(struct bt_pool *pool, struct bt_job *job)
{
	append(pool, job);
	pool->todo = NULL;
	if (job->work)
		work_on(pool, job, pool->workers[0]);
	finish_ready(pool);
}

static int first_failure(const struct bt_pool *pool)
{
	return pool->failure != 0 ? pool->failure : pool->stopped;
}

int bt_pool_submit(struct bt_pool *pool, struct bt_job *job)
{
	bool serial = pool->thread_count == 0;

	if (serial)
		pthread_mutex_lock(&pool->serial);
	pthread_mutex_lock(&pool->lock);
	if (serial)
		submit_serial(pool, job);
	else
		submit_parallel(pool, job);
	int r = first_failure(pool);
	pthread_mutex_unlock(&pool->lock);
	if (serial)
		pthread_mutex_unlock(&pool->serial);
	return r;
}

int bt_pool_drain(struct bt_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	while (pool->unfinished > 0)
		pthread_cond_wait(&pool->all_done, &pool->lock);
	int r = first_failure(pool);
	pthread_mutex_unlock(&pool->lock);
	return r;
}

static bool make_workers(struct bt_pool *pool)
{
	unsigned count = pool->options.threads > 0 ? pool->options.threads : 1;

	pool->workers = calloc(count, sizeof(*pool->workers));
	pool->threads = calloc(count, sizeof(*pool->threads));
	if (!pool->workers || !pool->threads)
		return false;
	for (; pool->worker_count < count; pool->worker_count++) {
		if (!pool->options.worker_new)
			continue;
		void *worker = pool->options.worker_new(pool->options.arg);
		if (!worker)
			return false;
		pool->workers[pool->worker_count] = worker;
	}
	return true;
}

/* If fewer threads can be started, these do the work; without any, the pool works inside bt_pool_submit. */
static void start_threads(struct bt_pool *pool)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the program's own threads */
	while (pool->thread_count < pool->options.threads) {
		struct worker_start *start = malloc(sizeof(*start));

		if (!start)
			break;
		*start = (struct worker_start){pool, pool->workers[pool->thread_count]};
		if (pthread_create(&pool->threads[pool->thread_count], NULL, worker_main, start) != 0) {
			free(start);
			break;
		}
		pool->thread_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void free_parts(struct bt_pool *pool)
{
	for (unsigned i = 0; i < pool->worker_count; i++) {
		if (pool->options.worker_free && pool->workers[i])
			pool->options.worker_free(pool->workers[i]);
	}
	free(pool->workers);
	free(pool->threads);
	free(pool);
}

int bt_pool_new(const struct bt_pool_options *options, struct bt_pool **ret_pool)
{
	struct bt_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return BT_E_NOMEM;
	pool->options = *options;
	if (!make_workers(pool)) {
		free_parts(pool);
		return BT_E_NOMEM;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pthread_mutex_init(&pool->serial, NULL);
	pthread_cond_init(&pool->work_there, NULL);
	pthread_cond_init(&pool->room_there, NULL);
	pthread_cond_init(&pool->all_done, NULL);
	start_threads(pool);
	*ret_pool = pool;
	return 0;
}

void bt_pool_free(struct bt_pool *pool)
{
	if (!pool)
		return;
	bt_pool_drain(pool);
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pthread_cond_broadcast(&pool->work_there);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->work_there);
	pthread_cond_destroy(&pool->room_there);
	pthread_cond_destroy(&pool->all_done);
	pthread_mutex_destroy(&pool->serial);
	pthread_mutex_destroy(&pool->lock);
	free_parts(pool);
}

unsigned bt_cpu_count(void)
{
	/* The plain cpu_set_t ends at 1024 processors and the kernel refuses it beyond. */
	for (int most = 1024; most <= 1 << 20; most *= 4) {
		cpu_set_t *set = CPU_ALLOC((size_t)most);
		size_t size = CPU_ALLOC_SIZE((size_t)most);

		if (!set)
			break;
		int r = sched_getaffinity(0, size, set);
		int count = r ? 0 : CPU_COUNT_S(size, set);
		CPU_FREE(set);
		if (count > 0)
			return (unsigned)count;
	}
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	return online > 0 ? (unsigned)online : 1;
}
