/* SPDX-License-Identifier: MIT */
#include "snapshot/request.h"

#include "base/bytes.h"
#include "base/fail.h"
#include "base/io.h"
#include "codec/frame.h"
#include "snapshot/made.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_tag(const char *tag)
{
	return tag[0] != 0 && bt_utf8_valid(tag, strlen(tag)) && bt_is_one_line(tag, strlen(tag));
}

static int take_tags(struct bt_snap_request *request, const struct bt_snapshot_options *options, struct bt_error *error)
{
	size_t count = 0;

	if (options->tag_count == 0)
		return 0;
	request->tags = calloc(options->tag_count, sizeof(*request->tags));
	if (!request->tags)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	for (size_t i = 0; i < options->tag_count; i++) {
		if (!is_tag(options->tags[i]))
			return bt_fail(error, BT_E_INVALID, options->tags[i], "not a tag");
		request->tags[i] = options->tags[i];
	}
	qsort(request->tags, options->tag_count, sizeof(*request->tags), by_text);
	for (size_t i = 0; i < options->tag_count; i++)
		if (count == 0 || strcmp(request->tags[count - 1], request->tags[i]) != 0)
			request->tags[count++] = request->tags[i];
	request->info.tags = request->tags;
	request->info.tag_count = count;
	return 0;
}

static int take_host(struct bt_snap_request *request, const char *wanted, struct bt_error *error)
{
	size_t length = wanted ? strlen(wanted) : 0;

	if (wanted && (length == 0 || length >= BT_HOST_SIZE || !bt_utf8_valid(wanted, length)))
		return bt_fail(error, BT_E_INVALID, wanted, "not a name of a host");
	if (wanted)
		memcpy(request->host, wanted, length + 1);
	else
		bt_host(request->host);
	request->info.host = request->host;
	return 0;
}

/* A walk leaves the store out where it meets it, but one that begins in the store would store it into itself. target
 * comes from realpath. */
static int refuse_store(dev_t dev, ino_t inode, const char *target, struct bt_error *error)
{
	struct stat st;
	char path[PATH_MAX];
	char *end = memccpy(path, target, 0, sizeof(path));

	if (!end)
		return 0;
	for (end--; end > path; end = strrchr(path, '/')) {
		*end = 0;
		if (stat(path, &st) == 0 && st.st_dev == dev && st.st_ino == inode)
			return bt_fail(error, BT_E_INVALID, target, "the target lies in the store");
	}
	return 0;
}

int bt_snapshot_place(const char *store, const char *target, struct bt_error *error)
{
	struct stat status;
	char *real = stat(store, &status) == 0 ? realpath(target, NULL) : NULL;
	int r = real ? refuse_store(status.st_dev, status.st_ino, real, error) : 0;

	free(real);
	return r;
}

/* In the one spelling that other snapshots of the same target have. */
static bool is_target(const char *path)
{
	const char *at = path;

	if (*at != '/' || strlen(path) >= PATH_MAX)
		return false;
	while (at[0] == '/' && at[1]) {
		size_t length = strcspn(++at, "/");

		if (length == 0 || (at[0] == '.' && (length == 1 || (length == 2 && at[1] == '.'))))
			return false;
		at += length;
	}
	return !at[0] || at == path;
}

static int take_target(struct bt_snap_request *request, const char *target, const char *as, struct bt_error *error)
{
	if (as && !is_target(as))
		return bt_fail(error, BT_E_INVALID, as, "not a path by which a target is recorded");
	request->info.target = as;
	if (!target)
		return 0;
	request->target = realpath(target, NULL);
	if (!request->target)
		return bt_fail_sys(error, errno, target, "find the target");
	if (!as)
		request->info.target = request->target;
	return 0;
}

int bt_snap_request_read(struct bt_snap_request *request, struct bt_store *store, const char *target,
			 const struct bt_snapshot_options *options, struct bt_error *error)
{
	dev_t dev;
	ino_t inode;

	if (options->level < BT_LEVEL_AUTO || options->level > BT_COMPRESSION_MAX)
		return bt_fail(error, BT_E_INVALID, NULL, "no such compression level");
	if ((unsigned)options->at_rest > BT_AT_REST_ZSTD)
		return bt_fail(error, BT_E_INVALID, NULL, "no such way for files to lie");
	int r = take_host(request, options->host, error);
	if (!r && options->stream_count)
		r = bt_snap_made_check(options, error);
	if (!r)
		r = take_target(request, options->stream_count ? NULL : target, options->as, error);
	if (r)
		return r;
	bt_store_inode(store, &dev, &inode);
	if (request->target)
		r = refuse_store(dev, inode, request->target, error);
	if (!r && options->paths)
		r = bt_listed_new(options->paths, options->path_count, &request->listed, error);
	if (!r)
		r = take_tags(request, options, error);
	return r ? r : bt_snap_request_how(request, options, error);
}

static bool is_used(const struct bt_exclusion_set *set, const char *pattern)
{
	const struct bt_buf *list = &set->lists[BT_LIST_INCLUDE];
	size_t count = list->length / sizeof(char *);
	const char *const *found = count ? bsearch(&pattern, list->data, count, sizeof(char *), by_text) : NULL;

	return found && bt_rules_used(set->include, (size_t)(found - (const char *const *)list->data));
}

void bt_snap_request_used(const struct bt_snap_request *request, const struct bt_snapshot_options *options)
{
	const struct bt_exclusion_set *set = &request->exclusion;

	for (size_t i = 0; options->exclude_used && i < options->exclude_count; i++)
		options->exclude_used[i] = bt_rules_used(set->rules, i);
	for (size_t i = 0; options->include_used && i < options->include_count; i++)
		options->include_used[i] = is_used(set, options->include[i]);
}

void bt_snap_request_free(struct bt_snap_request *request)
{
	bt_exclusion_free(&request->exclusion);
	bt_listed_free(request->listed);
	free(request->target);
	free(request->tags);
	bt_arena_free(&request->arena);
}
