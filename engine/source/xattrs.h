/* SPDX-License-Identifier: MIT */
/* Extended attributes of live entries. */
#ifndef ENGINE_SOURCE_XATTRS_H
#define ENGINE_SOURCE_XATTRS_H

#include <backuptool/view.h>

/* Whether the file system makes the attribute of another one: it is neither recorded, nor set, removed or compared. */
bool bt_xattr_is_derived(const char *name);

/* Whether the entry at path, which is not followed, has the attribute with this value. */
bool bt_xattr_equal(const char *path, const struct bt_xattr *xattr);

#endif
