/* SPDX-License-Identifier: MIT */
#include "policy/match.h"
#include "base/fail.h"
#include "policy/fold.h"
#include "policy/glob.h"
#include <stdlib.h>
#include <string.h>

struct rule {
	struct bt_glob *globs; /* one for each component; not empty */
	size_t count;
	bool negative, directory;
	bool anywhere; /* compared with the name alone */
	size_t pattern;
};

struct bt_rules {
	struct bt_arena arena;
	struct rule *rules;
	size_t count;
	bool folded;
	bool *used; /* by pattern; set by any thread, never taken back */
};

size_t bt_pattern_length(const char *pattern)
{
	size_t length = strlen(pattern), kept = 0;

	if (length > 0 && pattern[length - 1] == '\r')
		length--;
	for (size_t i = 0; i < length; i++) {
		if (pattern[i] == '\\')
			i++;
		else if (pattern[i] == ' ')
			continue;
		kept = i < length ? i + 1 : length;
	}
	return kept;
}

/* Room for every component (each takes a byte or its slash, and "**" may need a second) and every token. */
static int alloc_components(struct bt_glob_compiler *compiler, struct rule *rule)
{
	size_t length = (size_t)(compiler->end - compiler->at) + 2;
	size_t glob_size, token_size;

	if (__builtin_mul_overflow(length, sizeof(*rule->globs), &glob_size) ||
	    __builtin_mul_overflow(length, sizeof(*compiler->tokens), &token_size))
		return BT_E_NOMEM;
	rule->globs = bt_arena_alloc(compiler->arena, glob_size);
	compiler->tokens = bt_arena_alloc(compiler->arena, token_size);
	return rule->globs && compiler->tokens ? 0 : BT_E_NOMEM;
}

static int compile_components(struct bt_glob_compiler *compiler, struct rule *rule)
{
	static const struct bt_glob any = {.kind = BT_GLOB_SUFFIX, .text = ""};
	int r = alloc_components(compiler, rule);

	while (!r) {
		struct bt_glob *glob = &rule->globs[rule->count++];
		bool last;

		r = bt_glob_compile(compiler, glob);
		last = compiler->at == compiler->end;
		/* "a/" followed by "**" is not "a" itself. */
		if (!r && glob->kind == BT_GLOB_COMPONENTS && (last || compiler->escaped))
			rule->globs[rule->count++] = any;
		if (last || compiler->dead)
			break;
		compiler->at++;
	}
	return r;
}

static int add_rule(struct bt_rules *rules, const char *pattern, size_t index)
{
	struct bt_glob_compiler compiler = {.arena = &rules->arena, .folded = rules->folded};
	const char *end = pattern + bt_pattern_length(pattern);
	struct rule rule = {.pattern = index};
	int r;

	rules->used[index] = *pattern == '#'; /* it says nothing */
	if (*pattern == '#')
		return 0;
	if (*pattern == '!') {
		rule.negative = true;
		pattern++;
	}
	if (end > pattern && end[-1] == '/') {
		rule.directory = true;
		end--;
	}
	rules->used[index] |= end <= pattern;
	if (end <= pattern)
		return 0;
	rule.anywhere = !memchr(pattern, '/', (size_t)(end - pattern));
	if (*pattern == '/')
		pattern++;
	compiler.at = pattern;
	compiler.end = end;
	r = compile_components(&compiler, &rule);
	if (!r && !compiler.dead)
		rules->rules[rules->count++] = rule;
	return r;
}

static int make_rules(const char *const *patterns, size_t count, bool folded, struct bt_rules **ret_rules,
		      struct bt_error *error)
{
	struct bt_rules *rules = calloc(1, sizeof(*rules));
	int r = 0;

	if (!rules)
		return bt_fail(error, BT_E_NOMEM, NULL, "compile the exclude patterns");
	rules->folded = folded;
	rules->rules = calloc(count + 1, sizeof(*rules->rules));
	rules->used = calloc(count + 1, sizeof(*rules->used));
	if (!rules->rules || !rules->used)
		r = BT_E_NOMEM;
	for (size_t i = 0; i < count && !r; i++)
		r = add_rule(rules, patterns[i], i);
	if (r) {
		bt_rules_free(rules);
		return bt_fail(error, r, NULL, "compile the exclude patterns");
	}
	*ret_rules = rules;
	return 0;
}

