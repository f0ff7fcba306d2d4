/* SPDX-License-Identifier: MIT */
#include "retention.h"
#include "output.h"
#include <internal/clock.h>
#include <internal/policy.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GUARDED_SHOWN 3 /* names in a sentence */

static const char *read_number(const char *text, uint32_t *ret_value)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value >= UINT32_MAX)
		return "a whole number";
	*ret_value = (uint32_t)value;
	return NULL;
}

static const char *set_keep_count(void *field, const char *text)
{
	uint32_t value = UINT32_MAX;

	if (strcmp(text, "all") != 0 && (read_number(text, &value) || !value))
		return "a whole number above 0, or all";
	*(uint32_t *)field = value;
	return NULL;
}

static const char *set_snapshot_number(void *field, const char *text)
{
	struct tool_number number = {.given = true};
	const char *wrong = read_number(text, &number.value);

	if (!wrong)
		*(struct tool_number *)field = number;
	return wrong;
}

static const char *set_percent(void *field, const char *text)
{
	uint32_t value;

	if (read_number(text, &value) || value < 1 || value > 100)
		return "a whole number from 1 to 100";
	*(unsigned *)field = value;
	return NULL;
}

const char *tool_set_span(void *field, const char *text)
{
	struct bt_span span;
	int64_t seconds = -1;

	if (strcmp(text, "forever") != 0 &&
	    (bt_span_parse(text, BT_M_MONTHS, &span) || bt_span_seconds(&span, &seconds)))
		return "a span such as 36h, 30d, 8w, 6m, 1y, 1y6d or forever";
	*(int64_t *)field = seconds;
	return NULL;
}

#define FIELD(name)		 offsetof(struct tool_retention, name)
#define KEEP(name, bucket, what) "keep-" name, 0, "N", false, "keep " what, set_keep_count, FIELD(rules.keep[bucket])
#define WITHIN(name, bucket, what)                                                                                     \
	"keep-within" name, 0, "SPAN", false, "keep " what " in the last SPAN (36h, 30d, 8w, 6m, 1y)", tool_set_span,  \
		FIELD(rules.within[bucket])

const struct tool_option tool_retention_options[] = {
	{"snapshot-number", 0, "N", false, "keep the N newest snapshots", set_snapshot_number, FIELD(snapshot_number)},
	{KEEP("last", BT_LAST, "the N newest snapshots, or all")},
	{KEEP("hourly", BT_HOURLY, "the newest of each hour, for N (or all) hours that have any")},
	{KEEP("daily", BT_DAILY, "the same for days")},
	{KEEP("weekly", BT_WEEKLY, "the same for weeks, Monday to Sunday")},
	{KEEP("monthly", BT_MONTHLY, "the same for months")},
	{KEEP("yearly", BT_YEARLY, "the same for years")},
	{WITHIN("", BT_LAST, "everything")},
	{WITHIN("-hourly", BT_HOURLY, "the newest of each hour")},
	{WITHIN("-daily", BT_DAILY, "the newest of each day")},
	{WITHIN("-weekly", BT_WEEKLY, "the newest of each week")},
	{WITHIN("-monthly", BT_MONTHLY, "the newest of each month")},
	{WITHIN("-yearly", BT_YEARLY, "the newest of each year")},
	{"keep-tag", 0, "TAG", false, "keep what has this tag; repeatable", tool_add_text, FIELD(keep_tags)},
	{"keep-free", 0, "SIZE|PERCENT%", false,
	 "then remove the oldest until so much of the file system is free (20G, 10%)", tool_set_free, FIELD(room)},
	{"max-store", 0, "SIZE", false, "the same until the store has at most this size (500G)", tool_set_max_store,
	 FIELD(room)},
	{"all", 0, NULL, false, "allow the rules to remove everything, the newest complete snapshot, too",
	 tool_set_true, FIELD(all)},
	{0},
};

const struct tool_option tool_max_dead_option[] = {
	{"max-dead", 0, "PERCENT", false, "rewrite a file when more than this is unneeded (25)", set_percent, 0},
	{0},
};

