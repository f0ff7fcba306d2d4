/* SPDX-License-Identifier: MIT */
/* One component of a gitignore pattern, the part between two slashes, compiled once. */
#ifndef BT_POLICY_GLOB_H
#define BT_POLICY_GLOB_H

#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bt_glob_set {
	uint64_t bits[4]; /* of the 256 bytes */
};

struct bt_glob_token {
	enum { BT_GLOB_BYTE, BT_GLOB_SET, BT_GLOB_STAR } type;
	unsigned char byte;
	const struct bt_glob_set *set;
};

struct bt_glob {
	enum {
		BT_GLOB_LITERAL,    /* exactly this text */
		BT_GLOB_SUFFIX,	    /* "*" and this text */
		BT_GLOB_TOKENS,	    /* anything else */
		BT_GLOB_COMPONENTS, /* "**": any number of components, not for bt_glob_match */
	} kind;
	const char *text;
	const struct bt_glob_token *tokens;
	size_t count; /* of bytes in text, or of tokens */
};

/* Compiles a pattern component by component. */
struct bt_glob_compiler {
	struct bt_arena *arena;
	const char *at, *end;
	struct bt_glob_token *tokens; /* room for as many as there are bytes from at to end */
	bool escaped;		      /* the slash is written "\/" */
	bool dead;   /* the pattern can never match: a class without end or with an unknown name, or a final "\" */
	bool folded; /* for names of bt_fold: capital letters of ASCII mean small ones */
};

/* Compiles the component at the cursor, which moves to the slash after it or to the end. 0 or BT_E_NOMEM. */
int bt_glob_compile(struct bt_glob_compiler *compiler, struct bt_glob *ret_glob);

/* Text that is in every name that the glob matches, perhaps at its beginning or end. The longest
 * of several, of which only a part may be given. length 0: there is none. */
struct bt_literal {
	char text[64];
	size_t length;
	bool first, last; /* the name begins with it; ends with it */
};
void bt_glob_literal(const struct bt_glob *glob, struct bt_literal *ret_literal);

/* Takes time at most proportional to tokens times length. */
bool bt_glob_match(const struct bt_glob *glob, const char *name, size_t length);

#endif
