/* SPDX-License-Identifier: MIT */
/* "2026-11-22T10:30:00.123456789Z": UTC, years 0000 to 9999, always nine digits of fraction. */
#ifndef BT_MODEL_TIMESTAMP_H
#define BT_MODEL_TIMESTAMP_H

#include <backuptool/types.h>
#include <stdbool.h>

#define BT_TIMESTAMP_LENGTH 30

/* False if the year is out of range. The text is NUL-terminated. */
bool bt_timestamp_format(const struct bt_time *time, char text[BT_TIMESTAMP_LENGTH + 1]);
bool bt_timestamp_parse(const char *text, size_t length, struct bt_time *ret_time);

#endif
