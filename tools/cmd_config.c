/* SPDX-License-Identifier: MIT */
#include "commands.h"
#include "config_report.h"
#include "output.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	const char *config;
	bool names;
};

#define FIELD(name) offsetof(struct options, name)

static const struct tool_option table[] = {
	{"names", 0, NULL, false, "show only the names of the sources, one per line", tool_set_true, FIELD(names)},
	{0},
};

static void fill(struct config_shown *shown, const struct config *config, const struct config_source *source)
{
	struct config_entries all = config_effective(config, source);
	const struct config_entry *target = config_entry(&all, "as"), *store = config_entry(&all, "store");

	if (!target)
		target = config_entry(&all, "target-directory");
	*shown = (struct config_shown){.source = source,
				       .settings = tool_alloc((all.count + 1) * sizeof(*shown->settings)),
				       .count = all.count,
				       .target = target ? target->value : NULL,
				       .store = store ? store->value : NULL};
	for (size_t i = 0; i < all.count; i++)
		shown->settings[i] = (struct config_setting){source->name, all.items[i].key, all.items[i].value,
							     all.items[i].file, all.items[i].line};
	free(all.items);
}

static int show(const struct tool *tool, const struct config_report *report)
{
	int r = config_refuse(tool, report->config);

	if (r != TOOL_OK)
		return r;
	config_show_print(tool, report);
	return TOOL_OK;
}

static int check(const struct tool *tool, const struct config_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		report->sources[i].fine = config_check(report->config, report->sources[i].source, tool);
	config_check_print(tool, report);
	return config_refuse(tool, report->config) == TOOL_OK ? TOOL_OK : TOOL_FATAL;
}

static int list_names(const struct config *config)
{
	for (size_t i = 0; i < config->count; i++)
		puts(config->sources[i].name);
	return TOOL_OK;
}

/* The sources that are named, or all of them. */
static int find_sources(struct tool *tool, const struct config *config, struct config_report *report)
{
	tool_auto const struct config_source **sources = tool_alloc((config->count + 1) * sizeof(*sources));
	int r;

	tool->operands++;
	tool->operand_count--;
	r = config_choose(tool, config, !tool->operand_count, sources, &report->count);
	report->sources = tool_alloc((report->count + 1) * sizeof(*report->sources));
	for (size_t i = 0; r == TOOL_OK && i < report->count; i++)
		fill(&report->sources[i], config, sources[i]);
	return r;
}

static int run_config(struct tool *tool, const void *arg)
{
	const struct options *options = arg;
	const char *verb = tool->operands[0];
	bool checks = strcmp(verb, "check") == 0;
	struct config config;
	struct config_report report = {.config = &config};
	int r = TOOL_OK;

	if (!checks && strcmp(verb, "show") != 0) {
		tool_auto char *shown = tool_escape(verb);

		return tool_usage_error(tool, "'%s' is neither check nor show", shown);
	}
	if (checks && options->names)
		return tool_usage_error(tool, "--names goes with show");
	config_load(tool, options->config, &config);
	if (options->names)
		r = list_names(&config);
	else
		r = find_sources(tool, &config, &report);
	if (r == TOOL_OK && !options->names)
		r = checks ? check(tool, &report) : show(tool, &report);
	for (size_t i = 0; i < report.count && report.sources; i++)
		free(report.sources[i].settings);
	free(report.sources);
	config_free(&config);
	return r;
}

const struct tool_command cmd_config = {
	.name = "config",
	.summary = "checks or shows the configuration, which says what is to be protected",
	.description = "A configuration is plain text: lines 'key = value' below a line [source NAME] for\n"
		       "each directory that is to be protected. What stands below [defaults], which\n"
		       "comes first, is for all sources. It lies in /etc/backuptool/config for root and\n"
		       "in $XDG_CONFIG_HOME/backuptool/config or ~/.config/backuptool/config for others.\n"
		       "Each file NAME.conf beside it is one source more, which is called NAME: its lines\n"
		       "have no section, and what [defaults] say counts for it, too. With --config only\n"
		       "that file is read.\n"
		       "\n"
		       "Keys are the long options of 'snapshot', the rules of 'prune', the interval and\n"
		       "what else 'job' has, --subset and --quick of 'check', and store, store-id,\n"
		       "lock-wait and yes, all without dashes. One key more is check-every: 'run' checks\n"
		       "the store when no check is as new as that. Each source has a target-directory\n"
		       "and a store. An option without a value is 'yes' or 'no'. What can be repeated\n"
		       "is repeated, a line for each, and adds to what [defaults] have; any other key\n"
		       "stands once, and one of a source counts instead of that of [defaults].\n"
		       "\n"
		       "A value is all from the first character after = and blanks to the last one of\n"
		       "its line. There are no quotes, and blanks inside need none; nothing is replaced\n"
		       "but '~/' at the beginning of a path, which is the home directory. Paths begin\n"
		       "with / or ~/, and any bytes but a line feed may be in them. A line that begins\n"
		       "with # is a remark. Commands of hooks are for the shell, with its quotes.\n"
		       "\n"
		       "Nothing is done by a configuration in which anything is wrong: it is refused\n"
		       "with the file and the line. So is a file that others may write, or that belongs\n"
		       "to somebody else than you or root, since commands are run from it.\n"
		       "\n"
		       "'check' looks whether the directories are there, the stores can be opened or\n"
		       "made, and patterns can match something, and ends with 1 if not. 'show' prints\n"
		       "what counts for each source, and where it stands.\n"
		       "\n"
		       "A NAME.conf with BACKUPTOOL_STORE=, BACKUPTOOL_STORE_ID= and OPTIONS=, as\n"
		       "backuptool@NAME.service has it, is a source, too.",
	.operands = "check|show [SOURCE…]",
	.example = "  backuptool config check\n"
		   "  backuptool config show home\n"
		   "  backuptool run home\n"
		   "\n"
		   "  # ~/.config/backuptool/config\n"
		   "  [defaults]\n"
		   "  store = /media/backup/store\n"
		   "  exclude = *.tmp\n"
		   "  keep-daily = 30\n"
		   "  check-every = 7d\n"
		   "\n"
		   "  [source home]\n"
		   "  target-directory = ~/\n"
		   "  exclude = /.cache/\n"
		   "  one-file-system = yes\n"
		   "\n"
		   "  [source photos]\n"
		   "  target-directory = ~/Pictures\n"
		   "  keep-yearly = all\n",
	.min_operands = 1,
	.max_operands = -1,
	.common = TOOL_COMMON_JSON,
	.options = {{config_option, FIELD(config)}, {table, 0}},
	.options_size = sizeof(struct options),
	.run = run_config,
};
