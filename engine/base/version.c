/* SPDX-License-Identifier: MIT */
#include <backuptool/version.h>

const char *bt_version(void)
{
	return BT_VERSION;
}
