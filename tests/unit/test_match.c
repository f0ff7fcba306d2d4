/* SPDX-License-Identifier: MIT */
#include "policy/fold.h"
#include "policy/match.h"
#include <ftw.h>
#include <internal/policy.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct bt_rules *rules_of(const char *const *patterns, size_t count)
{
	struct bt_rules *rules = NULL;
	struct bt_error error = {0};

	assert_int_equal(bt_rules_new(patterns, count, &rules, &error), 0);
	assert_non_null(rules);
	return rules;
}

static bool entry_excluded(const struct bt_rules *rules, const char *path, bool directory)
{
	const char *slash = strrchr(path, '/');

	return bt_rules_excluded(rules, path, slash ? slash + 1 : path, directory);
}

/* As a walk does it: nothing below an excluded directory is asked for. A final slash means a directory. */
static bool excluded(const struct bt_rules *rules, const char *path)
{
	char part[256];
	size_t length = strlen(path);

	assert_true(length < sizeof(part));
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		if (path[i] == '\0' && path[i - 1] == '/')
			return false;
		memcpy(part, path, i);
		part[i] = '\0';
		if (entry_excluded(rules, part, path[i] == '/'))
			return true;
	}
	return false;
}

/* What the patterns exclude, and what they do not. */
static const struct {
	const char *patterns[4];
	const char *yes[8], *no[8];
} cases[] = {
	{{"a"}, {"a", "a/", "x/a", "a/b"}, {"ab", "b", "A"}},
	{{"/a"}, {"a", "a/", "a/b"}, {"x/a"}},
	{{"a/"}, {"a/", "x/a/", "a/b"}, {"a", "x/a"}},
	{{"/a/"}, {"a/"}, {"a", "x/a/"}},
	{{"a/b"}, {"a/b", "a/b/c"}, {"x/a/b", "b", "a"}},
	{{"/a/b/"}, {"a/b/", "a/b/c"}, {"a/b"}},
	{{"*.c"}, {"a.c", "x/a.c", ".c", "x.c/"}, {"a.cc", "c", "a.c.h"}},
	{{"a*"}, {"a", "ab", "x/abc"}, {"ba"}},
	{{"a*c*e"}, {"ace", "abcde", "accee", "aceace"}, {"acd", "aec"}},
	{{"*a*b*"}, {"ab", "xaxbx", "bab"}, {"ba", "bbba"}},
	{{"a/*.c"}, {"a/x.c"}, {"a/b/x.c", "x.c", "x/a/x.c"}},
	{{"?"}, {"a", "x/b"}, {"ab", "\xc3\xa4"}},
	{{"??"}, {"\xc3\xa4", "ab"}, {"a"}},
	{{"a?b"}, {"axb"}, {"a/b", "ab"}},
	/* double stars */
	{{"**/a"}, {"a", "x/a", "x/y/a"}, {"xa", "x/ya"}},
	{{"**/a/b"}, {"a/b", "x/a/b", "x/y/a/b"}, {"a/x/b"}},
	{{"a/**"}, {"a/b", "a/b/c"}, {"a", "a/", "x/a/b"}},
	{{"a/**/b"}, {"a/b", "a/x/b", "a/x/y/b"}, {"ab", "a/xb", "x/a/b"}},
	{{"a/***/b"}, {"a/b", "a/x/y/b"}, {"ab"}},
	{{"a/**/**/b"}, {"a/b", "a/x/b", "a/x/y/b"}, {"ab"}},
	{{"**/a/**/b"}, {"a/b", "x/a/y/b", "a/a/b"}, {"b", "a", "x/b"}},
	{{"a/**\\/b"}, {"a/x/b", "a/x/y/b"}, {"a/b"}},
	{{"**"}, {"a", "a/b"}, {NULL}},
	{{"/**"}, {"a", "a/b"}, {NULL}},
	{{"**/"}, {"a/", "a/b"}, {"a"}},
	{{"x/**/"}, {"x/a/", "x/a/b"}, {"x/", "x/a", "a/"}},
	{{"a**"}, {"a", "ab", "x/ab"}, {"xa"}},
	{{"a**b/c"}, {"axxb/c", "ab/c"}, {"a/b/c", "ax/xb/c"}},
	{{"foo**/bar"}, {"foo/bar", "foox/bar"}, {"foobar", "foox/y/bar"}},
	{{"x/*a**/b"}, {"x/a/b", "x/qaq/b"}, {"x/a/y/b"}},
	/* classes */
	{{"[ab]"}, {"a", "b"}, {"c", "ab", "[ab]"}},
	{{"[!ab]"}, {"c"}, {"a", "b"}},
	{{"[^ab]"}, {"c"}, {"a", "b"}},
	{{"[a-c]x"}, {"ax", "bx", "cx"}, {"dx", "-x"}},
	{{"[c-a]"}, {"c"}, {"a", "b", "-"}},
	{{"[a-]"}, {"a", "-"}, {"b"}},
	{{"[-a]"}, {"a", "-"}, {"b"}},
	{{"[a-c-e]"}, {"b", "-", "e"}, {"d"}},
	{{"[]a]"}, {"]", "a"}, {"b"}},
	{{"[!]a]"}, {"b"}, {"]", "a"}},
	{{"[]-a]"}, {"]", "^", "a"}, {"b", "-"}},
	{{"[\\]a]"}, {"]", "a"}, {"\\"}},
	{{"[a\\-c]"}, {"a", "-", "c"}, {"b", "\\"}},
	{{"[\\a-\\c]"}, {"a", "b", "c"}, {"d", "\\"}},
	{{"[[:digit:]a]"}, {"5", "a"}, {"b", ":", "d"}},
	{{"[![:upper:]]"}, {"a", "1"}, {"A"}},
	{{"[[:alpha:]-z]"}, {"b", "-", "z"}, {"1"}},
	{{"[[:punct:]]"}, {"!", "~", "_"}, {"a", " "}},
	{{"[[:space:]]"}, {" ", "\t", "\n"}, {"\v", "\f", "a"}},
	{{"[[:cntrl:]]"}, {"\x01", "\x1f", "\x7f"}, {" ", "\x80"}},
	{{"[[:alnum]"}, {":", "a", "["}, {"b"}},
	{{"[[:]"}, {"[", ":"}, {"a"}},
	{{"[[:none:]]"}, {NULL}, {"n", ":", "[", "]"}},
	{{"[a[:none:]]"}, {NULL}, {"a"}},
	{{"[\xc3]\xa4"}, {"\xc3\xa4"}, {"\xc3"}},
	{{"[\x80-\xff]"}, {"\xc3"}, {"a"}},
	{{"[ab"}, {NULL}, {"[ab", "a"}},
	{{"["}, {NULL}, {"["}},
	{{"[!"}, {NULL}, {"[!", "["}},
	{{"x/a[/]b"}, {NULL}, {"x/a/b", "x/a[/]b"}},
	{{"a[/x]b"}, {"axb"}, {"a/b", "q/axb"}},
	/* escapes, blanks, comments */
	{{"\\*"}, {"*"}, {"a", "\\*"}},
	{{"\\a"}, {"a"}, {"\\a"}},
	{{"\\\\"}, {"\\"}, {"\\\\"}},
	{{"a\\"}, {NULL}, {"a", "a\\"}},
	{{"a\\/"}, {NULL}, {"a/", "a\\/"}},
	{{"a\\/b"}, {"a/b"}, {"x/a/b"}},
	{{"\\#a"}, {"#a"}, {"a"}},
	{{"\\!a"}, {"!a"}, {"a"}},
	{{"#a"}, {NULL}, {"#a", "a"}},
	{{" #a"}, {" #a"}, {"#a"}},
	{{"a "}, {"a"}, {"a "}},
	{{"a   "}, {"a"}, {"a "}},
	{{"a\\ "}, {"a "}, {"a"}},
	{{"a\\  "}, {"a "}, {"a  ", "a"}},
	{{"a\\\\ "}, {"a\\"}, {"a\\ "}},
	{{"a b"}, {"a b"}, {"a", "b"}},
	{{"a\t"}, {"a\t"}, {"a"}},
	{{"a\r"}, {"a"}, {"a\r"}},
	{{"a/ "}, {"a/"}, {"a"}},
	{{" "}, {NULL}, {" "}},
	{{""}, {NULL}, {"a"}},
	{{"!"}, {NULL}, {"a", "!"}},
	{{"/"}, {NULL}, {"a", "a/"}},
	{{"//"}, {NULL}, {"a", "a/"}},
	{{"//a"}, {NULL}, {"a"}},
	{{"a//b"}, {NULL}, {"a/b"}},
	{{"a//"}, {NULL}, {"a/"}},
	{{"./a"}, {NULL}, {"a"}},
	/* bringing back; the last match wins */
	{{"*", "!a"}, {"b", "b/", "b/a"}, {"a", "a/"}},
	{{"!a", "*"}, {"a"}, {NULL}},
	{{"*.o", "!keep.o", "x/keep.o"}, {"a.o", "x/keep.o"}, {"keep.o", "y/keep.o"}},
	{{"d/", "!d/keep"}, {"d/", "d/keep"}, {NULL}},
	{{"d/*", "!d/keep"}, {"d/a"}, {"d/", "d/keep"}},
	{{"*", "!*/", "!*.c"}, {"a", "d/a"}, {"d/", "d/a.c", "d/e/a.c"}},
	{{"!!a"}, {NULL}, {"a", "!a"}},
	{{"*", "!!a"}, {"a"}, {"!a"}},
};

