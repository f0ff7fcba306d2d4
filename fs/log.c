/* SPDX-License-Identifier: MIT */
#include "log.h"
#include "hash.h"
#include "table.h"
#include <fuse_log.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* Reports the first unknown option; after -o, commas separate them. */
static void say_unknown(const char *options)
{
	bool mount = strncmp(options, "-o ", strlen("-o ")) == 0;
	const char *option = mount ? options + strlen("-o ") : options;
	char text[256], shown[512], sentence[640];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(option, mount ? ",'" : " '"), option);
	bt_error_escape(text, shown, sizeof(shown));
	snprintf(sentence, sizeof(sentence), "there is no %soption '%s'; see 'backupfs --help'", mount ? "mount " : "",
		 shown);
	syslog(LOG_ERR, "%s", sentence);
	fprintf(stderr, "backupfs: %s\n", sentence);
}

/* libfuse reports unknown options in pieces. */
static bool is_about_unknown(const char *piece)
{
	static const char begin[] = "fuse: unknown option(s): `";
	static _Thread_local char line[512];
	size_t used = strlen(line);

	if (used == 0 && strncmp(piece, begin, strlen(begin)) != 0)
		return false;
	snprintf(line + used, sizeof(line) - used, "%s", piece);
	if (strchr(piece, '\n')) {
		say_unknown(line + strlen(begin));
		line[0] = '\0';
	}
	return true;
}

/* libfuse's messages. There is no argument for the log, so they go to both places always. */
static void say_for_libfuse(enum fuse_log_level level, const char *format, va_list values)
{
	char text[512], shown[640];

	if (level == FUSE_LOG_DEBUG) {
		vfprintf(stderr, format, values);
		return;
	}
	vsnprintf(text, sizeof(text), format, values);
	if (is_about_unknown(text))
		return;
	text[strcspn(text, "\n")] = 0;
	bt_error_escape(text, shown, sizeof(shown));
	syslog((int)level, "%s", shown);
	fprintf(stderr, "%s\n", shown);
}

void log_open(struct log *log, bool foreground)
{
	pthread_mutex_init(&log->lock, NULL);
	log->count = 0;
	log->foreground = foreground;
	fuse_set_log_func(say_for_libfuse);
	openlog("backupfs", LOG_PID, LOG_DAEMON);
}

void log_close(struct log *log)
{
	closelog();
	pthread_mutex_destroy(&log->lock);
}

static void forget_old(struct log *log)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (log->count > 0 && now.tv_sec - log->first >= LOG_SECONDS)
		log->count = 0;
	if (log->count == 0)
		log->first = now.tv_sec;
}

/* Whether to log this: false if it was logged already, or if so much was that the rest would only fill the log. */
static bool remember(struct log *log, uint64_t hash, bool *ret_last)
{
	forget_old(log);
	for (unsigned i = 0; i < log->count; i++)
		if (log->seen[i] == hash)
			return false;
	if (log->count == LOG_REMEMBERED)
		return false;
	log->seen[log->count++] = hash;
	*ret_last = log->count == LOG_REMEMBERED;
	return true;
}

static void say(const struct log *log, const char *text)
{
	syslog(LOG_WARNING, "%s", text);
	if (log->foreground)
		fprintf(stderr, "backupfs: %s\n", text);
}

void log_text(struct log *log, const char *text)
{
	bool last = false;

	pthread_mutex_lock(&log->lock);
	if (remember(log, hash_bytes(table_seed(), text, strlen(text)), &last))
		say(log, text);
	if (last)
		say(log, "further problems are not logged within this hour");
	pthread_mutex_unlock(&log->lock);
}

void log_error(struct log *log, const char *prefix, const struct bt_error *error)
{
	char shown[1100], sentence[640], text[1800];

	bt_error_escape(prefix, shown, sizeof(shown));
	bt_error_text(error, sentence, sizeof(sentence));
	snprintf(text, sizeof(text), "%s: %s", shown, sentence);
	log_text(log, text);
}
