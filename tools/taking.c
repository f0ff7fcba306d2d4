/* SPDX-License-Identifier: MIT */
#include "taking.h"
#include "choice.h"
#include "output.h"
#include "patterns.h"
#include "place.h"
#include "programs.h"
#include "retention.h"
#include <backuptool/select.h>
#include <errno.h>
#include <fcntl.h>
#include <internal/clock.h>
#include <internal/policy.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECKPOINT_EVERY 600		       /* seconds */
#define EXPIRES_MAX	 INT64_C(253402300799) /* the last second of 9999, which is the last year of a snapshot file */

const char *tool_set_level(void *field, const char *text)
{
	char *end;
	long level = strtol(text, &end, 10);

	if (strcmp(text, "auto") == 0) {
		*(int *)field = 0;
		return NULL;
	}
	if (strcmp(text, "max") == 0) {
		*(int *)field = BT_COMPRESSION_MAX;
		return NULL;
	}
	if (end == text || *end || level < 1 || level >= BT_COMPRESSION_MAX)
		return "a level from 1 to 19, auto, or max";
	*(int *)field = (int)level;
	return NULL;
}

static const char *set_at_rest(void *field, const char *text)
{
	if (strcmp(text, "zstd") != 0 && strcmp(text, "none") != 0)
		return "zstd or none";
	*(enum bt_at_rest *)field = *text == 'z' ? BT_AT_REST_ZSTD : BT_AT_REST_PLAIN;
	return NULL;
}

/* UTF-8 without control characters. */
static bool is_line(const char *text)
{
	bool control = false;

	for (const char *c = text; *c; c++)
		control |= (unsigned char)*c < 0x20 || *c == 0x7f;
	return *text && !control && tool_is_utf8(text);
}

static const char *set_description(void *field, const char *text)
{
	if (!is_line(text) || strlen(text) > BT_DESCRIPTION_MAX)
		return "one line of at most 4096 bytes without control characters";
	*(const char **)field = text;
	return NULL;
}

static const char *set_expires(void *field, const char *text)
{
	int64_t span = 0;
	const char *wrong = tool_set_span(&span, text);

	if (wrong || span <= 0)
		return "a span such as 36h, 30d, 8w, 6m or 1y";
	if (__builtin_add_overflow(span, bt_now(), &span) || span > EXPIRES_MAX)
		return "a span that ends before the year 10000";
	*(struct bt_time *)field = (struct bt_time){span, 0};
	return NULL;
}

/* Whether one of the path's parts leads upwards. */
static bool leads_up(const char *path)
{
	bool found = false;

	for (; *path && !found; path += strspn(path, "/")) {
		size_t length = strcspn(path, "/");

		found = length == 2 && strncmp(path, "..", 2) == 0;
		path += length;
	}
	return found;
}

static const char *set_as(void *field, const char *text)
{
	if (*text != '/' || leads_up(text) || strlen(text) >= PATH_MAX)
		return "a path that begins with / and has no ..";
	*(const char **)field = text;
	return NULL;
}

static const char *set_trust(void *field, const char *text)
{
	if (strcmp(text, "mtime-size") != 0)
		return "mtime-size";
	*(bool *)field = true;
	return NULL;
}

static const char *set_host(void *field, const char *text)
{
	if (!is_line(text) || strlen(text) >= BT_HOST_SIZE)
		return "a name of at most 255 bytes without control characters";
	*(const char **)field = text;
	return NULL;
}

static const char *set_checkpoints(void *field, const char *text)
{
	int64_t every;

	if (bt_duration_parse(text, BT_M_MINUTES, &every))
		return "a time such as 90s, 10m or 1h, or 0";
	*(int64_t *)field = every > 0 ? every : -1;
	return NULL;
}

#define FIELD(name) offsetof(struct tool_taking, name)

