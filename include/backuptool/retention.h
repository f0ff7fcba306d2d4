/* SPDX-License-Identifier: MIT */
/* Deciding which snapshots to keep, from their times, the rules and the present time alone. */
#ifndef BACKUPTOOL_RETENTION_H
#define BACKUPTOOL_RETENTION_H

#include <backuptool/error.h>
#include <backuptool/types.h>
#include <stdbool.h>

BT_C_BEGIN

enum bt_bucket { BT_LAST, BT_HOURLY, BT_DAILY, BT_WEEKLY, BT_MONTHLY, BT_YEARLY, BT_BUCKETS };

/*
 * A snapshot is kept if any rule keeps it. Buckets are calendar hours, days, ISO weeks (Monday first), months and years
 * in the zone of the process. keep[b] keeps the newest snapshot of each of this many buckets that hold any, newest
 * first. within[b] keeps the newest of every bucket b (BT_LAST: every snapshot) that is younger than this many seconds,
 * counted from the newest snapshot of the group. 0 means no such rule; a count of UINT32_MAX keeps all. A count rule
 * that finds fewer buckets than it may keep also keeps the oldest snapshot, so that the history grows to its full
 * length; a full rule no longer does.
 *
 * What is pinned always stays. What has expired is kept by tags alone, and by the guards below. Whatever the rules say,
 * these stay in each group of host and directory:
 * - The newest complete snapshot: one in which no entry was left unread, and that has not expired, or if there is none,
 *   one that has. If there is none either, the newest.
 * - The newest, if it is partial: a later one goes on from there. Partial ones are kept by tags and this alone: they
 *   take no place of another, and go once there is one after them.
 * - The last one before the directory shrank. A snapshot has shrunk against another that has files if it has none, or
 *   if it lacks more than half of the files and more than half of the bytes. Each snapshot that the next one has shrunk
 *   against stays as long as the newest one has shrunk against it, too, and so has every one between that stays for
 *   this reason. So this ends when at least half is there again, or when the user removes the snapshot; nothing else
 *   ends it, and the user is told. Each of these snapshots is more than twice as large as the next one: there are few,
 *   however often a directory shrinks.
 */
struct bt_retention {
	size_t size; /* of this struct */
	uint32_t keep[BT_BUCKETS];
	int64_t within[BT_BUCKETS];
	const char *const *keep_tags; /* a snapshot with one of them is kept */
	size_t keep_tag_count;
	bool per_target;    /* decide for each group of host and directory by itself; otherwise for the whole store */
	bool to_the_letter; /* remove everything that no rule keeps, including the newest complete snapshot */
};

struct bt_candidate {
	int64_t time; /* in any order; a time after now is always kept */
	const char *host, *target;
	const char *const *tags;
	size_t tag_count;
	uint64_t unread; /* entries that could not be read, without those that changed meanwhile */
	uint64_t files, bytes;
	bool pinned;  /* it is always kept */
	bool expired; /* no count and no span keeps it, and it takes no place of another */
	bool partial; /* it was taken while a longer run went on */
};

/* Why a snapshot is kept, as bits: 1 << bucket for a count rule, 1 << (8 + bucket) for a within rule. 0: it is to be
 * removed. */
#define BT_KEEP_COUNT(bucket)  (1u << (bucket))
#define BT_KEEP_WITHIN(bucket) (1u << (8 + (bucket)))
#define BT_KEEP_TAG	       (1u << 16)
#define BT_KEEP_FUTURE	       (1u << 17)
#define BT_KEEP_COMPLETE       (1u << 18) /* newest complete */
#define BT_KEEP_SHRANK	       (1u << 19) /* before it shrank */
#define BT_KEEP_NEWEST	       (1u << 20) /* the newest of its group, which has no complete one, or is partial */
#define BT_KEEP_GUARDS	       (7u << 18) /* these three; given only to snapshots that nothing else keeps */
#define BT_KEEP_PINNED	       (1u << 21)
#define BT_KEEP_OLDEST(bucket) (1u << (24 + (bucket))) /* by a count rule that is not full yet */

/* reasons has room for count. BT_E_INVALID when there is no rule at all; BT_E_NOMEM. */
int bt_retention_decide(const struct bt_retention *rules, const struct bt_candidate *candidates, size_t count,
			int64_t now, uint32_t *reasons);

BT_C_END

#endif
