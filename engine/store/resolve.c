/* SPDX-License-Identifier: MIT */
/* What a person calls a snapshot. */
#include "base/fail.h"
#include "store/store_inside.h"
#include <backuptool/policy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "snapshot_"
#define SUFFIX ".json"
#define SHOWN  3 /* names in an error */

/* The neighbours of where it would be by its spelling, which is the order of time for full names. */
static int not_found(struct bt_store *store, const char *text, struct bt_error *error)
{
	char detail[200];
	size_t skip = strncmp(text, PREFIX, strlen(PREFIX)) ? strlen(PREFIX) : 0, at = 0;
	while (at < store->snapshot_count && strcmp(bt_store_snapshot_name(store, at) + skip, text) < 0)
		at++;
	const char *before = at ? bt_store_snapshot_name(store, at - 1) : NULL;
	const char *behind = bt_store_snapshot_name(store, at);
	if (before && behind)
		snprintf(detail, sizeof(detail), "the nearest are %s and %s", before, behind);
	else if (before || behind)
		snprintf(detail, sizeof(detail), "the nearest is %s", before ? before : behind);
	else
		snprintf(detail, sizeof(detail), "the store has none");
	return bt_fail(error, BT_E_NOT_FOUND, text, detail);
}

static int too_old(struct bt_store *store, const char *text, struct bt_error *error)
{
	char detail[200];
	if (!store->snapshot_count)
		return not_found(store, text, error);
	snprintf(detail, sizeof(detail), "the oldest is %s", bt_store_snapshot_name(store, 0));
	return bt_fail(error, BT_E_NOT_FOUND, text, detail);
}

static int resolve_latest(struct bt_store *store, const char *text, const char **ret_name, struct bt_error *error)
{
	const char *number = text + strlen("latest");
	size_t back = 0, count = store->snapshot_count;
	if (*number == '~') {
		do {
			number++;
			if (*number < '0' || *number > '9' || back > UINT32_MAX)
				return bt_fail(error, BT_E_INVALID, text, "needs a number behind the ~");
			back = back * 10 + (size_t)(*number - '0');
		} while (number[1]);
	}
	if (back >= count)
		return too_old(store, text, error);
	*ret_name = bt_store_snapshot_name(store, count - 1 - back);
	return 0;
}

static int resolve_time(struct bt_store *store, const char *text, int64_t now, const char **ret_name,
			struct bt_error *error)
{
	int64_t seconds;
	if (bt_time_parse(text + 1, now, &seconds) && bt_time_parse(text, now, &seconds))
		return bt_fail(error, BT_E_INVALID, text,
			       "is not a time such as 2026-11-20, 2026-11-20T10:30, yesterday or 2h");
	size_t count = store->snapshot_count, at = count;
	while (at && bt_slot(store, store->snapshots[at - 1])->seconds > seconds)
		at--;
	if (!at)
		return too_old(store, text, error);
	*ret_name = bt_store_snapshot_name(store, at - 1);
	return 0;
}

/* The name is text, or text and .json, each with or without its beginning. */
static bool is_exact(const char *name, const char *text)
{
	size_t length = strlen(text);
	if (strncmp(text, PREFIX, strlen(PREFIX)))
		name += strlen(PREFIX);
	return !strncmp(name, text, length) && (!name[length] || !strcmp(name + length, SUFFIX));
}

static bool is_prefix(const char *name, const char *text)
{
	size_t length = strlen(text);
	return !strncmp(name, text, length) || !strncmp(name + strlen(PREFIX), text, length);
}

static int not_clear(struct bt_store *store, const char *text, size_t count, struct bt_error *error)
{
	char detail[200];
	size_t shown = 0;
	int used = snprintf(detail, sizeof(detail), "begins the names of %zu snapshots: ", count);
	for (size_t i = 0; i < store->snapshot_count && shown < SHOWN && used < (int)sizeof(detail); i++) {
		const char *name = bt_store_snapshot_name(store, i);
		if (is_prefix(name, text))
			used += snprintf(detail + used, sizeof(detail) - (size_t)used, "%s%s", shown++ ? ", " : "",
					 name);
	}
	if (count > shown && used < (int)sizeof(detail))
		snprintf(detail + used, sizeof(detail) - (size_t)used, "…");
	return bt_fail(error, BT_E_INVALID, text, detail);
}

static int resolve_name(struct bt_store *store, const char *text, const char **ret_name, struct bt_error *error)
{
	size_t found = 0, first = 0;
	for (size_t i = store->snapshot_count; i-- > 0 && *text;) {
		const char *name = bt_store_snapshot_name(store, i);
		if (is_exact(name, text)) {
			*ret_name = name;
			return 0;
		}
		if (is_prefix(name, text)) {
			first = i;
			found++;
		}
	}
	if (!found)
		return not_found(store, text, error);
	if (found > 1)
		return not_clear(store, text, found, error);
	*ret_name = bt_store_snapshot_name(store, first);
	return 0;
}

int bt_store_resolve(struct bt_store *store, const char *text, int64_t now, const char **ret_name,
		     struct bt_error *error)
{
	if (!strncmp(text, "latest", 6) && (!text[6] || text[6] == '~'))
		return resolve_latest(store, text, ret_name, error);
	if (text[0] == '@')
		return resolve_time(store, text, now, ret_name, error);
	return resolve_name(store, text, ret_name, error);
}
