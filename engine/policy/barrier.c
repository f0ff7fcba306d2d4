/* SPDX-License-Identifier: MIT */
#include "policy/match.h"
#include <internal/policy.h>
#include <stdlib.h>
#include <string.h>

/* Appends the name that the component stands for; false if it stands for several. */
static bool take_literal(const char *component, const char *end, char **name)
{
	for (; component < end; component++) {
		if (*component == '*' || *component == '?' || *component == '[')
			return false;
		if (*component == '\\' && component + 1 < end)
			component++;
		*(*name)++ = *component;
	}
	return true;
}

/* path: room for the whole pattern. */
static struct bt_barrier find_barrier(const struct bt_rules *rules, const char *pattern, char *path)
{
	const char *end = pattern + bt_pattern_length(pattern), *at = pattern + 1, *slash;
	struct bt_barrier barrier = {0};
	char *name = path;

	if (end > at && end[-1] == '/')
		end--;
	if (at < end && *at == '/')
		at++;
	for (; (slash = memchr(at, '/', (size_t)(end - at))); at = slash + 1) {
		char *last = name;

		if (!take_literal(at, slash, &name))
			break;
		*name = '\0';
		barrier.parents = (size_t)(slash - pattern);
		if (!barrier.directory && bt_rules_excluded(rules, path, last, true))
			barrier.directory = barrier.parents;
		*name++ = '/';
	}
	return barrier.directory ? barrier : (struct bt_barrier){0};
}

int bt_barriers_find(const char *const *patterns, size_t count, struct bt_barrier *ret_barriers)
{
	struct bt_rules *rules = NULL;
	int r = bt_rules_new(patterns, count, &rules, NULL);

	for (size_t i = 0; i < count && !r; i++) {
		char *path = malloc(strlen(patterns[i]) + 1);

		ret_barriers[i] = (struct bt_barrier){0};
		if (!path)
			r = BT_E_NOMEM;
		else if (*patterns[i] == '!')
			ret_barriers[i] = find_barrier(rules, patterns[i], path);
		free(path);
	}
	bt_rules_free(rules);
	return r;
}
