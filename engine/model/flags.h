/* SPDX-License-Identifier: MIT */
/* The text of inode flags (FORMAT.md §4); bt_flags_text writes it. */
#ifndef BT_MODEL_FLAGS_H
#define BT_MODEL_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: no letter at all, an unknown letter, or letters out of order. */
bool bt_flags_parse(const char *text, size_t length, uint32_t *ret_flags);

#endif