/* Of those that keep something. */
static bool any_rule(const struct tool_retention *retention)
{
	bool given = retention->snapshot_number.given || retention->keep_tags.count;

	for (int bucket = 0; bucket < BT_BUCKETS; bucket++)
		given |= retention->rules.keep[bucket] || retention->rules.within[bucket];
	return given;
}

bool tool_retention_given(const struct tool_retention *retention)
{
	return any_rule(retention) || tool_room_given(&retention->room);
}

static struct bt_retention complete(const struct tool_retention *retention)
{
	struct bt_retention rules = retention->rules;

	if (retention->snapshot_number.value > rules.keep[BT_LAST])
		rules.keep[BT_LAST] = retention->snapshot_number.value;
	for (int bucket = 0; bucket < BT_BUCKETS; bucket++)
		if (rules.within[bucket] < 0) /* "forever" */
			rules.within[bucket] = INT64_MAX / 2;
	if (!any_rule(retention))
		rules.keep[BT_LAST] = UINT32_MAX;
	rules.size = sizeof(rules);
	rules.keep_tags = retention->keep_tags.items;
	rules.keep_tag_count = retention->keep_tags.count;
	rules.to_the_letter = retention->all;
	return rules;
}

/* Of several rules that are not full, the one for which it stays longest; NULL if it is for none. */
static char *oldest_reason(const struct bt_retention *rules, uint32_t reasons)
{
	static const char *const kinds[] = {"", "hours ", "days ", "weeks ", "months ", "years "};
	int bucket = BT_BUCKETS - 1;

	while (bucket >= 0 && !(reasons & BT_KEEP_OLDEST(bucket)))
		bucket--;
	if (bucket < 0)
		return NULL;
	if (rules->keep[bucket] == UINT32_MAX)
		return tool_format("oldest");
	return tool_format("oldest, until %" PRIu32 " %sare there", rules->keep[bucket], kinds[bucket]);
}

static bool has_expired(const struct bt_snapshot_info *info, time_t now)
{
	return info->has_expires && info->expires.seconds < now;
}

