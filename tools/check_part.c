/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>

/* A whole number from 1 on, and where it ends; 0 if there is none. */
static unsigned read_number(const char *text, const char **ret_end)
{
	char *end;
	unsigned long number = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;

	if (!number || number > 1000000)
		return 0;
	*ret_end = end;
	return (unsigned)number;
}

/* "10%" or "0.25%" in hundredths of a percent; 0 if it is not one. */
static unsigned read_share(const char *text)
{
	size_t length = strspn(text, "0123456789.");
	char *end;
	double share = strtod(text, &end) * 100 + 0.5;

	if (end != text + length || strcmp(end, "%") != 0 || share >= 10001)
		return 0;
	return (unsigned)share;
}

/* "10%" is a tenth, taken at random; "1/7" the first of seven. */
static const char *set_subset(void *field, const char *text)
{
	struct tool_check_part *subset = field;
	const char *end = text, *last = text;
	unsigned number = read_number(text, &end), parts;
	unsigned share = read_share(text);

	if (share) {
		*subset = (struct tool_check_part){.quick = subset->quick, .share = share};
		return NULL;
	}
	parts = number && *end == '/' ? read_number(end + 1, &last) : 0;
	if (parts < number || !parts || *last)
		return "a part such as 1/7, or a share such as 10%";
	*subset = (struct tool_check_part){.quick = subset->quick, .part = number, .parts = parts};
	return NULL;
}

const struct tool_option tool_check_part_options[] = {
	{"quick", 0, NULL, false, "look only at metadata, and whether files say that they hold all contents",
	 tool_set_true, offsetof(struct tool_check_part, quick)},
	{"subset", 0, "PART", false, "read only this part of the contents: 1/7 to 7/7 in turn, or 10% at random",
	 set_subset, 0},
	{0},
};

char *tool_check_part_text(const struct bt_check_options *options)
{
	if (options->share)
		return tool_format("%g%%", options->share / 100.0);
	return options->parts ? tool_format("%u/%u", options->part, options->parts) : NULL;
}
