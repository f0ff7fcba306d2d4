/* SPDX-License-Identifier: MIT */
#include "scan/exclusion.h"

#include "base/fail.h"
#include "base/io.h"
#include <fcntl.h>
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

/* A name may stand for a device or FIFO that must not be opened, so it is looked at first. */
static bool tag_valid(int dirfd)
{
	char head[sizeof(tag_signature) - 1];
	struct stat stat;
	bool valid;
	int fd;

	if (fstatat(dirfd, tag_name, &stat, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(stat.st_mode))
		return false;
	fd = bt_openat(dirfd, tag_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return false;
	valid = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) &&
		bt_read_some(fd, head, sizeof(head)) == (ssize_t)sizeof(head) &&
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

static int add_list(struct bt_buf *list, const char *const *items, size_t count)
{
	return count ? bt_buf_append(list, items, count * sizeof(*items)) : 0;
}

int bt_exclusion_add_patterns(struct bt_exclusion_set *set, const char *const *patterns, size_t count)
{
	return add_list(&set->patterns, patterns, count);
}

int bt_exclusion_add_present(struct bt_exclusion_set *set, const char *const *names, size_t count)
{
	return add_list(&set->present, names, count);
}

int bt_exclusion_add_words(struct bt_exclusion_set *set, const char *const *words, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		const char *name = words[i] + strlen(BT_WORD_IF_PRESENT);

		if (strcmp(words[i], BT_WORD_CACHES) == 0)
			set->exclusion.caches = true;
		else if (strcmp(words[i], BT_WORD_ONE_FILE_SYSTEM) == 0)
			set->one_file_system = true;
		else if (strncmp(words[i], BT_WORD_IF_PRESENT, strlen(BT_WORD_IF_PRESENT)) == 0)
			r = add_list(&set->present, &name, 1);
	}
	return r;
}

int bt_exclusion_finish(struct bt_exclusion_set *set, struct bt_error *error)
{
	size_t count = set->patterns.length / sizeof(char *);
	int r = count ? bt_rules_new((const char *const *)set->patterns.data, count, &set->rules, error) : 0;

	set->exclusion.rules = set->rules;
	set->exclusion.if_present = (const char *const *)set->present.data;
	set->exclusion.if_present_count = set->present.length / sizeof(char *);
	return r;
}

void bt_exclusion_free(struct bt_exclusion_set *set)
{
	bt_rules_free(set->rules);
	bt_buf_free(&set->patterns);
	bt_buf_free(&set->present);
}
