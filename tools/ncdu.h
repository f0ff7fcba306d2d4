/* SPDX-License-Identifier: MIT */
/* A directory of a snapshot for ncdu(1), in the format of its option -f (version 1.2,
 * https://dev.yorhel.nl/ncdu/jsonfmt). */
#ifndef TOOLS_NCDU_H
#define TOOLS_NCDU_H

#include "place.h"

/* On standard output; gives an exit code. Names are written as bytes, as ncdu itself does it. */
int tool_ncdu_print(const struct tool *tool, const struct tool_place *place);

#endif
