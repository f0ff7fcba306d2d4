/* SPDX-License-Identifier: MIT */
/* The systemd that runs: the user's, or that of the whole machine. */
#ifndef TOOLS_SYSTEMCTL_H
#define TOOLS_SYSTEMCTL_H

#include <stdbool.h>

/* Whether there is one to ask. */
bool systemctl_runs(bool system);
/* Runs `systemctl VERB UNIT`, or without a unit if that is NULL. False: it failed. */
bool systemctl_do(bool system, const char *verb, const char *unit);
/* A property of a unit, allocated; NULL if it cannot be had. */
char *systemctl_property(bool system, const char *unit, const char *property);

#endif
