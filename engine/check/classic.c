/* SPDX-License-Identifier: MIT */
#include "base/fail.h"
#include "base/io.h"
#include "check/run.h"
#include "model/classic_parts.h"

/* The first content that does not match its digest. NULL: contents are only missing. */
static const struct bt_classic_content *first_wrong(const struct bt_classic *classic)
{
	const struct bt_classic_content *contents = bt_classic_contents(classic);

	for (size_t i = 0; i < classic->content_count; i++)
		if (contents[i].wrong)
			return &contents[i];
	return NULL;
}

static bool is_cancelled(void *arg)
{
	struct bt_check_run *run = arg;

	return bt_voice_failed(&run->voice);
}

static int open_source(struct bt_check_run *run, uint32_t ordinal, int *ret_fd, struct bt_error *error)
{
	struct bt_object *object;
	int r = bt_store_open_apart(run->store, ordinal, &object, error);

	if (r)
		return r;
	int sys = bt_object_copy_fd(object, ret_fd);
	bt_object_close(object);
	return sys ? bt_fail_sys(error, -sys, bt_store_file_id(run->store, ordinal)->path, "open") : 0;
}

int bt_classic_damage(struct bt_check_run *run, const char *name, uint32_t ordinal, struct bt_check_found **ret_found)
{
	struct bt_check_found facts = {.ordinal = ordinal, .offset = BT_NO_OFFSET};
	const struct bt_observer observer = {.arg = run, .cancelled = is_cancelled};
	struct bt_classic classic = {.name = name, .error = &facts.error, .observer = &observer};
	const struct bt_classic_content *wrong = NULL;
	int fd = -1, r = open_source(run, ordinal, &fd, &facts.error);

	if (!r)
		r = bt_classic_scan(&classic, fd);
	if (!r)
		wrong = first_wrong(&classic);
	if (wrong)
		facts.offset = wrong->at;
	if (!r)
		bt_fail_damaged(&facts.error, wrong ? BT_R_DIGEST_MISMATCH : BT_R_MISSING_CONTENT, name, facts.offset);
	bt_close(&fd);
	bt_classic_free(&classic);
	return r == BT_E_NOMEM || r == BT_E_CANCELLED ? r : bt_findings_add(run, &facts, ret_found);
}
