/* SPDX-License-Identifier: MIT */
/* Pieces of a text that people write. */
#ifndef BT_POLICY_DIGITS_H
#define BT_POLICY_DIGITS_H

#include <stdbool.h>
#include <stdint.h>

/* Each moves *at on if the text goes on like that. */
bool bt_skip(const char **at, const char *literal);
bool bt_digits(const char **at, int count, int *ret_value); /* exactly that number of them */
bool bt_number(const char **at, int64_t *ret_value);	    /* of one digit or more */

#endif
