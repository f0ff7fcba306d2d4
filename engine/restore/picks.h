/* SPDX-License-Identifier: MIT */
/* What patterns select of a snapshot, and of the directory that it is restored to. */
#ifndef BT_RESTORE_PICKS_H
#define BT_RESTORE_PICKS_H

#include "policy/match.h"
#include <backuptool/restore.h>

struct bt_picks {
	struct bt_rules *includes, *excludes; /* NULL: none */
};

enum bt_pick {
	BT_PICK_NONE,  /* it is left out, with all that is in it */
	BT_PICK_BELOW, /* a directory that is not meant itself, but something in it may be */
	BT_PICK_WHOLE, /* it is selected; what is in it may be left out */
};

int bt_picks_init(struct bt_picks *picks, const struct bt_restore_options *options, struct bt_error *error);
void bt_picks_free(struct bt_picks *picks);
bool bt_picks_any(const struct bt_picks *picks);
/* What is selected of the path, which is below the root of the snapshot; its own name begins at name. whole: what the
 * directory is that it is in. Any thread. */
enum bt_pick bt_picks_ask(const struct bt_picks *picks, bool whole, const char *path, const char *name, bool directory);
/* Tells the caller which patterns have matched. */
void bt_picks_tell(const struct bt_picks *picks, const struct bt_restore_options *options);

#endif
