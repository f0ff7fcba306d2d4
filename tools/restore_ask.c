/* SPDX-License-Identifier: MIT */
#include "restore_ask.h"
#include "confirm.h"
#include "output.h"
#include <backuptool/select.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One restore that may have to be asked about. */
struct ask {
	const struct tool *tool;
	const struct tool_pick *pick;
	const struct bt_snapshot_info *info;
	const struct bt_restore_options *wanted;
	char host[BT_HOST_SIZE];
	char *output;	      /* absolute, without symlinks */
	char *source;	      /* the directory that is restored, as it was called: the snapshot's, or one in it */
	char *shown, *target; /* escaped: the output, and the source */
	uint64_t removed, brought, newer;
};

static bool is_top(const char *path)
{
	return strcmp(path, "/") == 0;
}

/* How many of the names that would be restored to the top are new there, and how many are not. */
static void count_names(const struct ask *ask, int dirfd, uint64_t *ret_new, uint64_t *ret_there)
{
	const struct bt_entry *entry;
	struct bt_error error = {0};
	const struct bt_page *page = NULL;
	struct bt_dir *dir;
	const char *base = ask->wanted->base ? ask->wanted->base : "";

	*ret_new = *ret_there = 0;
	if (bt_path_lookup(ask->pick->store, &ask->info->root, base, &page, &entry, &error))
		return;
	int code = bt_dir_new(ask->pick->store, &entry->digest, &dir, &error);
	bt_page_put(ask->pick->store, page);
	if (code)
		return;
	while (bt_dir_next(dir, &entry, &error) == 0 && entry) {
		struct stat status;

		++*(fstatat(dirfd, entry->name, &status, AT_SYMLINK_NOFOLLOW) ? ret_new : ret_there);
	}
	bt_dir_free(dir);
}

/* The entries of a directory, up to max; a new file system has none. */
static uint64_t count_entries(int dirfd, uint64_t max)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry = dir ? readdir(dir) : NULL;
	uint64_t count = 0;

	for (; count < max && entry; entry = readdir(dir))
		count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
			 strcmp(entry->d_name, "lost+found");
	if (dir)
		closedir(dir);
	else if (copy >= 0)
		close(copy);
	return count;
}

