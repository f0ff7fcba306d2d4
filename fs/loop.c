/* SPDX-License-Identifier: MIT */
#include "loop.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MIN 2
#define WORKERS_MAX 8
#define WAKE	    SIGUSR1

struct loop {
	struct fs *fs;
	pthread_t owner; /* gets SIGTERM when the session ends by itself */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	unsigned running, count;
	pthread_t threads[WORKERS_MAX];
};

/* Only the leader itself writes this, so that each thread knows whether it is the leader. */
static bool is_leader(struct fs *fs)
{
	return atomic_load_explicit(&fs->leader, memory_order_relaxed) == pthread_self();
}

static void become_leader(struct fs *fs)
{
	if (is_leader(fs))
		return;
	pthread_mutex_lock(&fs->leadership);
	atomic_store_explicit(&fs->leader, pthread_self(), memory_order_relaxed);
}

void loop_slow(struct fs *fs)
{
	if (!is_leader(fs))
		return;
	atomic_store_explicit(&fs->leader, 0, memory_order_relaxed);
	pthread_mutex_unlock(&fs->leadership);
}

/* Serves one request; false: there are no more. */
static bool serve_one(struct fs *fs, struct fuse_buf *request)
{
	become_leader(fs);
	if (fuse_session_exited(fs->session))
		return false;
	int length = fuse_session_receive_buf(fs->session, request);
	if (length == -EINTR || length == -EAGAIN)
		return true;
	if (length <= 0)
		return false;
	fuse_session_process_buf(fs->session, request);
	if (is_leader(fs) && !fs->answers && !fuse_session_exited(fs->session))
		fs_answers(fs);
	return true;
}

void loop_run(struct fs *fs)
{
	struct fuse_buf request = {0};

	while (serve_one(fs, &request))
		;
	fuse_session_exit(fs->session); /* before another thread reads on */
	loop_slow(fs);
	free(request.mem);
}

static void *work(void *arg)
{
	struct loop *loop = arg;
	sigset_t wake;

	sigemptyset(&wake);
	sigaddset(&wake, WAKE);
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	loop_run(loop->fs);
	pthread_mutex_lock(&loop->lock);
	if (loop->running-- == loop->count) /* the first thread that sees the end */
		pthread_kill(loop->owner, SIGTERM);
	pthread_cond_signal(&loop->ended);
	pthread_mutex_unlock(&loop->lock);
	return NULL;
}

static void do_nothing(int signal)
{
}

static unsigned worker_count(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors < WORKERS_MIN)
		return WORKERS_MIN;
	return processors > WORKERS_MAX ? WORKERS_MAX : (unsigned)processors;
}

int loop_start(struct fs *fs, struct loop **ret_loop)
{
	struct sigaction action = {.sa_handler = do_nothing}; /* no SA_RESTART, since it has to interrupt read(2) */
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return ENOMEM;
	loop->fs = fs;
	loop->owner = pthread_self();
	pthread_mutex_init(&loop->lock, NULL);
	pthread_cond_init(&loop->ended, NULL);
	sigaction(WAKE, &action, NULL);
	unsigned wanted = worker_count();
	pthread_mutex_lock(&loop->lock);
	while (loop->count < wanted && pthread_create(&loop->threads[loop->count], NULL, work, loop) == 0)
		loop->count++;
	loop->running = loop->count;
	pthread_mutex_unlock(&loop->lock);
	*ret_loop = loop;
	return loop->count >= WORKERS_MIN ? 0 : EAGAIN;
}

/* A thread may be about to wait in read(2) just when it is signalled, so it is signalled until it has ended. */
static void wake_all(struct loop *loop)
{
	struct timespec until;

	pthread_mutex_lock(&loop->lock);
	while (loop->running > 0) {
		for (unsigned i = 0; i < loop->count; i++)
			pthread_kill(loop->threads[i], WAKE);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 20 * 1000 * 1000;
		if (until.tv_nsec >= 1000 * 1000 * 1000) {
			until.tv_nsec -= 1000 * 1000 * 1000;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&loop->ended, &loop->lock, &until);
	}
	pthread_mutex_unlock(&loop->lock);
}

void loop_stop(struct loop *loop)
{
	wake_all(loop);
	for (unsigned i = 0; i < loop->count; i++)
		pthread_join(loop->threads[i], NULL);
	pthread_mutex_destroy(&loop->lock);
	pthread_cond_destroy(&loop->ended);
	free(loop);
}
