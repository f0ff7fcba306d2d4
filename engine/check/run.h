/* SPDX-License-Identifier: MIT */
/*
 * One run of check, in two steps:
 *   contents  every file by itself: its lists, its bytes, its blocks; what is right goes into a set
 *   walk      every snapshot from its root: its pages, and whether all contents that they name are in the set
 * Files in several contents are read through meanwhile, each once, and compared with their digests.
 * The walk also finds out what the damage of the first step hurts. It skips directories below which all is well, so
 * that what snapshots share is walked once.
 */
#ifndef BT_CHECK_RUN_H
#define BT_CHECK_RUN_H

#include "base/buf.h"
#include "base/digest_set.h"
#include "base/voice.h"
#include "store/store.h"
#include <backuptool/check.h>
#include <internal/view.h>
#include <pthread.h>
#include <stdatomic.h>

#define BT_FINDINGS_MAX	 ((size_t)4096) /* that are kept until the end */
#define BT_SHARES	 10000
#define BT_CHECK_NO_FILE UINT32_MAX /* ordinal of what is in no file */

struct bt_check_found {
	struct bt_error error;
	uint32_t ordinal;
	bool whole;    /* nothing in the file can be used */
	bool misnamed; /* the file is sound, but another snapshot's */
	bool vague;    /* counts only while nothing more exact is known of the file */
	uint64_t offset, length;
	struct bt_hurt *hurts; /* owned, and their paths */
	size_t hurt_count;
	uint64_t hurts_more;
	uint64_t entry; /* that it hurts as the last one, named or not */
};

struct bt_check_run {
	struct bt_store *store;
	const struct bt_check_options *options;
	void (*tell)(void *arg, const struct bt_finding *finding);
	void *arg;
	uint64_t seed; /* of what a share takes */
	struct bt_check_result result;
	struct bt_digest_set good;    /* contents that are right, see bt_check_key */
	struct bt_digest_set needed;  /* by the snapshots that were named */
	struct bt_digest_set clean;   /* directories below which all is well */
	struct bt_digest_set unclean; /* others, as far as they were walked */
	struct bt_digest_set wholes;  /* files in several contents that are looked at, see whole.c */
	struct bt_digest_set wrong;   /* of these, those that are not what they should be */
	struct bt_hasher *hasher;     /* the walk's */
	struct bt_pool *pool;	      /* for wholes; NULL: they are not looked at */
	uint64_t whole_bytes;	      /* that may still be read for them */

	struct bt_voice voice; /* its lock is that of all below; fails when the observer wants the end */
	bool proven;	       /* a finding is damage, whatever the files have that may not be read */
	struct bt_check_found **found;
	size_t found_count;
	uint64_t path_bytes;				     /* of the hurts that are kept */
	uint64_t entries;				     /* that were walked through */
	struct bt_table damaged;			     /* contents and their findings, see findings.c */
	void (*hurt)(void *arg, const struct bt_hurt *hurt); /* each, with arg */
	bool traced;					     /* the walk is done */
	unsigned char *states;				     /* BT_STATE_ of each ordinal, for who repairs; else NULL */
	uint32_t state_count;
	struct bt_error unread; /* the first failure to read a file that is no damage, while there are states */
	struct bt_progress progress;
	struct bt_pace pace;
};

#define BT_STATE_DAMAGED  1u /* somewhere */
#define BT_STATE_MISNAMED 2u /* sound, but under the name of another snapshot */

/* The whole check with run's store, options, tell and arg, under a lock that the caller holds. 0, BT_E_DAMAGED or
 * another failure. */
int bt_check_all(struct bt_check_run *run, struct bt_error *error);
bool bt_check_is_partial(const struct bt_check_options *options); /* not all contents are read */
void bt_check_run_free(struct bt_check_run *run);

/* A content as the sets know it: a page that states another size than the content has asks for one that is not there.
 */
struct bt_digest bt_check_key(const struct bt_digest *digest, uint64_t size);

void bt_check_progress(struct bt_check_run *run, const char *path, uint64_t files, uint64_t bytes);

/* findings.c. Where memory runs out they give BT_E_NOMEM. */

/* A new one, or the one of the same place. *ret_found may be NULL: there are too many to keep this one. */
int bt_findings_add(struct bt_check_run *run, const struct bt_check_found *facts, struct bt_check_found **ret_found);
/* A content that a finding damages. */
int bt_findings_content(struct bt_check_run *run, struct bt_check_found *found, const struct bt_digest *key);
/* The finding behind a content that is not good. */
int bt_findings_of(struct bt_check_run *run, const struct bt_digest *key, struct bt_check_found **ret_found);
int bt_findings_hurt(struct bt_check_run *run, struct bt_check_found *found, const struct bt_hurt *hurt);
/* Whether the file as a whole was found unusable. */
bool bt_findings_whole(struct bt_check_run *run, uint32_t ordinal);
void bt_findings_tell(struct bt_check_run *run);
void bt_findings_free(struct bt_check_run *run);

/* damaged.c */

/* The pages of the file that are not what their ids say, each a finding. */
int bt_check_damaged_pages(struct bt_check_run *run, struct bt_file *file, uint32_t ordinal);

/* contents.c */
int bt_check_contents(struct bt_check_run *run, struct bt_error *error);

/* walk.c */
int bt_check_needed(struct bt_check_run *run, struct bt_error *error); /* fills needed, and finds nothing */
int bt_check_snapshots(struct bt_check_run *run, struct bt_error *error);

/* whole.c: files in several contents. All but end return at once, or as soon as a thread is free. */
int bt_wholes_begin(struct bt_check_run *run); /* of a partial check nothing comes: the pool is NULL */
int bt_wholes_see(struct bt_check_run *run, const struct bt_page *page, const struct bt_entry *file);
int bt_wholes_end(struct bt_check_run *run); /* when all are read */
/* The finding for a file that is in wrong; else *ret_found is NULL, as it may be in any case. */
int bt_wholes_find(struct bt_check_run *run, const struct bt_page *page, const struct bt_entry *file,
		   struct bt_check_found **ret_found);

/* rewrite.c: a new file with what is whole in a damaged one. */
struct bt_rewrite {
	struct bt_store *store;
	struct bt_file *file; /* opened in whatever way */
	struct bt_writer *writer;
	uint64_t blocks, pages; /* written */
};
int bt_rewrite_file(struct bt_rewrite *rewrite, struct bt_error *error);

/* classic.c: what it is that makes contents of a version 1 file unreadable. */
int bt_classic_damage(struct bt_check_run *run, const char *name, uint32_t ordinal, struct bt_check_found **ret_found);

#endif
