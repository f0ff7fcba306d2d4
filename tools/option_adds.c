/* SPDX-License-Identifier: MIT */
/* Options that add to a list. */
#include "listed.h"
#include <stdlib.h>

bool tool_option_repeats(const struct tool_option *option)
{
	static tool_option_set *const adding[] = {tool_add_text,    tool_add_tag,    tool_add_patterns,
						  tool_add_name,    tool_add_folded, tool_add_folded_patterns,
						  tool_add_include, tool_add_listed, tool_add_listed_raw,
						  tool_add_program};

	for (size_t i = 0; i < sizeof(adding) / sizeof(*adding); i++)
		if (option->set == adding[i])
			return true;
	return false;
}

void tool_options_free(const struct tool_option *options, void *target)
{
	for (; options->name; options++) {
		struct tool_texts *texts = (void *)((char *)target + options->field);

		if (!tool_option_repeats(options))
			continue;
		free(texts->items);
		*texts = (struct tool_texts){0};
	}
}
