/* SPDX-License-Identifier: MIT */
/* See remote_backend.c. */
#ifndef BT_TESTS_REMOTE_BACKEND_H
#define BT_TESTS_REMOTE_BACKEND_H

#include <stdbool.h>

struct bt_backend;

bool is_remote(void); /* stores are reached without descriptors */
/* The back end of the directory at path is taken over. */
int remote_open(const char *path, struct bt_backend *far, struct bt_backend **ret_backend);

/* What is about descriptors, or about a store in a directory of this machine. */
#define SKIP_IF_REMOTE()                                                                                               \
	do {                                                                                                           \
		if (is_remote())                                                                                       \
			skip();                                                                                        \
	} while (0)

#endif