const struct tool_option tool_taking_options[] = {
	{"target-directory", 0, "DIR", true, "the directory to protect", tool_set_only, FIELD(target)},
	{"as", 0, "PATH", false, "the directory that the snapshot is said to be of, when DIR is a copy of it", set_as,
	 FIELD(as)},
	{"host", 0, "NAME", false, "whose directory it is, instead of this machine's name", set_host, FIELD(host)},
	{"files-from", 0, "FILE", false,
	 "take only what this file lists, a path in each line, - for standard input; repeatable", tool_add_listed,
	 FIELD(files)},
	{"files-from-raw", 0, "FILE", false, "the same with a NUL after each path, as from 'find -print0'",
	 tool_add_listed_raw, FIELD(files)},
	{"birth-times", 0, NULL, false, "record when entries were made, where the file system knows it", tool_set_true,
	 FIELD(birth_times)},
	{"tag", 0, "TAG", false, "a word to find the snapshot by; repeatable", tool_add_tag, FIELD(tags)},
	{"skip-if-unchanged", 0, NULL, false, "take no snapshot when nothing changed", tool_set_true,
	 FIELD(skip_if_unchanged)},
	{"allow-empty", 0, NULL, false, "it is right if nothing is left in the directory", tool_set_true,
	 FIELD(allow_empty)},
	{"force", 'f', NULL, false, "read every file, even one that looks unchanged", tool_set_true, FIELD(force)},
	{"trust", 0, "mtime-size", false,
	 "take a file of the same size and mtime for unchanged, whatever its inode and ctime are", set_trust,
	 FIELD(trust_mtime_size)},
	{"compression", 0, "LEVEL", false, "1 (fast) to 19 (small), auto, or max", tool_set_level, FIELD(level)},
	{"checkpoint-every", 0, "TIME", false,
	 "how often a first snapshot keeps what it has, in case it is cut off (10m); 0: never", set_checkpoints,
	 FIELD(checkpoint_every)},
	{"at-rest", 0, "HOW", false, "zstd: the store's new files lie compressed from now on; none: they do not",
	 set_at_rest, FIELD(at_rest)},
	{0},
};

const struct tool_option tool_taking_about[] = {
	{"description", 0, "TEXT", false, "a line that says what the snapshot is for", set_description,
	 FIELD(description)},
	{"pin", 0, NULL, false, "keep the snapshot until 'tag --unpin', whatever the rules say", tool_set_true,
	 FIELD(pin)},
	{"expires", 0, "SPAN", false,
	 "the snapshot is of no use after SPAN (36h, 30d, 8w, 6m, 1y): a prune removes it then", set_expires,
	 FIELD(expires)},
	{0},
};

const struct tool_option tool_taking_dry_run[] = {
	{"dry-run", 'n', NULL, false, "read and compare, but write nothing", tool_set_true, FIELD(dry_run)},
	{0},
};

static char *directory_problem(const struct tool *tool, const char *target, int *ret_exit)
{
	int fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC), failed = errno;
	struct bt_error error = {0};
	tool_auto char *shown = tool_escape(target);

	*ret_exit = TOOL_FATAL;
	if (fd >= 0) {
		close(fd);
		if (!bt_snapshot_place(tool->store, target, &error))
			return NULL;
		*ret_exit = tool_exit_code(error.code);
		return tool_error_text(tool, &error);
	}
	if (failed == ENOENT)
		return tool_format("there is no directory %s", shown);
	if (failed == ENOTDIR)
		return tool_format("%s is a file; give its directory", shown);
	return tool_format("%s cannot be read: %s", shown, strerror(failed));
}

char *tool_target_problem(const struct tool *tool, const struct tool_taking *taking, int *ret_exit)
{
	return taking->target ? directory_problem(tool, taking->target, ret_exit) : NULL;
}

char *tool_taking_problem(const struct tool_taking *taking)
{
	char *problem = tool_programs_problem(taking);

	return problem || !taking->target ? problem : tool_listed_settle(&taking->files, taking->target);
}

