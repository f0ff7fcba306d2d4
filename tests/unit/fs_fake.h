/* SPDX-License-Identifier: MIT */
/* An engine in memory for tests of fs/: pages and snapshots that a test makes up, behind the public functions. */
#ifndef TESTS_FS_FAKE_H
#define TESTS_FS_FAKE_H

#include <backuptool/select.h>
#include <internal/view.h>

struct bt_digest fake_id(unsigned number);
/* A page of count entries; names must be sorted. Kept until fake_reset. */
void fake_page(struct bt_digest id, const struct bt_entry *entries, size_t count);
void fake_leaves(struct bt_digest id, const struct bt_leaf *leaves, size_t count);
/* Snapshots in order; root.digest is the id of a page. */
void fake_snapshot(const char *name, struct bt_digest tree, bool xattrs);
void fake_drop_snapshot(const char *name);
void fake_reset(void);
long fake_pins(void); /* pages that are pinned now */
int fake_opens(void); /* snapshots opened so far */
struct bt_store *fake_store(void);

#endif