int bt_rules_new(const char *const *patterns, size_t count, struct bt_rules **ret_rules, struct bt_error *error)
{
	return make_rules(patterns, count, false, ret_rules, error);
}

int bt_rules_of_pattern(const char *pattern, bool folded, struct bt_rules **ret_rules, struct bt_error *error)
{
	const char *const patterns[] = {pattern};
	char *text = folded ? strdup(pattern) : NULL;
	int r;

	if (!folded)
		return make_rules(patterns, 1, false, ret_rules, error);
	if (!text)
		return bt_fail(error, BT_E_NOMEM, NULL, NULL);
	bt_fold(text, strlen(text), false);
	r = make_rules((const char *const *)&text, 1, true, ret_rules, error);
	free(text);
	return r;
}

void bt_rules_literal(const struct bt_rules *rules, struct bt_literal *ret_literal)
{
	const struct rule *rule = rules->rules;

	*ret_literal = (struct bt_literal){0};
	if (rules->count == 1 && !rule->negative)
		bt_glob_literal(&rule->globs[rule->count - 1], ret_literal);
}

void bt_rules_free(struct bt_rules *rules)
{
	if (!rules)
		return;
	bt_arena_free(&rules->arena);
	free(rules->rules);
	free(rules->used);
	free(rules);
}

/* As in a single component, only the last "**" needs to be tried again. */
static bool match_path(const struct rule *rule, const char *path, const char *end)
{
	size_t g = 0, stars = SIZE_MAX;
	const char *stars_end = path;

	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		const char *component_end = slash ? slash : end;

		if (g < rule->count && rule->globs[g].kind == BT_GLOB_COMPONENTS) {
			stars = g++;
			stars_end = path;
		} else if (g < rule->count && bt_glob_match(&rule->globs[g], path, (size_t)(component_end - path))) {
			g++;
			path = slash ? slash + 1 : end;
		} else if (stars != SIZE_MAX) {
			slash = memchr(stars_end, '/', (size_t)(end - stars_end));
			stars_end = slash ? slash + 1 : end;
			path = stars_end;
			g = stars + 1;
		} else {
			return false;
		}
	}
	return g == rule->count;
}

static bool matches(const struct rule *rule, const char *path, const char *name, bool directory)
{
	if (rule->directory && !directory)
		return false;
	return match_path(rule, rule->anywhere ? name : path, name + strlen(name));
}

static bool is_used(const struct bt_rules *rules, const struct rule *rule)
{
	return __atomic_load_n(&rules->used[rule->pattern], __ATOMIC_RELAXED);
}

static void use(const struct bt_rules *rules, const struct rule *rule)
{
	if (!is_used(rules, rule))
		__atomic_store_n(&rules->used[rule->pattern], true, __ATOMIC_RELAXED);
}

enum bt_ruling bt_rules_decide(const struct bt_rules *rules, const char *path, const char *name, bool directory)
{
	for (size_t i = rules->count; i-- > 0;) {
		const struct rule *rule = &rules->rules[i];

		if (matches(rule, path, name, directory)) {
			use(rules, rule);
			return rule->negative ? BT_RULING_TAKE : BT_RULING_LEAVE;
		}
	}
	return BT_RULING_NONE;
}

bool bt_rules_excluded(const struct bt_rules *rules, const char *path, const char *name, bool directory)
{
	return bt_rules_decide(rules, path, name, directory) == BT_RULING_LEAVE;
}

void bt_rules_note(const struct bt_rules *rules, const char *path, const char *name, bool directory)
{
	for (size_t i = 0; i < rules->count; i++)
		if (!is_used(rules, &rules->rules[i]) && matches(&rules->rules[i], path, name, directory))
			use(rules, &rules->rules[i]);
}

bool bt_rules_used(const struct bt_rules *rules, size_t index)
{
	return rules->used[index];
}
