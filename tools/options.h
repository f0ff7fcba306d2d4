/* SPDX-License-Identifier: MIT */
/* Command-line options from const tables, over getopt_long. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Puts the option's text (NULL for one without argument) into its field. NULL, or what was expected instead: "a whole
 * number". */
typedef const char *tool_option_set(void *field, const char *text);

struct tool_option {
	const char *name;     /* without the dashes; NULL ends a table */
	char letter;	      /* 0 if none */
	const char *argument; /* its placeholder; NULL if it takes none; "[=SUFFIX]" if it can do without */
	bool required;
	const char *help;
	tool_option_set *set;
	size_t field; /* offset in the target */
};

/* A list of texts that belong to argv or were allocated for good. */
struct tool_texts {
	const char **items;
	size_t count;
};
void tool_texts_add(struct tool_texts *texts, const char *text);

/* Words of other programs, each between blanks, and what does it here. NULL words end a list. */
struct tool_words {
	const char *words, *here;
};
/* What is said of a word, or NULL; the list may be NULL. */
const char *tool_words_find(const struct tool_words *list, const char *word);

struct tool_option_group {
	const struct tool_option *options;
	void *target;
	struct tool_texts *given;	    /* gets "--name" or "--name=value" of each in turn, allocated; or NULL */
	const struct tool_words *elsewhere; /* options of other programs, without their dashes; or NULL */
};

/*
 * Reads options into the targets of the groups (ended by NULL options). Operands may come between options unless
 * first_operand_ends is true; they are moved to the end of argv. Returns the index of the first operand, or -1 with a
 * sentence in problem.
 */
int tool_options_parse(const struct tool_option_group *groups, int argc, char **argv, bool first_operand_ends,
		       char *problem, size_t problem_size);

tool_option_set tool_set_true;	     /* bool */
tool_option_set tool_count_up;	     /* unsigned, how often it is given */
tool_option_set tool_set_count;	     /* unsigned, above 0 */
tool_option_set tool_set_text;	     /* const char *, not empty */
tool_option_set tool_set_only;	     /* the same, where people expect that a second one counts, too: it is refused */
tool_option_set tool_set_alone;	     /* bool, of an option with which no other one is required */
tool_option_set tool_set_name_alone; /* const char *, the same */
tool_option_set tool_set_store_id;   /* const char *, 32 hex digits */
tool_option_set tool_add_text;	     /* struct tool_texts, not empty */
tool_option_set tool_add_tag;	     /* the same, without a comma, which stands between tags where they are shown */
tool_option_set tool_set_stdin;	     /* const char *, a file's name. With these two there is no directory: what */
tool_option_set tool_add_program;    /* tool_set_only sets is not required. struct tool_texts, "NAME=CMD" or "NAME" */
tool_option_set tool_add_patterns;   /* the same for each line of a file, "-" is standard input */
tool_option_set tool_add_folded;     /* a pattern for which case does not matter */
tool_option_set tool_add_folded_patterns;
tool_option_set tool_add_include;  /* a pattern that takes nothing back */
tool_option_set tool_add_name;	   /* of a file, without a path */
tool_option_set tool_set_duration; /* int64_t seconds; "forever" is -1; m is minutes */
tool_option_set tool_set_bytes;	   /* uint64_t, "500", "10k", "20G", "1TiB" */
tool_option_set tool_set_age;	   /* as tool_set_duration, without m, which could be months there */

/* A whole file, "-" is standard input, with a NUL after it; allocated. NULL, or what was expected instead of name. */
const char *tool_read_text(const char *name, char **ret_text, size_t *ret_size);

/* The option of that name, and the field that it fills; NULL: there is none. */
const struct tool_option *tool_option_find(const struct tool_option_group *groups, const char *name, void **ret_field);
/* The name that is nearest to one that there is not, or NULL. */
const char *tool_option_nearest(const struct tool_option_group *groups, const char *name);
/* Gives the option its text (NULL for one without argument). NULL, or "NAME 'text' is not …", allocated. */
char *tool_option_give(const struct tool_option *option, void *field, const char *text);
/* Whether each further text is added to those before, in a struct tool_texts. */
bool tool_option_repeats(const struct tool_option *option);
/* The lists that options filled; what is in them belongs to others. */
void tool_options_free(const struct tool_option *options, void *target);
void tool_texts_free(struct tool_texts *texts); /* with what is in it */

/* The nearest of the names to a mistyped one, or NULL. next gives them until NULL. */
const char *tool_nearest(const char *wrong, const char *(*next)(const void *arg, size_t index), const void *arg);

#endif
