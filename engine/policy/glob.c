/* SPDX-License-Identifier: MIT */
#include "policy/glob.h"
#include <backuptool/error.h>
#include <string.h>

static void set_add(struct bt_glob_set *set, unsigned first, unsigned last)
{
	for (unsigned byte = first; byte <= last; byte++)
		set->bits[byte / 64] |= UINT64_C(1) << byte % 64;
}

static bool set_has(const struct bt_glob_set *set, unsigned char byte)
{
	return set->bits[byte / 64] >> byte % 64 & 1;
}

/* "[:name:]", in ASCII whatever the locale; "space" is without \v and \f, as git has it. */
static bool set_add_named(struct bt_glob_set *set, const char *name, size_t length)
{
	static const struct {
		const char *name;
		unsigned char ranges[9]; /* pairs of first and last, 0 ends them */
	} classes[] = {
		{"alnum", "09AZaz"},   {"alpha", "AZaz"},	{"blank", "  \t\t"}, {"cntrl", "\1\37\177\177"},
		{"digit", "09"},       {"graph", "!~"},		{"lower", "az"},     {"print", " ~"},
		{"punct", "!/:@[`{~"}, {"space", "  \t\n\r\r"}, {"upper", "AZ"},     {"xdigit", "09AFaf"},
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		const unsigned char *range = classes[i].ranges;

		if (strlen(classes[i].name) != length || memcmp(classes[i].name, name, length) != 0)
			continue;
		for (size_t k = 0; k < sizeof(classes[i].ranges) && range[k] != 0; k += 2)
			set_add(set, range[k], range[k + 1]);
		return true;
	}
	return false;
}

/* "[:" is at the cursor. Moves to the "]" of a named class. False: no named class begins here. */
static bool compile_named(struct bt_glob_compiler *c, struct bt_glob_set *set)
{
	const char *name = c->at + 2;
	const char *close = memchr(name, ']', (size_t)(c->end - name));

	if (!close) {
		c->dead = true;
		return true;
	}
	if (close - name < 1 || close[-1] != ':')
		return false;
	if (!set_add_named(set, name, (size_t)(close - 1 - name)))
		c->dead = true;
	c->at = close;
	return true;
}

/* The byte at the cursor, or the one after a backslash; moves to it. */
static unsigned char unescape(struct bt_glob_compiler *c)
{
	if (*c->at == '\\') {
		if (c->end - c->at < 2) {
			c->dead = true;
			return 0;
		}
		c->at++;
	}
	return (unsigned char)*c->at;
}

/* One member of a class. previous: the byte that a range could begin with, or 0. */
static unsigned char compile_member(struct bt_glob_compiler *c, struct bt_glob_set *set, unsigned char previous)
{
	unsigned char byte;

	if (*c->at == '-' && previous != 0 && c->end - c->at > 1 && c->at[1] != ']') {
		c->at++;
		byte = unescape(c);
		set_add(set, previous, byte);
		return 0;
	}
	if (*c->at == '[' && c->end - c->at > 1 && c->at[1] == ':' && compile_named(c, set))
		return 0;
	byte = unescape(c);
	set_add(set, byte, byte);
	return byte;
}

static void set_fold(struct bt_glob_set *set)
{
	for (unsigned char byte = 'A'; byte <= 'Z'; byte++)
		if (set_has(set, byte))
			set_add(set, byte + ('a' - 'A'), byte + ('a' - 'A'));
}

/* "[" is at the cursor; moves past the "]". */
static int compile_set(struct bt_glob_compiler *c, struct bt_glob_token *token)
{
	struct bt_glob_set *set = bt_arena_alloc(c->arena, sizeof(*set));
	unsigned char previous = 0;
	bool negated, first = true;

	if (!set)
		return BT_E_NOMEM;
	memset(set, 0, sizeof(*set));
	c->at++;
	negated = c->at < c->end && (*c->at == '!' || *c->at == '^');
	if (negated)
		c->at++;
	/* A "]" that comes first is a member. */
	for (; c->at < c->end && (first || *c->at != ']') && !c->dead; c->at++, first = false)
		previous = compile_member(c, set, previous);
	if (c->at >= c->end)
		c->dead = true;
	else
		c->at++;
	if (c->folded)
		set_fold(set);
	for (int i = 0; negated && i < 4; i++)
		set->bits[i] = ~set->bits[i];
	token->type = BT_GLOB_SET;
	token->set = set;
	return 0;
}

/* One token at the cursor; moves past it. */
static int compile_token(struct bt_glob_compiler *c, struct bt_glob_token *token)
{
	static const struct bt_glob_set any = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};

	switch (*c->at) {
	case '[':
		return compile_set(c, token);
	case '?':
		c->at++;
		token->type = BT_GLOB_SET;
		token->set = &any;
		return 0;
	case '*':
		while (c->at < c->end && *c->at == '*')
			c->at++;
		token->type = BT_GLOB_STAR;
		return 0;
	default:
		token->type = BT_GLOB_BYTE;
		token->byte = unescape(c);
		if (c->folded && token->byte >= 'A' && token->byte <= 'Z')
			token->byte += 'a' - 'A';
		c->at++;
		return 0;
	}
}

