/* SPDX-License-Identifier: MIT */
/* Texts of broken lines, each with the reason and the place for which it must be refused. */
#ifndef BT_TESTS_HOSTILE_LINES_H
#define BT_TESTS_HOSTILE_LINES_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include "json/write.h"
#include <backuptool/error.h>

/*
 * In the texts below ~ marks the place of the failure (and is taken out), $ stands for a digest's 64 digits, and % for
 * the beginning of an entry: "mode":"0644","uid":0,"gid":0
 */
#define MIDDLE "\"mode\":\"0644\",\"uid\":0,\"gid\":0"
#define SIXTY4 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct hostile {
	const char *text;
	enum bt_reason reason;
};

static inline void put(struct bt_buf *line, const char *text)
{
	assert_int_equal(bt_json_text(line, text), 0);
}

/* Appends the text, spelled out; returns the marked place or -1. */
static inline long expand(struct bt_buf *line, const char *text)
{
	long place = -1;

	for (; *text; text++)
		if (*text == '~')
			place = (long)line->length;
		else if (*text == '$')
			put(line, SIXTY4);
		else if (*text == '%')
			put(line, MIDDLE);
		else
			assert_int_equal(bt_buf_append(line, text, 1), 0);
	return place;
}

static inline void expect(const struct hostile *hostile, int r, const struct bt_error *error, long place)
{
	if (r == BT_E_DAMAGED && error->reason == hostile->reason && (long)error->offset == place + 1000)
		return;
	fail_msg("%s: %s at %ld, not %s at %ld", hostile->text, bt_reason_name(error->reason),
		 (long)error->offset - 1000, bt_reason_name(hostile->reason), place);
}

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

#endif
