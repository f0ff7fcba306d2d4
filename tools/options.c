/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "output.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LONG   256 /* above every option letter */
#define LONGEST_NAME 32

struct parser {
	const struct tool_option_group *groups;
	struct option *longs;
	char *letters;
	bool *seen;
	size_t count;
	char *problem;
	size_t problem_size;
};

const char *tool_words_find(const struct tool_words *list, const char *word)
{
	tool_auto char *wanted = tool_format(" %s ", word);

	for (; list && list->words && !strchr(word, ' '); list++)
		if (strstr(list->words, wanted))
			return list->here;
	return NULL;
}

static bool may_lack_value(const struct tool_option *option)
{
	return option->argument && *option->argument == '[';
}

static const struct tool_option *option_at(const struct tool_option_group *groups, size_t index, void **ret_target)
{
	for (; groups->options; groups++)
		for (const struct tool_option *option = groups->options; option->name; option++, index--)
			if (index == 0) {
				*ret_target = groups->target;
				return option;
			}
	return NULL;
}

static const char *option_name(const void *groups, size_t index)
{
	void *target;
	const struct tool_option *option = option_at(groups, index, &target);

	return option ? option->name : NULL;
}

const struct tool_option *tool_option_find(const struct tool_option_group *groups, const char *name, void **ret_field)
{
	const struct tool_option *option;
	void *target;

	for (size_t i = 0; (option = option_at(groups, i, &target)); i++)
		if (strcmp(option->name, name) == 0) {
			*ret_field = (char *)target + option->field;
			return option;
		}
	return NULL;
}

const char *tool_option_nearest(const struct tool_option_group *groups, const char *name)
{
	return tool_nearest(name, option_name, groups);
}

char *tool_option_give(const struct tool_option *option, void *field, const char *text)
{
	const char *expected = option->set(field, text);

	if (!expected)
		return NULL;
	tool_auto char *shown = tool_escape(text);
	return tool_format("%s '%s' is not %s", option->name, shown, expected);
}

static void parser_init(struct parser *parser, bool first_operand_ends)
{
	const struct tool_option *option;
	void *target;
	char *letter;

	while (option_name(parser->groups, parser->count))
		parser->count++;
	parser->longs = tool_alloc((parser->count + 1) * sizeof(*parser->longs));
	parser->letters = letter = tool_alloc(2 * parser->count + 3);
	parser->seen = tool_alloc(parser->count + 1);
	if (first_operand_ends)
		*letter++ = '+';
	*letter++ = ':';
	for (size_t i = 0; (option = option_at(parser->groups, i, &target)); i++) {
		parser->longs[i] = (struct option){.name = option->name,
						   .has_arg = may_lack_value(option) ? optional_argument
							      : option->argument     ? required_argument
										     : no_argument,
						   .val = FIRST_LONG + (int)i};
		if (!option->letter)
			continue;
		*letter++ = option->letter;
		if (option->argument && !may_lack_value(option))
			*letter++ = ':';
	}
}

static void parser_free(struct parser *parser)
{
	free(parser->longs);
	free(parser->letters);
	free(parser->seen);
}

static const struct tool_option *option_of(const struct parser *parser, int value, size_t *ret_index, void **ret_target)
{
	const struct tool_option *option;

	for (size_t i = 0; (option = option_at(parser->groups, i, ret_target)); i++)
		if (value == FIRST_LONG + (int)i || (value < FIRST_LONG && value == option->letter)) {
			*ret_index = i;
			return option;
		}
	return NULL;
}

/* What does here what an option of that name does in other programs. */
static const char *known_elsewhere(const struct parser *parser, const char *name)
{
	const char *here = NULL;

	for (const struct tool_option_group *group = parser->groups; group->options && !here; group++)
		here = tool_words_find(group->elsewhere, name);
	return here;
}

static int refuse_unknown(const struct parser *parser, const char *word)
{
	tool_auto char *name = tool_format("%.*s", (int)strcspn(word + 2, "="), word + 2), *shown = tool_escape(name);
	const char *nearest = tool_option_nearest(parser->groups, name), *here = known_elsewhere(parser, name);

	if (here) {
		snprintf(parser->problem, parser->problem_size, "there is no option --%s: %s", shown, here);
		return -1;
	}

	snprintf(parser->problem, parser->problem_size, "there is no option --%s%s%s%s", shown,
		 nearest ? "; did you mean --" : "", nearest ? nearest : "", nearest ? "?" : "");
	return -1;
}

/* getopt gives one byte, which may be part of a longer character: then the character is taken from the word. */
static int refuse_letter(const struct parser *parser, const char *word)
{
	const char letter[] = {(char)optopt, '\0'}, *found = word ? strchr(word, optopt) : NULL;
	tool_auto char *shown = tool_escape_first(found ? found : letter);

	const char *here = known_elsewhere(parser, letter);

	snprintf(parser->problem, parser->problem_size, "there is no option -%s%s%s", shown, here ? ": " : "",
		 here ? here : "");
	return -1;
}

