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
 * A time as people write it, relative to now (seconds since 1970), in the zone of the process (tzset):
 *   2026-11-20, 2026-11-20T10:30[:15], "2026-11-20 10:30", the same with Z or +01:00, 10-30-00 for 10:30:00,
 *   yesterday, today, now, 2h, 30m, 10s, 3d, 2w (that long ago), and unix seconds as @1732271400.
 * A date, "today" and "yesterday" mean the last second of that day, a minute its last second: "at or before" then
 * includes them. 0 or BT_E_INVALID.
 */
int bt_time_parse(const char *text, int64_t now, int64_t *ret_seconds);
/* The same with the first second of a day or a minute: "from then on" includes them. */
int bt_time_parse_first(const char *text, int64_t now, int64_t *ret_seconds);

/* The time in a snapshot's file name: UTC with Z (version 2), local without (version 1). ret_clash: the -N before
 * .json, or 0. BT_E_INVALID if it is not such a name. */
int bt_snapshot_name_parse(const char *name, int64_t *ret_seconds, unsigned *ret_clash);
/* "snapshot_2026-11-22T10-30-00Z.json", with -clash if > 0. Size 64 is enough. */
void bt_snapshot_name_format(int64_t seconds, unsigned clash, char *name, size_t size);

/* "10", "10s", "5m", "2h", "1d", "1w" in seconds. BT_E_INVALID. */
int bt_duration_parse(const char *text, int64_t *ret_seconds);

/* Whether a directory has shrunk as backuptool/retention.h defines it. */
bool bt_has_shrunk(uint64_t files, uint64_t bytes, uint64_t files_before, uint64_t bytes_before);

#endif
