/* SPDX-License-Identifier: MIT */
#include "record.h"
#include "hooks.h"
#include "output.h"
#include <internal/state.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As many whole characters as there is room for. */
static void fill(char *to, size_t size, const char *from)
{
	size_t length = from ? strnlen(from, size) : 0;

	if (length == size)
		for (length--; length > 0 && ((unsigned char)from[length] & 0xc0) == 0x80; length--)
			;
	if (length)
		memcpy(to, from, length);
	to[length] = '\0';
}

/* A directory whose name is cut would be another one. */
static struct bt_state *state_new(const struct tool *tool, enum bt_state_task task, const char *host,
				  const char *target, int exit)
{
	struct bt_state *state = tool_alloc(sizeof(*state));
	struct timespec now;

	if (strlen(host) >= sizeof(state->host) || strlen(target) >= sizeof(state->target)) {
		free(state);
		return NULL;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	state->task = task;
	fill(state->host, sizeof(state->host), host);
	fill(state->target, sizeof(state->target), target);
	state->time = (struct bt_time){now.tv_sec, (uint32_t)now.tv_nsec};
	state->exit = (uint64_t)exit;
	fill(state->error, sizeof(state->error), tool_outcome_error(tool->outcome, exit));
	return state;
}

/* The store, opened if there is none; NULL: it cannot be. ret_opened is to be closed. */
static struct bt_store *store_of(const struct tool *tool, struct bt_store *store, struct bt_store **ret_opened)
{
	const struct bt_store_options options = {.size = sizeof(options), .id = tool_store_wanted(tool)};
	struct bt_error unused = {0};

	*ret_opened = NULL;
	if (!store && bt_store_open(tool->store, &options, ret_opened, &unused))
		*ret_opened = NULL;
	return store ? store : *ret_opened;
}

static void put(struct bt_store *store, const struct bt_state *state)
{
	struct bt_error unused = {0};

	if (store && state)
		bt_state_put(store, state, &unused);
}

uint64_t tool_recorded_failures(struct bt_store *store, const char *host, const char *target)
{
	tool_auto struct bt_state *state = tool_alloc(sizeof(*state));

	return store && bt_state_get(store, BT_STATE_RUN, host, target, state) ? state->failures : 0;
}

bool tool_recorded_run(const struct tool *tool, const char *host, const char *target)
{
	tool_auto struct bt_state *state = tool_alloc(sizeof(*state));
	struct bt_store *store, *opened;

	store = store_of(tool, NULL, &opened);
	bool known = store && bt_state_get(store, BT_STATE_RUN, host, target, state);
	bt_store_close(opened);
	return known;
}

uint64_t tool_record_run(const struct tool *tool, struct bt_store *store, const char *host, const char *target,
			 int exit, int64_t next)
{
	tool_auto struct bt_state *state = state_new(tool, BT_STATE_RUN, host, target, exit);
	struct bt_store *opened, *there = store_of(tool, store, &opened);
	uint64_t failures = exit == TOOL_OK ? 0 : tool_recorded_failures(there, host, target) + 1;

	if (state) {
		fill(state->snapshot, sizeof(state->snapshot),
		     tool->outcome->same ? tool->outcome->same : tool->outcome->snapshot);
		state->count = !!tool->outcome->snapshot;
		state->failures = failures;
		state->next.seconds = next;
	}
	put(there, state);
	bt_store_close(opened);
	return failures;
}

void tool_record_prune(const struct tool *tool, struct bt_store *store, const char *host, const char *target, int exit,
		       uint64_t removed)
{
	tool_auto struct bt_state *state = state_new(tool, BT_STATE_PRUNE, host, target, exit);

	if (state)
		state->count = removed;
	put(store, state);
}

void tool_record_check(const struct tool *tool, struct bt_store *store, int exit, uint64_t findings, const char *part)
{
	tool_auto struct bt_state *state = state_new(tool, BT_STATE_CHECK, "", "", exit);

	state->count = findings;
	fill(state->part, sizeof(state->part), part);
	put(store, state);
}