int tool_taking_check(const struct tool *tool, const struct tool_taking *taking)
{
	tool_auto char *wrong = tool_taking_problem(taking);

	if (wrong)
		return tool_usage_error(tool, "%s", wrong);
	if (taking->target)
		tool_rules_check(tool, taking->target, taking->as, &taking->rules);
	return TOOL_OK;
}

int tool_target_check(const struct tool *tool, const struct tool_taking *taking)
{
	int r;
	tool_auto char *problem = tool_target_problem(tool, taking, &r);

	if (!problem)
		return TOOL_OK;
	tool_complain(tool, "%s", problem);
	return r;
}

struct tool_store_facts tool_store_facts(const struct bt_store *store)
{
	struct tool_store_facts facts = {.made = bt_store_made(store)};

	snprintf(facts.id, sizeof(facts.id), "%s", bt_store_id(store));
	return facts;
}

struct bt_snapshot_options tool_taking_request(const struct tool *tool, const struct tool_taking *taking,
					       struct tool_taken *taken)
{
	static const char *const none[] = {NULL};
	const struct tool_rules *rules = &taking->rules;
	const char *const *paths = taking->files.paths.count ? taking->files.paths.items : none;
	const struct bt_stream *const *streams;
	size_t stream_count;

	tool_taken_end(taken);
	taken->used = tool_alloc(rules->exclude.count + rules->include.count + 1);
	taken->as = taking->as || tool_programs_given(taking) ? tool_taking_of(taking) : NULL;
	taken->programs = tool_programs_new(tool, taking);
	streams = tool_programs_streams(taken->programs, &stream_count);
	return (struct bt_snapshot_options){
		.size = sizeof(struct bt_snapshot_options),
		.exclude = rules->exclude.items,
		.exclude_count = rules->exclude.count,
		.exclude_used = taken->used,
		.exclude_if_present = rules->exclude_if_present.items,
		.exclude_if_present_count = rules->exclude_if_present.count,
		.exclude_caches = rules->exclude_caches,
		.exclude_larger_than = rules->exclude_larger_than,
		.exclude_nodump = rules->exclude_nodump,
		.ignore_files = rules->ignore_files.items,
		.ignore_file_count = rules->ignore_files.count,
		.include = rules->include.items,
		.include_count = rules->include.count,
		.include_used = taken->used + rules->exclude.count,
		.one_file_system = rules->one_file_system,
		.paths = taking->files.given ? paths : NULL,
		.path_count = taking->files.paths.count,
		.birth_times = taking->birth_times,
		.tags = taking->tags.items,
		.tag_count = taking->tags.count,
		.skip_if_unchanged = taking->skip_if_unchanged,
		.dry_run = taking->dry_run,
		.force = taking->force,
		.level = taking->level,
		.at_rest = taking->at_rest,
		.host = taking->host,
		.as = taken->as,
		.trust_mtime_size = taking->trust_mtime_size,
		.streams = streams,
		.stream_count = stream_count,
		.description = taking->description,
		.pinned = taking->pin,
		.expires = taking->expires.seconds ? &taking->expires : NULL,
	};
}

int64_t tool_taking_checkpoints(const struct tool_taking *taking)
{
	if (taking->checkpoint_every < 0)
		return 0;
	return taking->checkpoint_every ? taking->checkpoint_every : CHECKPOINT_EVERY;
}

char *tool_taking_host(const struct tool_taking *taking)
{
	char name[BT_HOST_SIZE];

	if (taking->host)
		return tool_format("%s", taking->host);
	bt_host(name);
	return tool_format("%s", name);
}

char *tool_taking_of(const struct tool_taking *taking)
{
	tool_auto char *tidied = tool_place_tidy(taking->as ? taking->as : "");

	if (taking->as)
		return tool_format("/%s", tidied);
	return taking->target ? tool_path_here(taking->target) : tool_programs_of(taking);
}