static void table(void **state)
{

	for (size_t i = 0; i < LENGTH(cases); i++) {
		size_t count = 0;
		struct bt_rules *rules;

		while (count < 4 && cases[i].patterns[count])
			count++;
		rules = rules_of(cases[i].patterns, count);
		for (size_t k = 0; k < 8 && cases[i].yes[k]; k++)
			if (!excluded(rules, cases[i].yes[k]))
				fail_msg("'%s' … does not exclude '%s'", cases[i].patterns[0], cases[i].yes[k]);
		for (size_t k = 0; k < 8 && cases[i].no[k]; k++)
			if (excluded(rules, cases[i].no[k]))
				fail_msg("'%s' … excludes '%s'", cases[i].patterns[0], cases[i].no[k]);
		bt_rules_free(rules);
	}
}

static void no_rules(void **state)
{
	struct bt_rules *rules = rules_of(NULL, 0);

	assert_false(excluded(rules, "a/b"));
	bt_rules_free(rules);
	bt_rules_free(NULL);
}

/* "a*a*a*…b" against "aaaa…" takes the age of the universe when every star is tried again. */
static void hostile_patterns_end(void **state)
{
	enum { SIZE = 2048 };
	char *stars = malloc(2 * SIZE + 2), *deep = malloc(5 * SIZE + 2), *name = malloc(SIZE + 1);
	char *path = malloc(2 * SIZE + 1);
	const char *patterns[2] = {stars, deep};
	struct bt_rules *rules;

	for (size_t i = 0; i < SIZE; i++) {
		memcpy(stars + 2 * i, "a*", 2);
		memcpy(deep + 5 * i, "a/**/", 5);
		memcpy(path + 2 * i, "a/", 2);
	}
	strcpy(stars + (size_t)2 * SIZE, "b");
	strcpy(deep + (size_t)5 * SIZE, "b");
	memset(name, 'a', SIZE);
	name[SIZE] = '\0';
	path[2 * SIZE - 1] = '\0';
	rules = rules_of(patterns, 2);
	assert_false(bt_rules_excluded(rules, name, name, false));
	assert_false(entry_excluded(rules, path, false));
	name[SIZE - 1] = 'b';
	assert_false(bt_rules_excluded(rules, name, name, false));
	bt_rules_free(rules);
	free(stars);
	free(deep);
	free(name);
	free(path);
}

