/* SPDX-License-Identifier: MIT */
/* What bytes are text. */
#ifndef BACKUPTOOL_TEXT_H
#define BACKUPTOOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */
bool bt_utf8_valid(const char *text, size_t length);
/* Bytes of the character that text begins with, and which it is; 0 if that is not valid, or nothing is there. */
size_t bt_utf8_next(const char *text, size_t length, uint32_t *ret_character);

/* A character that a terminal may obey, for which it shows nothing, or that changes the order of what is shown:
 * controls, separators of lines, and what Unicode has as format characters without a shape (tags, joiners, directions).
 * What people read shows it as an escape, text and --json. */
bool bt_is_deceptive(uint32_t character);

#endif
