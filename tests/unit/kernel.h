/* SPDX-License-Identifier: MIT */
/* What the running kernel can do, found out without the engine. */
#ifndef BT_TESTS_KERNEL_H
#define BT_TESTS_KERNEL_H

#include <linux/landlock.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Which rights the kernel knows. */
static inline long kernel_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* Whether bt_confine must bar files: instrumented, it never does. */
static inline bool kernel_confines(void)
{
#ifdef BT_INSTRUMENTED
	return false;
#else
	return kernel_landlock() >= 2;
#endif
}

/* Whether an emulator runs the test: the process is the emulator's then, by its name and its memory. */
static inline bool kernel_emulated(void)
{
	return getenv("MESON_EXE_WRAPPER");
}

#endif
