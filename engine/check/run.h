/* SPDX-License-Identifier: MIT */
/*
 * One run of check, in two steps:
 *   contents  every file by itself: its lists, its bytes, its blocks; the intact contents go into a set
 *   walk      every snapshot from its root: its pages, and whether all contents that they name are in the set
 * Meanwhile files in several contents are read, each once, and compared with their digests. The walk also finds what
 * the damage of the first step hurts. It skips directories that are known to be intact, so that a directory that
 * snapshots share is walked once.
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

#define BT_FINDINGS_MAX	 ((size_t)4096) /* kept until the end */
#define BT_SHARES	 10000
#define BT_CHECK_NO_FILE UINT32_MAX /* the ordinal of a finding that is in no file */

struct bt_check_found {
	struct bt_error error;
	uint32_t ordinal;
	bool whole;    /* nothing in the file can be used */
	bool misnamed; /* the file is sound, but another snapshot's */
	bool second;   /* a plain file has the name of its snapshot */
	bool vague;    /* dropped if the file has a more exact finding */
	uint64_t offset, length;
	struct bt_hurt *hurts; /* owned, and their paths */
	size_t hurt_count;
	uint64_t hurts_more;
	uint64_t entry; /* the last entry that it hurts, reported or not */
};

struct bt_check_run {
	struct bt_store *store;
	const struct bt_check_options *options;
	void (*tell)(void *arg, const struct bt_finding *finding);
	void *arg;
	uint64_t seed; /* chooses the contents of a share */
	struct bt_check_result result;
	struct bt_digest_set good;    /* intact contents, see bt_check_key */
	struct bt_digest_set needed;  /* contents that the named snapshots need */
	struct bt_digest_set clean;   /* directories that are intact with all below */
	struct bt_digest_set unclean; /* other directories that were walked */
	struct bt_digest_set wholes;  /* files in several contents that are verified, see whole.c */
	struct bt_digest_set wrong;   /* those of them that do not match their digest */
	struct bt_hasher *hasher;     /* the walk's */
	struct bt_pool *pool;	      /* for wholes; NULL: they are not verified */
	uint64_t whole_bytes;	      /* bytes that may still be read for them */

	struct bt_voice voice; /* its lock guards all below; it fails when the observer cancels */
	bool proven;	       /* a finding is certain damage, even if some files may not be read */
	struct bt_check_found **found;
	size_t found_count;
	uint64_t path_bytes;				     /* of the hurts kept */
	uint64_t entries;				     /* entries that were walked */
	struct bt_table damaged;			     /* damaged contents and their findings, see findings.c */
	void (*hurt)(void *arg, const struct bt_hurt *hurt); /* called for each hurt, with arg */
	bool traced;					     /* the walk is done */
	unsigned char *states;				     /* BT_STATE_ bits by ordinal, for a repair; else NULL */
	uint32_t state_count;
	struct bt_error
		unread; /* the first failure to read a file that is not damage; only filled if there are states */
	struct bt_progress progress;
	struct bt_pace pace;
};

#define BT_STATE_DAMAGED  1u /* somewhere */
#define BT_STATE_MISNAMED 2u /* sound, but it has the name of another snapshot */
#define BT_STATE_SECOND	  4u /* sound, but the second file of its snapshot */

/* Runs the whole check with run's store, options, tell and arg. The caller holds a lock. 0, BT_E_DAMAGED or another
 * failure. */
int bt_check_all(struct bt_check_run *run, struct bt_error *error);
bool bt_check_is_partial(const struct bt_check_options *options); /* whether not all contents are read */
void bt_check_run_free(struct bt_check_run *run);

/* The key of a content in the sets. The size belongs to it: a page that states another size than the content has names
 * a content that does not exist. */
struct bt_digest bt_check_key(const struct bt_digest *digest, uint64_t size);

void bt_check_progress(struct bt_check_run *run, const char *path, uint64_t files, uint64_t bytes);

/* findings.c: BT_E_NOMEM if memory runs out. */

/* Adds a finding, or gives the one for the same place. *ret_found is NULL if there are too many to keep this one. */
int bt_findings_add(struct bt_check_run *run, const struct bt_check_found *facts, struct bt_check_found **ret_found);
/* Records a content that the finding damages. */
int bt_findings_content(struct bt_check_run *run, struct bt_check_found *found, const struct bt_digest *key);
/* The finding for a content that is not intact. */
int bt_findings_of(struct bt_check_run *run, const struct bt_digest *key, struct bt_check_found **ret_found);
int bt_findings_hurt(struct bt_check_run *run, struct bt_check_found *found, const struct bt_hurt *hurt);
/* Whether the file as a whole was found unusable. */
bool bt_findings_whole(struct bt_check_run *run, uint32_t ordinal);
void bt_findings_tell(struct bt_check_run *run);
void bt_findings_free(struct bt_check_run *run);

/* damaged.c */

/* Adds a finding for each page of the file that does not match its id. */
int bt_check_damaged_pages(struct bt_check_run *run, struct bt_file *file, uint32_t ordinal);

/* contents.c */
int bt_check_contents(struct bt_check_run *run, struct bt_error *error);

/* walk.c */
int bt_check_needed(struct bt_check_run *run, struct bt_error *error); /* fills needed, without findings */
int bt_check_snapshots(struct bt_check_run *run, struct bt_error *error);

/* whole.c: verifies files in several contents. All but bt_wholes_end return at once, or when a thread is free. */
int bt_wholes_begin(struct bt_check_run *run); /* a partial check has none: the pool is NULL */
int bt_wholes_see(struct bt_check_run *run, const struct bt_page *page, const struct bt_entry *file);
int bt_wholes_end(struct bt_check_run *run); /* waits until all are read */
/* The finding for a file in wrong. For other files *ret_found is NULL, as it may be for any. */
int bt_wholes_find(struct bt_check_run *run, const struct bt_page *page, const struct bt_entry *file,
		   struct bt_check_found **ret_found);

/* rewrite.c: writes the intact parts of a damaged file to a new one. */
struct bt_rewrite {
	struct bt_store *store;
	struct bt_file *file; /* opened by the caller */
	struct bt_writer *writer;
	uint64_t blocks, pages; /* written */
};
int bt_rewrite_file(struct bt_rewrite *rewrite, struct bt_error *error);

/* classic.c: finds the damage that makes contents of a version 1 file unreadable. */
int bt_classic_damage(struct bt_check_run *run, const char *name, uint32_t ordinal, struct bt_check_found **ret_found);

#endif
