/* SPDX-License-Identifier: MIT */
/* See at_rest_store.c. */
#ifndef BT_TESTS_AT_REST_STORE_H
#define BT_TESTS_AT_REST_STORE_H

#include <stddef.h>

/* The path of a file of a store, however it lies: with a suffix if only that one is there. Returns path. */
const char *lies_at(char *path, size_t size);

#endif
