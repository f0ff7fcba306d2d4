/* SPDX-License-Identifier: MIT */
/* From what a listing or stat(2) says to an entry. Pure but for memory. */
#ifndef BT_SOURCE_DESCRIBE_H
#define BT_SOURCE_DESCRIBE_H

#include "base/arena.h"
#include "scan/scan.h"
#include <backuptool/view.h>
#include <sys/stat.h>

/* What stat(2) says in the listing's terms; name, name_length and the rest of seen stay. */
void bt_found_stat(const struct stat *st, struct bt_found *seen);
uint8_t bt_found_type(uint32_t mode);  /* enum bt_type; 0 if it is none */
uint32_t bt_type_format(uint8_t type); /* the other way round: S_IFREG and so on */

/* Fills all of the entry that stat says, without fingerprint; the name is borrowed. 0 or BT_E_NOMEM. */
int bt_found_describe(struct bt_arena *arena, const struct bt_found *seen, uint64_t root_dev,
		      struct bt_entry *ret_entry);
/* The extra of an entry that was made here, made when it has none; NULL on out of memory. */
struct bt_extra *bt_found_extra(struct bt_arena *arena, struct bt_entry *entry);

/* Inode, times, size, mode, owner, device and links in 64 bits: equal means unchanged. */
uint64_t bt_found_fingerprint(const struct bt_found *seen);

#endif