/* A pattern's memory must not grow with the square of its length. */
static void many_components(void **state)
{
	enum { SIZE = 200000 };
	char *pattern = malloc(SIZE + 1);
	const char *patterns[1] = {pattern};
	struct bt_rules *rules;

	memset(pattern, '/', SIZE);
	for (size_t i = 1; i < SIZE; i += 2)
		pattern[i] = '*';
	pattern[SIZE] = '\0';
	rules = rules_of(patterns, 1);
	assert_false(excluded(rules, "a/b/c"));
	bt_rules_free(rules);
	free(pattern);
}

/* --- the same questions put to git --- */

static unsigned next_random(unsigned *seed, unsigned limit)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % limit;
}

/*
 * git compares the plain text at a pattern's beginning apart from the rest, and takes a "**" right behind it for one
 * that stands between slashes: "foo**" "/bar" matches "foobar". gitignore(5) says otherwise, and so do we.
 */
static bool git_departs(const char *pattern)
{
	size_t plain;

	pattern += *pattern == '!';
	pattern += *pattern == '/';
	plain = strcspn(pattern, "*?[\\");
	return plain > 0 && strncmp(pattern + plain, "**", 2) == 0 && pattern[plain - 1] != '/';
}

static void random_pattern(unsigned *seed, char *pattern)
{
	static const char *const parts[] = {
		"a",   "b",	"c",   "ab",  "a",    "b",	     "*",    "*",	"?",	 "/",	  "/",
		"/",   "**",	"/**", "**/", "/**/", "[ab]",	     "[!a]", "[^b]",	"[a-c]", "\\a",	  "\\*",
		" ",   "\\ ",	".",   "[",   "]",    "[[:alpha:]]", "[]b]", "[[:x:]]", "***",	 "[a/b]", "\\",
		"\\/", "[\\]]", "-",   "!",   "[b-",  "[[:",	     "[a\\", "#",
	};
	unsigned count;

	do {
		count = 1 + next_random(seed, 6);
		strcpy(pattern, next_random(seed, 5) == 0 ? "!" : "");
		for (unsigned i = 0; i < count; i++)
			strcat(pattern, parts[next_random(seed, LENGTH(parts))]);
		if (next_random(seed, 6) == 0)
			strcat(pattern, "/");
	} while (git_departs(pattern));
}

