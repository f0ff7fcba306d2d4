/* SPDX-License-Identifier: MIT */
/* How a snapshot is taken, as its header says it. */
#include "base/account.h"
#include "base/bytes.h"
#include "base/fail.h"
#include "model/taken.h"
#include "scan/exclusion.h"
#include "snapshot/request.h"
#include <backuptool/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_line(const char *text, size_t most)
{
	size_t length = strlen(text);

	return length > 0 && length <= most && bt_utf8_valid(text, length) && bt_is_one_line(text, length);
}

static int take_user(struct bt_snap_request *request)
{
	char user[BT_ACCOUNT_SIZE];

	if (!bt_account_name(BT_OWNER_USER, geteuid(), user) || !is_line(user, BT_USER_MAX))
		snprintf(user, sizeof(user), "%u", (unsigned)geteuid());
	request->info.user = bt_arena_copy(&request->arena, user, strlen(user));
	return request->info.user ? 0 : BT_E_NOMEM;
}

/* The words being put together; there is room for all. */
struct words {
	struct bt_arena *arena;
	const char **items;
	size_t count;
	bool failed;
};

static void add_word(struct words *words, const char *prefix, const char *value)
{
	size_t length = strlen(prefix), more = strlen(value) + 1;
	char *word = bt_arena_alloc(words->arena, length + more);

	words->failed |= !word;
	if (!word)
		return;
	memcpy(word, prefix, length);
	memcpy(word + length, value, more);
	words->items[words->count++] = word;
}

static void add_list(struct words *words, const char *prefix, const char *const *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_word(words, prefix, values[i]);
}

static void add_words(struct words *words, const struct bt_snapshot_options *options)
{
	char bytes[24];

	if (options->birth_times)
		add_word(words, BT_WORD_BIRTH_TIMES, "");
	if (options->one_file_system)
		add_word(words, BT_WORD_ONE_FILE_SYSTEM, "");
	if (options->exclude_caches)
		add_word(words, BT_WORD_CACHES, "");
	if (options->exclude_nodump)
		add_word(words, BT_WORD_NODUMP, "");
	if (options->paths)
		add_word(words, BT_WORD_FILES_FROM, "");
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)options->exclude_larger_than);
	if (options->exclude_larger_than)
		add_word(words, BT_WORD_LARGER, bytes);
	add_list(words, BT_WORD_IF_PRESENT, options->exclude_if_present, options->exclude_if_present_count);
	add_list(words, BT_WORD_IGNORE_FILE, options->ignore_files, options->ignore_file_count);
	add_list(words, BT_WORD_INCLUDE, options->include, options->include_count);
}

/* Sorted, each once. */
static int take_words(struct bt_snap_request *request, const struct bt_snapshot_options *options)
{
	size_t most = options->exclude_if_present_count + options->ignore_file_count + options->include_count + 8;
	struct words words = {.arena = &request->arena};
	size_t kept = 0;

	words.items = bt_arena_alloc(&request->arena, most * sizeof(*words.items));
	if (!words.items)
		return BT_E_NOMEM;
	add_words(&words, options);
	if (words.failed)
		return BT_E_NOMEM;
	qsort(words.items, words.count, sizeof(*words.items), by_text);
	for (size_t i = 0; i < words.count; i++)
		if (!kept || strcmp(words.items[kept - 1], words.items[i]) != 0)
			words.items[kept++] = words.items[i];
	request->info.options = words.items;
	request->info.option_count = kept;
	return 0;
}

/* What is recorded is what is done. */
static int compile_rules(struct bt_snap_request *request, struct bt_error *error)
{
	const struct bt_snapshot_info *info = &request->info;
	int r = bt_exclusion_add(&request->exclusion, BT_LIST_PATTERNS, info->rules, info->rule_count);

	if (!r)
		r = bt_exclusion_add_words(&request->exclusion, info->options, info->option_count);
	return r ? r : bt_exclusion_finish(&request->exclusion, error);
}

