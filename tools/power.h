/* SPDX-License-Identifier: MIT */
/* What the machine runs on. */
#ifndef TOOLS_POWER_H
#define TOOLS_POWER_H

#include <stdbool.h>

/* Whether a battery is used up and no power supply is plugged in. False where it is not known. */
bool power_is_battery(void);

#endif
