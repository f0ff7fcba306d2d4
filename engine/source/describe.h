/* SPDX-License-Identifier: MIT */
/* Turns the results of statx(2) and stat(2) into entries. Pure functions, except that they allocate. */
#ifndef BT_SOURCE_DESCRIBE_H
#define BT_SOURCE_DESCRIBE_H

#include "base/arena.h"
#include "scan/scan.h"
#include <backuptool/view.h>
#include <sys/stat.h>

/* Fills the members of seen that stat(2) has; name, name_length and the others stay, but for a birth time that may be
 * another file's: that is unknown then. */
void bt_found_stat(const struct stat *st, struct bt_found *seen);
uint8_t bt_found_type(uint32_t mode);  /* enum bt_type; 0 for an unknown type */
uint32_t bt_type_format(uint8_t type); /* the reverse: S_IFREG and so on */

/* Fills the entry, except its fingerprint; the name is borrowed. 0 or BT_E_NOMEM. */
int bt_found_describe(struct bt_arena *arena, const struct bt_found *seen, uint64_t root_dev,
		      struct bt_entry *ret_entry);
/* The extra of an entry made here; it is allocated if the entry has none. NULL on out of memory. */
struct bt_extra *bt_found_extra(struct bt_arena *arena, struct bt_entry *entry);

/* Inode, times, size, mode, owner, device and links in 64 bits: equal means unchanged. */
uint64_t bt_found_fingerprint(const struct bt_found *seen);

#endif
