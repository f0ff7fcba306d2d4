/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "entry.h"
#include "output.h"
#include "place.h"
#include "progress.h"
#include "tar.h"
#include <backuptool/walk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	bool zip;
};

static const char *set_format(void *field, const char *text)
{
	*(bool *)field = strcmp(text, "zip") == 0;
	return *(bool *)field || strcmp(text, "tar") == 0 ? NULL : "tar or zip";
}

static const struct tool_option table[] = {
	{"format", 0, "tar|zip", false, "what to write (tar)", set_format, offsetof(struct options, zip)},
	{0},
};

#ifdef BT_HAVE_LIBARCHIVE

struct dump {
	const struct tool *tool;
	const struct tool_place *place;
	struct tool_tar *tar;
	struct tool_talk talk;
	struct bt_progress progress;
	bool incomplete, zip;
};

static void tell_bytes(void *arg, uint64_t bytes)
{
	struct dump *dump = arg;

	dump->progress.bytes += bytes;
	if (dump->talk.observer.progress)
		dump->talk.observer.progress(&dump->talk, &dump->progress);
}

/* TOOL_OK also when only this entry is not in the stream. */
static int add_entry(struct dump *dump, const char *path, const struct bt_entry *entry)
{
	struct bt_error error = {0};
	bool broken;
	int code;

	dump->progress.path = path;
	tell_bytes(dump, 0);
	code = tool_tar_add(dump->tar, path, entry, &broken, &error);
	dump->progress.files += entry->type == BT_FILE;
	if (entry->extra && entry->extra->torn)
		tool_talk_pause(&dump->talk);
	if (!code) {
		tool_entry_say_torn(dump->tool, path, entry);
		return TOOL_OK;
	}
	if (code == BT_E_UNSUPPORTED && dump->zip) /* said at the end, once */
		return TOOL_OK;
	if (code == BT_E_UNSUPPORTED) {
		tool_auto char *shown = tool_escape(path);

		tool_talk_pause(&dump->talk);
		tool_say(dump->tool, "%s is a socket, which a tar cannot have: left out", shown);
		return TOOL_OK;
	}
	if (broken || code == BT_E_CANCELLED)
		return tool_fail(dump->tool, &error);
	dump->talk.observer.problem(&dump->talk, path, &error);
	dump->incomplete = true;
	return TOOL_OK;
}

static int add_step(struct dump *dump, const struct bt_walk_step *step)
{
	tool_auto char *path = tool_format("./%s%s", step->path, step->entry->type == BT_DIR ? "/" : "");

	return add_entry(dump, path, step->entry);
}

static int add_below(struct dump *dump, struct bt_walk *walk)
{
	int r = add_entry(dump, "./", dump->place->entry);

	while (r == TOOL_OK) {
		struct bt_walk_step step = {0};
		struct bt_error error = {0};
		int code = bt_walk_next(walk, &step, &error);

		if (tool_signals_seen())
			return tool_fail(dump->tool, &(struct bt_error){.code = BT_E_CANCELLED});
		if (code == BT_E_NOMEM)
			return tool_fail(dump->tool, &error);
		if (code) {
			dump->talk.observer.problem(&dump->talk, step.path, &error);
			dump->incomplete = true;
		} else if (!step.entry) {
			break;
		} else {
			r = add_step(dump, &step);
		}
	}
	return r;
}

static int write_all(struct dump *dump)
{
	const struct bt_entry *from = dump->place->entry;
	struct bt_error error = {0};
	struct bt_walk *walk;
	int r;

	if (from->type != BT_DIR)
		return add_entry(dump, from->name, from);
	if (bt_walk_new(dump->place->pick.store, dump->place->info, from, &walk, &error))
		return tool_fail(dump->tool, &error);
	r = add_below(dump, walk);
	bt_walk_free(walk);
	return r;
}

static void add_lack(char **text, uint64_t count, const char *what, const char *whats, const char *rest)
{
	tool_auto char *number = tool_count(count, what, whats);

	if (count)
		tool_append(text, "%s%s%s", *text ? ", " : "", number, rest);
}

