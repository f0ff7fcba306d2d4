/* SPDX-License-Identifier: MIT */
#include "loop.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MIN 2
#define WORKERS_MAX 8
#define BUFFER_MAX  ((size_t)1 << 20)
#define WAKE	    SIGUSR1

struct worker {
	struct loop *loop;
	pthread_t thread;
	struct fuse_buf request;
	char *buffer;
	size_t buffer_size;
	bool leading, locked, keeping;
};

struct loop {
	struct fs *fs;
	pthread_t owner; /* told by SIGTERM when the session ends by itself */
	pthread_mutex_t leadership;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	unsigned running, count;
	struct worker workers[WORKERS_MAX];
};

static _Thread_local struct worker *self;

void loop_slow(void)
{
	if (!self || !self->leading)
		return;
	self->leading = false;
	pthread_mutex_unlock(&self->loop->leadership);
}

void loop_unlock(void)
{
	loop_slow();
	if (!self || !self->locked)
		return;
	self->locked = false;
	pthread_rwlock_unlock(&self->loop->fs->lock);
}

bool loop_pause(void)
{
	if (!self || !self->locked || self->keeping)
		return false;
	loop_unlock();
	return true;
}

void loop_keep(bool keep)
{
	if (self)
		self->keeping = keep;
}

void loop_resume(void)
{
	pthread_rwlock_rdlock(&self->loop->fs->lock);
	self->locked = true;
}

char *loop_buffer(size_t size, size_t *ret)
{
	size_t wanted = size < BUFFER_MAX ? size : BUFFER_MAX;
	if (self->buffer_size < wanted) {
		char *buffer = realloc(self->buffer, wanted);
		if (!buffer)
			return NULL;
		self->buffer = buffer;
		self->buffer_size = wanted;
	}
	*ret = wanted;
	return self->buffer;
}

/* One request; false when there are no more. */
static bool serve_one(struct worker *worker)
{
	struct fs *fs = worker->loop->fs;
	if (!worker->leading) {
		pthread_mutex_lock(&worker->loop->leadership);
		worker->leading = true;
	}
	if (fuse_session_exited(fs->session))
		return false;
	int length = fuse_session_receive_buf(fs->session, &worker->request);
	if (length == -EINTR || length == -EAGAIN)
		return true;
	if (length <= 0)
		return false;
	pthread_rwlock_rdlock(&fs->lock);
	worker->locked = true;
	fuse_session_process_buf(fs->session, &worker->request);
	if (worker->leading && !fs->answers && !fuse_session_exited(fs->session))
		fs_answers(fs);
	if (worker->locked)
		pthread_rwlock_unlock(&fs->lock);
	worker->locked = false;
	return true;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct loop *loop = worker->loop;
	sigset_t wake;
	self = worker;
	sigemptyset(&wake);
	sigaddset(&wake, WAKE);
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	while (serve_one(worker))
		;
	fuse_session_exit(loop->fs->session);
	loop_slow();
	pthread_mutex_lock(&loop->lock);
	if (loop->running-- == loop->count) /* the first to see the end */
		pthread_kill(loop->owner, SIGTERM);
	pthread_cond_signal(&loop->ended);
	pthread_mutex_unlock(&loop->lock);
	return NULL;
}

void loop_run(struct fs *fs)
{
	struct loop loop = {.fs = fs, .leadership = PTHREAD_MUTEX_INITIALIZER};
	self = &loop.workers[0];
	self->loop = &loop;
	while (serve_one(self))
		;
	loop_slow();
	free(self->request.mem);
	free(self->buffer);
	self = NULL;
	pthread_mutex_destroy(&loop.leadership);
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
	struct sigaction action = {.sa_handler = do_nothing}; /* no SA_RESTART: it is there to interrupt */
	struct loop *loop = calloc(1, sizeof(*loop));
	if (!loop)
		return ENOMEM;
	loop->fs = fs;
	loop->owner = pthread_self();
	pthread_mutex_init(&loop->leadership, NULL);
	pthread_mutex_init(&loop->lock, NULL);
	pthread_cond_init(&loop->ended, NULL);
	sigaction(WAKE, &action, NULL);
	unsigned wanted = worker_count();
	pthread_mutex_lock(&loop->lock);
	for (; loop->count < wanted; loop->count++) {
		struct worker *worker = &loop->workers[loop->count];
		worker->loop = loop;
		if (pthread_create(&worker->thread, NULL, work, worker) != 0)
			break;
	}
	loop->running = loop->count;
	pthread_mutex_unlock(&loop->lock);
	*ret_loop = loop;
	return loop->count >= WORKERS_MIN ? 0 : EAGAIN;
}

/* A thread may be about to wait in read(2) just when it is woken, so it is woken until it is gone. */
static void wake_all(struct loop *loop)
{
	struct timespec until;
	pthread_mutex_lock(&loop->lock);
	while (loop->running > 0) {
		for (unsigned i = 0; i < loop->count; i++)
			pthread_kill(loop->workers[i].thread, WAKE);
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
	for (unsigned i = 0; i < loop->count; i++) {
		pthread_join(loop->workers[i].thread, NULL);
		free(loop->workers[i].request.mem);
		free(loop->workers[i].buffer);
	}
	pthread_mutex_destroy(&loop->leadership);
	pthread_mutex_destroy(&loop->lock);
	pthread_cond_destroy(&loop->ended);
	free(loop);
}
