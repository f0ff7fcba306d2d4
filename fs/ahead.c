/* SPDX-License-Identifier: MIT */
#include "ahead.h"
#include "hash.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define STREAMS	     64
#define JOBS	     16
#define THREADS_MAX  4
#define DEPTH	     2		  /* number of contents decoded ahead of a reader */
#define SMALL_FILE   (128u << 10) /* largest small file: the kernel asks for it in one request */
#define SMALL_STREAK 3		  /* small files read from a block before the next one is decoded */
#define READ_FORWARD (1u << 20)	  /* distance by which requests of one reader may overtake each other */

/* A position that a reader moves: in a large file, or in a block of small ones. */
struct stream {
	uint64_t key;	/* the node or the block */
	uint64_t at;	/* the byte that is expected next */
	uint64_t ahead; /* the byte up to which contents were ordered */
	unsigned streak;
};

struct job {
	const struct bt_page *page; /* pinned */
	uint32_t index;		    /* of the entry */
	uint64_t offset;	    /* 0: a small file, after whose block the next one is wanted */
};

struct ahead {
	struct fs *fs;
	struct bt_readahead *readahead;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	unsigned thread_count, first, waiting;
	pthread_t threads[THREADS_MAX];
	struct job jobs[JOBS];
	struct stream streams[STREAMS];
};

static struct stream *stream_of(struct ahead *ahead, uint64_t key)
{
	struct stream *stream = &ahead->streams[hash_add(HASH_SEED, key) % STREAMS];

	if (stream->key != key)
		*stream = (struct stream){.key = key};
	return stream;
}

/* If the queue is full, the threads cannot keep up, and more would not help. */
static void push_job(struct ahead *ahead, const struct job *job)
{
	if (ahead->waiting == JOBS)
		return;
	bt_page_ref(ahead->fs->store, job->page);
	ahead->jobs[(ahead->first + ahead->waiting++) % JOBS] = *job;
	pthread_cond_signal(&ahead->wake);
}

static void note_large(struct ahead *ahead, const struct held *held, const struct ahead_read *read)
{
	struct stream *stream = stream_of(ahead, read->node);
	bool on = read->offset + READ_FORWARD >= stream->at && read->offset <= stream->at + READ_FORWARD;

	stream->streak = on ? stream->streak + 1 : 0;
	stream->at = read->end;
	if (!on)
		stream->ahead = 0;
	if (stream->streak == 0 || read->next >= held->entry->size || read->next <= stream->ahead)
		return;
	stream->ahead = read->next;
	push_job(ahead, &(struct job){.page = held->page,
				      .index = (uint32_t)(held->entry - held->page->entries),
				      .offset = read->next});
}

/* Several files of one block were read: the reader goes through it and will come to the next block. */
static void note_small(struct ahead *ahead, const struct held *held, const struct ahead_read *read)
{
	struct stream *stream = stream_of(ahead, (uintptr_t)read->block);

	if (++stream->streak == SMALL_STREAK)
		push_job(ahead,
			 &(struct job){.page = held->page, .index = (uint32_t)(held->entry - held->page->entries)});
}

void ahead_note(struct ahead *ahead, const struct held *held, const struct ahead_read *read)
{
	if (!held->page || !read->block)
		return;
	pthread_mutex_lock(&ahead->lock);
	if (held->entry->size <= SMALL_FILE)
		note_small(ahead, held, read);
	else
		note_large(ahead, held, read);
	pthread_mutex_unlock(&ahead->lock);
}

static void decode_large(struct fs *fs, const struct bt_entry *file, uint64_t offset)
{
	struct bt_slice slice;

	for (unsigned i = 0; i < DEPTH && offset < file->size; i++) {
		if (bt_slice_start(fs->store, file, offset, 0, &slice, NULL) != 0)
			return; /* the reader gets the error */
		offset += slice.length;
		bt_slice_end(fs->store, &slice);
	}
}

static void run(struct ahead *ahead, const struct job *job)
{
	const struct bt_entry *file = &job->page->entries[job->index];

	if (job->offset)
		decode_large(ahead->fs, file, job->offset);
	else
		bt_readahead_next(ahead->readahead, file);
}

static void *work(void *arg)
{
	struct ahead *ahead = arg;

	pthread_mutex_lock(&ahead->lock);
	while (!ahead->stop) {
		if (ahead->waiting == 0) {
			pthread_cond_wait(&ahead->wake, &ahead->lock);
			continue;
		}
		struct job job = ahead->jobs[ahead->first];
		ahead->first = (ahead->first + 1) % JOBS;
		ahead->waiting--;
		pthread_mutex_unlock(&ahead->lock);
		run(ahead, &job);
		bt_page_put(ahead->fs->store, job.page);
		pthread_mutex_lock(&ahead->lock);
	}
	pthread_mutex_unlock(&ahead->lock);
	return NULL;
}

int ahead_start(struct fs *fs, struct ahead **ret_ahead)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct ahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead || bt_readahead_new(fs->store, &ahead->readahead) != 0) {
		free(ahead);
		return ENOMEM;
	}
	ahead->fs = fs;
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->wake, NULL);
	while (ahead->thread_count + 1 < (unsigned)(processors < 2 ? 2 : processors) &&
	       ahead->thread_count < THREADS_MAX) {
		if (pthread_create(&ahead->threads[ahead->thread_count], NULL, work, ahead) != 0)
			break;
		ahead->thread_count++;
	}
	*ret_ahead = ahead;
	return 0;
}

void ahead_stop(struct ahead *ahead)
{
	if (!ahead)
		return;
	pthread_mutex_lock(&ahead->lock);
	ahead->stop = true;
	pthread_cond_broadcast(&ahead->wake);
	pthread_mutex_unlock(&ahead->lock);
	for (unsigned i = 0; i < ahead->thread_count; i++)
		pthread_join(ahead->threads[i], NULL);
	for (; ahead->waiting > 0; ahead->waiting--, ahead->first = (ahead->first + 1) % JOBS)
		bt_page_put(ahead->fs->store, ahead->jobs[ahead->first].page);
	pthread_mutex_destroy(&ahead->lock);
	pthread_cond_destroy(&ahead->wake);
	bt_readahead_free(ahead->readahead);
	free(ahead);
}
