/* SPDX-License-Identifier: MIT */
/* Gives up for good the rights that a program does not need, so that an exploited bug can do little. */
#ifndef BACKUPTOOL_CONFINE_H
#define BACKUPTOOL_CONFINE_H

#include <backuptool/error.h>
#include <stdbool.h>
#include <stddef.h>

BT_C_BEGIN

/* Open directories (O_PATH is enough). Files below them stay within reach, including those that appear later; nothing
 * else does. */
struct bt_confinement {
	const int *readable, *writable; /* writable ones can be read, too */
	size_t readable_count, writable_count;
};

/*
 * From here on the calling thread, and every thread and process that it starts, can open files only below those
 * directories, cannot execute, mount or unmount anything, and gains no privileges. Open files and sockets stay usable.
 * So call it before threads are started, and after all work that needs more rights.
 *
 * Also returns 0 where the kernel cannot do it (Linux before 5.19, or built or started without Landlock): then
 * *ret_confined, which may be NULL, is false, and the only effect is that the process gains no privileges. The same
 * holds in builds for sanitizers and coverage, whose run-time libraries open files of their own.
 */
int bt_confine(const struct bt_confinement *limits, bool *ret_confined, struct bt_error *error);

BT_C_END

#endif
