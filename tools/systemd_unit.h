/* SPDX-License-Identifier: MIT */
/* Unit files of systemd: how text stands in them. All results are allocated. */
#ifndef TOOLS_SYSTEMD_UNIT_H
#define TOOLS_SYSTEMD_UNIT_H

#include <stdbool.h>
#include <stddef.h>

/* A word of ExecStart= that arrives as this text, whatever bytes it has; program: the first one, in which $ means
 * nothing. */
char *unit_word(const char *text, bool program);
/* Text for people, as in Description=. */
char *unit_text(const char *text);
/* "backuptool-home-me-documents-1a2b3c4d.service": tells directories and stores apart, and needs no quotes in a shell.
 */
char *unit_name(const char *store, const char *target);

#endif
