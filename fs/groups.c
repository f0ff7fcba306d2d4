/* SPDX-License-Identifier: MIT */
#include "groups.h"
#include "hash.h"
#include "table.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CUT 240 /* bytes of a name: room for the number of one that is taken */

struct group {
	char *text;	/* the host or the target itself */
	char *name;	/* what it is called here */
	uint32_t above; /* GROUPS_NONE: a host */
	long snapshots;
};

/* What a text or a name below a parent is found by. */
struct key {
	uint32_t above;
	const char *text;
};

struct record {
	uint64_t hash;
	uint32_t number, unused;
};

struct groups {
	pthread_mutex_t lock;
	struct table texts, names;
	struct group **list; /* groups never move */
	uint32_t count, room;
};

static uint64_t hash_of(uint32_t above, const char *text)
{
	return hash_bytes(hash_add(table_seed(), above), text, strlen(text));
}

struct groups *groups_new(void)
{
	struct groups *groups = calloc(1, sizeof(*groups));

	if (!groups)
		return NULL;
	pthread_mutex_init(&groups->lock, NULL);
	groups->texts = groups->names =
		(struct table){.record_size = sizeof(struct record), .key_size = sizeof(uint64_t)};
	return groups;
}

static void free_group(struct group *group)
{
	if (!group)
		return;
	free(group->text);
	free(group->name);
	free(group);
}

void groups_free(struct groups *groups)
{
	if (!groups)
		return;
	for (uint32_t i = 0; i < groups->count; i++)
		free_group(groups->list[i]);
	free(groups->list);
	table_free(&groups->texts);
	table_free(&groups->names);
	pthread_mutex_destroy(&groups->lock);
	free(groups);
}

/* The number that a table has for a text, or GROUPS_NONE. A hash of 64 bits that nobody can foresee tells texts apart;
 * that it is the right one is compared all the same. */
static uint32_t find(const struct groups *groups, const struct table *table, uint32_t above, const char *text)
{
	uint64_t hash = hash_of(above, text);
	uint32_t at;

	if (!table_find(table, &hash, &at))
		return GROUPS_NONE;
	uint32_t number = ((const struct record *)table_at(table, at))->number;
	const struct group *group = groups->list[number];
	const char *own = table == &groups->texts ? group->text : group->name;
	return group->above == above && strcmp(own, text) == 0 ? number : GROUPS_NONE;
}

/* "home-me" of "/home/me". Of a long one the end tells more. */
static char *make_name(const char *text)
{
	while (*text == '/' && text[1])
		text++;
	size_t length = strlen(text);
	if (length > NAME_CUT)
		text += length - NAME_CUT;
	char *name = strdup(*text ? text : "-");
	for (char *c = name; c && *c; c++)
		if (*c == '/')
			*c = '-';
	if (name && (strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
		name[0] = '-';
	return name;
}

/* Two texts may come to one name: the one that came later has a number. */
static char *free_name(const struct groups *groups, uint32_t above, const char *text)
{
	char *plain = make_name(text), *name = plain ? strdup(plain) : NULL;

	for (unsigned n = 2;
	     name && (find(groups, &groups->names, above, name) != GROUPS_NONE || strcmp(name, "versions") == 0); n++) {
		free(name);
		if (asprintf(&name, "%s~%u", plain, n) < 0)
			name = NULL;
	}
	free(plain);
	return name;
}

static int note(struct table *table, uint32_t above, const char *text, uint32_t number)
{
	const struct record record = {.hash = hash_of(above, text), .number = number};
	uint32_t at;

	return table_add(table, &record, &at);
}

static int make_room(struct groups *groups)
{
	uint32_t room = groups->room ? 2 * groups->room : 16;
	struct group **list =
		groups->count < groups->room ? groups->list : realloc(groups->list, room * sizeof(struct group *));

	if (!list)
		return ENOMEM;
	groups->room = groups->count < groups->room ? groups->room : room;
	groups->list = list;
	return 0;
}

static int add(struct groups *groups, uint32_t above, const char *text, uint32_t *ret_number)
{
	struct group *group = make_room(groups) ? NULL : calloc(1, sizeof(*group));
	uint32_t number = groups->count;

	if (!group)
		return ENOMEM;
	*group = (struct group){.text = strdup(text), .name = free_name(groups, above, text), .above = above};
	if (!group->text || !group->name || note(&groups->texts, above, text, number) != 0 ||
	    note(&groups->names, above, group->name, number) != 0) {
		free_group(group);
		return ENOMEM;
	}
	groups->list[groups->count++] = group;
	*ret_number = number;
	return 0;
}

static int find_or_add(struct groups *groups, uint32_t above, const char *text, uint32_t *ret_number)
{
	*ret_number = find(groups, &groups->texts, above, text);
	return *ret_number != GROUPS_NONE ? 0 : add(groups, above, text, ret_number);
}

int groups_number(struct groups *groups, const char *host, const char *target, uint32_t *ret_number)
{
	uint32_t above;

	pthread_mutex_lock(&groups->lock);
	int r = find_or_add(groups, GROUPS_NONE, host, &above);
	if (!r)
		r = find_or_add(groups, above, target, ret_number);
	pthread_mutex_unlock(&groups->lock);
	return r;
}

void groups_count_snapshot(struct groups *groups, uint32_t number, long change)
{
	pthread_mutex_lock(&groups->lock);
	groups->list[number]->snapshots += change;
	groups->list[groups->list[number]->above]->snapshots += change;
	pthread_mutex_unlock(&groups->lock);
}

uint32_t groups_next(struct groups *groups, uint32_t above, uint32_t number)
{
	pthread_mutex_lock(&groups->lock);
	while (number < groups->count && (groups->list[number]->above != above || groups->list[number]->snapshots <= 0))
		number++;
	if (number >= groups->count)
		number = GROUPS_NONE;
	pthread_mutex_unlock(&groups->lock);
	return number;
}

uint32_t groups_find(struct groups *groups, uint32_t above, const char *name)
{
	pthread_mutex_lock(&groups->lock);
	uint32_t number = find(groups, &groups->names, above, name);
	if (number != GROUPS_NONE && groups->list[number]->snapshots <= 0)
		number = GROUPS_NONE;
	pthread_mutex_unlock(&groups->lock);
	return number;
}

static struct group *at(struct groups *groups, uint32_t number)
{
	pthread_mutex_lock(&groups->lock);
	struct group *group = groups->list[number];
	pthread_mutex_unlock(&groups->lock);
	return group;
}

const char *groups_name(struct groups *groups, uint32_t number)
{
	return at(groups, number)->name;
}

uint32_t groups_above(struct groups *groups, uint32_t number)
{
	return at(groups, number)->above;
}

bool groups_is_host(struct groups *groups, uint32_t number)
{
	return at(groups, number)->above == GROUPS_NONE;
}

uint32_t groups_count(struct groups *groups)
{
	pthread_mutex_lock(&groups->lock);
	uint32_t count = groups->count;
	pthread_mutex_unlock(&groups->lock);
	return count;
}