/* What getopt_long did not like: it returned code, with the rest in optopt and optind. */
static int refuse(const struct parser *parser, int code, char **argv)
{
	const struct tool_option *option = NULL;
	size_t index;
	void *target;

	if (optopt == 0)
		return refuse_unknown(parser, argv[optind - 1]);
	option = option_of(parser, optopt, &index, &target);
	if (!option)
		return refuse_letter(parser, argv[optind]);
	else if (code == ':')
		snprintf(parser->problem, parser->problem_size, "--%s needs a value: --%s %s", option->name,
			 option->name, option->argument);
	else
		snprintf(parser->problem, parser->problem_size, "--%s takes no value", option->name);
	return -1;
}

/* Where what is given is noted, for the option of that index. */
static struct tool_texts *given_of(const struct tool_option_group *groups, size_t index)
{
	for (; groups->options; groups++)
		for (const struct tool_option *option = groups->options; option->name; option++, index--)
			if (index == 0)
				return groups->given;
	return NULL;
}

static void note_given(const struct parser *parser, const struct tool_option *option, size_t index)
{
	struct tool_texts *given = given_of(parser->groups, index);
	bool has_value = option->argument && optarg;

	if (given)
		tool_texts_add(given,
			       tool_format("--%s%s%s", option->name, has_value ? "=" : "", has_value ? optarg : ""));
}

static int accept(struct parser *parser, int value)
{
	size_t index = 0;
	void *target = NULL;
	const struct tool_option *option = option_of(parser, value, &index, &target);
	tool_auto char *wrong = tool_option_give(option, (char *)target + option->field, optarg);

	parser->seen[index] = true;
	if (wrong) {
		snprintf(parser->problem, parser->problem_size, "--%s", wrong);
		return -1;
	}
	note_given(parser, option, index);
	return 0;
}

/* operand: the first one, or NULL. Somebody may have meant it for the option's value. */
static int refuse_missing(const struct parser *parser, const struct tool_option *option, const char *operand)
{
	tool_auto char *shown = tool_escape(operand ? operand : "");

	snprintf(parser->problem, parser->problem_size, "--%s %s is missing%s%s%s%s%s", option->name, option->argument,
		 operand ? "; did you mean --" : "", operand ? option->name : "", operand ? " " : "", shown,
		 operand ? "?" : "");
	return -1;
}

static bool is_replaced(const struct parser *parser, const struct tool_option *required)
{
	const struct tool_option *option;
	void *target;

	for (size_t i = 0; (option = option_at(parser->groups, i, &target)); i++)
		if (parser->seen[i] && required->set == tool_set_only &&
		    (option->set == tool_add_program || option->set == tool_set_stdin))
			return true;
	return false;
}

static int check_required(const struct parser *parser, const char *operand)
{
	const struct tool_option *option;
	void *target;

	for (size_t i = 0; (option = option_at(parser->groups, i, &target)); i++)
		if (option->required && !parser->seen[i] && !is_replaced(parser, option))
			return refuse_missing(parser, option, operand);
	return 0;
}

/* Whether there is an option with which no other one is required: a configuration has what is. */
static bool stands_alone(const struct parser *parser)
{
	const struct tool_option *option;
	void *target;

	for (size_t i = 0; (option = option_at(parser->groups, i, &target)); i++)
		if (parser->seen[i] && (strcmp(option->name, "help") == 0 || strcmp(option->name, "config") == 0 ||
					option->set == tool_set_alone || option->set == tool_set_name_alone))
			return true;
	return false;
}

int tool_options_parse(const struct tool_option_group *groups, int argc, char **argv, bool first_operand_ends,
		       char *problem, size_t problem_size)
{
	struct parser parser = {.groups = groups, .problem = problem, .problem_size = problem_size};
	int value, r = 0;

	parser_init(&parser, first_operand_ends);
	opterr = 0;
	optind = 0; /* start again */
	do {
		value = getopt_long(argc, argv, parser.letters, parser.longs, NULL);
		if (value == '?' || value == ':')
			r = refuse(&parser, value, argv);
		else if (value != -1)
			r = accept(&parser, value);
	} while (!r && value != -1);
	if (!r && !stands_alone(&parser))
		r = check_required(&parser, argv[optind]);
	parser_free(&parser);
	return r ? -1 : optind;
}

/* Levenshtein's distance of two short words; long ones count as far apart. */
static unsigned distance(const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b);
	unsigned row[LONGEST_NAME + 1];

	if (a_length > LONGEST_NAME || b_length > LONGEST_NAME)
		return LONGEST_NAME;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_length];
}

const char *tool_nearest(const char *wrong, const char *(*next)(const void *arg, size_t index), const void *arg)
{
	const char *nearest = NULL, *name;
	unsigned least = 1 + (unsigned)strlen(wrong) / 4;

	for (size_t i = 0; (name = next(arg, i)); i++) {
		bool begins = strlen(wrong) > 2 && strncmp(name, wrong, strlen(wrong)) == 0;
		unsigned far = begins ? 0 : distance(wrong, name);

		if (far <= least && (!nearest || far < least)) {
			least = far;
			nearest = name;
		}
	}
	return nearest;
}
