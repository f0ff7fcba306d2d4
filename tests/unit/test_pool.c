/* SPDX-License-Identifier: MIT */
#include "base/pool.h"
#include <backuptool/error.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* cmocka's asserts belong to the main thread: what other threads find wrong is counted here and looked at in the end.
 */
static atomic_int wrong;

static void expect(bool condition)
{
	if (!condition)
		atomic_fetch_add(&wrong, 1);
}

static int set_up(void **state)
{
	atomic_store(&wrong, 0);

	return 0;
}

static int tear_down(void **state)
{
	return atomic_load(&wrong) == 0 ? 0 : -1;
}

enum { JOBS = 400 };

/* What one run did; jobs is what finish saw, in its order. */
struct run {
	struct {
		int id, result;
	} jobs[2 * JOBS];
	int finished;
	atomic_int in_finish, started, in_flight, most_in_flight;
	int fail_work_at, fail_work_also_at, fail_finish_at;
	struct bt_pool *next; /* which finish feeds, */
	struct run *next_run; /* and where that is written down */
};

struct test_job {
	struct bt_job job;
	struct run *run;
	int id;
};

struct worker {
	atomic_int busy;
};

static atomic_int workers_alive;

static void *worker_new(void *arg)
{
	atomic_int *allowed = arg;

	if (allowed && atomic_fetch_sub(allowed, 1) <= 0)
		return NULL;
	atomic_fetch_add(&workers_alive, 1);
	return calloc(1, sizeof(struct worker));
}

static void worker_free(void *worker)
{
	atomic_fetch_sub(&workers_alive, 1);

	free(worker);
}

static int work(struct bt_job *job, void *worker)
{
	struct test_job *t = (struct test_job *)job;
	struct worker *w = worker;

	expect(atomic_fetch_add(&w->busy, 1) == 0);
	atomic_fetch_add(&t->run->started, 1);
	int flying = atomic_fetch_add(&t->run->in_flight, 1) + 1, most = atomic_load(&t->run->most_in_flight);
	while (flying > most && !atomic_compare_exchange_weak(&t->run->most_in_flight, &most, flying))
		;
	for (int i = 0; i < t->id * 7 % 13; i++)
		sched_yield();
	atomic_fetch_sub(&w->busy, 1);
	if (t->id == t->run->fail_work_at)
		return BT_E_DAMAGED;
	return t->id == t->run->fail_work_also_at ? BT_E_SYSTEM : 0;
}

static int finish(struct bt_job *job, int result)
{
	struct test_job *t = (struct test_job *)job;
	struct run *run = t->run;
	int id = t->id;

	expect(atomic_fetch_add(&run->in_finish, 1) == 0);
	run->jobs[run->finished].id = id;
	run->jobs[run->finished++].result = result;
	if (id % 3 == 0)
		sched_yield();
	if (run->next) {
		t->run = run->next_run;
		bt_pool_submit(run->next, job);
	} else {
		free(t);
	}
	atomic_fetch_sub(&run->in_flight, 1);
	atomic_fetch_sub(&run->in_finish, 1);
	return id == run->fail_finish_at ? BT_E_LOCKED : 0;
}

static struct test_job *job_new(struct run *run, int id)
{
	struct test_job *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	*t = (struct test_job){.job = {.work = work, .finish = finish, .weight = 1}, .run = run, .id = id};
	return t;
}

static struct bt_pool *pool_new(unsigned threads, size_t budget)
{
	struct bt_pool *pool = NULL;
	struct bt_pool_options options = {
		.threads = threads, .budget = budget, .worker_new = worker_new, .worker_free = worker_free};

	assert_int_equal(bt_pool_new(&options, &pool), 0);
	return pool;
}

static const unsigned thread_counts[] = {0, 1, 2, 3, 8};
#define FOR_ALL_THREADS(i) for (size_t i = 0; i < sizeof(thread_counts) / sizeof(thread_counts[0]); i++)

static void init_run(struct run *run)
{
	memset(run, 0, sizeof(*run));
	run->fail_work_at = run->fail_work_also_at = run->fail_finish_at = -1;
}

static void test_order(void **state)
{
	static struct run run;

	FOR_ALL_THREADS(i)
	{
		struct bt_pool *pool = pool_new(thread_counts[i], 20);

		init_run(&run);
		for (int id = 0; id < JOBS; id++) {
			struct test_job *t = job_new(&run, id);

			if (id % 5 == 0 || (id > 100 && id < 150))
				t->job.work = NULL;
			assert_int_equal(bt_pool_submit(pool, &t->job), 0);
			if (id % 100 == 99)
				assert_int_equal(bt_pool_drain(pool), 0);
		}
		assert_int_equal(bt_pool_drain(pool), 0);
		assert_int_equal(run.finished, JOBS);
		for (int id = 0; id < JOBS; id++) {
			assert_int_equal(run.jobs[id].id, id);
			assert_int_equal(run.jobs[id].result, 0);
		}
		bt_pool_free(pool);
		assert_int_equal(atomic_load(&workers_alive), 0);
	}
}

static void test_free_drains(void **state)
{
	static struct run run;
	struct bt_pool *pool = pool_new(2, 1000);

	init_run(&run);
	for (int id = 0; id < JOBS; id++)
		bt_pool_submit(pool, &job_new(&run, id)->job);
	bt_pool_free(pool);
	assert_int_equal(run.finished, JOBS);
	bt_pool_free(NULL);
}