/* What is to be taken has no order, so that nothing can be taken back in it. */
static int check_include(const struct bt_snapshot_options *options, struct bt_error *error)
{
	for (size_t i = 0; i < options->include_count; i++)
		if (strchr("!#", *options->include[i]))
			return bt_fail(error, BT_E_INVALID, options->include[i],
				       "a pattern of what is taken begins neither with ! nor with #");
	return 0;
}

/* Rules that are too long for the header are no reason to take no snapshot. */
static int take_rules(struct bt_snap_request *request, const struct bt_snapshot_options *options,
		      struct bt_error *error)
{
	struct bt_snapshot_info *info = &request->info;
	bool fit = true;
	int r = take_words(request, options);

	info->rules = options->exclude;
	info->rule_count = options->exclude_count;
	if (!r)
		r = compile_rules(request, error);
	if (!r)
		r = bt_taken_rules_fit(info, &fit);
	if (!fit) {
		info->rule_count = info->option_count = 0;
		info->rules_omitted = true;
	}
	return r;
}

static int take_fate(struct bt_snapshot_info *info, const struct bt_snapshot_options *options, struct bt_error *error)
{
	if (options->description && !is_line(options->description, BT_DESCRIPTION_MAX))
		return bt_fail(error, BT_E_INVALID, NULL,
			       "a description is one line of text without control characters, at most 4096 bytes");
	info->description = options->description;
	info->pinned = options->pinned;
	info->partial = options->partial;
	info->streams = options->stream_count > 0;
	info->has_expires = options->expires;
	if (options->expires)
		info->expires = *options->expires;
	return 0;
}

static bool same_list(const char *const *a, size_t a_count, const char *const *b, size_t b_count)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

/* The next one of the options that is a rule; NULL at the end. */
static const char *next_rule(const struct bt_snapshot_info *info, size_t *at)
{
	while (*at < info->option_count) {
		const char *word = info->options[(*at)++];

		if (strcmp(word, BT_WORD_BIRTH_TIMES) != 0)
			return word;
	}
	return NULL;
}

static bool same_options(const struct bt_snapshot_info *a, const struct bt_snapshot_info *b)
{
	size_t a_at = 0, b_at = 0;
	const char *one, *other;

	do {
		one = next_rule(a, &a_at);
		other = next_rule(b, &b_at);
	} while (one && other && strcmp(one, other) == 0);
	return !one && !other;
}

bool bt_snap_birth_times_differ(const struct bt_snapshot_info *info, bool wanted)
{
	bool has = false;

	for (size_t i = 0; i < info->option_count; i++)
		has |= strcmp(info->options[i], BT_WORD_BIRTH_TIMES) == 0;
	if (!info->rules_omitted)
		return has != wanted;
	return !wanted && info->root.extra && info->root.extra->has_btime;
}

bool bt_snap_rules_differ(const struct bt_snapshot_info *a, const struct bt_snapshot_info *b)
{
	if (!a->program || !b->program || a->rules_omitted || b->rules_omitted)
		return false;
	return !same_list(a->rules, a->rule_count, b->rules, b->rule_count) || !same_options(a, b);
}

bool bt_snap_may_follow(const struct bt_snapshot_info *parent, const struct bt_snapshot_info *info,
			const struct bt_snapshot_options *options)
{
	bool shown = !options->exclude_nodump && !options->ignore_file_count && !options->paths;

	return shown && parent->rules_omitted == info->rules_omitted && !bt_snap_rules_differ(parent, info);
}

int bt_snap_request_how(struct bt_snap_request *request, const struct bt_snapshot_options *options,
			struct bt_error *error)
{
	int r = take_fate(&request->info, options, error);

	if (!r)
		r = check_include(options, error);
	if (r)
		return r;
	request->info.program = "backuptool " BT_VERSION;
	r = options->dry_run ? 0 : take_user(request); /* a look-up may take long */
	if (!r)
		r = take_rules(request, options, error);
	return r ? bt_fail(error, BT_E_NOMEM, NULL, NULL) : 0;
}
