/* SPDX-License-Identifier: MIT */
#include "base/sized.h"
#include <backuptool/retention.h>
#include <internal/policy.h>

#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct decision {
	const struct bt_retention *rules;
	const struct bt_candidate *candidates;
	uint32_t *reasons;
	const size_t *order; /* the group's, newest first */
	size_t count;
	int64_t newest;
};

typedef void decide_group_fn(struct decision *decision);

struct sort_key {
	const struct bt_candidate *candidate;
	size_t index;
	bool per_target;
};

static int64_t floor_div(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

/* Equal for times in the same calendar bucket, smaller for earlier ones. */
static int64_t bucket_of(enum bt_bucket bucket, int64_t seconds)
{
	time_t clock = (time_t)seconds;
	struct tm local;
	int64_t days;

	if (!localtime_r(&clock, &local))
		return seconds;
	days = floor_div(seconds + local.tm_gmtoff, 86400);
	switch (bucket) {
	case BT_HOURLY:
		/* In universal time where the offset is whole hours: the hour that a clock set back shows twice is two.
		 */
		return floor_div(seconds + local.tm_gmtoff % 3600, 3600);
	case BT_DAILY:
		return days;
	case BT_WEEKLY:
		return floor_div(days + 3, 7); /* 1970-01-01 was a Thursday */
	case BT_MONTHLY:
		return (int64_t)local.tm_year * 12 + local.tm_mon;
	case BT_YEARLY:
		return local.tm_year;
	default:
		return seconds;
	}
}

static void keep_oldest(const struct decision *decision, enum bt_bucket bucket)
{
	uint32_t *reasons = &decision->reasons[decision->order[decision->count - 1]];

	if (!(*reasons & BT_KEEP_COUNT(bucket)))
		*reasons |= BT_KEEP_OLDEST(bucket);
}

static void keep_by_count(const struct decision *decision, enum bt_bucket bucket)
{
	uint32_t wanted = decision->rules->keep[bucket], kept = 0;
	int64_t last = 0;

	for (size_t i = 0; i < decision->count && kept < wanted; i++) {
		size_t index = decision->order[i];
		int64_t key = bucket_of(bucket, decision->candidates[index].time);

		if (bucket != BT_LAST && kept && key == last)
			continue;
		decision->reasons[index] |= BT_KEEP_COUNT(bucket);
		last = key;
		kept++;
	}
	if (kept && kept < wanted)
		keep_oldest(decision, bucket);
}

static void keep_within(const struct decision *decision, enum bt_bucket bucket)
{
	int64_t span = decision->rules->within[bucket], last = 0;

	for (size_t i = 0; span > 0 && i < decision->count; i++) {
		size_t index = decision->order[i];
		int64_t time = decision->candidates[index].time, key = bucket_of(bucket, time);

		if (time < decision->newest - span)
			break;
		if (bucket == BT_LAST || !i || key != last)
			decision->reasons[index] |= BT_KEEP_WITHIN(bucket);
		last = key;
	}
}

static bool has_tag(const struct bt_candidate *candidate, const char *tag)
{
	for (size_t i = 0; i < candidate->tag_count; i++)
		if (!strcmp(candidate->tags[i], tag))
			return true;
	return false;
}

static void keep_by_tags(const struct bt_retention *rules, const struct bt_candidate *candidate, uint32_t *reason)
{
	for (size_t i = 0; i < rules->keep_tag_count; i++)
		if (has_tag(candidate, rules->keep_tags[i]))
			*reason |= BT_KEEP_TAG;
}

static void decide_by_rules(struct decision *decision)
{
	decision->newest = decision->candidates[decision->order[0]].time;
	for (int bucket = 0; bucket < BT_BUCKETS; bucket++) {
		keep_by_count(decision, bucket);
		keep_within(decision, bucket);
	}
}

bool bt_has_shrunk(uint64_t files, uint64_t bytes, uint64_t files_before, uint64_t bytes_before)
{
	if (!files)
		return files_before > 0;
	return files < files_before - files_before / 2 && (!bytes_before || bytes < bytes_before - bytes_before / 2);
}

static bool has_shrunk(const struct bt_candidate *now, const struct bt_candidate *before)
{
	return bt_has_shrunk(now->files, now->bytes, before->files, before->bytes);
}

/* A reason of its own only where the rules have none. */
static void guard(const struct decision *decision, size_t place, uint32_t reason)
{
	uint32_t *reasons = &decision->reasons[decision->order[place]];

	if (!(*reasons & ~BT_KEEP_GUARDS))
		*reasons |= reason;
}

static const struct bt_candidate *at(const struct decision *decision, size_t place)
{
	return &decision->candidates[decision->order[place]];
}

/* Each is more than twice as large as the one found before, so there are few of them. */
static void guard_from_shrinking(const struct decision *decision)
{
	const struct bt_candidate *largest = at(decision, 0);

	for (size_t i = 1; i < decision->count; i++) {
		if (!has_shrunk(at(decision, i - 1), at(decision, i)) || !has_shrunk(largest, at(decision, i)))
			continue;
		guard(decision, i, BT_KEEP_SHRANK);
		largest = at(decision, i);
	}
}

static size_t newest_complete(const struct decision *decision, bool expired)
{
	size_t place = 0;

	while (place < decision->count && (at(decision, place)->unread || (at(decision, place)->expired && !expired)))
		place++;
	return place;
}

static void decide_by_guards(struct decision *decision)
{
	size_t complete = newest_complete(decision, false);

	if (complete == decision->count)
		complete = newest_complete(decision, true);
	if (complete < decision->count)
		guard(decision, complete, BT_KEEP_COMPLETE);
	else
		guard(decision, 0, BT_KEEP_NEWEST);
	guard_from_shrinking(decision);
}

static int compare_group(const struct bt_candidate *a, const struct bt_candidate *b)
{
	int order = strcmp(a->host, b->host);

	return order ? order : strcmp(a->target, b->target);
}

/* By group, then newest first, then as they were given. */
static int compare_keys(const void *left, const void *right)
{
	const struct sort_key *a = left, *b = right;
	int order = a->per_target ? compare_group(a->candidate, b->candidate) : 0;

	if (order)
		return order;
	if (a->candidate->time != b->candidate->time)
		return a->candidate->time < b->candidate->time ? 1 : -1;
	return a->index < b->index ? 1 : -1;
}

static bool any_rule(const struct bt_retention *rules)
{
	for (int bucket = 0; bucket < BT_BUCKETS; bucket++)
		if (rules->keep[bucket] || rules->within[bucket] > 0)
			return true;
	return rules->keep_tag_count > 0;
}

/* Past ones only: keys and order have room for all. */
static void decide_each_group(struct decision *decision, bool per_target, decide_group_fn *decide,
			      struct sort_key *keys, size_t *order, size_t count)
{
	size_t start = 0;

	for (size_t i = 0; i < count; i++)
		keys[i].per_target = per_target;
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < count; i++)
		order[i] = keys[i].index;
	for (size_t i = 1; i <= count; i++) {
		if (i < count && (!per_target || !compare_group(keys[i - 1].candidate, keys[i].candidate)))
			continue;
		decision->order = order + start;
		decision->count = i - start;
		decide(decision);
		start = i;
	}
}

