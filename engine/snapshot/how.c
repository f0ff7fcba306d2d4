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

static const char *present_word(struct bt_snap_request *request, const char *name)
{
	size_t length = strlen(name);
	char *word = bt_arena_alloc(&request->arena, sizeof(BT_WORD_IF_PRESENT) + length);

	if (word) {
		memcpy(word, BT_WORD_IF_PRESENT, strlen(BT_WORD_IF_PRESENT));
		memcpy(word + strlen(BT_WORD_IF_PRESENT), name, length + 1);
	}
	return word;
}

/* Sorted, each once. */
static int take_words(struct bt_snap_request *request, const struct bt_snapshot_options *options)
{
	size_t most = options->exclude_if_present_count + 3, count = 0, kept = 0;
	const char **words = bt_arena_alloc(&request->arena, most * sizeof(*words));

	if (!words)
		return BT_E_NOMEM;
	if (options->birth_times)
		words[count++] = BT_WORD_BIRTH_TIMES;
	if (options->one_file_system)
		words[count++] = BT_WORD_ONE_FILE_SYSTEM;
	if (options->exclude_caches)
		words[count++] = BT_WORD_CACHES;
	for (size_t i = 0; i < options->exclude_if_present_count; i++) {
		words[count] = present_word(request, options->exclude_if_present[i]);
		if (!words[count++])
			return BT_E_NOMEM;
	}
	qsort(words, count, sizeof(*words), by_text);
	for (size_t i = 0; i < count; i++)
		if (!kept || strcmp(words[kept - 1], words[i]) != 0)
			words[kept++] = words[i];
	request->info.options = words;
	request->info.option_count = kept;
	return 0;
}

/* Rules that are too long for the header are no reason to take no snapshot. */
static int take_rules(struct bt_snap_request *request, const struct bt_snapshot_options *options)
{
	struct bt_snapshot_info *info = &request->info;
	bool fit = true;
	int r = take_words(request, options);

	info->rules = options->exclude;
	info->rule_count = options->exclude_count;
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

int bt_snap_request_how(struct bt_snap_request *request, const struct bt_snapshot_options *options,
			struct bt_error *error)
{
	int r = take_fate(&request->info, options, error);

	if (r)
		return r;
	request->info.program = "backuptool " BT_VERSION;
	r = options->dry_run ? 0 : take_user(request); /* a look-up may take long */
	if (!r)
		r = take_rules(request, options);
	return r ? bt_fail(error, BT_E_NOMEM, NULL, NULL) : 0;
}
