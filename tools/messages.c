/* SPDX-License-Identifier: MIT */
#include "hooks.h"
#include "output.h"
#include "tool.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* systemd sets this for what it connected with the journal. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	char own[64];

	if (!stream || fstat(fd, &status) < 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	return strcmp(stream, own) == 0;
}

static char **keep(struct tool_outcome *outcome, int priority, const struct bt_error *cause)
{
	if (priority != LOG_ERR)
		return &outcome->said;
	outcome->cause = cause ? *cause : (struct bt_error){0};
	return &outcome->error;
}

/* The priority is one of syslog(3); the journal reads it at the beginning of a line. Hooks, and programs that read
 * JSON, are told the sentence, too. cause: NULL, or where the sentence comes from. */
static void say(const struct tool *tool, int priority, const struct bt_error *cause, char *text)
{
	char **kept, *before;

	fflush(stdout);
	flockfile(stderr);
	kept = keep(tool->outcome, priority, cause);
	before = *kept;
	if (is_journal(STDERR_FILENO))
		fprintf(stderr, "<%d>", priority);
	fprintf(stderr, "backuptool%s%s: %s%s%s\n", tool->command ? " " : "", tool->command ? tool->command->name : "",
		tool->source ? tool->source : "", tool->source ? ": " : "", text);
	*kept = text;
	funlockfile(stderr);
	free(before);
}

void tool_say(const struct tool *tool, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(tool, LOG_WARNING, NULL, tool_vformat(format, arguments));
	va_end(arguments);
}

void tool_complain(const struct tool *tool, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(tool, LOG_ERR, NULL, tool_vformat(format, arguments));
	va_end(arguments);
}

void tool_say_once(const struct tool *tool, const char *format, ...)
{
	va_list arguments;
	char *text;
	bool known = false;

	va_start(arguments, format);
	text = tool_vformat(format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < tool->said->count; i++)
		known |= strcmp(tool->said->items[i], text) == 0;
	if (known) {
		free(text);
		return;
	}
	tool_say(tool, "%s", text);
	tool_texts_add(tool->said, text);
}

int tool_usage_error(const struct tool *tool, const char *format, ...)
{
	va_list arguments;
	char *longer = tool_format("%s; see 'backuptool %s%shelp'", format, tool->command ? tool->command->name : "",
				   tool->command ? " --" : "");

	va_start(arguments, format);
	say(tool, LOG_ERR, NULL, tool_vformat(longer, arguments));
	va_end(arguments);
	free(longer);
	return TOOL_USAGE;
}

int tool_exit_code(enum bt_code code)
{
	switch (code) {
	case BT_OK:
		return TOOL_OK;
	case BT_E_INCOMPLETE:
		return TOOL_INCOMPLETE;
	case BT_E_INVALID:
		return TOOL_USAGE;
	case BT_E_NO_STORE:
		return TOOL_NO_STORE;
	case BT_E_LOCKED:
		return TOOL_LOCKED;
	case BT_E_CANCELLED:
		return TOOL_INTERRUPTED;
	default:
		return TOOL_FATAL;
	}
}

/* What a person can do about it; "" where the sentence says enough. */
static const char *advice(const struct bt_error *error)
{
	static const struct {
		int sys;
		const char *text;
	} by_errno[] = {
		{ENOSPC, "; the disk is full: free some space ('df' and 'df -i' tell of it) and run it again"},
		{EDQUOT, "; the quota is used up: free some space and run it again"},
		{EROFS, "; the file system is mounted read-only"},
		{EACCES, "; run it as a user who may do this"},
		{EPERM, "; run it as a user who may do this"},
		{EMFILE, "; raise the limit with 'ulimit -n'"},
	};

	if (error->code == BT_E_LOCKED && error->sys == ENOLCK)
		return "; run it again";
	if (error->code == BT_E_LOCKED)
		return "; run it again later, or wait longer with --lock-wait 1h";
	if (error->code == BT_E_UNSUPPORTED && error->sys && strcmp(error->file, "lock") == 0)
		return "; keep the store on another one";
	if (error->code == BT_E_FOREIGN)
		return "; name the directory that is meant itself, or give --yes";
	if (error->code == BT_E_NOMEM)
		return "; close other programs and run it again";
	for (size_t i = 0; error->code == BT_E_SYSTEM && i < sizeof(by_errno) / sizeof(*by_errno); i++)
		if (by_errno[i].sys == error->sys)
			return by_errno[i].text;
	return "";
}

/* Why the store cannot be opened; allocated. */
static char *no_store_text(const struct tool *tool, int sys)
{
	const char *wanted = tool_store_wanted(tool);
	tool_auto char *store = tool_escape(tool->store);
	char *sentence;
	struct stat status;

	if (sys == ENOTDIR)
		sentence = tool_format("%s is not a directory, so it cannot be a store; name another with --store DIR",
				       store);
	else if (sys == ESTALE)
		sentence = tool_format("the store at %s is another one than %s: is the right disk mounted?", store,
				       wanted ? wanted : "before");
	else if (lstat(tool->store, &status) == 0 && S_ISLNK(status.st_mode) && access(tool->store, F_OK) != 0)
		sentence = tool_format("%s is a link to a directory that is not there: is the disk mounted?", store);
	else if (sys == ENOENT)
		sentence = tool_format(
			"there is no directory in which the store %s could be made: is the disk mounted?", store);
	else if (wanted)
		sentence = tool_format("there is no store at %s: is the disk mounted?", store);
	else
		sentence = tool_format("there is no store at %s; make one with 'backuptool snapshot --target-directory "
				       "DIR', or name another with --store DIR",
				       store);
	return sentence;
}

static char *no_id_text(const struct tool *tool)
{
	const char *wanted = tool_store_wanted(tool);
	tool_auto char *store = tool_escape(tool->store);
	char *sentence;

	sentence = tool_format("the id of the store at %s is damaged, so it may be another one than %s; if it is this "
			       "one, give it a new id with 'backuptool check --repair', without --store-id",
			       store, wanted ? wanted : "before");
	return sentence;
}

char *tool_error_text(const struct tool *tool, const struct bt_error *error)
{
	char text[1024];

	if (error->code == BT_E_CANCELLED)
		return tool_format("interrupted");
	if (error->code == BT_E_NO_STORE)
		return no_store_text(tool, error->sys);
	if (error->reason == BT_R_BAD_ID)
		return no_id_text(tool);
	bt_error_text(error, text, sizeof(text));
	return tool_format("%s%s", text, advice(error));
}

int tool_fail(const struct tool *tool, const struct bt_error *error)
{
	say(tool, LOG_ERR, error, tool_error_text(tool, error));
	return error->code ? tool_exit_code(error->code) : TOOL_FATAL;
}
