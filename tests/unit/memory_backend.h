/* SPDX-License-Identifier: MIT */
/*
 * A second back end: a store that lies in memory, in no directory and behind no descriptor, with a plan of what goes
 * wrong. Linked with -Wl,--wrap=bt_backend_open, bt_store_open gives it for paths of memory_path.
 *
 * It remembers what was settled. After a cut, what was not settled may be there or not; a name that moved is never gone
 * from both places unless the place that it left was settled first.
 */
#ifndef BT_TESTS_MEMORY_BACKEND_H
#define BT_TESTS_MEMORY_BACKEND_H

#include "backend/backend.h"

enum memory_op {
	MEMORY_LOOK,
	MEMORY_LIST,
	MEMORY_OPEN,
	MEMORY_READ,
	MEMORY_CREATE,
	MEMORY_WRITE,
	MEMORY_PUBLISH,
	MEMORY_MOVE,
	MEMORY_TWIN,
	MEMORY_REPLACE,
	MEMORY_REMOVE,
	MEMORY_SETTLE,
	MEMORY_LOCK,
	MEMORY_ANY
};
enum memory_fault {
	MEMORY_FAILS,	    /* nothing was done */
	MEMORY_ANSWER_LOST, /* it was done, and fails all the same */
	MEMORY_CUT	    /* it was done or begun; all that follows fails until memory_power_on */
};
struct memory_plan {
	enum memory_op op;
	unsigned nth; /* of these calls, from 1; 0: none */
	enum memory_fault fault;
	int sys;      /* of the call that fails */
	unsigned lag; /* so many of the last changes no list tells of yet */
};

struct memory;
struct memory *memory_new(void);
struct memory *memory_copy(struct memory *memory);
void memory_free(struct memory *memory); /* after the stores that are open */
const char *memory_path(const struct memory *memory);
/* A digit of a file is another one: the one at offset after the last place where text is. The file's stamp. */
struct bt_stamp memory_spoil(struct memory *memory, enum bt_area area, const char *name, const char *text,
			     size_t offset);

void memory_set_plan(struct memory *memory, const struct memory_plan *plan); /* counts from here */
unsigned memory_calls(const struct memory *memory, enum memory_op op);	     /* since then */
bool memory_has(struct memory *memory, const struct bt_stamp *stamp);	     /* a file, under whatever name */

uint64_t memory_changes(const struct memory *memory); /* grows with each change, and with each that is settled */
bool memory_struck(const struct memory *memory);      /* the call of the plan has come */
/* What was not settled: all of it is there (1), none (0), or some, each number others. The plan is over. */
void memory_power_on(struct memory *memory, unsigned which);

#endif
