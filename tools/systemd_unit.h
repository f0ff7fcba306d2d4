/* SPDX-License-Identifier: MIT */
/* Unit files of systemd: how text stands in them. All results are allocated. */
#ifndef TOOLS_SYSTEMD_UNIT_H
#define TOOLS_SYSTEMD_UNIT_H

#include "options.h"
#include <stdbool.h>
#include <stddef.h>

/* A word of ExecStart= that arrives as this text, whatever bytes it has; program: the first one, in which $ means
 * nothing. */
char *unit_word(const char *text, bool program);
/* The words of a line of them, as they arrive. */
void unit_words(const char *line, struct tool_texts *ret_words);
/* Text for people, as in Description=. */
char *unit_text(const char *text);
/* A path of RequiresMountsFor=; NULL if that cannot have it. */
char *unit_path(const char *path);
/* The unit of a mount point, as systemd-escape(1) names it; NULL if that is too long. */
char *unit_mount(const char *path);
/* "backuptool-home-me-documents-1a2b3c4d": tells directories and stores apart, and needs no quotes in a shell. */
char *unit_name(const char *store, const char *target);

#endif
