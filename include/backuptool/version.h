/* SPDX-License-Identifier: MIT */
#ifndef BACKUPTOOL_VERSION_H
#define BACKUPTOOL_VERSION_H

#include <backuptool/types.h>

/* The version of these headers. */
#define BT_VERSION_MAJOR 0
#define BT_VERSION_MINOR 1
#define BT_VERSION_PATCH 0
#define BT_VERSION	 "0.1.0"

BT_C_BEGIN

/* The version of the library that the program runs with, such as "0.1.0". */
const char *bt_version(void);

BT_C_END

#endif
