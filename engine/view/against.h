/* SPDX-License-Identifier: MIT */
/* Compares a file of a snapshot with one of a file system, byte by byte, for when nothing else tells whether they are
 * equal. Where both have a hole nothing is read, so the cost is bounded by the data of both. */
#ifndef BT_VIEW_AGAINST_H
#define BT_VIEW_AGAINST_H

#include <backuptool/view.h>

struct bt_against {
	struct bt_store *store;
	const struct bt_entry *file;
	int fd; /* of a file of the same size */
	unsigned char *buffer;
	size_t room;				 /* of the buffer */
	bool (*go_on)(void *arg, uint64_t read); /* called for each piece with the number of bytes compared */
	void *arg;
	int sys;      /* errno if fd could not be read, which counts as a difference; else 0 */
	bool stopped; /* go_on returned false */
};

/* BT_E_CANCELLED if go_on returned false; other errors are of reading the snapshot. */
int bt_against_file(struct bt_against *against, bool *ret_equal, struct bt_error *error);

#endif
