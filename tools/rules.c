/* SPDX-License-Identifier: MIT */
#include "rules.h"
#include "patterns.h"

static const char *set_size(void *field, const char *text)
{
	const char *wrong = tool_set_bytes(field, text);

	return wrong || *(uint64_t *)field ? wrong : "a size above 0";
}

#define FIELD(name) offsetof(struct tool_rules, name)

const struct tool_option tool_rules_options[] = {
	{"exclude", 'e', "PATTERN", false, "leave out what matches, as in .gitignore; repeatable", tool_add_text,
	 FIELD(exclude)},
	{"exclude-from", 0, "FILE", false, "the same for each line of a file, - for standard input", tool_add_patterns,
	 FIELD(exclude)},
	{"iexclude", 0, "PATTERN", false, "as --exclude, where a letter from A to Z stands for both cases; repeatable",
	 tool_add_folded, FIELD(exclude)},
	{"iexclude-from", 0, "FILE", false, "the same for each line of a file, - for standard input",
	 tool_add_folded_patterns, FIELD(exclude)},
	{"exclude-larger-than", 0, "SIZE", false, "leave out files of more than SIZE (500k, 100M, 4G)", set_size,
	 FIELD(exclude_larger_than)},
	{"exclude-caches", 0, NULL, false, "leave out what lies beside a CACHEDIR.TAG", tool_set_true,
	 FIELD(exclude_caches)},
	{"exclude-if-present", 0, "NAME", false, "leave out what lies beside a file of this name; repeatable",
	 tool_add_text, FIELD(exclude_if_present)},
	{"exclude-nodump", 0, NULL, false, "leave out what has the attribute d ('chattr +d', see lsattr)",
	 tool_set_true, FIELD(exclude_nodump)},
	{"ignore-file", 0, "NAME", false,
	 "in any directory, a file of this name has patterns for what is below it, as .gitignore; repeatable",
	 tool_add_name, FIELD(ignore_files)},
	{"include", 0, "PATTERN", false, "take only what matches, with all below and the way to it; repeatable",
	 tool_add_include, FIELD(include)},
	{"one-file-system", 'x', NULL, false, "do not enter other file systems", tool_set_true, FIELD(one_file_system)},
	{0},
};

static bool is_given(const struct tool_option *option, const struct tool_rules *rules)
{
	const void *field = (const char *)rules + option->field;

	if (tool_option_repeats(option))
		return ((const struct tool_texts *)field)->count;
	return option->argument ? *(const uint64_t *)field : *(const bool *)field;
}

const char *tool_rules_given(const struct tool_rules *rules)
{
	for (const struct tool_option *option = tool_rules_options; option->name; option++)
		if (is_given(option, rules))
			return option->name;
	return NULL;
}

void tool_rules_check(const struct tool *tool, const char *directory, const char *as, const struct tool_rules *rules)
{
	tool_patterns_check(tool, directory, as, &rules->exclude);
	tool_patterns_check(tool, directory, as, &rules->include);
}