char *tool_taking_shown(const struct tool_taking *taking)
{
	tool_auto char *target = tool_escape(taking->target ? taking->target : "");
	tool_auto char *of = tool_taking_of(taking), *as = tool_escape(taking->as ? taking->as : of);

	if (!taking->target)
		return tool_format("%s", as);
	return taking->as ? tool_format("%s, read from %s", as, target) : tool_format("%s", target);
}

/* The host of the newest snapshot of that directory that is not the one just taken; "" if there is none. Allocated. */
static char *newest_host(struct bt_store *store, const char *target, const char *taken)
{
	char *host = tool_format("%s", "");

	for (size_t i = bt_store_snapshot_count(store); i-- > 0 && !*host;) {
		const char *name = bt_store_snapshot_name(store, i);
		struct bt_snapshot *snapshot;
		struct bt_error unused = {0};

		if (strcmp(name, taken) == 0 || bt_snapshot_open(store, name, &snapshot, &unused))
			continue;
		if (strcmp(bt_snapshot_info(snapshot)->target, target) == 0) {
			free(host);
			host = tool_format("%s", bt_snapshot_info(snapshot)->host);
		}
		bt_snapshot_close(snapshot);
	}
	return host;
}

void tool_taking_say_other_host(const struct tool *tool, struct bt_store *store, const struct tool_taking *taking,
				const struct bt_snapshot_result *result)
{
	if (*result->parent || tool->quiet || bt_store_snapshot_count(store) == 0)
		return;
	tool_auto char *own = tool_taking_host(taking), *of = tool_taking_of(taking);
	tool_auto char *other = newest_host(store, of, result->name);
	tool_auto char *shown = tool_escape(other);
	if (*other && strcmp(own, other) != 0)
		tool_say(tool,
			 "the newest earlier snapshot of this directory is of the host %s, so everything was read; "
			 "if it is the same directory, give --host %s",
			 shown, shown);
}

/* Whether it is of that host and directory. */
static bool is_of(struct bt_store *store, const char *name, const char *host, const char *target)
{
	struct bt_snapshot *snapshot;
	struct bt_error unused = {0};
	bool same;

	if (bt_snapshot_open(store, name, &snapshot, &unused))
		return false;
	same = strcmp(bt_snapshot_info(snapshot)->host, host) == 0 &&
	       strcmp(bt_snapshot_info(snapshot)->target, target) == 0;
	bt_snapshot_close(snapshot);
	return same;
}

/* The newest snapshot of that host and directory that is later than the one just taken, or NULL. */
static const char *later_one(struct bt_store *store, const char *host, const char *target, const char *taken)
{
	int64_t time = 0, seconds;
	unsigned clash;

	bt_snapshot_name_parse(taken, &time, &clash);
	for (size_t i = bt_store_snapshot_count(store); i-- > 0;) {
		const char *name = bt_store_snapshot_name(store, i);

		if (!bt_snapshot_name_parse(name, &seconds, &clash) && seconds > time &&
		    is_of(store, name, host, target))
			return name;
	}
	return NULL;
}

void tool_taking_say_clock(const struct tool *tool, struct bt_store *store, const struct tool_taking *taking,
			   const struct bt_snapshot_result *result)
{
	tool_auto char *of = tool_taking_of(taking), *own = tool_taking_host(taking);
	const char *later;

	if (tool->quiet || result->skipped || !*result->name)
		return;
	later = later_one(store, own, of, result->name);
	if (later)
		tool_say_once(tool,
			      "%s of this directory is from a later time than the clock shows now: is the clock right?",
			      later);
}

void tool_recorded_check(const struct tool *tool, const struct bt_snapshot_info *info)
{
	if (info->rules_omitted && !tool->quiet)
		tool_say(tool, "the rules of this snapshot are too long and so were not recorded: what they left out "
			       "counts as new");
}
