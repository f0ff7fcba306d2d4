/* SPDX-License-Identifier: MIT */
/* What all commands of the program share. */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include "options.h"
#include <backuptool/error.h>
#include <backuptool/select.h>
#include <backuptool/store.h>
#include <backuptool/view.h>

enum tool_exit {
	TOOL_OK = 0,
	TOOL_FATAL = 1,
	TOOL_USAGE = 2,
	TOOL_INCOMPLETE = 3, /* done, but not everything */
	TOOL_DIFFERENT = 4,  /* diff --exit-code */
	TOOL_NO_STORE = 10,
	TOOL_LOCKED = 11,
	TOOL_INTERRUPTED = 130,
};

/* Groups of common options: help and first come by themselves, for the others a command asks. */
enum tool_common {
	TOOL_COMMON_STORE = 1,
	TOOL_COMMON_JSON = 2,
	TOOL_COMMON_TALK = 4,
	TOOL_COMMON_HELP = 8,
	TOOL_COMMON_FIRST = 16, /* those before the command */
	TOOL_COMMON_VERBOSE = 32,
	TOOL_COMMON_YES = 64,
	TOOL_COMMON_SELECT = 128,
	TOOL_COMMON_HUMAN = 512,   /* -h is about sizes, as in other programs, and help has no letter */
	TOOL_COMMON_DETAILS = 256, /* in place of TOOL_COMMON_VERBOSE, where there are no entries */
};

/* A table of options whose offsets point into a member of the struct that a command's run gets. */
struct tool_option_table {
	const struct tool_option *rows;
	size_t offset; /* of that member */
};
#define TOOL_OPTION_TABLES 13 /* of one command, at most */

struct tool;
struct tool_command {
	const char *name;
	const char *summary;		/* one line, begins small, no full stop */
	const char *description;	/* what the summary cannot say, wrapped at 78 columns, or NULL */
	const char *operands;		/* "[PATH…]", or NULL if it takes none */
	const char *example;		/* lines for --help */
	const char *ending;		/* what is kept when a signal ends it, in a few words, or NULL */
	int min_operands, max_operands; /* -1: any number */
	bool words;			/* they are those of another program, and may be empty */
	unsigned common;		/* enum tool_common */
	bool stream;			/* of objects, with --json */
	bool starts_setuid;		/* a program with more rights than its own, so that it cannot give them up */
	int (*prepare)(struct tool *tool, void *options); /* before rights are given up; like run; may be NULL */
	struct tool_option_table options[TOOL_OPTION_TABLES + 1]; /* its own; ends with NULL rows */
	const struct tool_words *elsewhere;			  /* options of other programs, or NULL */
	size_t options_size;					  /* of the struct that run gets */
	size_t hooks;					    /* offset of a struct tool_hooks there, plus 1; 0: none */
	int (*run)(struct tool *tool, const void *options); /* an enum tool_exit */
};

struct tool_outcome;	 /* hooks.h */
struct tool_hook_runner; /* the same */
struct tool_feed;	 /* feed.h */

/* Which snapshots the command means at all, as the user wrote it: see selection.h. */
struct tool_selection {
	struct tool_texts hosts, targets, tags;
};

struct tool {
	const struct tool_command *const *commands; /* all there are; ends with NULL */
	const struct tool_command *command;	    /* NULL before it is known */
	const char *store;			    /* as the user wrote it */
	const char *default_store;		    /* what store is if no option says it */
	const char *source;			    /* of a configuration, by which it is named, or NULL */
	const char *store_id;			    /* NULL: any store, or that of the environment */
	int64_t lock_wait;			    /* seconds; -1 forever */
	bool json, quiet, no_progress, yes, help, version;
	unsigned verbose; /* how often it was said */
	bool human;	  /* sizes have units */
	bool name_only;	  /* standard output gets one name or nothing */
	struct tool_selection selection;
	const struct bt_filter *filter; /* what the selection comes to; NULL: every snapshot */
	struct tool_texts given;	/* the command's own options, one word each */
	struct tool_texts *said;	/* by tool_say_once */
	struct tool_texts *doubts;	/* of confirm.h */
	struct tool_outcome *outcome;
	struct tool_hook_runner *hooks; /* NULL: there are none */
	struct tool_feed *feed;
	char **operands;
	int operand_count;
};

