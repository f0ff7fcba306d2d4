/* SPDX-License-Identifier: MIT */
/* Giving up, for good, what a program does not need: what a hostile file could make it do is then little. */
#ifndef BACKUPTOOL_CONFINE_H
#define BACKUPTOOL_CONFINE_H

#include <backuptool/error.h>
#include <stdbool.h>
#include <stddef.h>

/* Open directories (O_PATH will do). What lies below them, now or later, stays within reach; nothing else does. */
struct bt_confinement {
	const int *readable, *writable; /* writable ones can be read, too */
	size_t readable_count, writable_count;
};

/*
 * From here on the calling thread, and every thread and process that it starts, can open no file except below those
 * directories, execute nothing, mount and unmount nothing, and gains no privileges. What is open already stays of use,
 * and so do sockets. So it is called before threads are started, and after all that needs more.
 *
 * 0 also where the kernel cannot do it (Linux before 5.19, or built or started without Landlock): *ret_confined, which
 * may be NULL, is then false, and only the gaining of privileges is barred. In builds for sanitizers and coverage,
 * whose run-time libraries open files of their own, it is the same.
 */
int bt_confine(const struct bt_confinement *limits, bool *ret_confined, struct bt_error *error);

#endif