static bool escaped_slash(const struct bt_glob_compiler *c)
{
	return c->end - c->at > 1 && c->at[0] == '\\' && c->at[1] == '/';
}

static bool all_bytes(const struct bt_glob_token *tokens, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (tokens[i].type != BT_GLOB_BYTE)
			return false;
	return true;
}

/* Plain text and "*.c" are what people write: they are compared without looking at tokens. */
static int simplify(struct bt_arena *arena, struct bt_glob *glob)
{
	size_t skip = glob->count > 0 && glob->tokens[0].type == BT_GLOB_STAR;
	size_t length = glob->count - skip;
	char *text;

	if (!all_bytes(glob->tokens + skip, length))
		return 0;
	text = bt_arena_alloc(arena, length + 1);
	if (!text)
		return BT_E_NOMEM;
	for (size_t i = 0; i < length; i++)
		text[i] = (char)glob->tokens[skip + i].byte;
	text[length] = '\0';
	*glob = (struct bt_glob){.kind = skip ? BT_GLOB_SUFFIX : BT_GLOB_LITERAL, .text = text, .count = length};
	return 0;
}

int bt_glob_compile(struct bt_glob_compiler *c, struct bt_glob *ret_glob)
{
	struct bt_glob glob = {.kind = BT_GLOB_TOKENS, .tokens = c->tokens};
	const char *start = c->at;
	int r = 0;

	while (!r && c->at < c->end && *c->at != '/' && !escaped_slash(c) && !c->dead)
		r = compile_token(c, &c->tokens[glob.count++]);
	if (r)
		return r;
	c->escaped = escaped_slash(c);
	c->at += c->escaped;
	c->tokens += glob.count;
	if (glob.count == 1 && glob.tokens[0].type == BT_GLOB_STAR && c->at - c->escaped - start > 1)
		glob.kind = BT_GLOB_COMPONENTS;
	else
		r = simplify(c->arena, &glob);
	*ret_glob = glob;
	return r;
}

static bool token_fits(const struct bt_glob_token *token, unsigned char byte)
{
	return token->type == BT_GLOB_BYTE ? token->byte == byte
					   : token->type == BT_GLOB_SET && set_has(token->set, byte);
}

/* Only the last star needs to be tried again: what stands before it has matched as early as it can. */
static bool match_tokens(const struct bt_glob *glob, const unsigned char *name, size_t length)
{
	size_t t = 0, n = 0, star = SIZE_MAX, star_end = 0;

	while (n < length) {
		if (t < glob->count && glob->tokens[t].type == BT_GLOB_STAR) {
			star = t++;
			star_end = n;
		} else if (t < glob->count && token_fits(&glob->tokens[t], name[n])) {
			t++;
			n++;
		} else if (star != SIZE_MAX) {
			t = star + 1;
			n = ++star_end;
		} else {
			return false;
		}
	}
	while (t < glob->count && glob->tokens[t].type == BT_GLOB_STAR)
		t++;
	return t == glob->count;
}

bool bt_glob_match(const struct bt_glob *glob, const char *name, size_t length)
{
	switch (glob->kind) {
	case BT_GLOB_LITERAL:
		return length == glob->count && memcmp(name, glob->text, length) == 0;
	case BT_GLOB_SUFFIX:
		return length >= glob->count && memcmp(name + length - glob->count, glob->text, glob->count) == 0;
	case BT_GLOB_TOKENS:
		return match_tokens(glob, (const unsigned char *)name, length);
	default:
		return false;
	}
}

static void take_longer(struct bt_literal *literal, const struct bt_literal *run)
{
	if (run->length > literal->length)
		*literal = *run;
}

static void add_byte(struct bt_literal *run, unsigned char byte)
{
	if (run->length < sizeof(run->text))
		run->text[run->length++] = (char)byte;
	else
		run->last = false;
}

static void literal_of_text(const struct bt_glob *glob, struct bt_literal *ret_literal)
{
	*ret_literal = (struct bt_literal){.first = glob->kind == BT_GLOB_LITERAL, .last = true};
	for (size_t i = 0; i < glob->count; i++)
		add_byte(ret_literal, (unsigned char)glob->text[i]);
}

void bt_glob_literal(const struct bt_glob *glob, struct bt_literal *ret_literal)
{
	struct bt_literal run = {.first = true};

	*ret_literal = (struct bt_literal){0};
	if (glob->kind == BT_GLOB_LITERAL || glob->kind == BT_GLOB_SUFFIX)
		literal_of_text(glob, ret_literal);
	for (size_t i = 0; glob->kind == BT_GLOB_TOKENS && i <= glob->count; i++) {
		run.last = i == glob->count && run.length < sizeof(run.text);
		if (i < glob->count && glob->tokens[i].type == BT_GLOB_BYTE) {
			add_byte(&run, glob->tokens[i].byte);
			continue;
		}
		take_longer(ret_literal, &run);
		run = (struct bt_literal){0};
	}
}