bool tool_restore_has_entries(const char *output)
{
	int dirfd = open(output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool empty = dirfd < 0 || !count_entries(dirfd, 1);

	if (dirfd >= 0)
		close(dirfd);
	return !empty;
}

static bool is_of_output(const struct ask *ask, const struct bt_snapshot_info *info)
{
	const char *source = info == ask->info ? ask->source : info->target;

	return strcmp(info->host, ask->host) == 0 && strcmp(source, ask->output) == 0;
}

/* Whether the user says what is to come, and does not mean a whole directory. */
static bool is_selected(const struct bt_restore_options *wanted)
{
	return wanted->path_count || wanted->include_count;
}

/* Nothing is to be said to those who name what is to come, or bring it back to where it was. */
static void warn(const struct ask *ask)
{
	bool meant = is_selected(ask->wanted) || is_of_output(ask, ask->info);
	int dirfd = meant ? -1 : open(ask->output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t new = 0, there = 0;

	if (dirfd < 0)
		return;
	if (count_entries(dirfd, 1))
		count_names(ask, dirfd, &new, &there);
	close(dirfd);
	if (ask->tool->quiet || !new || (there && !is_top(ask->output)))
		return;
	tool_auto char *count = tool_count(new, "new entry comes", "new entries come");
	tool_say(ask->tool, "%s into %s, which %s; the snapshot is of %s", count, ask->shown,
		 there ? "has others of the same names" : "has nothing of the same name", ask->target);
}

/* Counts what --delete would remove, and files that are newer here; a signal may just end that. If it fails, the
 * restore will tell why. */
static void count(struct ask *ask)
{
	struct bt_restore_options options = *ask->wanted;
	struct bt_restore_result result = {.size = sizeof(result)};
	struct bt_error error = {0};
	int code;

	options.confine = false;
	options.dry_run = options.count_only = true;
	code = bt_restore(ask->pick->store, ask->pick->snapshot, ask->output, &options, NULL, &result, &error);
	if (code && code != BT_E_INCOMPLETE)
		return;
	ask->removed = result.deleted;
	ask->newer = result.newer;
	ask->brought = result.files + result.directories + result.others;
	ask->brought -= ask->brought && !is_selected(&options); /* the directory itself */
}

/* Somebody sits there who may think better of it. */
static void say_newer(const struct ask *ask)
{
	tool_auto char *files = tool_count(ask->newer, "file", "files");

	if (ask->newer)
		tool_say(ask->tool, "%s here %s newer than the snapshot; '--overwrite if-newer' leaves %s", files,
			 ask->newer == 1 ? "is" : "are", ask->newer == 1 ? "it" : "them");
}

static bool is_above(const char *directory, const char *path)
{
	size_t length = strlen(directory);

	return strncmp(directory, path, length) == 0 && (path[length] == '/' || (is_top(directory) && path[1]));
}

/* The newest snapshot of the output, where the one to be restored is of something else; allocated, or NULL. */
static char *other_snapshot(const struct ask *ask)
{
	char *name = NULL;

	if (is_of_output(ask, ask->info))
		return NULL;
	for (size_t i = bt_store_snapshot_count(ask->pick->store); i-- > 0 && !name;) {
		const char *candidate = bt_store_snapshot_name(ask->pick->store, i);
		struct bt_snapshot *snapshot;
		struct bt_error error = {0};

		if (bt_snapshot_open(ask->pick->store, candidate, &snapshot, &error))
			continue;
		if (is_of_output(ask, bt_snapshot_info(snapshot)))
			name = tool_format("%s", candidate);
		bt_snapshot_close(snapshot);
	}
	return name;
}

/* Whether the output looks like something else than the snapshot: most of its names are not in that. */
static bool is_strange(const struct ask *ask)
{
	int dirfd = is_selected(ask->wanted) ? -1 : open(ask->output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t new, there;
	bool strange;

	if (dirfd < 0)
		return false;
	count_names(ask, dirfd, &new, &there);
	strange = count_entries(dirfd, 2 * there + 1) > 2 * there;
	close(dirfd);
	return strange;
}

static void doubt_deletion(const struct ask *ask)
{
	tool_auto char *other = other_snapshot(ask), *removed = tool_count(ask->removed, "entry", "entries");
	tool_auto char *brought = tool_count(ask->brought, "entry", "entries");

	if (other)
		tool_doubt(ask->tool, "this removes %s from %s, of which the newest snapshot is %s; %s is of %s",
			   removed, ask->shown, other, ask->info->name, ask->target);
	else if (is_above(ask->output, ask->source))
		tool_doubt(ask->tool, "this removes %s from %s, and the snapshot is of %s below it", removed,
			   ask->shown, ask->target);
	else if (ask->removed > ask->brought)
		tool_doubt(ask->tool, "this removes %s from %s, more than the %s of the snapshot of %s", removed,
			   ask->shown, brought, ask->target);
	else if (!is_of_output(ask, ask->info) && is_strange(ask))
		tool_doubt(ask->tool, "this removes %s from %s, where most names are not in the snapshot of %s",
			   removed, ask->shown, ask->target);
}

static void doubt_all(struct ask *ask)
{
	const struct bt_restore_options *wanted = ask->wanted;
	bool replaces = wanted->overwrite == BT_OVERWRITE_IF_CHANGED || wanted->overwrite == BT_OVERWRITE_ALWAYS;
	bool watched = replaces && isatty(STDERR_FILENO) && !ask->tool->quiet && tool_restore_has_entries(ask->output);
	bool delete = wanted->delete_extra && !wanted->backup && !ask->tool->yes;

	if (delete || watched)
		count(ask);
	if (watched)
		say_newer(ask);
	delete &= ask->removed > 0;
	char *removed = tool_count(ask->removed, "entry", "entries");

	if (is_top(ask->output) && !(is_selected(wanted) && is_top(ask->info->target)))
		tool_doubt(ask->tool, "this restores the snapshot of %s onto /%s%s", ask->target,
			   ask->removed ? " and removes from there " : "", ask->removed ? removed : "");
	else if (delete)
		doubt_deletion(ask);
	free(removed);
}

int tool_restore_ask(const struct tool *tool, const struct tool_pick *pick, const char *output,
		     const struct bt_restore_options *wanted)
{
	struct ask ask = {.tool = tool, .pick = pick, .info = bt_snapshot_info(pick->snapshot), .wanted = wanted};

	ask.output = realpath(output, NULL);
	if (!ask.output)
		return tool_confirm(tool); /* there is nothing yet */
	bt_host(ask.host);
	ask.shown = tool_escape(output);
	ask.source = wanted->base ? tool_format("%s/%s", is_top(ask.info->target) ? "" : ask.info->target, wanted->base)
				  : tool_format("%s", ask.info->target);
	ask.target = tool_escape(ask.source);
	warn(&ask);
	if (!wanted->dry_run)
		doubt_all(&ask);
	free(ask.output);
	free(ask.source);
	free(ask.shown);
	free(ask.target);
	return tool_confirm(tool);
}