/* What the zip has in another way, in one sentence. */
static void say_lacks(const struct tool *tool, const struct tool_zip_lacks *lacks)
{
	tool_auto char *text = NULL;

	add_lack(&text, lacks->kinds, "device, pipe or socket", "devices, pipes and sockets", " left out");
	add_lack(&text, lacks->copies, "file with several names", "files with several names", " written for each name");
	add_lack(&text, lacks->attributes, "entry", "entries", " without attributes or ACLs");
	add_lack(&text, lacks->times, "time", "times", " before 1970 or after 2038");
	add_lack(&text, lacks->names, "name", "names", " with %FF for bytes that are not UTF-8");
	if (text && !tool->quiet)
		tool_say(tool, "a zip cannot have everything: %s", text);
}

static int dump(const struct tool *tool, const struct tool_place *place, bool zip)
{
	struct dump dump = {.tool = tool, .place = place, .zip = zip};
	struct bt_error error = {0};
	int r = TOOL_FATAL;

	dump.tar = tool_tar_new(place->pick.store, STDOUT_FILENO, zip, tell_bytes, &dump);
	if (!dump.tar) {
		tool_say(tool, "cannot begin the archive");
		return TOOL_FATAL;
	}
	struct bt_owners *names = tool_owners_open(tool, place->pick.store, place->pick.snapshot);

	tool_tar_names(dump.tar, names);
	tool_talk_begin(&dump.talk, tool);
	if (!*place->path) {
		dump.progress.total_files = place->info->files;
		dump.progress.total_bytes = place->info->directory_size;
	}
	r = write_all(&dump);
	tool_talk_end(&dump.talk);
	if (r == TOOL_OK && tool_tar_end(dump.tar, &error))
		r = tool_fail(tool, &error);
	say_lacks(tool, tool_tar_lacks(dump.tar));
	tool_tar_free(dump.tar);
	bt_owners_close(names);
	return r == TOOL_OK && dump.incomplete ? TOOL_INCOMPLETE : r;
}

static int run_dump(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	struct tool_place place;
	int r;

	if (isatty(STDOUT_FILENO))
		return tool_usage_error(tool, "refusing to write a %s archive to a terminal: redirect the output",
					options->zip ? "zip" : "tar");
	r = tool_place_open(tool, tool->operands[0], &place);
	if (r != TOOL_OK)
		return r;
	r = dump(tool, &place, options->zip);
	tool_place_close(&place);
	return r;
}

#else

static int run_dump(struct tool *tool, const void *options)
{
	tool_say(tool, "this backuptool was built without libarchive: install libarchive-dev and build it again");
	return TOOL_FATAL;
}

#endif

const struct tool_command cmd_dump = {
	.name = "dump",
	.summary = "writes a snapshot, or a part of it, as a tar stream or a zip",
	.description = "A tar is in the format of POSIX 2001 (pax), with hard links, holes, attributes, ACLs, and\n"
		       "owners by number and name, of which tar(1) takes the name unless told otherwise.\n"
		       "Sockets are left out. The holes of a file whose path is longer than 100 bytes\n"
		       "and not UTF-8 are written as zeros. Of a file with an ACL tar --compare calls\n"
		       "the mode different. Bytes that are not ASCII in an attribute's name are written\n"
		       "as %FF, which bsdtar turns back and GNU tar does not.\n"
		       "\n"
		       "A zip has names as UTF-8, modes, owners by number, symbolic links, and times to\n"
		       "the second. It has no devices, pipes and sockets, attributes and ACLs; a file\n"
		       "with several names is written for each. What is lost so is said once.",
	.operands = "SNAPSHOT[:PATH]",
	.example = "  backuptool dump latest | tar --compare -C ~/documents\n"
		   "  backuptool dump latest:letters | ssh other tar -x --xattrs --acls -C letters\n"
		   "  backuptool dump latest:letters --format zip >letters.zip\n",
	.min_operands = 1,
	.max_operands = 1,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT | TOOL_COMMON_TALK,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.run = run_dump,
};