static void test_back_pressure(void **state)
{
	static struct run run;

	FOR_ALL_THREADS(i)
	{
		struct bt_pool *pool = pool_new(thread_counts[i], 11);

		init_run(&run);
		for (int id = 0; id < JOBS; id++) {
			struct test_job *t = job_new(&run, id);

			t->job.weight = 4; /* two fit */
			bt_pool_submit(pool, &t->job);
		}
		bt_pool_drain(pool);
		assert_in_range(atomic_load(&run.most_in_flight), 1, 2);
		atomic_store(&run.most_in_flight, 0);
		for (int id = 0; id < 20; id++) {
			struct test_job *t = job_new(&run, id);

			t->job.weight = SIZE_MAX - 1; /* over the budget: one at a time */
			bt_pool_submit(pool, &t->job);
		}
		bt_pool_free(pool);
		assert_int_equal(run.finished, JOBS + 20);
		assert_int_equal(atomic_load(&run.most_in_flight), 1);
	}
}

/* The same outcome with any number of threads: all before the first failure in order, nothing behind it. */
static void check_failure(int work_at, int also_at, int finish_at, int first, int code)
{
	static struct run run;

	FOR_ALL_THREADS(i)
	{
		struct bt_pool *pool = pool_new(thread_counts[i], 50);
		int told = 0;

		init_run(&run);
		run.fail_work_at = work_at;
		run.fail_work_also_at = also_at;
		run.fail_finish_at = finish_at;
		for (int id = 0; id < JOBS; id++) {
			int r = bt_pool_submit(pool, &job_new(&run, id)->job);

			assert_true(told == 0 || r);
			told = r;
		}
		assert_int_equal(bt_pool_drain(pool), code);
		assert_int_equal(bt_pool_drain(pool), code);
		assert_int_not_equal(told, 0);
		assert_int_equal(run.finished, JOBS);
		assert_true(atomic_load(&run.started) < JOBS);
		for (int id = 0; id < JOBS; id++) {
			int expected = id < first ? 0 : BT_E_CANCELLED;

			if (id == first)
				expected = first == finish_at ? 0 : code;
			assert_int_equal(run.jobs[id].id, id);
			assert_int_equal(run.jobs[id].result, expected);
		}
		int before = atomic_load(&run.started);
		assert_int_equal(bt_pool_submit(pool, &job_new(&run, JOBS)->job), code);
		bt_pool_free(pool);
		assert_int_equal(run.finished, JOBS + 1);
		assert_int_equal(atomic_load(&run.started), before);
	}
}

static void test_failures(void **state)
{
	check_failure(100, -1, -1, 100, BT_E_DAMAGED);
	check_failure(-1, -1, 100, 100, BT_E_LOCKED);
	check_failure(0, -1, -1, 0, BT_E_DAMAGED);
	check_failure(104, 100, -1, 100, BT_E_SYSTEM); /* 100 yields longer than 104 */
	check_failure(100, 101, -1, 100, BT_E_DAMAGED);
	check_failure(101, 102, 100, 100, BT_E_LOCKED);
	check_failure(100, 101, 102, 100, BT_E_DAMAGED);
}

static void test_pool_feeds_pool(void **state)
{
	static struct run runs[2];

	FOR_ALL_THREADS(i)
	{
		FOR_ALL_THREADS(j)
		{
			struct bt_pool *first = pool_new(thread_counts[i], 6), *second = pool_new(thread_counts[j], 3);

			init_run(&runs[0]);
			init_run(&runs[1]);
			runs[0].next = second;
			runs[0].next_run = &runs[1];
			for (int id = 0; id < JOBS; id++)
				bt_pool_submit(first, &job_new(&runs[0], id)->job);
			assert_int_equal(bt_pool_drain(first), 0);
			assert_int_equal(bt_pool_drain(second), 0);
			assert_int_equal(runs[1].finished, JOBS);
			for (int id = 0; id < JOBS; id++)
				assert_int_equal(runs[1].jobs[id].id, id);
			bt_pool_free(first);
			bt_pool_free(second);
		}
	}
}

struct submitter {
	struct bt_pool *pool;
	struct run *run;
	int base;
};

static void *submit_many(void *arg)
{
	struct submitter *s = arg;

	for (int id = 0; id < JOBS / 2; id++)
		bt_pool_submit(s->pool, &job_new(s->run, s->base + id)->job);
	return NULL;
}

static void test_two_submitters(void **state)
{
	static struct run run;

	FOR_ALL_THREADS(i)
	{
		struct bt_pool *pool = pool_new(thread_counts[i], 4);
		struct submitter s[2] = {{pool, &run, 0}, {pool, &run, 1000}};
		pthread_t other;
		int next[2] = {0, 1000};

		init_run(&run);
		assert_int_equal(pthread_create(&other, NULL, submit_many, &s[1]), 0);
		submit_many(&s[0]);
		pthread_join(other, NULL);
		bt_pool_free(pool);
		assert_int_equal(run.finished, JOBS);
		for (int k = 0; k < JOBS; k++)
			assert_int_equal(run.jobs[k].id, next[run.jobs[k].id >= 1000]++);
	}
}

static void test_no_memory_for_workers(void **state)
{
	for (int count = 0; count < 3; count++) {
		atomic_int allowed = count;
		struct bt_pool *pool = (struct bt_pool *)&allowed;
		struct bt_pool_options options = {.threads = 3,
						  .budget = 1,
						  .worker_new = worker_new,
						  .worker_free = worker_free,
						  .arg = &allowed};

		assert_int_equal(bt_pool_new(&options, &pool), BT_E_NOMEM);
		assert_ptr_equal(pool, &allowed);
		assert_int_equal(atomic_load(&workers_alive), 0);
	}
}

static void test_processors(void **state)
{
	assert_in_range(bt_cpu_count(), 1, 1 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_free_drains, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_back_pressure, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pool_feeds_pool, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_submitters, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_memory_for_workers, set_up, tear_down),
		cmocka_unit_test(test_processors),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
