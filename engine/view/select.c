/* SPDX-License-Identifier: MIT */
/* The newest snapshot of what a command is about. */
#include "view/select.h"
#include "base/fail.h"
#include "base/sized.h"
#include "base/vec.h"
#include "policy/scope.h"
#include <backuptool/view.h>
#include <internal/policy.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATEST "latest"

void bt_newest_begin(struct bt_newest *newest, struct bt_store *store, int64_t now)
{
	*newest = (struct bt_newest){.roster = bt_roster_get(store), .now = now};
	newest->at = newest->roster->count;
}

void bt_newest_end(struct bt_newest *newest)
{
	bt_roster_put(newest->roster);
}

const char *bt_newest_next(struct bt_newest *newest)
{
	for (;;) {
		if (!newest->at && newest->future)
			return NULL;
		if (!newest->at) {
			newest->future = true;
			newest->at = newest->roster->count;
			continue;
		}
		const char *name = newest->roster->names[--newest->at];
		unsigned clash;
		if (!bt_snapshot_name_parse(name, &newest->seconds, &clash) &&
		    bt_is_future(newest->seconds, newest->now) == newest->future)
			return name;
	}
}

bool bt_name_is_classic(const char *name)
{
	const char *z = strrchr(name, 'Z');

	return !z || (strcmp(z, "Z.json") != 0 && z[1] != '-');
}

/* A snapshot that was read. Version 1 files have no host and are one group; they are opened only for their target. */
struct member {
	const char *name;
	struct bt_snapshot *snapshot; /* or NULL */
	bool classic, future, partial;
	int64_t seconds;
};

static const char *host_of(const struct member *member)
{
	return member->classic ? "" : bt_snapshot_info(member->snapshot)->host;
}

static const char *target_of(const struct member *member)
{
	return member->snapshot ? bt_snapshot_info(member->snapshot)->target : "";
}

static bool same_group(const struct member *a, const struct member *b)
{
	if (a->classic || b->classic)
		return a->classic && b->classic;
	return strcmp(host_of(a), host_of(b)) == 0 && strcmp(target_of(a), target_of(b)) == 0;
}

struct search {
	struct bt_store *store;
	const struct bt_scope *scope;
	struct bt_newest newest;
	size_t unread;
	struct bt_error unread_error;
};

static void begin(struct search *search, struct bt_store *store, const struct bt_scope *scope)
{
	*search = (struct search){.store = store, .scope = scope};
	bt_newest_begin(&search->newest, store, scope->now);
}

/* The next one that can be read; its name is NULL after the last one. Snapshots that were removed meanwhile are passed
 * over. */
static int next(struct search *search, struct member *ret_member, struct bt_error *error)
{
	const struct bt_scope *scope = search->scope;
	const char *name;

	for (name = bt_newest_next(&search->newest); name; name = bt_newest_next(&search->newest)) {
		struct bt_error damage = {0};

		*ret_member = (struct member){.name = name,
					      .classic = bt_name_is_classic(name),
					      .future = search->newest.future,
					      .seconds = search->newest.seconds};
		if (scope->wanted && !scope->wanted(scope->arg, name))
			continue;
		if (ret_member->classic && !scope->path_count && !scope->filter)
			return 0;
		int r = bt_snapshot_open(search->store, name, &ret_member->snapshot, &damage);
		if (!r && bt_filter_selects(scope->filter, bt_snapshot_info(ret_member->snapshot))) {
			ret_member->partial = bt_snapshot_info(ret_member->snapshot)->partial;
			return 0;
		}
		bt_snapshot_close(ret_member->snapshot);
		if (!r)
			continue;
		if (r == BT_E_NOMEM || r == BT_E_CANCELLED)
			return bt_fail(error, r, name, NULL);
		if (r != BT_E_NOT_FOUND && !search->unread++)
			search->unread_error = damage;
	}
	*ret_member = (struct member){0};
	return 0;
}

/* The newest of the nearest group. */
static int choose_group(struct search *search, struct member *ret_best, struct bt_choice *choice,
			struct bt_error *error)
{
	enum bt_rank best = BT_RANK_ANY + 1, possible = bt_scope_best(search->scope);
	struct member member;
	bool several = false;