static void name_reasons(const struct bt_retention *rules, time_t now, struct tool_verdict *verdict)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} words[] = {
		{BT_KEEP_COUNT(BT_LAST), "last"},
		{BT_KEEP_COUNT(BT_HOURLY), "hourly"},
		{BT_KEEP_COUNT(BT_DAILY), "daily"},
		{BT_KEEP_COUNT(BT_WEEKLY), "weekly"},
		{BT_KEEP_COUNT(BT_MONTHLY), "monthly"},
		{BT_KEEP_COUNT(BT_YEARLY), "yearly"},
		{BT_KEEP_WITHIN(BT_LAST), "within"},
		{BT_KEEP_WITHIN(BT_HOURLY), "within hourly"},
		{BT_KEEP_WITHIN(BT_DAILY), "within daily"},
		{BT_KEEP_WITHIN(BT_WEEKLY), "within weekly"},
		{BT_KEEP_WITHIN(BT_MONTHLY), "within monthly"},
		{BT_KEEP_WITHIN(BT_YEARLY), "within yearly"},
		{BT_KEEP_TAG, "tag"},
		{BT_KEEP_FUTURE, "in the future"},
		{BT_KEEP_COMPLETE, "newest complete"},
		{BT_KEEP_SHRANK, "before it shrank"},
		{BT_KEEP_NEWEST, "newest of its directory"},
		{BT_KEEP_PINNED, "pinned"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (verdict->reasons & words[i].bit)
			verdict->words[verdict->word_count++] = words[i].word;
	if (!verdict->reasons && has_expired(verdict->info, now))
		verdict->words[verdict->word_count++] = "expired";
	else if (!verdict->reasons && verdict->info->partial)
		verdict->words[verdict->word_count++] = "partial";
	verdict->oldest = oldest_reason(rules, verdict->reasons);
	if (verdict->oldest)
		verdict->words[verdict->word_count++] = verdict->oldest;
}

/* It stays, and no rule keeps it, though rules are about it. */
static bool is_guarded(const struct tool_verdict *verdict)
{
	return verdict->reasons && !(verdict->reasons & ~BT_KEEP_GUARDS) && !verdict->info->partial;
}

static void fill_candidates(const struct tool_verdicts *verdicts, int64_t now, struct bt_candidate *candidates)
{
	for (size_t i = 0; i < verdicts->count; i++) {
		const struct bt_snapshot_info *info = verdicts->items[i].info;

		candidates[i] = (struct bt_candidate){.time = info->time.seconds,
						      .host = info->host,
						      .target = info->target,
						      .tags = info->tags,
						      .tag_count = info->tag_count,
						      .unread = info->errors - info->torn,
						      .files = info->files,
						      .bytes = info->directory_size,
						      .pinned = info->pinned,
						      .partial = info->partial,
						      .expired = has_expired(info, now)};
	}
}

/* What may go for room: not what the guards and --keep-last keep, nor what has a tag that is kept. */
static int find_spare(const struct tool_retention *retention, struct tool_verdicts *verdicts,
		      const struct bt_candidate *candidates, int64_t now)
{
	struct bt_retention rules = complete(retention), last = {.size = sizeof(last),
								 .keep = {[BT_LAST] = 1},
								 .keep_tags = rules.keep_tags,
								 .keep_tag_count = rules.keep_tag_count,
								 .per_target = true};
	tool_auto uint32_t *reasons = tool_alloc((verdicts->count + 1) * sizeof(*reasons));
	bool counts = any_rule(retention) && rules.keep[BT_LAST];
	int r;

	if (counts) {
		last.keep[BT_LAST] = rules.keep[BT_LAST];
		last.per_target = rules.per_target;
	}
	r = bt_retention_decide(&last, candidates, verdicts->count, now, reasons);
	for (size_t i = 0; i < verdicts->count && !r; i++)
		verdicts->items[i].spare = !reasons[i];
	return r;
}

static int decide(const struct tool_retention *retention, struct tool_verdicts *verdicts)
{
	struct bt_retention rules = complete(retention);
	tool_auto struct bt_candidate *candidates = tool_alloc((verdicts->count + 1) * sizeof(*candidates));
	tool_auto uint32_t *reasons = tool_alloc((verdicts->count + 1) * sizeof(*reasons));
	int64_t now = bt_now();
	int r;

	fill_candidates(verdicts, now, candidates);
	r = bt_retention_decide(&rules, candidates, verdicts->count, now, reasons);
	if (r == BT_E_INVALID && retention->snapshot_number.given) { /* 0: nothing is kept */
		for (size_t i = 0; i < verdicts->count; i++)
			reasons[i] = candidates[i].pinned ? BT_KEEP_PINNED : 0;
		r = 0;
	}
	for (size_t i = 0; i < verdicts->count && !r; i++) {
		verdicts->items[i].reasons = reasons[i];
		verdicts->removed += !reasons[i];
		verdicts->guarded += is_guarded(&verdicts->items[i]);
		name_reasons(&rules, now, &verdicts->items[i]);
	}
	if (!r && tool_room_given(&retention->room)) {
		verdicts->wish = (struct bt_room_wish){.size = sizeof(verdicts->wish),
						       .keep_free = retention->room.keep_free,
						       .keep_free_percent = retention->room.keep_free_percent,
						       .max_store = retention->room.max_store};
		r = find_spare(retention, verdicts, candidates, now);
	}
	return r;
}

char *tool_prune_problem(const struct tool *tool, const struct bt_error *error, const struct bt_prune_result *done)
{
	char *text = tool_error_text(tool, error), *file, *longer;

	if (error->code == BT_E_INCOMPLETE && done->stuck_bytes) {
		tool_auto char *stuck = tool_bytes(done->stuck_bytes);

		tool_append(&text, "; %s stay", stuck);
	}
	if (error->code != BT_E_DAMAGED)
		return text;
	if (bt_error_is_newer(error)) {
		longer = tool_format("%s; nothing %swas removed", text, done->removed ? "more " : "");
		free(text);
		return longer;
	}
	file = strncmp(error->file, "snapshot_", 9) == 0 ? tool_escape(error->file) : NULL;
	longer = tool_format("%s; %snobody knows what it needs: mend the store with 'backuptool check --repair'%s%s%s",
			     text, done->removed ? "" : "nothing was removed, since ",
			     file ? ", or give it up with 'backuptool remove " : "", file ? file : "", file ? "'" : "");
	free(file);
	free(text);
	return longer;
}

void tool_prune_print_proven(const struct bt_prune_result *done)
{
	tool_auto char *bytes = done->proven ? tool_bytes(done->proven_bytes) : NULL;

	if (bytes)
		printf("; %s that were stored twice were read and are right", bytes);
}

/* The snapshots of one host and directory, which are those of info, or all. */
static bool concerns(const struct bt_snapshot_info *like, const struct bt_snapshot_info *info)
{
	return !like || (strcmp(like->host, info->host) == 0 && strcmp(like->target, info->target) == 0);
}

/* What the rules decide about, and what stays whatever they say. */
struct concern {
	const struct bt_snapshot_info *like; /* or NULL */
	const struct bt_filter *filter;	     /* or NULL */
};

static void add_snapshot(struct bt_snapshot *snapshot, const struct concern *concern, struct tool_verdicts *verdicts)
{
	const struct bt_snapshot_info *info = bt_snapshot_info(snapshot);

	if (!concerns(concern->like, info))
		bt_snapshot_close(snapshot);
	else if (bt_filter_selects(concern->filter, info))
		verdicts->items[verdicts->count++] = (struct tool_verdict){.snapshot = snapshot, .info = info};
	else
		verdicts->others[verdicts->other_count++] =
			(struct tool_verdict){.snapshot = snapshot, .info = info, .reasons = UINT32_MAX};
}

static int open_all(struct bt_store *store, const struct concern *concern, struct tool_verdicts *verdicts,
		    struct bt_error *error)
{
	size_t count = bt_store_snapshot_count(store);
	int r = 0;

	verdicts->items = tool_alloc((count + 1) * sizeof(*verdicts->items));
	verdicts->others = concern->filter ? tool_alloc((count + 1) * sizeof(*verdicts->others)) : NULL;
	for (size_t i = 0; i < count && !r; i++) {
		struct bt_snapshot *snapshot;

		r = bt_snapshot_open(store, bt_store_snapshot_name(store, i), &snapshot, error);
		if (r == BT_E_NOT_FOUND) { /* removed meanwhile */
			*error = (struct bt_error){0};
			r = 0;
			continue;
		}
		if (!r)
			add_snapshot(snapshot, concern, verdicts);
	}
	return r;
}

static int open_once(const struct tool *tool, struct bt_store *store, const char *like, struct tool_verdicts *verdicts,
		     struct bt_error *error)
{
	struct bt_snapshot *snapshot = NULL;
	struct concern concern = {.filter = tool->filter};
	int r = like ? bt_snapshot_open(store, like, &snapshot, error) : 0;

	if (snapshot)
		concern.like = bt_snapshot_info(snapshot);
	if (!r)
		r = open_all(store, &concern, verdicts, error);
	bt_snapshot_close(snapshot);
	return r;
}

/* A snapshot that tag or a repair replaces meanwhile is another file than the one that was listed: look again. */
static int open_concerned(const struct tool *tool, struct bt_store *store, const char *like,
			  struct tool_verdicts *verdicts, struct bt_error *error)
{
	int r = open_once(tool, store, like, verdicts, error);

	for (int tries = 0; r == BT_E_DAMAGED && error->reason == BT_R_CHANGED && tries < 3; tries++) {
		tool_verdicts_free(verdicts);
		*error = (struct bt_error){0};
		r = bt_store_refresh(store, error);
		if (!r)
			r = open_once(tool, store, like, verdicts, error);
	}
	return r;
}

int tool_verdicts_make(const struct tool *tool, struct bt_store *store, const struct tool_retention *retention,
		       const char *like, struct tool_verdicts *ret_verdicts, char **ret_problem)
{
	static const struct bt_prune_result nothing;
	struct tool_verdicts verdicts = {0};
	struct bt_error error = {0};
	int code = open_concerned(tool, store, like, &verdicts, &error);

	if (!code && decide(retention, &verdicts))
		code = error.code = BT_E_NOMEM;
	if (code) {
		*ret_problem = tool_prune_problem(tool, &error, &nothing);
		tool_verdicts_free(&verdicts);
		return tool_exit_code(code);
	}
	if (verdicts.count && verdicts.removed + verdicts.guarded == verdicts.count && !retention->all) {
		*ret_problem = tool_format("the rules would remove every %ssnapshot; nothing was removed. "
					   "If you mean it, add --all",
					   tool->filter ? "selected " : "");
		tool_verdicts_free(&verdicts);
		return TOOL_FATAL;
	}
	*ret_verdicts = verdicts;
	return TOOL_OK;
}

char *tool_verdicts_guarded(const struct tool_verdicts *verdicts)
{
	char *text = NULL;
	size_t shown = 0;

	for (size_t i = 0; i < verdicts->count && shown < GUARDED_SHOWN; i++)
		if (is_guarded(&verdicts->items[i]))
			tool_append(&text, "%s%s (%s)", shown++ ? ", " : "", verdicts->items[i].info->name,
				    verdicts->items[i].words[0]);
	if (verdicts->guarded > shown)
		tool_append(&text, " and %zu more", verdicts->guarded - shown);
	return text;
}

static int compare_places(const void *left, const void *right)
{
	const struct bt_snapshot_info *a = (*(const struct tool_verdict *const *)left)->info;
	const struct bt_snapshot_info *b = (*(const struct tool_verdict *const *)right)->info;
	int order = strcmp(a->host, b->host);

	return order ? order : strcmp(a->target, b->target);
}

size_t tool_verdicts_forgotten(const struct tool_verdicts *verdicts, const struct bt_snapshot_info **ret_first)
{
	size_t forgotten = 0, count = verdicts->count + verdicts->other_count;
	const struct tool_verdict **sorted = tool_alloc((count + 1) * sizeof(*sorted));
	bool kept = false;

	for (size_t i = 0; i < count; i++)
		sorted[i] = i < verdicts->count ? &verdicts->items[i] : &verdicts->others[i - verdicts->count];
	qsort(sorted, count, sizeof(*sorted), compare_places);
	for (size_t i = 0; i < count; i++) {
		kept |= sorted[i]->reasons != 0;
		if (i + 1 < count && compare_places(&sorted[i], &sorted[i + 1]) == 0)
			continue;
		if (!kept && !forgotten++)
			*ret_first = sorted[i]->info;
		kept = false;
	}
	free(sorted);
	return forgotten;
}

bool tool_verdicts_remove(const struct tool_verdicts *verdicts)
{
	return verdicts->removed > 0 || verdicts->wish.size;
}

int tool_verdicts_apply(struct tool_verdicts *verdicts, struct bt_store *store, const struct bt_prune_options *options,
			const struct bt_observer *observer, struct bt_prune_result *ret_result, struct bt_error *error)
{
	tool_auto const char **names = tool_alloc((verdicts->count + 1) * sizeof(*names));
	size_t count = 0;

	if (verdicts->wish.size)
		return tool_room_apply(verdicts, store, options, observer, ret_result, error);
	for (size_t i = 0; i < verdicts->count; i++)
		if (!verdicts->items[i].reasons)
			names[count++] = verdicts->items[i].info->name;
	return bt_prune(store, names, count, options, observer, ret_result, error);
}

char *tool_verdicts_problem(const struct tool *tool, const struct tool_verdicts *verdicts, const struct bt_error *error,
			    const struct bt_prune_result *done)
{
	char *text = error->code == BT_E_INCOMPLETE ? tool_room_problem(verdicts) : NULL;

	return text ? text : tool_prune_problem(tool, error, done);
}

void tool_verdicts_free(struct tool_verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->count; i++) {
		bt_snapshot_close(verdicts->items[i].snapshot);
		free(verdicts->items[i].oldest);
	}
	for (size_t i = 0; i < verdicts->other_count; i++)
		bt_snapshot_close(verdicts->others[i].snapshot);
	free(verdicts->items);
	free(verdicts->others);
	*verdicts = (struct tool_verdicts){0};
}
