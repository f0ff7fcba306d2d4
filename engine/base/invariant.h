/* SPDX-License-Identifier: MIT */
/*
 * Conditions that hold unless the code is wrong. They are checked in builds with -Dinvariants=true and in those without
 * optimization, where a broken one ends the program. Elsewhere a function `check` of this kind is empty:
 *
 *     static void check(const struct bt_thing *thing)
 *     {
 *     #ifdef BT_INVARIANTS
 *             …
 *     #endif
 *     }
 */
#ifndef BT_BASE_INVARIANT_H
#define BT_BASE_INVARIANT_H

#ifdef BT_INVARIANTS
#include <stdbool.h>
#include <stddef.h>

#define bt_invariant(condition) ((condition) ? (void)0 : __builtin_trap())

/* Whether to check a thing of count parts now: small ones always, large ones at some of their sizes. */
static inline bool bt_invariants_due(size_t count)
{
	return count <= 64 || count % 1024 == 0;
}
#endif

#endif
