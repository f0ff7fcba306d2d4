/* SPDX-License-Identifier: MIT */
/* Random bytes that cannot be guessed: for unique names, and for seeds. */
#ifndef BT_BASE_RANDOM_H
#define BT_BASE_RANDOM_H

#include <stddef.h>

/* From the kernel, at most 256 bytes. 0 or -errno; there is no fallback. */
int bt_random(void *data, size_t size);
/* The same as lower-case hex digits: 2*size of them, without NUL; at most 32 bytes. */
int bt_random_hex(char *text, size_t size);

#endif
