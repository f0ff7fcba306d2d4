/* SPDX-License-Identifier: MIT */
/* How things stand with each host and directory of a store, which the sources of the status command share. */
#ifndef TOOLS_STATUS_H
#define TOOLS_STATUS_H

#include "tool.h"
#include <internal/state.h>

struct status_row {
	char *host, *target; /* allocated, as all texts here */
	uint64_t snapshots;
	/* Of the newest one whose time is not in the future, or else of the newest one; "" if there is none. */
	const char *name; /* the store's, or NULL */
	struct bt_time time;
	bool future, partial;
	int64_t age;		  /* seconds */
	struct bt_time unchanged; /* the last time that nothing was found to have changed since it; 0: never */
	uint64_t files, size, unread, torn;
	bool compared; /* with the one before it */
	int64_t growth;
	struct bt_state *run, *prune; /* the last ones, or NULL */
	char *running;		      /* the process of a job whose run goes on, or NULL */
	bool waiting;		      /* there is a job that waits for its next run */
};

struct status {
	const struct bt_filter *filter; /* of the snapshots that are meant; NULL: all */
	struct bt_time now;
	struct status_row *rows; /* sorted by host and directory */
	size_t count, room;
	uint64_t snapshots, damaged, denied, newer;
	struct bt_state *check, *prune; /* the last ones of the whole store, or NULL */
	struct bt_room bytes;
	struct tool_texts problems; /* sentences, allocated */
};

/* Says what cannot be read. */
void status_gather(const struct tool *tool, struct bt_store *store, struct status *ret_status);
void status_free(struct status *status);

/* Whether something of the newest snapshot is missing. Files that changed while they were read are there. */
bool status_is_incomplete(const struct status_row *row);
/* "HOST:TARGET", for people; allocated */
char *status_whose(const struct status_row *row);
/* "3 h", "12 days"; allocated */
char *status_age(int64_t seconds);

/* Adds a problem for what is older than that (seconds; 0: not asked), incomplete, or not known. */
void status_judge_snapshots(struct status *status, int64_t max_age);
void status_judge_check(struct status *status, int64_t max_age);

void status_print(const struct status *status);
void status_print_json(const struct tool *tool, const struct bt_store *store, const struct status *status);
void status_print_metrics(const struct status *status);

#endif
