/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "check/run.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DAMAGED_MAX ((size_t)1 << 20) /* contents; further ones are called missing */

/* A damaged content. 128 bits of its SHA-256 are its key: they do not collide by accident. */
struct damaged {
	struct bt_table_key key;
	struct bt_check_found *found;
};

static struct bt_table_key key_of(const struct bt_digest *digest)
{
	struct bt_table_key key;

	memcpy(&key, digest->bytes, sizeof(key));
	return key;
}

static void count(struct bt_check_run *run, const struct bt_error *error)
{
	bool newer = bt_error_is_newer(error);
	bool denied = error->code == BT_E_SYSTEM && (error->sys == EACCES || error->sys == EPERM);
	bool missing = error->reason == BT_R_MISSING_CONTENT || error->reason == BT_R_MISSING_PAGE;

	run->result.findings++;
	run->result.denied += denied;
	run->result.newer += newer;
	run->proven |= !denied && !newer && !missing;
}

static void tell_found(struct bt_check_run *run, const struct bt_check_found *found)
{
	const struct bt_finding finding = {.file = found->error.file[0] ? found->error.file : NULL,
					   .offset = found->offset,
					   .length = found->length,
					   .error = &found->error,
					   .hurts = found->hurts,
					   .hurt_count = found->hurt_count,
					   .hurts_more = found->hurts_more,
					   .traced = run->traced};

	count(run, &found->error);
	if (run->tell)
		run->tell(run->arg, &finding);
}

static struct bt_check_found *same_place(const struct bt_check_run *run, const struct bt_check_found *facts)
{
	for (size_t i = 0; i < run->found_count; i++) {
		struct bt_check_found *found = run->found[i];

		if (found->error.reason == facts->error.reason && found->offset == facts->offset &&
		    found->vague == facts->vague && !strcmp(found->error.file, facts->error.file))
			return found;
	}
	return NULL;
}

static struct bt_check_found *keep(struct bt_check_run *run, const struct bt_check_found *facts)
{
	struct bt_check_found *found = malloc(sizeof(*found));

	if (!run->found)
		run->found = calloc(BT_FINDINGS_MAX, sizeof(struct bt_check_found *));
	if (!found || !run->found) {
		free(found);
		return NULL;
	}
	*found = *facts;
	run->found[run->found_count++] = found;
	return found;
}

/* I/O errors count as damage. Lack of permission or memory does not. */
static bool is_damage(const struct bt_error *error)
{
	return error->code == BT_E_DAMAGED ||
	       (error->code == BT_E_SYSTEM && (error->sys == EIO || error->sys == EUCLEAN || error->sys == EBADMSG));
}

static void note_state(struct bt_check_run *run, const struct bt_check_found *facts)
{
	if (!run->states)
		return;
	if (!is_damage(&facts->error)) {
		if (!run->unread.code)
			run->unread = facts->error;
		return;
	}
	if (facts->ordinal < run->state_count)
		run->states[facts->ordinal] |= facts->second	 ? BT_STATE_SECOND
					       : facts->misnamed ? BT_STATE_MISNAMED
								 : BT_STATE_DAMAGED;
}

int bt_findings_add(struct bt_check_run *run, const struct bt_check_found *facts, struct bt_check_found **ret_found)
{
	int r = 0;

	pthread_mutex_lock(&run->voice.lock);
	note_state(run, facts);
	struct bt_check_found *found = same_place(run, facts);
	if (!found && run->found_count == BT_FINDINGS_MAX)
		tell_found(run, facts);
	else if (!found)
		found = keep(run, facts);
	if (!found && run->found_count < BT_FINDINGS_MAX)
		r = BT_E_NOMEM;
	pthread_mutex_unlock(&run->voice.lock);
	if (!r && ret_found)
		*ret_found = found;
	return r;
}

int bt_findings_content(struct bt_check_run *run, struct bt_check_found *found, const struct bt_digest *key)
{
	int r = 0;

	pthread_mutex_lock(&run->voice.lock);
	if (found && run->damaged.count < DAMAGED_MAX && !bt_table_find(&run->damaged, key_of(key))) {
		struct damaged *damaged = malloc(sizeof(*damaged));

		if (damaged)
			*damaged = (struct damaged){key_of(key), found};
		r = damaged ? bt_table_add(&run->damaged, damaged) : BT_E_NOMEM;
		if (r)
			free(damaged);
	}
	pthread_mutex_unlock(&run->voice.lock);
	return r;
}

int bt_findings_of(struct bt_check_run *run, const struct bt_digest *key, struct bt_check_found **ret_found)
{
	const struct damaged *damaged = bt_table_find(&run->damaged, key_of(key));
	struct bt_check_found missing = {.ordinal = BT_CHECK_NO_FILE, .offset = BT_NO_OFFSET};

	if (damaged) {
		*ret_found = damaged->found;
		return 0;
	}
	bt_store_missing(run->store, key, false, &missing.error);
	missing.offset = missing.error.offset;
	if (!bt_error_is_newer(&missing.error))
		missing.error.detail[0] = 0; /* one finding for all that is missing */
	return bt_findings_add(run, &missing, ret_found);
}