	*ret_best = (struct member){0};
	while (best > possible) {
		int r = next(search, &member, error);

		if (r)
			return r;
		if (!member.name)
			break;
		enum bt_rank rank = bt_scope_rank(search->scope, host_of(&member), target_of(&member));
		several |= ret_best->name && !same_group(ret_best, &member);
		if (rank < best) {
			bt_snapshot_close(ret_best->snapshot);
			*ret_best = member;
			best = rank;
			choice->unread = search->unread;
			choice->unread_error = search->unread_error;
		} else {
			bt_snapshot_close(member.snapshot);
		}
	}
	choice->unsure = several && (best == BT_RANK_ELSEWHERE || best == BT_RANK_ANY);
	return 0;
}

/* Which one of a group is meant: a number of steps before the newest, or the newest that is not later. */
struct wish {
	size_t back;
	int64_t until;
	bool partial; /* among these, else among the complete ones */
};

/* Those of a group that count. */
struct counted {
	const char *oldest; /* of all */
	bool any;	    /* at or before the time that is meant */
};

static void note_later(struct bt_choice *choice, const struct member *member)
{
	choice->later++;
	if (!choice->latest)
		choice->latest = member->name;
}

/* Goes through the group of like. Snapshots in the future do not count if there are others. */
static int choose_member(struct search *search, const struct member *like, struct wish wish, struct bt_choice *choice,
			 struct counted *counted, struct bt_error *error)
{
	struct member member;

	for (;;) {
		int r = next(search, &member, error);

		if (r || !member.name)
			return r;
		bool counts = same_group(like, &member) && member.partial == wish.partial;
		bt_snapshot_close(member.snapshot);
		if (counts && member.future && !like->future) {
			note_later(choice, &member);
			continue;
		}
		if (!counts || member.future != like->future)
			continue;
		counted->oldest = member.name;
		counted->any |= member.seconds <= wish.until;
		if (!choice->name && member.seconds <= wish.until && !wish.back--)
			choice->name = member.name;
		if (choice->name) /* the rest does not matter, except those in the future */
			search->newest.at = 0;
	}
}

static int select_relative(struct bt_store *store, const char *text, struct wish wish, const struct bt_scope *scope,
			   struct bt_choice *choice, struct bt_error *error)
{
	struct counted counted = {0};
	struct search search;
	struct member like;

	begin(&search, store, scope);
	int r = choose_group(&search, &like, choice, error);
	bt_newest_end(&search.newest);
	if (!r && !like.name && search.unread)
		return bt_error_pass(error, &search.unread_error, search.unread_error.code);
	for (int partial = 0; partial <= 1 && !r && like.name && !counted.any; partial++) {
		wish.partial = choice->partial = partial;
		begin(&search, store, scope);
		r = choose_member(&search, &like, wish, choice, &counted, error);
		bt_newest_end(&search.newest);
		choice->future = like.future;
	}
	bt_snapshot_close(like.snapshot);
	return r || choice->name ? r : bt_select_too_old(store, text, scope->filter, counted.oldest, error);
}

static bool is_latest(const char *text)
{
	size_t length = strlen(LATEST);

	return !strncmp(text, LATEST, length) && (!text[length] || text[length] == '~');
}

static int read_back(const char *text, size_t *ret_back, struct bt_error *error)
{
	const char *number = text + strlen(LATEST);
	uint64_t back = 0; /* also where size_t has 32 bits */

	if (*number == '~') {
		do {
			number++;
			if (*number < '0' || *number > '9' || back > UINT32_MAX)
				return bt_fail(error, BT_E_INVALID, text, "needs a number after the ~");
			back = back * 10 + (uint64_t)(*number - '0');
		} while (number[1]);
	}
	*ret_back = (size_t)(back < SIZE_MAX ? back : SIZE_MAX);
	return 0;
}

static int no_time(const char *text, struct bt_error *error)
{
	char detail[sizeof(error->detail)];

	snprintf(detail, sizeof(detail), "is not %s", bt_time_expected(text));
	return bt_fail(error, BT_E_INVALID, text, detail);
}

bool bt_select_is_relative(const char *text, int64_t now)
{
	struct wish wish;

	return is_latest(text) ? !read_back(text, &wish.back, NULL)
			       : *text == '@' && !bt_time_parse(text, now, &wish.until);
}