/* For a command that reads for long: nothing that the store has is deleted until it is closed. */
int tool_store_stay(const struct tool *tool, struct bt_store *store);
/* Says that the command waits for a process, as an observer is told it. */
void tool_say_waiting(const struct tool *tool, const char *holder);
/* Before a command deletes or replaces: the doubt (confirm.h) whether the store's locks keep other hosts off. */
void tool_store_doubt(const struct tool *tool, const struct bt_store *store);
/* The same, asked about at once. */
int tool_store_confirm(const struct tool *tool, const struct bt_store *store);

/* Prints "backuptool COMMAND: …" and a newline on standard error. */
void tool_say(const struct tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, but each sentence only the first time. */
void tool_say_once(const struct tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for what failed: in the journal of systemd it is an error, other words are warnings. */
void tool_complain(const struct tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for a mistake on the command line, with where to find help; gives TOOL_USAGE. */
int tool_usage_error(const struct tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What failed and what can be done about it; allocated. */
char *tool_error_text(const struct tool *tool, const struct bt_error *error);
/* Says it; gives the exit code. */
int tool_fail(const struct tool *tool, const struct bt_error *error);
/* The exit code alone. */
int tool_exit_code(enum bt_code code);

/* The id of the only store that may be opened; NULL if any may. */
const char *tool_store_wanted(const struct tool *tool);
/* Opens tool->store; with create makes it, and says so, unless there is to be one with a certain id. Says what is wrong
 * and gives an exit code, or TOOL_OK. */
int tool_store_open(const struct tool *tool, bool create, struct bt_store **ret_store);

/* The snapshot that somebody means: a name, prefix, "latest", "latest~N" or "@TIME" in tool->store, or a path to a
 * file, whose directory then is the store. The rest says what the command is about (bt_scope in select.h); all zero is
 * fine. Only those are looked at that tool->filter selects. Unless it changes something, nothing that the store has is
 * deleted until it is closed. Where something may be deleted, what is not sure of the choice is a doubt (confirm.h). */
struct tool_wish {
	const char *text;
	const char *const *paths; /* in the snapshot, as the user wrote them */
	size_t path_count;
	const char *output;    /* the directory that it goes to, or is compared with */
	bool deletes, salvage; /* something may be deleted by it; it may be damaged */
	bool changes;	       /* takes the store for itself */
};
struct tool_pick {
	struct bt_store *store;
	struct bt_snapshot *snapshot;
};
int tool_pick_open(const struct tool *tool, const struct tool_wish *wish, struct tool_pick *ret_pick);
void tool_pick_close(struct tool_pick *pick);
/* The names, which are the store's, of the snapshots that texts mean: each once. There is room for all. deletes as
 * above. Says what is wrong and gives an exit code, or TOOL_OK. */
int tool_names_resolve(const struct tool *tool, struct bt_store *store, const struct tool_texts *texts, bool deletes,
		       const char **names, size_t *ret_count);

/*
 * From now on the first SIGINT or SIGTERM sets a flag and, unless the command is quiet, says what is being ended and
 * what is kept (the command's "ending"). The second one ends the program at once, also while a file system does not
 * answer. Once for a program; further calls do nothing.
 */
void tool_signals_watch(const struct tool *tool);
/* What is kept from now on, which is always the same text; NULL: what the command says. */
void tool_signals_ending(const struct tool *tool, const char *kept);
bool tool_signals_seen(void);
bool tool_signals_cancel(void *arg); /* the same for observers */
/* For a command that ends in its own time: the first signal is only to be asked for, and cancels nothing. */
void tool_signals_spare_first(void);
bool tool_signals_first_seen(void);
/* Whether the first signal is to be said nothing of, since the command ends at once. */
void tool_signals_silence(bool wanted);
/* Readable from the first signal on; -1 if there is none, for poll(2). */
int tool_signals_fd(void);

#endif
