/* SPDX-License-Identifier: MIT */
#include "systemd_unit.h"
#include "output.h"
#include <ctype.h>
#include <internal/text.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_PART 100 /* bytes of the path that a unit's name shows; names have 255 at most */

static bool is_plain(const char *text)
{
	return *text &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+=:,@") == strlen(text);
}

static void put_escape(char **at, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";

	*(*at)++ = '\\';
	*(*at)++ = 'x';
	*(*at)++ = hex[byte >> 4];
	*(*at)++ = hex[byte & 15];
}

static void put_byte(char **at, unsigned char byte, bool program)
{
	if (byte == '"' || byte == '\\')
		*(*at)++ = '\\';
	else if (byte == '%' || (byte == '$' && !program))
		*(*at)++ = (char)byte;
	*(*at)++ = (char)byte;
}

char *unit_word(const char *text, bool program)
{
	bool utf8 = tool_is_utf8(text);
	char *word, *at;
	uint32_t character;

	if (is_plain(text))
		return tool_format("%s", text);
	word = at = tool_alloc(4 * strlen(text) + 3);
	*at++ = '"';
	for (size_t length; *text; text += length) {
		length = utf8 ? bt_utf8_next(text, strnlen(text, 4), &character) : 1;
		bool plain = utf8 ? !bt_is_deceptive(character) : *text >= ' ' && *text < 0x7f;
		for (size_t i = 0; i < length && plain; i++)
			put_byte(&at, (unsigned char)text[i], program);
		for (size_t i = 0; i < length && !plain; i++)
			put_escape(&at, (unsigned char)text[i]);
	}
	*at = '"';
	return word;
}

/* What an escape that unit_word writes means; at gets past it. */
static char read_escape(const char **at)
{
	static const char hex[] = "0123456789abcdef";
	const char *high = (*at)[1] == 'x' && (*at)[2] ? strchr(hex, (*at)[2]) : NULL;
	const char *low = high && (*at)[3] ? strchr(hex, (*at)[3]) : NULL;
	char byte = (*at)[1] ? (*at)[1] : '\\';

	if (low)
		byte = (char)((high - hex) << 4 | (low - hex));
	*at += low ? 4 : (*at)[1] ? 2 : 1;
	return byte;
}

/* at gets past it. */
static char *read_word(const char **at)
{
	char *word = tool_alloc(strlen(*at) + 1), *end = word;
	bool quoted = false;

	while (**at && (quoted || **at != ' ')) {
		char byte = **at;

		if (byte == '\\') {
			*end++ = read_escape(at);
			continue;
		}
		*at += (byte == '%' || byte == '$') && (*at)[1] == byte ? 2 : 1;
		if (byte == '"')
			quoted = !quoted;
		else
			*end++ = byte;
	}
	return word;
}

void unit_words(const char *line, struct tool_texts *ret_words)
{
	*ret_words = (struct tool_texts){0};
	for (line += strspn(line, " "); *line; line += strspn(line, " "))
		tool_texts_add(ret_words, read_word(&line));
}

char *unit_text(const char *text)
{
	char *shown = tool_escape(text), *doubled = tool_alloc(2 * strlen(shown) + 1), *at = doubled;

	for (const char *c = shown; *c; c++) {
		if (*c == '%')
			*at++ = '%';
		*at++ = *c;
	}
	free(shown);
	return doubled;
}

/* There the escapes of unit_word mean nothing but for quotes and backslashes. */
char *unit_path(const char *path)
{
	char *word = unit_word(path, true);

	if (!strstr(word, "\\x"))
		return word;
	free(word);
	return NULL;
}

static void put_mount_byte(char **at, unsigned char byte, bool first)
{
	if (byte == '/')
		*(*at)++ = '-';
	else if (isalnum(byte) || byte == '_' || byte == ':' || (byte == '.' && !first))
		*(*at)++ = (char)byte;
	else
		put_escape(at, byte);
}

char *unit_mount(const char *path)
{
	char *name = tool_alloc(4 * strlen(path) + sizeof("-.mount")), *at = name;

	for (const char *c = path; *c; c++) {
		bool between = *c != '/' || (c > path && c[1] && c[1] != '/' && at > name);

		if (between)
			put_mount_byte(&at, (unsigned char)*c, at == name);
	}
	if (at == name)
		*at++ = '-';
	memcpy(at, ".mount", sizeof(".mount"));
	if (strlen(name) < NAME_MAX)
		return name;
	free(name);
	return NULL;
}

/* FNV-1a */
static uint32_t hash(uint32_t value, const char *text)
{
	do {
		value = (value ^ (unsigned char)*text) * UINT32_C(16777619);
	} while (*text++);
	return value;
}

char *unit_name(const char *store, const char *target)
{
	uint32_t number = hash(hash(UINT32_C(2166136261), store), target);
	size_t length = strlen(target), from = length > NAME_PART ? length - NAME_PART : 0;
	char *part = tool_format("%s", target + from), *name;

	for (char *c = part; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '.' && *c != '_')
			*c = '-';
	name = tool_format("backuptool%s%s-%08x", *part == '-' ? "" : "-", part, number);
	free(part);
	return name;
}