static bool is_partial(struct bt_store *store, const char *name)
{
	struct bt_snapshot *snapshot = NULL;
	struct bt_error unused = {0};
	bool partial = !bt_snapshot_open(store, name, &snapshot, &unused) && bt_snapshot_info(snapshot)->partial;

	bt_snapshot_close(snapshot);
	return partial;
}

static int select_named(struct bt_store *store, const char *text, const struct bt_scope *scope,
			struct bt_choice *choice, struct bt_error *error)
{
	int64_t seconds;
	unsigned clash;
	int r = bt_select_named(store, text, scope->filter, &choice->name, error);

	if (r)
		return r;
	choice->future = !bt_snapshot_name_parse(choice->name, &seconds, &clash) && bt_is_future(seconds, scope->now);
	choice->partial = !bt_name_is_classic(choice->name) && is_partial(store, choice->name);
	return 0;
}

int bt_select(struct bt_store *store, const char *text, const struct bt_scope *scope, struct bt_choice *ret_choice,
	      struct bt_error *error)
{
	struct wish wish = {.until = INT64_MAX};
	struct bt_choice choice = {0};
	struct bt_scope known;
	int r = 0;

	if (bt_sized_take(&known, sizeof(known), scope, error) || bt_sized_check(ret_choice, error))
		return BT_E_INVALID;
	if (is_latest(text))
		r = read_back(text, &wish.back, error);
	else if (*text == '@' && bt_time_parse(text, known.now, &wish.until))
		r = no_time(text, error);
	if (!r)
		r = is_latest(text) || *text == '@' ? select_relative(store, text, wish, &known, &choice, error)
						    : select_named(store, text, &known, &choice, error);
	if (!r)
		bt_sized_give(ret_choice, &choice, sizeof(choice));
	return r;
}

/* The groups in the order in which they are met, and where each is: a store can have one for each snapshot. */
struct groups {
	struct bt_group *list;
	size_t count, room;
	void *places; /* struct place, for tsearch */
};

struct place {
	const char *host, *target; /* the group's */
	size_t at;
};

static int by_group(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = strcmp(x->host, y->host);

	return order ? order : strcmp(x->target, y->target);
}

static int new_group(struct groups *groups, const struct place *wanted)
{
	if (bt_vec_room(groups->list, groups->count, groups->room))
		return BT_E_NOMEM;
	struct bt_group *group = &groups->list[groups->count];
	*group = (struct bt_group){strdup(wanted->host), strdup(wanted->target), 1};
	groups->count++;
	struct place *place = malloc(sizeof(*place));
	if (!group->host || !group->target || !place) {
		free(place);
		return BT_E_NOMEM;
	}
	*place = (struct place){group->host, group->target, groups->count - 1};
	if (tsearch(place, &groups->places, by_group))
		return 0;
	free(place);
	return BT_E_NOMEM;
}

static int add_group(struct groups *groups, const struct member *member)
{
	const struct place wanted = {host_of(member), member->classic ? "" : target_of(member), 0};
	struct place **found = tfind(&wanted, &groups->places, by_group);

	if (!found)
		return new_group(groups, &wanted);
	groups->list[(*found)->at].snapshots++;
	return 0;
}

int bt_groups_list(struct bt_store *store, const struct bt_filter *filter, struct bt_group **ret_groups,
		   size_t *ret_count, struct bt_error *error)
{
	const struct bt_scope all = {.now = INT64_MAX, .filter = filter};
	struct groups groups = {0};
	struct search search;
	struct member member;

	begin(&search, store, &all);
	int r = next(&search, &member, error);
	while (!r && member.name) {
		r = add_group(&groups, &member);
		bt_snapshot_close(member.snapshot);
		if (!r)
			r = next(&search, &member, error);
	}
	bt_newest_end(&search.newest);
	tdestroy(groups.places, free);
	if (r) {
		bt_groups_free(groups.list, groups.count);
		return bt_fail(error, r, NULL, NULL);
	}
	*ret_groups = groups.list;
	*ret_count = groups.count;
	return 0;
}

void bt_groups_free(struct bt_group *groups, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(groups[i].host);
		free(groups[i].target);
	}
	free(groups);
}
