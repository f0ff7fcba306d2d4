/* SPDX-License-Identifier: MIT */
/* Foreign bytes: whether they are text, and how they are shown. */
#ifndef INTERNAL_TEXT_H
#define INTERNAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UTF-8 as RFC 3629 defines it: no surrogates, no overlong forms, nothing above U+10FFFF. */
bool bt_utf8_valid(const char *text, size_t length);
/* The length of the character at the beginning of text, and the character itself; 0 if the bytes are not valid, or
 * there are none. */
size_t bt_utf8_next(const char *text, size_t length, uint32_t *ret_character);

/* A character that a terminal may obey, for which it shows nothing, or that changes the order of the text: controls,
 * line separators, and the format characters of Unicode that have no shape (tags, joiners, directions). Output for
 * people shows it as an escape, in text and --json. */
bool bt_is_deceptive(uint32_t character);

/* What an errno means, by its name: "permission denied" for "EACCES"; the name itself if it has none here. */
#define BT_ERRNO_WORDS_SIZE 80
void bt_errno_words(const char *name, char words[BT_ERRNO_WORDS_SIZE]);

/* Escapes foreign text as bt_error_text does, cut with "…" where it does not fit. */
void bt_error_escape(const char *text, char *escaped, size_t size);

#endif
