/* SPDX-License-Identifier: MIT */
/*
 * The directories above the snapshots with -o group: one for each host, and in it one for each directory that snapshots
 * of the host are of. They have numbers in the order of discovery, which they keep, and are shown as long as one of
 * their snapshots is. Any thread may call anything.
 */
#ifndef FS_GROUPS_H
#define FS_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#define GROUPS_NONE UINT32_MAX

struct groups;
struct groups *groups_new(void); /* NULL: no memory */
void groups_free(struct groups *groups);

/* The directory of a host and target, made if it is new. 0 or ENOMEM. */
int groups_number(struct groups *groups, const char *host, const char *target, uint32_t *ret_number);
/* Adds a shown snapshot to it, or (-1) takes one away. */
void groups_count_snapshot(struct groups *groups, uint32_t number, long change);

/* The first shown directory from that number on whose parent is above (GROUPS_NONE: the root), or GROUPS_NONE. */
uint32_t groups_next(struct groups *groups, uint32_t above, uint32_t number);
/* The shown one of that name, or GROUPS_NONE. */
uint32_t groups_find(struct groups *groups, uint32_t above, const char *name);
/* Of a directory that there is: its name, valid until the end, its parent, and whether it is one of a host. */
const char *groups_name(struct groups *groups, uint32_t number);
uint32_t groups_above(struct groups *groups, uint32_t number);
bool groups_is_host(struct groups *groups, uint32_t number);
uint32_t groups_count(struct groups *groups);

#endif
