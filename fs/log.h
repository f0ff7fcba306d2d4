/* SPDX-License-Identifier: MIT */
/* Logs problems of the mount. Each goes to the system's log, but not repeatedly within a while, and to stderr in the
 * foreground. Thread-safe. */
#ifndef FS_LOG_H
#define FS_LOG_H

#include <backuptool/error.h>
#include <internal/text.h>
#include <pthread.h>
#include <time.h>

#define LOG_REMEMBERED 256
#define LOG_SECONDS    3600 /* after which what was said may be said again */

struct log {
	pthread_mutex_t lock;
	uint64_t seen[LOG_REMEMBERED]; /* hashes of the logged texts */
	unsigned count;
	time_t first; /* time of the first of them */
	bool foreground;
};

void log_open(struct log *log, bool foreground);
void log_close(struct log *log);
void log_text(struct log *log, const char *text);
/* "PREFIX: sentence of the error". */
void log_error(struct log *log, const char *prefix, const struct bt_error *error);

#endif
