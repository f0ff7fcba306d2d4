/* SPDX-License-Identifier: MIT */
#include "scan/exclusion.h"

#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Cache Directory Tagging Specification, bford.info/cachedir. */
static const char tag_name[] = "CACHEDIR.TAG";
static const char tag_signature[] = "Signature: 8a477f597d28d172789f06886806bc55";

static bool is_marker(const struct bt_exclusion *exclusion, const char *name)
{
	for (size_t i = 0; i < exclusion->if_present_count; i++)
		if (strcmp(exclusion->if_present[i], name) == 0)
			return true;
	return false;
}

static bool tag_valid(int dirfd)
{
	char head[sizeof(tag_signature) - 1];
	int fd = bt_open_file(dirfd, tag_name, O_RDONLY);

	if (fd < 0)
		return false;
	bool valid = bt_read_some(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
		     memcmp(head, tag_signature, sizeof(head)) == 0;
	close(fd);
	return valid;
}

void bt_markers_see(const struct bt_exclusion *exclusion, int dirfd, const char *name, struct bt_markers *markers)
{
	markers->named = markers->named || is_marker(exclusion, name);
	if (exclusion->caches && strcmp(name, tag_name) == 0)
		markers->tag = tag_valid(dirfd);
}

bool bt_markers_exclude(const struct bt_exclusion *exclusion, const struct bt_markers *markers, const char *name)
{
	if (!markers->named && !markers->tag)
		return false;
	return !(markers->named && is_marker(exclusion, name)) && !(markers->tag && strcmp(name, tag_name) == 0);
}

bool bt_exclusion_is_too_large(const struct bt_exclusion *exclusion, uint32_t mode, uint64_t size)
{
	return exclusion->larger && S_ISREG(mode) && size > exclusion->larger;
}

/* The nearest file decides, where it says something; those of the call come before all files. */
static bool is_left_out(const struct bt_exclusion *exclusion, const struct bt_ignore *ignore, const char *path,
			const char *name, bool directory)
{
	enum bt_ruling ruling = BT_RULING_NONE;

	if (exclusion->rules)
		ruling = bt_rules_decide(exclusion->rules, path, name, directory);
	for (; ignore && ruling == BT_RULING_NONE; ignore = ignore->above)
		ruling = bt_rules_decide(ignore->rules, path + ignore->skip, name, directory);
	return ruling == BT_RULING_LEAVE;
}

enum bt_reach bt_exclusion_reach(const struct bt_exclusion *exclusion, const struct bt_within *within, const char *path,
				 const char *name, bool directory)
{
	if (is_left_out(exclusion, within->ignore, path, name, directory))
		return BT_REACH_OUT;
	if (within->inside || bt_rules_excluded(exclusion->include, path, name, directory))
		return BT_REACH_IN;
	return directory ? BT_REACH_WAY : BT_REACH_OUT;
}

struct bt_within bt_within_of(const struct bt_exclusion *exclusion, const char *path)
{
	struct bt_within within = {.inside = !exclusion->include};
	size_t length = path ? strlen(path) : 0;
	char *part = !within.inside && length ? malloc(length + 1) : NULL;

	for (size_t at = 0; part && !within.inside && at < length; at++) {
		size_t end = at + strcspn(path + at, "/");

		memcpy(part, path, end);
		part[end] = '\0';
		within.inside = end > at && bt_rules_excluded(exclusion->include, part, part + at, true);
		at = end;
	}
	free(part);
	return within;
}

enum bt_reach bt_exclusion_look(const struct bt_exclusion *exclusion, const struct bt_within *within,
				const struct bt_markers *markers, int dirfd, const char *path, const char *name)
{
	struct statx status;
	bool there = statx(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_SIZE, &status) == 0;

	if (exclusion->known_only || bt_markers_exclude(exclusion, markers, name))
		return BT_REACH_OUT;
	if (there && (bt_exclusion_is_too_large(exclusion, status.stx_mode, status.stx_size) ||
		      (exclusion->nodump && status.stx_attributes & STATX_ATTR_NODUMP)))
		return BT_REACH_OUT;
	return bt_exclusion_reach(exclusion, within, path, name, there && S_ISDIR(status.stx_mode));
}

int bt_exclusion_add(struct bt_exclusion_set *set, enum bt_exclusion_list list, const char *const *texts, size_t count)
{
	return count ? bt_buf_append(&set->lists[list], texts, count * sizeof(*texts)) : 0;
}

/* The number of a word; other texts are from a newer program, and ignored. */
static void take_larger(struct bt_exclusion *exclusion, const char *text)
{
	char *end;

	errno = 0;
	unsigned long long bytes = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno)
		exclusion->larger = bytes;
}

static bool take_flag(struct bt_exclusion_set *set, const char *word)
{
	struct {
		const char *word;
		bool *flag;
	} flags[] = {{BT_WORD_CACHES, &set->exclusion.caches},
		     {BT_WORD_NODUMP, &set->exclusion.nodump},
		     {BT_WORD_FILES_FROM, &set->exclusion.known_only},
		     {BT_WORD_ONE_FILE_SYSTEM, &set->one_file_system}};

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (strcmp(word, flags[i].word) == 0) {
			*flags[i].flag = true;
			return true;
		}
	return false;
}

int bt_exclusion_add_words(struct bt_exclusion_set *set, const char *const *words, size_t count)
{
	static const struct {
		const char *prefix;
		enum bt_exclusion_list list; /* BT_LISTS: none */
	} valued[] = {{BT_WORD_IF_PRESENT, BT_LIST_PRESENT},
		      {BT_WORD_IGNORE_FILE, BT_LIST_IGNORE},
		      {BT_WORD_INCLUDE, BT_LIST_INCLUDE},
		      {BT_WORD_LARGER, BT_LISTS}};
	int r = 0;

	for (size_t i = 0; i < count && !r; i++)
		for (size_t k = 0; !take_flag(set, words[i]) && k < sizeof(valued) / sizeof(*valued) && !r; k++) {
			size_t length = strlen(valued[k].prefix);
			const char *value = words[i] + length;

			if (strncmp(words[i], valued[k].prefix, length) != 0)
				continue;
			if (valued[k].list == BT_LISTS)
				take_larger(&set->exclusion, value);
			else
				r = bt_exclusion_add(set, valued[k].list, &value, 1);
		}
	return r;
}

static size_t list_of(const struct bt_exclusion_set *set, enum bt_exclusion_list list, const char *const **ret_items)
{
	*ret_items = (const char *const *)set->lists[list].data;
	return set->lists[list].length / sizeof(char *);
}

int bt_exclusion_finish(struct bt_exclusion_set *set, struct bt_error *error)
{
	struct bt_exclusion *exclusion = &set->exclusion;
	const char *const *patterns, *const *include;
	size_t count = list_of(set, BT_LIST_PATTERNS, &patterns), includes = list_of(set, BT_LIST_INCLUDE, &include);
	int r = count ? bt_rules_new(patterns, count, &set->rules, error) : 0;

	if (!r && includes)
		r = bt_rules_new(include, includes, &set->include, error);
	exclusion->rules = set->rules;
	exclusion->include = set->include;
	exclusion->if_present_count = list_of(set, BT_LIST_PRESENT, &exclusion->if_present);
	exclusion->ignore_files.count = list_of(set, BT_LIST_IGNORE, &exclusion->ignore_files.items);
	return r;
}

void bt_exclusion_free(struct bt_exclusion_set *set)
{
	bt_rules_free(set->rules);
	bt_rules_free(set->include);
	for (int i = 0; i < BT_LISTS; i++)
		bt_buf_free(&set->lists[i]);
}
