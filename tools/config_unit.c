/* SPDX-License-Identifier: MIT */
/* Files for the template of systemd, backuptool@.service: variables, of which OPTIONS has those of a job. */
#include "config_inside.h"
#include "output.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_variable(const char *name)
{
	return *name && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == strlen(name);
}

/* Without the quotes around it. Allocated. */
static char *unquote(const char *value)
{
	size_t length = strlen(value);
	bool quoted = length > 1 && strchr("\"'", *value) && value[length - 1] == *value;

	return tool_format("%.*s", (int)(quoted ? length - 2 : length), value + quoted);
}

/* The words of a text, in which quotes hold blanks together; at gets past them. NULL: there is none more. Allocated. */
static char *next_word(const char **at)
{
	char *word, *end, quote = '\0';

	*at += strspn(*at, " \t");
	if (!**at)
		return NULL;
	word = end = tool_alloc(strlen(*at) + 1);
	for (; **at && (quote || !isblank((unsigned char)**at)); ++*at) {
		if (quote ? **at == quote : **at == '"' || **at == '\'')
			quote = quote ? '\0' : **at;
		else
			*end++ = **at;
	}
	return word;
}

/* "--name=value" or "--name", as the parser of options gives them. */
static void add_given(struct config *config, struct config_source *source, const char *file, size_t line,
		      const char *given)
{
	const char *name = given + 2, *equals = strchr(name, '=');
	int length = equals ? (int)(equals - name) : (int)strlen(name);

	config_add(config, source,
		   (struct config_entry){file, line, tool_format("%.*s", length, name),
					 tool_format("%s", equals ? equals + 1 : "yes"), false});
}

/* The options that words give, as the command line has them. */
static void read_words(struct config *config, struct tool_texts *words, struct tool_texts *ret_given, const char *file,
		       size_t line)
{
	struct config_settings *scratch = tool_alloc(sizeof(*scratch));
	struct tool_option_group groups[CONFIG_GROUPS];
	char problem[512];
	int first;

	config_groups(scratch, groups);
	for (struct tool_option_group *group = groups; group->options; group++)
		group->given = ret_given;
	first = tool_options_parse(groups, (int)words->count, (char **)(uintptr_t)words->items, false, problem,
				   sizeof(problem));
	if (first < 0)
		config_problem(config, file, line, "OPTIONS: %s", problem);
	else if ((size_t)first < words->count) {
		tool_auto char *shown = tool_escape(words->items[first]);

		config_problem(config, file, line, "OPTIONS: '%s' is one argument too many", shown);
	}
	config_settings_free(scratch);
	free(scratch);
}

static void add_options(struct config *config, struct config_source *source, const char *file, size_t line,
			const char *text)
{
	struct tool_texts words = {0}, given = {0};
	char *word;

	tool_texts_add(&words, tool_format("backuptool"));
	for (word = next_word(&text); word; word = next_word(&text))
		tool_texts_add(&words, word);
	read_words(config, &words, &given, file, line);
	for (size_t i = 0; i < given.count; i++)
		add_given(config, source, file, line, given.items[i]);
	tool_texts_free(&given);
	tool_texts_free(&words);
}

bool config_add_variable(struct config *config, struct config_source *source, const char *file, size_t line,
			 const char *name, const char *value)
{
	static const struct {
		const char *variable, *key;
	} stores[] = {{"BACKUPTOOL_STORE", "store"}, {"BACKUPTOOL_STORE_ID", "store-id"}};

	if (!is_variable(name))
		return false;
	tool_auto char *text = unquote(value);
	for (size_t i = 0; i < sizeof(stores) / sizeof(*stores); i++)
		if (strcmp(name, stores[i].variable) == 0)
			config_add(config, source,
				   (struct config_entry){file, line, tool_format("%s", stores[i].key),
							 tool_format("%s", text), false});
	if (strcmp(name, "OPTIONS") == 0)
		add_options(config, source, file, line, text);
	return true;
}
