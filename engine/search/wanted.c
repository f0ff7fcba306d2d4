/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "base/fail.h"
#include "policy/fold.h"
#include "search/run.h"
#include "json/plain.h"
#include <stdlib.h>
#include <string.h>

/* "#" and "!" mean nothing special here. */
static int make_rules(struct bt_wanted *wanted, struct bt_error *error)
{
	const char *pattern = wanted->search->pattern;

	if (!pattern)
		return 0;
	size_t length = strlen(pattern);
	if (!length)
		return bt_fail(error, BT_E_INVALID, NULL, "an empty pattern");
	char *plain = malloc(length + 2);
	if (!plain)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	bool special = *pattern == '#' || *pattern == '!';
	*plain = '\\';
	memcpy(plain + special, pattern, length + 1);
	int r = bt_rules_of_pattern(plain, wanted->search->any_case, &wanted->rules, error);
	free(plain);
	wanted->in_path = strchr(pattern, '/');
	return r;
}

static int check_hash(const char *hash, struct bt_error *error)
{
	size_t length = hash ? strlen(hash) : 1;

	if (!length || length > 64 || (hash && strspn(hash, "0123456789abcdef") != length))
		return bt_fail(error, BT_E_INVALID, hash, "not the beginning of a SHA-256 digest");
	return 0;
}

static void add_text(struct bt_wanted *wanted, const char *text, size_t length)
{
	memcpy(wanted->needle + wanted->needle_length, text, length);
	wanted->needle_length += length;
}

static bool is_written_as_it_is(unsigned char byte)
{
	return bt_plain(byte) || byte >= 0x80;
}

/* The longest part of the literal that a page has as it is in the name. */
static void add_literal(struct bt_wanted *wanted, const struct bt_literal *literal)
{
	static const char before[] = "\"name\":\"";
	size_t from = 0, length = 0;

	for (size_t begin = 0, i = 0; i <= literal->length; i++) {
		if (i < literal->length && is_written_as_it_is((unsigned char)literal->text[i]))
			continue;
		if (i - begin > length) {
			from = begin;
			length = i - begin;
		}
		begin = i + 1;
	}
	if (!length)
		return;
	if (literal->first && !from)
		add_text(wanted, before, sizeof(before) - 1);
	add_text(wanted, literal->text + from, length);
	if (literal->last && from + length == literal->length)
		add_text(wanted, "\"", 1);
}

static void choose_needle(struct bt_wanted *wanted)
{
	const struct bt_search *search = wanted->search;
	struct bt_literal literal;

	if (search->hash) {
		static const char before[] = "\"sha256\":\"";

		add_text(wanted, before, sizeof(before) - 1);
		add_text(wanted, search->hash, strlen(search->hash));
	} else if (wanted->rules && !search->any_case) {
		bt_rules_literal(wanted->rules, &literal);
		add_literal(wanted, &literal);
	}
}

int bt_wanted_begin(struct bt_wanted *wanted, const struct bt_search *search, struct bt_error *error)
{
	int r = check_hash(search->hash, error);

	wanted->search = search;
	if (!r)
		r = make_rules(wanted, error);
	if (!r)
		choose_needle(wanted);
	return r;
}

void bt_wanted_end(struct bt_wanted *wanted)
{
	bt_rules_free(wanted->rules);
	bt_buf_free(&wanted->folded);
}

static bool has_text(const char *line, size_t length, const char *text, size_t text_length)
{
	return memmem(line, length, text, text_length);
}

/* Names that are no UTF-8 stand there in Base64. Whatever is in a string cannot look like these texts, since its quotes
 * have a backslash. */
bool bt_wanted_skims(void *arg, const char *line, size_t length)
{
	static const char entries[] = "{\"entries\":", coded[] = "\"name_b64\":", directory[] = "\"type\":\"dir\"";
	const struct bt_wanted *wanted = arg;

	return line && length >= sizeof(entries) && !memcmp(line, entries, sizeof(entries) - 1) &&
	       !has_text(line, length, wanted->needle, wanted->needle_length) &&
	       !has_text(line, length, coded, sizeof(coded) - 1) &&
	       !has_text(line, length, directory, sizeof(directory) - 1);
}

static bool has_hash(const struct bt_entry *entry, const char *hash)
{
	char text[65];

	if (entry->type != BT_FILE || !entry->has_digest)
		return false;
	bt_digest_text(&entry->digest, text);
	return strncmp(text, hash, strlen(hash)) == 0;
}

static bool is_before(const struct bt_time *time, const struct bt_time *than)
{
	return time->seconds < than->seconds ||
	       (time->seconds == than->seconds && time->nanoseconds < than->nanoseconds);
}

static bool has_size(const struct bt_search *search, const struct bt_entry *entry)
{
	if (!search->at_least && !search->at_most)
		return true;
	return entry->type == BT_FILE && (!search->at_least || entry->size >= *search->at_least) &&
	       (!search->at_most || entry->size <= *search->at_most);
}

/* Without a slash in the pattern only the name counts: paths can be long. */
static int has_folded_name(struct bt_wanted *wanted, const struct bt_entry *entry, const char *path, const char *name)
{
	const char *from = wanted->in_path ? path : name;
	size_t before = (size_t)(name - from), length = before + entry->name_length;

	wanted->folded.length = 0;
	if (bt_buf_append(&wanted->folded, from, length + 1))
		return BT_E_NOMEM;
	char *folded = (char *)wanted->folded.data;
	bt_fold(folded, length, true);
	return bt_rules_excluded(wanted->rules, folded, folded + before, entry->type == BT_DIR);
}

int bt_wanted_has(struct bt_wanted *wanted, const struct bt_entry *entry, const char *path, const char *name)
{
	const struct bt_search *search = wanted->search;

	if ((search->types && !(search->types >> entry->type & 1)) || !has_size(search, entry) ||
	    (search->newer && !is_before(search->newer, &entry->mtime)) ||
	    (search->older && !is_before(&entry->mtime, search->older)) ||
	    (search->hash && !has_hash(entry, search->hash)))
		return 0;
	if (!wanted->rules)
		return 1;
	if (search->any_case)
		return has_folded_name(wanted, entry, path, name);
	return bt_rules_excluded(wanted->rules, path, name, entry->type == BT_DIR);
}