/* What stays whatever the other rules say. */
static void keep_ahead(const struct decision *decision, size_t count, int64_t now)
{
	for (size_t i = 0; i < count; i++) {
		const struct bt_candidate *candidate = &decision->candidates[i];

		decision->reasons[i] = (bt_is_future(candidate->time, now) ? BT_KEEP_FUTURE : 0) |
				       (candidate->pinned ? BT_KEEP_PINNED : 0);
		keep_by_tags(decision->rules, candidate, &decision->reasons[i]);
	}
}

/* Past ones; the rules do not count what has expired, but it may be the last good one. */
struct counted {
	bool expired, partial;
};

static size_t choose_past(const struct decision *decision, size_t count, struct counted counted, struct sort_key *keys)
{
	size_t past = 0;

	for (size_t i = 0; i < count; i++) {
		const struct bt_candidate *candidate = &decision->candidates[i];

		if (!(decision->reasons[i] & BT_KEEP_FUTURE) && (counted.expired || !candidate->expired) &&
		    (counted.partial || !candidate->partial))
			keys[past++] = (struct sort_key){candidate, i, false};
	}
	return past;
}

static void guard_newest_partial(struct decision *decision)
{
	if (at(decision, 0)->partial)
		guard(decision, 0, BT_KEEP_NEWEST);
}

int bt_retention_decide(const struct bt_retention *rules, const struct bt_candidate *candidates, size_t count,
			int64_t now, uint32_t *reasons)
{
	struct bt_retention wanted;
	struct decision decision = {.rules = &wanted, .candidates = candidates, .reasons = reasons};
	struct sort_key *keys;
	size_t *order, past;
	int r = BT_E_NOMEM;

	if (bt_sized_take(&wanted, sizeof(wanted), rules, NULL) || !any_rule(&wanted))
		return BT_E_INVALID;
	keys = calloc(count + 1, sizeof(*keys));
	order = calloc(count + 1, sizeof(*order));
	if (keys && order) {
		r = 0;
		keep_ahead(&decision, count, now);
		past = choose_past(&decision, count, (struct counted){0}, keys);
		decide_each_group(&decision, wanted.per_target, decide_by_rules, keys, order, past);
		past = choose_past(&decision, count, (struct counted){.expired = true}, keys);
		if (!wanted.to_the_letter)
			decide_each_group(&decision, true, decide_by_guards, keys, order, past);
		past = choose_past(&decision, count, (struct counted){true, true}, keys);
		if (!wanted.to_the_letter)
			decide_each_group(&decision, true, guard_newest_partial, keys, order, past);
	}
	free(order);
	free(keys);
	return r;
}
