/* SPDX-License-Identifier: MIT */
/* What the sources of the schedule command share: units of systemd that run a job. */
#ifndef TOOLS_SCHEDULE_H
#define TOOLS_SCHEDULE_H

#include "job.h"
#include "taking.h"
#include <stdio.h>

struct schedule_options {
	struct job_options job;
	const char *config;
	const char *remove; /* the name of a unit */
	bool print, timer, system, inhibit_sleep, list, now;
};

/* The options that are about the units; a job knows none of them. */
extern const struct tool_option schedule_own[];

/* What the service needs to know of this place; all texts are allocated. */
struct schedule_place {
	char *program, *store, *target;
	char *of;     /* the directory that its snapshots are said to be of */
	char *config; /* in place of store and target, or NULL */
	char *mount;  /* where the store's disk is mounted, if it can be pulled out; NULL: it cannot */
	struct tool_store_facts facts;
	bool yes; /* what the job would ask is answered: nobody is there then */
};

/* The texts of a service and, or NULL, of the timer that starts it; allocated. Says what is wrong and gives an exit
 * code, or TOOL_OK. */
struct schedule_units {
	char *name; /* without ".service" */
	char *service, *timer;
	char *login; /* of a service that starts the first of them at the login, if its disk is there; NULL: no need */
};
int schedule_units_make(const struct tool *tool, const struct schedule_options *options,
			const struct schedule_place *place, struct schedule_units *ret_units);
void schedule_units_free(struct schedule_units *units);
/* Before anything is made of it: whether a timer can have that interval, and options that go only with one. */
int schedule_units_check(const struct tool *tool, const struct schedule_options *options);

/* Where units lie, for the whole machine or for the user; NULL if nothing says so. Allocated. */
char *schedule_directory(bool system);
/* "NAME.service" there; allocated. */
char *schedule_path(const char *directory, const char *name, const char *kind);
/* Whole or not at all. -1 with errno. */
int schedule_write(const char *directory, const char *path, const char *text);
/* The text of a unit, if this program wrote it; else NULL. Allocated. */
char *schedule_read(const char *path);
/* Stops a unit of this program and takes it away, with the links by which it is enabled. False: there is none. */
bool schedule_retire(bool system, const char *directory, const char *name, const char *kind);
/* When it runs, for people, as the mark at the beginning of a service says; allocated, or NULL. */
char *schedule_when(const char *service);

/* Has systemd read the units and start UNIT, now and from then on; one that runs already starts again. False: it
 * failed. */
bool schedule_start(bool system, const char *unit);

/* The kind of the unit that looks for the disk at the login: it belongs to NAME as a timer does. */
#define SCHEDULE_LOGIN "login.service"

/* What follows the mark. */
#define SCHEDULE_MARK "# Written by backuptool schedule"

int schedule_list(const struct tool *tool);
int schedule_remove(const struct tool *tool, const char *name);

#endif
