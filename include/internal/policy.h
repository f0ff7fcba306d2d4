/* SPDX-License-Identifier: MIT */
/* Pure decisions: which time a text means, and whether a directory has shrunk. Nothing here reads the clock or the
 * disk. */
#ifndef INTERNAL_POLICY_H
#define INTERNAL_POLICY_H

#include <backuptool/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a snapshot is in the future: the clock that it was taken by was wrong, or this one is. The age of other
 * snapshots is not measured by it. */
static inline bool bt_is_future(int64_t seconds, int64_t now)
{
	return seconds > now;
}

/*
 * A time as people write it, relative to now (seconds since 1970), in the zone of the process (tzset), with or without
 * an @ before it:
 *   2026-11-20, 2026-11-20T10:30[:15], "2026-11-20 10:30", the same with Z or +01:00, 10-30-00 for 10:30:00;
 *   2026, 2026-11; today, yesterday, monday or mon (the last one before today), each with a time: "yesterday 10:30";
 *   10:30[:15], the last one that has begun; now;
 *   2h, 3d, "3 days ago", 1month, 1y6d: that long ago. m alone is refused: bt_span_parse says which units there are;
 *   seconds since 1970 of nine digits and more, or after an @ of their own.
 * A day, a month and a year mean their last second, and so does a minute: "at or before" then includes them. 0 or
 * BT_E_INVALID.
 */
int bt_time_parse(const char *text, int64_t now, int64_t *ret_seconds);
/* The same with the first second: "from then on" includes them. */
int bt_time_parse_first(const char *text, int64_t now, int64_t *ret_seconds);
/* What such a text should have been, after "is not". */
const char *bt_time_expected(const char *text);

/* What a unit of m is: people write 6m for months where spans are long, and for minutes where they are short. */
enum bt_m { BT_M_MINUTES, BT_M_MONTHS, BT_M_REFUSED };
/* After "is not", if m is refused. */
#define BT_M_UNCLEAR "clear: m could be minutes or months; write min or months"

/* "2h", "3 days", "1y6d": numbers, each with s, min, h, d, w, month, y or the whole word. BT_E_INVALID. */
struct bt_span {
	int64_t seconds, months;
};
int bt_span_parse(const char *text, enum bt_m m, struct bt_span *ret_span);
bool bt_span_is_unclear(const char *text); /* it is one, but for an m */
/* At most so long: months of 31 days, years of 366. BT_E_INVALID if there is no such number. */
int bt_span_seconds(const struct bt_span *span, int64_t *ret_seconds);
/* The same at once; a number alone is of seconds. BT_E_INVALID. */
int bt_duration_parse(const char *text, enum bt_m m, int64_t *ret_seconds);

/* The time in a snapshot's file name: UTC with Z (version 2), local without (version 1). ret_clash: the -N before
 * .json, or 0. BT_E_INVALID if it is not such a name. */
int bt_snapshot_name_parse(const char *name, int64_t *ret_seconds, unsigned *ret_clash);
/* "snapshot_2026-11-22T10-30-00Z.json", with -clash if > 0. Size 64 is enough. */
void bt_snapshot_name_format(int64_t seconds, unsigned clash, char *name, size_t size);

/*
 * Why a pattern as in .gitignore that begins with "!" can match nothing: one of the directories above it is left out,
 * so that nobody looks into it. Both are lengths of the pattern, up to a slash: the first directory that is left out,
 * and the last one that the pattern names without a wildcard. Zero: nothing keeps it from matching.
 */
struct bt_barrier {
	size_t directory, parents;
};
/* One for each pattern. BT_E_NOMEM. */
int bt_barriers_find(const char *const *patterns, size_t count, struct bt_barrier *ret_barriers);

/* A pattern that matches what this one does, with each letter from A to Z in either case. There is room for
 * BT_CASELESS_GROWTH bytes for each of the pattern, with its NUL: "[ -z]" gets 52, and nothing grows more for its
 * length.
 */
#define BT_CASELESS_GROWTH 12
void bt_pattern_caseless(const char *pattern, char *ret_folded);

/* The lines of a text, in place. */
struct bt_lines {
	char *at, *end;
	size_t number; /* of the line given last, from 1 */
};
/* size is without the NUL after the text. A mark of the byte order before the first line is passed over. BT_E_INVALID:
 * it has a NUL, or such a mark of another encoding than UTF-8. */
int bt_lines_begin(char *text, size_t size, struct bt_lines *ret_lines);
/* The next one that is not empty, without its newline; NULL at the end. */
char *bt_lines_next(struct bt_lines *lines);

/* Writes a path of a list of files as it counts, without empty components and "."; there is room for strlen(path) + 1.
 * BT_E_INVALID: it is absolute, or has "..". */
int bt_listed_path(const char *path, char *ret_tidy);

/* Whether a directory has shrunk as backuptool/retention.h defines it. */
bool bt_has_shrunk(uint64_t files, uint64_t bytes, uint64_t files_before, uint64_t bytes_before);

#endif
