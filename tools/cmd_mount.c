/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
	struct tool_texts options;
	bool foreground, quiet;
};

static const struct tool_option table[] = {
	{"options", 'o', "OPTION,…", false, "mount options, as in 'backupfs --help'; repeatable", tool_add_text,
	 offsetof(struct options, options)},
	{"foreground", 'f', NULL, false, "stay in the foreground", tool_set_true, offsetof(struct options, foreground)},
	{"quiet", 'q', NULL, false, "do not say how to end it", tool_set_true, offsetof(struct options, quiet)},
	{0},
};

/* A mount option, in which a comma or a backslash of the text has a backslash before it. */
static void add_selected(const char **list, size_t *count, const char *option, const char *const *texts,
			 size_t text_count)
{
	for (size_t i = 0; i < text_count; i++) {
		char *word = tool_format("%s=", option);

		for (const char *c = texts[i]; *c; c++)
			tool_append(&word, "%s%c", *c == ',' || *c == '\\' ? "\\" : "", *c);
		list[(*count)++] = "-o";
		list[(*count)++] = word;
	}
}

/* The arguments of backupfs: STORE MOUNTPOINT [-o …] [-f]. */
static char **arguments(const struct tool *tool, const struct options *options)
{
	const struct bt_filter none = {.size = sizeof(none)}, *filter = tool->filter ? tool->filter : &none;
	size_t count = 0, more = options->options.count + filter->host_count + filter->target_count + filter->tag_count;
	const char **list = tool_alloc((2 * more + 5) * sizeof(*list));

	list[count++] = "backupfs";
	list[count++] = tool->store;
	list[count++] = tool->operands[0];
	for (size_t i = 0; i < options->options.count; i++) {
		list[count++] = "-o";
		list[count++] = options->options.items[i];
	}
	add_selected(list, &count, "host", filter->hosts, filter->host_count);
	add_selected(list, &count, "target", filter->targets, filter->target_count);
	add_selected(list, &count, "tag", filter->tags, filter->tag_count);
	if (options->foreground)
		list[count++] = "-f";
	return (char **)list;
}

/* Beside this program, where a build leaves it, or in PATH. Returns only when it is nowhere. */
static void exec_driver(char **list)
{
	static const char *const places[] = {"backupfs", "../fs/backupfs"};
	char self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	for (size_t i = 0; length > 0 && i < sizeof(places) / sizeof(*places); i++) {
		char *path;

		self[length] = '\0';
		*strrchr(self, '/') = '\0';
		path = tool_format("%s/%s", self, places[i]);
		execv(path, list);
		free(path);
		self[strlen(self)] = '/';
	}
	execvp("backupfs", list);
}

/* The driver opens any store. */
static int check_id(const struct tool *tool)
{
	const struct bt_store_options options = {
		.size = sizeof(options), .id = tool_store_wanted(tool), .read_only = true};
	struct bt_store *store;
	struct bt_error error = {0};

	if (!options.id)
		return TOOL_OK;
	if (bt_store_open(tool->store, &options, &store, &error) < 0)
		return tool_fail(tool, &error);
	bt_store_close(store);
	return TOOL_OK;
}

static int run_driver(const struct tool *tool, const struct options *options)
{
	tool_auto char **list = arguments(tool, options);

	exec_driver(list);
	if (errno == ENOENT)
		tool_say(tool, "the program backupfs is missing: install libfuse3-dev, build again, and try once more");
	else
		tool_say(tool, "cannot run backupfs: %s", strerror(errno));
	return TOOL_FATAL;
}

/* The driver ends when the mount answers: what serves it then is a process of its own. */
static int wait_for_driver(const struct tool *tool, pid_t driver)
{
	tool_auto char *place = tool_escape(tool->operands[0]);
	int status;

	while (waitpid(driver, &status, 0) < 0)
		if (errno != EINTR)
			return TOOL_FATAL;
	if (!WIFEXITED(status))
		return TOOL_FATAL;
	if (WEXITSTATUS(status) == 0)
		printf("%s shows the snapshots until '%s %s'\n", place, geteuid() ? "fusermount3 -u" : "umount", place);
	return WEXITSTATUS(status);
}

static int run_mount(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	int r = check_id(tool);
	pid_t driver;

	if (r != TOOL_OK)
		return r;
	if (options->foreground || options->quiet)
		return run_driver(tool, options);
	driver = fork();
	if (driver < 0) {
		tool_complain(tool, "cannot start backupfs: %s", strerror(errno));
		return TOOL_FATAL;
	}
	if (driver > 0)
		return wait_for_driver(tool, driver);
	_exit(run_driver(tool, options));
}

const struct tool_command cmd_mount = {
	.name = "mount",
	.summary = "shows all snapshots as directories below a mount point",
	.description = "Every snapshot is a directory, read-only, with everything that was recorded;\n"
		       "latest is the newest one, and a name such as @yesterday or @2026-11-20 leads\n"
		       "to the newest of the same directory at or before that time, although it is\n"
		       "not listed. Nothing is unpacked: what you look at is decoded when you look at\n"
		       "it. Snapshots that are taken while it is mounted appear. umount(8) or\n"
		       "fusermount3(1) end it.\n"
		       "\n"
		       "With --host, --target and --tag it shows only these snapshots. '-o group' shows\n"
		       "each below its host and directory, as laptop/home-me/latest.\n"
		       "\n"
		       "The mount is made by backupfs(8), which describes the mount options.",
	.operands = "MOUNTPOINT",
	.example = "  backuptool mount /mnt && ls /mnt/latest\n  umount /mnt\n",
	.min_operands = 1,
	.max_operands = 1,
	.common = TOOL_COMMON_STORE | TOOL_COMMON_SELECT,
	.options = {{table, 0}},
	.options_size = sizeof(struct options),
	.starts_setuid = true, /* fusermount3 */
	.run = run_mount,
};
