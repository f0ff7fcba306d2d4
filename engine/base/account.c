/* SPDX-License-Identifier: MIT */
#include "base/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOKUP_SECONDS = 10 };
/* A group's record has the names of its members. */
enum { ROOM_LEAST = 1024, ROOM_MOST = 4 << 20, TRIES = 16 };

/* What is looked up: a name, or else a number; and what was found. */
struct search {
	enum bt_owner_kind kind;
	const char *by_name; /* NULL: by number */
	uint32_t id;
	const char *name; /* in the room */
	bool found;
};

/* 0 or an errno. */
static int ask_user(struct search *search, char *room, size_t size)
{
	struct passwd record, *found = NULL;
	int sys = search->by_name ? getpwnam_r(search->by_name, &record, room, size, &found)
				  : getpwuid_r(search->id, &record, room, size, &found);

	if (sys || !found)
		return sys;
	search->found = true;
	search->id = found->pw_uid;
	search->name = found->pw_name;
	return 0;
}

static int ask_group(struct search *search, char *room, size_t size)
{
	struct group record, *found = NULL;
	int sys = search->by_name ? getgrnam_r(search->by_name, &record, room, size, &found)
				  : getgrgid_r(search->id, &record, room, size, &found);

	if (sys || !found)
		return sys;
	search->found = true;
	search->id = found->gr_gid;
	search->name = found->gr_name;
	return 0;
}

/* Returns the room, in which the name lies, or NULL. */
static char *look_up(struct search *search)
{
	size_t size = ROOM_LEAST;
	char *room = malloc(size);
	int sys = ERANGE;

	for (int tries = 0; room && tries < TRIES && (sys == ERANGE || sys == EINTR); tries++) {
		if (tries && sys == ERANGE) {
			size *= 2;
			free(room);
			room = size <= ROOM_MOST ? malloc(size) : NULL;
		}
		if (room)
			sys = search->kind == BT_OWNER_USER ? ask_user(search, room, size)
							    : ask_group(search, room, size);
	}
	return room;
}

bool bt_account_name(enum bt_owner_kind kind, uint32_t id, char name[BT_ACCOUNT_SIZE])
{
	struct search search = {.kind = kind, .id = id};
	char *room = look_up(&search);
	size_t length = search.found ? strlen(search.name) : 0;
	bool fits = length > 0 && length < BT_ACCOUNT_SIZE;

	if (fits)
		memcpy(name, search.name, length + 1);
	free(room);
	return fits;
}

bool bt_account_id(enum bt_owner_kind kind, const char *name, uint32_t *ret_id)
{
	struct search search = {.kind = kind, .by_name = name};

	free(look_up(&search));
	if (search.found)
		*ret_id = search.id;
	return search.found;
}

static int64_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

int64_t bt_account_deadline(void)
{
	return seconds_now() + LOOKUP_SECONDS;
}

bool bt_account_in_time(int64_t deadline)
{
	return seconds_now() < deadline;
}
