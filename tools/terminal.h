/* SPDX-License-Identifier: MIT */
/* How large the terminal is. */
#ifndef TOOLS_TERMINAL_H
#define TOOLS_TERMINAL_H

#include <stddef.h>

/* Of what is written to the descriptor, as COLUMNS and LINES say or the terminal; 0: it is no terminal. */
size_t tool_terminal_columns(int fd);
size_t tool_terminal_lines(int fd);

#endif
