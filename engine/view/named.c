/* SPDX-License-Identifier: MIT */
/* A snapshot by its name, as a person writes it. */
#include "base/fail.h"
#include "view/select.h"
#include <backuptool/view.h>
#include <stdio.h>
#include <string.h>

#define PREFIX	"snapshot_"
#define SUFFIX	".json"
#define AT_REST ".zst" /* of the file of a snapshot that lies compressed */
#define SHOWN	3      /* names in an error */

/* A text, and the snapshots among which one is looked for. */
struct naming {
	struct bt_store *store;
	const struct bt_roster *roster;
	const char *text;
	const struct bt_filter *filter;
};

/* What cannot be read may be meant. */
static bool is_selected(const struct naming *naming, size_t index)
{
	struct bt_snapshot *snapshot = NULL;
	struct bt_error unused = {0};

	if (!naming->filter || bt_snapshot_open(naming->store, naming->roster->names[index], &snapshot, &unused))
		return true;
	bool selected = bt_filter_selects(naming->filter, bt_snapshot_info(snapshot));
	bt_snapshot_close(snapshot);
	return selected;
}

/* The snapshots before and after where this text would be in order; for full names that is the order of time. */
static int not_found(const struct naming *naming, struct bt_error *error)
{
	const struct bt_roster *roster = naming->roster;
	const char *text = naming->text, *before = NULL, *after = NULL;
	char detail[200];
	size_t skip = strncmp(text, PREFIX, strlen(PREFIX)) ? strlen(PREFIX) : 0, at = 0;

	while (at < roster->count && strcmp(roster->names[at] + skip, text) < 0)
		at++;
	for (size_t i = at; i-- > 0 && !before;)
		before = is_selected(naming, i) ? roster->names[i] : NULL;
	for (size_t i = at; i < roster->count && !after; i++)
		after = is_selected(naming, i) ? roster->names[i] : NULL;
	if (before && !after && skip && *text > '9') /* not even like a name */
		snprintf(detail, sizeof(detail), "the newest is %s", before);
	else if (before && after)
		snprintf(detail, sizeof(detail), "the nearest are %s and %s", before, after);
	else if (before || after)
		snprintf(detail, sizeof(detail), "the nearest is %s", before ? before : after);
	else
		snprintf(detail, sizeof(detail), "the store has none");
	return bt_fail(error, BT_E_NOT_FOUND, text, detail);
}

int bt_select_too_old(struct bt_store *store, const char *text, const struct bt_filter *filter, const char *oldest,
		      struct bt_error *error)
{
	char detail[200];

	if (!oldest) {
		const struct naming naming = {store, bt_roster_get(store), text, filter};
		int r = not_found(&naming, error);

		bt_roster_put(naming.roster);
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

static bool may_mean(const struct naming *naming, size_t index)
{
	return is_prefix(naming->roster->names[index], naming->text) && is_selected(naming, index);
}

static int left_out(const struct naming *naming, size_t index, struct bt_error *error)
{
	char detail[200];

	snprintf(detail, sizeof(detail), "%s is left out", naming->roster->names[index]);
	return bt_fail(error, BT_E_NOT_FOUND, naming->text, detail);
}

static int not_clear(const struct naming *naming, size_t count, struct bt_error *error)
{
	char detail[200];
	size_t shown = 0;
	int used = snprintf(detail, sizeof(detail), "begins the names of %zu snapshots: ", count);

	for (size_t i = 0; i < naming->roster->count && shown < SHOWN && used < (int)sizeof(detail); i++)
		if (may_mean(naming, i))
			used += snprintf(detail + used, sizeof(detail) - (size_t)used, "%s%s", shown++ ? ", " : "",
					 naming->roster->names[i]);
	if (count > shown && used < (int)sizeof(detail))
		snprintf(detail + used, sizeof(detail) - (size_t)used, "…");
	return bt_fail(error, BT_E_INVALID, naming->text, detail);
}

static int find_named(const struct naming *naming, const char **ret_name, struct bt_error *error)
{
	const struct bt_roster *roster = naming->roster;
	size_t found = 0, first = 0, passed = roster->count;

	for (size_t i = roster->count; i-- > 0 && *naming->text;) {
		const char *name = roster->names[i];
		bool exact = is_exact(name, naming->text);

		if (!exact && !is_prefix(name, naming->text))
			continue;
		if (!is_selected(naming, i)) {
			passed = i;
			if (exact)
				return left_out(naming, i, error);
			continue;
		}
		if (exact) {
			*ret_name = name;
			return 0;
		}
		first = i;
		found++;
	}
	if (!found && passed < roster->count)
		return left_out(naming, passed, error);
	if (!found)
		return not_found(naming, error);
	if (found > 1)
		return not_clear(naming, found, error);
	*ret_name = roster->names[first];
	return 0;
}

int bt_select_named(struct bt_store *store, const char *text, const struct bt_filter *filter, const char **ret_name,
		    struct bt_error *error)
{
	const struct naming naming = {store, bt_roster_get(store), text, filter};
	int r = find_named(&naming, ret_name, error);

	bt_roster_put(naming.roster);
	return r;
}