/* Joins pieces of one file that lie in one block. */
static bool joins(const struct bt_check_found *found, const struct bt_hurt *hurt)
{
	if (!hurt->entry || found->entry != hurt->entry)
		return false;
	struct bt_hurt *last = found->hurt_count ? &found->hurts[found->hurt_count - 1] : NULL;
	if (!last || last->entry != hurt->entry) /* it was only counted */
		return true;
	if (last->offset == BT_NO_OFFSET || hurt->offset == BT_NO_OFFSET)
		last->offset = BT_NO_OFFSET;
	else
		last->length = hurt->offset + hurt->length - last->offset;
	return true;
}

static bool has_room(const struct bt_check_run *run, const struct bt_check_found *found, const struct bt_hurt *hurt)
{
	return found->hurt_count < BT_HURTS && hurt->path_length <= BT_HURT_BYTES - run->path_bytes;
}

int bt_findings_hurt(struct bt_check_run *run, struct bt_check_found *found, const struct bt_hurt *hurt)
{
	if (found && joins(found, hurt))
		return 0;
	/* what only a newer version can read is not damaged */
	if (run->hurt && !(found && bt_error_is_newer(&found->error)))
		run->hurt(run->arg, hurt);
	if (!found)
		return 0;
	found->entry = hurt->entry;
	if (!has_room(run, found, hurt)) {
		found->hurts_more++;
		return 0;
	}
	if (!found->hurts)
		found->hurts = calloc(BT_HURTS, sizeof(*found->hurts));
	char *snapshot = strdup(hurt->snapshot), *path = hurt->path ? strdup(hurt->path) : NULL;
	if (!found->hurts || !snapshot || (hurt->path && !path)) {
		free(snapshot);
		free(path);
		return BT_E_NOMEM;
	}
	struct bt_hurt *kept = &found->hurts[found->hurt_count++];
	*kept = *hurt;
	kept->snapshot = snapshot;
	kept->path = path;
	run->path_bytes += hurt->path_length;
	return 0;
}

bool bt_findings_whole(struct bt_check_run *run, uint32_t ordinal)
{
	bool whole = false;

	pthread_mutex_lock(&run->voice.lock);
	for (size_t i = 0; i < run->found_count && !whole; i++)
		whole = run->found[i]->whole && run->found[i]->ordinal == ordinal;
	pthread_mutex_unlock(&run->voice.lock);
	return whole;
}

/* Whether another finding gives the damaged range of bytes. */
static bool is_told_better(const struct bt_check_run *run, const struct bt_check_found *vague)
{
	for (size_t i = 0; i < run->found_count; i++)
		if (run->found[i]->ordinal == vague->ordinal && run->found[i]->length)
			return true;
	return false;
}

static bool anything_missing(const struct bt_check_run *run)
{
	for (size_t i = 0; i < run->found_count; i++)
		if (!run->found[i]->error.file[0])
			return true;
	return false;
}

/* If snapshots were named, only findings that hurt them, or may, are reported. */
static bool is_wanted(const struct bt_check_run *run, const struct bt_check_found *found, bool missing)
{
	if (found->vague && is_told_better(run, found))
		return false;
	return !run->options->name_count || found->hurt_count || found->hurts_more || (found->whole && missing);
}

static int by_place(const void *a, const void *b)
{
	const struct bt_check_found *x = *(struct bt_check_found *const *)a, *y = *(struct bt_check_found *const *)b;

	if (x->ordinal != y->ordinal)
		return x->ordinal < y->ordinal ? -1 : 1;
	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (x->error.reason > y->error.reason) - (x->error.reason < y->error.reason);
}

void bt_findings_tell(struct bt_check_run *run)
{
	bool missing = anything_missing(run);

	if (run->found_count)
		qsort(run->found, run->found_count, sizeof(struct bt_check_found *), by_place);
	for (size_t i = 0; i < run->found_count; i++)
		if (is_wanted(run, run->found[i], missing))
			tell_found(run, run->found[i]);
}

void bt_findings_free(struct bt_check_run *run)
{
	for (size_t i = 0; i < run->found_count; i++) {
		struct bt_check_found *found = run->found[i];

		for (size_t j = 0; j < found->hurt_count; j++) {
			free((char *)found->hurts[j].snapshot);
			free((char *)found->hurts[j].path);
		}
		free(found->hurts);
		free(found);
	}
	free(run->found);
	size_t at = 0;
	for (struct damaged *damaged = bt_table_next(&run->damaged, &at); damaged;
	     damaged = bt_table_next(&run->damaged, &at))
		free(damaged);
	bt_table_free(&run->damaged);
	run->found = NULL;
	run->found_count = 0;
}