static const char *const git_files[] = {
	"a",	 "b",	   "c",	    "ab",  "a b",     "a ",    " a",   "*",	 "[",	    "]",   "\\",
	"!a",	 "#a",	   "abc",   "a.b", "-",	      "d/a",   "d/b",  "d/ab",	 "d/a b",   "d/*", "d/e/a",
	"d/e/b", "d/e/ab", "d/e/c", "a/a", "d/d/a/b", "d/a/b", "ab/b", "ab/a/b", "d/e/f/a", "d/[", "d/!a",
};

static const char *const git_directories[] = {
	"d",	"d/e",	 "d/e/f",  "d/d",     "d/d/a", "D",   "D/a",   "D/b",
	"D/ab", "D/a/b", "D/ab/a", "D/ab/ab", "E",     "E/c", "E/c/c",
};

enum { CASES = 600, PATTERNS = 3 };

static void write_case(const char *top, int number, char (*patterns)[64], FILE *paths)
{
	char name[256];
	FILE *file;

	snprintf(name, sizeof(name), "%s/%d", top, number);
	assert_int_equal(mkdir(name, 0700), 0);
	snprintf(name, sizeof(name), "%s/%d/.gitignore", top, number);
	file = fopen(name, "w");
	assert_non_null(file);
	for (int i = 0; i < PATTERNS; i++)
		fprintf(file, "%s\n", patterns[i]);
	assert_int_equal(fclose(file), 0);
	for (size_t i = 0; i < LENGTH(git_directories); i++) {
		snprintf(name, sizeof(name), "%s/%d/%s", top, number, git_directories[i]);
		assert_int_equal(mkdir(name, 0700), 0);
		fprintf(paths, "%d/%s%c", number, git_directories[i], 0);
	}
	for (size_t i = 0; i < LENGTH(git_files); i++)
		fprintf(paths, "%d/%s%c", number, git_files[i], 0);
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *where)
{
	return remove(path);
}

