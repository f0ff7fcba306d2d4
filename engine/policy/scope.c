/* SPDX-License-Identifier: MIT */
#include "policy/scope.h"
#include <string.h>

bool bt_scope_covers(const char *target, const char *path)
{
	size_t length = strlen(target);

	while (length > 0 && target[length - 1] == '/')
		length--;
	return *target == '/' && strncmp(path, target, length) == 0 && (!path[length] || path[length] == '/');
}

static bool covers_all(const struct bt_scope *scope, const char *target)
{
	for (size_t i = 0; i < scope->path_count; i++)
		if (!bt_scope_covers(target, scope->paths[i]))
			return false;
	return true;
}

/* What the user spoke of. */
static bool is_asked_for(const struct bt_scope *scope, const char *target)
{
	if (scope->path_count)
		return covers_all(scope, target);
	return scope->output && strcmp(scope->output, target) == 0;
}

enum bt_rank bt_scope_rank(const struct bt_scope *scope, const char *host, const char *target)
{
	bool here = !scope->host || strcmp(scope->host, host) == 0;

	if (is_asked_for(scope, target))
		return here ? BT_RANK_SAME : BT_RANK_ELSEWHERE;
	if (!scope->path_count && here && scope->directory && bt_scope_covers(target, scope->directory))
		return BT_RANK_AROUND;
	return BT_RANK_ANY;
}

enum bt_rank bt_scope_best(const struct bt_scope *scope)
{
	if (scope->path_count || scope->output)
		return BT_RANK_SAME;
	return scope->directory ? BT_RANK_AROUND : BT_RANK_ANY;
}
