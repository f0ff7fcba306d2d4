/* SPDX-License-Identifier: MIT */
/* The types of all mounted file systems. Thread-safe between init and destroy. */
#ifndef BT_SCAN_MOUNTS_H
#define BT_SCAN_MOUNTS_H

#include "base/buf.h"
#include <pthread.h>
#include <stdbool.h>

/* The mounts in /proc/self/mountinfo. Types stay valid until it is destroyed. */
struct bt_scan_type {
	struct bt_scan_type *next;
	char text[];
};
struct bt_scan_mounts {
	pthread_mutex_t lock;
	struct bt_buf list;
	struct bt_scan_type *types;
	bool own; /* some are mounted snapshots */
};

int bt_scan_mounts_init(struct bt_scan_mounts *mounts); /* 0 or BT_E_NOMEM; to be destroyed in any case */
void bt_scan_mounts_destroy(struct bt_scan_mounts *mounts);
struct statx;
/* The type of the file system that statx looked at; reads mountinfo again if it is unknown. Never NULL. */
const char *bt_scan_mounted(struct bt_scan_mounts *mounts, const struct statx *status);
bool bt_scan_is_ours(const char *type);

#endif