/* Git's answers are the paths that it ignores, in the order asked. */
struct answers {
	FILE *file;
	char *next; /* read and not used yet, or NULL */
	size_t size;
};

static void compare_path(const struct bt_rules *rules, int number, char (*patterns)[64], const char *path,
			 bool directory, struct answers *answers)
{
	char asked[128], with_slash[128];
	bool git;

	if (!answers->next && getdelim(&answers->next, &answers->size, 0, answers->file) <= 0)
		answers->next = strdup("");
	snprintf(asked, sizeof(asked), "%d/%s", number, path);
	snprintf(with_slash, sizeof(with_slash), "%s%s", path, directory ? "/" : "");
	git = strcmp(asked, answers->next) == 0;
	if (excluded(rules, with_slash) != git)
		fail_msg("'%s' '%s' '%s': git %s '%s'", patterns[0], patterns[1], patterns[2],
			 git ? "ignores" : "keeps", with_slash);
	if (git) {
		free(answers->next);
		answers->next = NULL;
	}
}

static void run_git(const char *top)
{
	char command[1024];
	int status;

	snprintf(command, sizeof(command),
		 "cd '%s' && unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE && export HOME=\"$PWD\" GIT_CONFIG_NOSYSTEM=1 "
		 "&& "
		 "git init -q . && git -c core.ignoreCase=false -c core.excludesFile=/dev/null check-ignore --no-index "
		 "--stdin -z <paths >answers",
		 top);
	status = system(command);
	if (status != 0)
		fail_msg("git check-ignore: %d", status);
}

