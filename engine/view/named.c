/* SPDX-License-Identifier: MIT */
/* A snapshot by its name, as a person writes it. */
#include "base/fail.h"
#include "view/select.h"
#include <stdio.h>
#include <string.h>

#define PREFIX	"snapshot_"
#define SUFFIX	".json"
#define AT_REST ".zst" /* of the file of a snapshot that lies compressed */
#define SHOWN	3      /* names in an error */

/* The snapshots before and after where this text would be in order; for full names that is the order of time. */
static int not_found(const struct bt_roster *roster, const char *text, struct bt_error *error)
{
	char detail[200];
	size_t skip = strncmp(text, PREFIX, strlen(PREFIX)) ? strlen(PREFIX) : 0, at = 0;

	while (at < roster->count && strcmp(roster->names[at] + skip, text) < 0)
		at++;
	const char *before = at ? roster->names[at - 1] : NULL;
	const char *after = at < roster->count ? roster->names[at] : NULL;
	if (before && after)
		snprintf(detail, sizeof(detail), "the nearest are %s and %s", before, after);
	else if (before || after)
		snprintf(detail, sizeof(detail), "the nearest is %s", before ? before : after);
	else
		snprintf(detail, sizeof(detail), "the store has none");
	return bt_fail(error, BT_E_NOT_FOUND, text, detail);
}

int bt_select_too_old(struct bt_store *store, const char *text, const char *oldest, struct bt_error *error)
{
	char detail[200];

	if (!oldest) {
		const struct bt_roster *roster = bt_roster_get(store);
		int r = not_found(roster, text, error);

		bt_roster_put(roster);
		return r;
	}
	snprintf(detail, sizeof(detail), "the oldest is %s", oldest);
	return bt_fail(error, BT_E_NOT_FOUND, text, detail);
}

/* The name is text, or text and .json, each with or without its beginning; or text is the name of its file. */
static bool is_exact(const char *name, const char *text)
{
	size_t length = strlen(text), end = strlen(AT_REST);

	if (strncmp(text, PREFIX, strlen(PREFIX)))
		name += strlen(PREFIX);
	if (length > end && !strcmp(text + length - end, AT_REST))
		return strlen(name) == length - end && !strncmp(name, text, length - end);
	return !strncmp(name, text, length) && (!name[length] || !strcmp(name + length, SUFFIX));
}

static bool is_prefix(const char *name, const char *text)
{
	size_t length = strlen(text);

	return !strncmp(name, text, length) || !strncmp(name + strlen(PREFIX), text, length);
}

static int not_clear(const struct bt_roster *roster, const char *text, size_t count, struct bt_error *error)
{
	char detail[200];
	size_t shown = 0;
	int used = snprintf(detail, sizeof(detail), "begins the names of %zu snapshots: ", count);

	for (size_t i = 0; i < roster->count && shown < SHOWN && used < (int)sizeof(detail); i++) {
		const char *name = roster->names[i];

		if (is_prefix(name, text))
			used += snprintf(detail + used, sizeof(detail) - (size_t)used, "%s%s", shown++ ? ", " : "",
					 name);
	}
	if (count > shown && used < (int)sizeof(detail))
		snprintf(detail + used, sizeof(detail) - (size_t)used, "…");
	return bt_fail(error, BT_E_INVALID, text, detail);
}

static int find_named(const struct bt_roster *roster, const char *text, const char **ret_name, struct bt_error *error)
{
	size_t found = 0, first = 0;

	for (size_t i = roster->count; i-- > 0 && *text;) {
		const char *name = roster->names[i];

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
		return not_found(roster, text, error);
	if (found > 1)
		return not_clear(roster, text, found, error);
	*ret_name = roster->names[first];
	return 0;
}

int bt_select_named(struct bt_store *store, const char *text, const char **ret_name, struct bt_error *error)
{
	const struct bt_roster *roster = bt_roster_get(store);
	int r = find_named(roster, text, ret_name, error);

	bt_roster_put(roster);
	return r;
}
