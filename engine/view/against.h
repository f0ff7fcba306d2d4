/* SPDX-License-Identifier: MIT */
/* Comparing a file of a snapshot with one in a file system, byte by byte: where nothing else says whether they are
 * equal. What it costs is bounded by the data of both: holes in both places are passed over. */
#ifndef BT_VIEW_AGAINST_H
#define BT_VIEW_AGAINST_H

#include <backuptool/view.h>

struct bt_against {
	struct bt_store *store;
	const struct bt_entry *file;
	int fd; /* of as many bytes */
	unsigned char *buffer;
	size_t room;				 /* of the buffer */
	bool (*go_on)(void *arg, uint64_t read); /* asked for each piece, with the bytes that were compared */
	void *arg;
	int sys;      /* set: the errno with which fd could not be read, which counts as a difference */
	bool stopped; /* it was not to go on */
};

/* 0; BT_E_CANCELLED; or why the snapshot's bytes could not be had. */
int bt_against_file(struct bt_against *against, bool *ret_equal, struct bt_error *error);

#endif