static void same_as_git(void **state)
{
	static char patterns[CASES][PATTERNS][64];
	char top[] = "/tmp/bt-match-XXXXXX", name[64];
	struct answers answers = {0};
	unsigned seed = 1;
	FILE *file;

	if (system("git --version >/dev/null 2>&1") != 0)
		skip();
	assert_non_null(mkdtemp(top));
	snprintf(name, sizeof(name), "%s/paths", top);
	file = fopen(name, "w");
	assert_non_null(file);
	for (int i = 0; i < CASES; i++) {
		for (int k = 0; k < PATTERNS; k++)
			random_pattern(&seed, patterns[i][k]);
		write_case(top, i, patterns[i], file);
	}
	assert_int_equal(fclose(file), 0);
	run_git(top);
	snprintf(name, sizeof(name), "%s/answers", top);
	answers.file = fopen(name, "r");
	assert_non_null(answers.file);
	for (int i = 0; i < CASES; i++) {
		const char *list[PATTERNS] = {patterns[i][0], patterns[i][1], patterns[i][2]};
		struct bt_rules *rules = rules_of(list, PATTERNS);

		for (size_t k = 0; k < LENGTH(git_directories); k++)
			compare_path(rules, i, patterns[i], git_directories[k], true, &answers);
		for (size_t k = 0; k < LENGTH(git_files); k++)
			compare_path(rules, i, patterns[i], git_files[k], false, &answers);
		bt_rules_free(rules);
	}
	free(answers.next);
	fclose(answers.file);
	nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void used_patterns(void **state)
{
	static const char *const patterns[] = {"*.o", "# no", "", "!keep.o", "/", "x/", "["};
	static const bool before[] = {false, true, true, false, true, false, false},
			  after[] = {true, true, true, true, true, false, false};
	struct bt_rules *rules = rules_of(patterns, LENGTH(patterns));

	for (size_t i = 0; i < LENGTH(patterns); i++)
		assert_int_equal(bt_rules_used(rules, i), before[i]);
	assert_true(entry_excluded(rules, "a.o", false));
	assert_false(entry_excluded(rules, "keep.o", false));
	assert_false(entry_excluded(rules, "x", false));
	for (size_t i = 0; i < LENGTH(patterns); i++)
		assert_int_equal(bt_rules_used(rules, i), after[i]);
	bt_rules_free(rules);
}

static void barriers(void **state)
{
	static const char *const patterns[] = {
		"/*",	      "!/docs/letters", "!docs/letters/", "!/docs", "!docs",   "!/open", "!/open/x",
		"!/d?cs/a/b", "!/a\\*b/c/x*/y", "!**/x/y",	  "!",	    "a/b/c/d", "!/",	 "!/docs/x  \r",
	};
	static const struct bt_barrier expected[LENGTH(patterns)] = {
		[8] = {6, 8}, /* "!/a\\*b/c" is the last that has no wildcard */
	};
	struct bt_barrier found[LENGTH(patterns)];

	assert_int_equal(bt_barriers_find(patterns, LENGTH(patterns), found), 0);
	for (size_t i = 0; i < LENGTH(patterns); i++)
		if (found[i].directory != expected[i].directory || found[i].parents != expected[i].parents)
			fail_msg("%s: %zu, %zu", patterns[i], found[i].directory, found[i].parents);
	assert_int_equal(bt_barriers_find((const char *const[]){"/*", "!docs/letters/", "!/docs/x \r"}, 3, found), 0);
	assert_int_equal(found[1].directory, strlen("!docs"));
	assert_int_equal(found[2].directory, strlen("!/docs"));
	assert_int_equal(found[2].parents, strlen("!/docs"));
}

static void literals(void **state)
{
	static const char long_name[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
	static const struct {
		const char *pattern, *text;
		bool first, last;
	} expected[] = {
		{"notes.txt", "notes.txt", true, true},
		{"/a/b\\*c", "b*c", true, true},
		{"*.txt", ".txt", false, true},
		{"a*", "a", true, false},
		{"a*bcd?ef", "bcd", false, false},
		{"*ab[cd]e", "ab", false, false},
		{"?abc", "abc", false, true},
		{"*", "", false, true},
		{"[ab]", "", false, false},
		{"a/**", "", false, true},
	};
	struct bt_literal literal;

	for (size_t i = 0; i < LENGTH(expected); i++) {
		struct bt_rules *rules = rules_of(&expected[i].pattern, 1);

		bt_rules_literal(rules, &literal);
		assert_int_equal(literal.length, strlen(expected[i].text));
		assert_memory_equal(literal.text, expected[i].text, literal.length);
		assert_int_equal(literal.first, expected[i].first);
		assert_int_equal(literal.last, expected[i].last);
		bt_rules_free(rules);
	}
	struct bt_rules *rules = rules_of((const char *[]){long_name}, 1);
	bt_rules_literal(rules, &literal);
	assert_int_equal(literal.length, sizeof(literal.text));
	assert_true(literal.first && !literal.last);
	bt_rules_free(rules);
}

static void folded(void **state)
{
	static const struct {
		const char *from, *to;
	} expected[] = {
		{"ABCxyz 1[", "abcxyz 1["},
		{"\303\204\303\226\303\237\303\227", "\303\244\303\266\303\237\303\227"},
		{"\305\270", "\303\277"},
		{"\305\230\304\214", "\305\231\304\215"},
		{"\316\240\316\221", "\317\200\316\261"},
		{"\320\240\320\201", "\321\200\321\221"},
		{"\303", "\303"},
		{"\377A\303", "\377a\303"},
	};

	for (size_t i = 0; i < LENGTH(expected); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s", expected[i].from);
		bt_fold(text, strlen(text), true);
		assert_string_equal(text, expected[i].to);
		bt_fold(text, strlen(text), true);
		assert_string_equal(text, expected[i].to);
	}
}

static void caseless_patterns(void **state)
{
	static const struct {
		const char *pattern, *folded;
	} expected[] = {
		{"*.iso", "*.[iI][sS][oO]"},
		{"!/Ab/", "!/[aA][bB]/"},
		{"# text", "# text"},
		{"\\a\\*\\", "[aA]\\*\\"},
		{"[a-cX]", "[a-cXaAbBcCxX]"},
		{"[!]a-]", "[!]a\\-aA]"},
		{"[[:digit:]b]", "[[:digit:]bbB]"},
		{"[a", "[a"},
		{"\xc3\x89?", "\xc3\x89?"},
	};

	for (size_t i = 0; i < LENGTH(expected); i++) {
		char folded[BT_CASELESS_GROWTH * 16];

		bt_pattern_caseless(expected[i].pattern, folded);
		assert_string_equal(folded, expected[i].folded);
	}
}

static void caseless_matches(void **state)
{
	static const char *const patterns[] = {"[[:upper:]]x", "[!a-]", "D[Z-a]c/**/E", "[ -z]", "[^[:lower:]]"};
	char folded[LENGTH(patterns)][BT_CASELESS_GROWTH * 16];
	const char *list[LENGTH(patterns)];
	struct bt_rules *rules[LENGTH(patterns)];

	for (size_t i = 0; i < LENGTH(patterns); i++) {
		bt_pattern_caseless(patterns[i], folded[i]);
		list[i] = folded[i];
		rules[i] = rules_of(&list[i], 1);
	}
	assert_true(excluded(rules[0], "aX") && excluded(rules[0], "AX") && !excluded(rules[0], "1x"));
	assert_true(excluded(rules[1], "b") && !excluded(rules[1], "A") && !excluded(rules[1], "-"));
	assert_true(excluded(rules[2], "dzC/e") && excluded(rules[2], "DAc/q/e") && !excluded(rules[2], "dbc/e"));
	assert_true(excluded(rules[3], "q") && excluded(rules[3], "_") && !excluded(rules[3], "~"));
	assert_true(excluded(rules[4], "1") && !excluded(rules[4], "Q") && !excluded(rules[4], "q"));
	for (size_t i = 0; i < LENGTH(patterns); i++)
		bt_rules_free(rules[i]);
}

static void lines_of_a_text(void **state)
{
	char text[] = "\xef\xbb\xbf"
		      "a\n\n b\r\nc",
	     binary[] = "a\0b",
	     wide[] = "\xff\xfe"
		      "a";
	struct bt_lines lines;

	assert_int_equal(bt_lines_begin(text, sizeof(text) - 1, &lines), 0);
	assert_string_equal(bt_lines_next(&lines), "a");
	assert_int_equal(lines.number, 1);
	assert_string_equal(bt_lines_next(&lines), " b\r");
	assert_int_equal(lines.number, 3);
	assert_string_equal(bt_lines_next(&lines), "c");
	assert_null(bt_lines_next(&lines));
	assert_int_equal(bt_lines_begin(binary, 3, &lines), BT_E_INVALID);
	assert_int_equal(bt_lines_begin(wide, 3, &lines), BT_E_INVALID);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(literals),
		cmocka_unit_test(folded),
		cmocka_unit_test(no_rules),
		cmocka_unit_test(hostile_patterns_end),
		cmocka_unit_test(many_components),
		cmocka_unit_test(used_patterns),
		cmocka_unit_test(barriers),
		cmocka_unit_test(caseless_patterns),
		cmocka_unit_test(caseless_matches),
		cmocka_unit_test(lines_of_a_text),
		cmocka_unit_test(same_as_git),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
