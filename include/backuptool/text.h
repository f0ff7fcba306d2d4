/* SPDX-License-Identifier: MIT */
/* What bytes are text. */
#ifndef BACKUPTOOL_TEXT_H
#define BACKUPTOOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */
bool bt_utf8_valid(const char *text, size_t length);

#endif
