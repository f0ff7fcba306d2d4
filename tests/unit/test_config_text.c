/* SPDX-License-Identifier: MIT */
#include "config_text.h"
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The lines of a text, which are freed by the next one. */
static struct config_lines lines;

static void read_text(const char *text)
{
	config_lines_free(&lines);
	config_lines_read(text, strlen(text), &lines);
}

static void assert_value(size_t index, size_t number, const char *key, const char *value)
{
	assert_true(index < lines.count);
	assert_int_equal(lines.items[index].kind, CONFIG_VALUE);
	assert_int_equal(lines.items[index].number, number);
	assert_string_equal(lines.items[index].name, key);
	assert_string_equal(lines.items[index].text, value);
}

static void assert_wrong(const char *text, const char *sentence)
{
	read_text(text);
	assert_int_equal(lines.count, 1);
	assert_int_equal(lines.items[0].kind, CONFIG_WRONG);
	assert_string_equal(lines.items[0].text, sentence);
}

static void test_sections(void **state)
{
	read_text("[defaults]\n\n# [source x]\n[ source  home ]\r\n\t[source\tb-2]");
	assert_int_equal(lines.count, 3);
	assert_int_equal(lines.items[0].kind, CONFIG_DEFAULTS);
	assert_int_equal(lines.items[1].kind, CONFIG_SOURCE);
	assert_int_equal(lines.items[1].number, 4);
	assert_string_equal(lines.items[1].name, "home");
	assert_string_equal(lines.items[2].name, "b-2");
}

static void test_values(void **state)
{
	read_text("\xef\xbb\xbf"
		  "a=b\n  key \t = some  value = \"x\" # y \t\r\nempty =\nodd = \xff\\\n\n  #c = d\nlast=1");
	assert_int_equal(lines.count, 5);
	assert_value(0, 1, "a", "b");
	assert_value(1, 2, "key", "some  value = \"x\" # y");
	assert_value(2, 3, "empty", "");
	assert_value(3, 4, "odd", "\xff\\");
	assert_value(4, 7, "last", "1");
}

static void test_wrong_lines(void **state)
{
	assert_wrong("[source home", "a line that begins with [ ends with ]");
	assert_wrong("[", "a line that begins with [ ends with ]");
	assert_wrong("[]", "there is no section []: it is [defaults] or [source NAME]");
	assert_wrong("[source]", "there is no section [source]: it is [defaults] or [source NAME]");
	assert_wrong("[sources a]", "there is no section [sources a]: it is [defaults] or [source NAME]");
	assert_wrong("[home]", "there is no section [home]; did you mean [source home]?");
	assert_wrong("[source -x]",
		     "'-x' cannot be the name of a source: that has letters, digits, and . _ - @ + inside");
	assert_wrong("yes\x1b[1m", "'yes\\x1b[1m' has no =: write 'key = value', or # before a remark");
	assert_wrong(" = x", "a key is missing before the =");
	config_lines_free(&lines);
	config_lines_read("a\0=b", 4, &lines);
	assert_int_equal(lines.items[0].kind, CONFIG_WRONG);
}

static void test_names(void **state)
{
	char name[CONFIG_NAME_MAX + 2];

	memset(name, 'a', sizeof(name) - 1);
	name[CONFIG_NAME_MAX + 1] = '\0';
	assert_false(config_is_name(name));
	name[CONFIG_NAME_MAX] = '\0';
	assert_true(config_is_name(name));
	assert_true(config_is_name("m\xc3\xa4hr.2_x@y+z"));
	assert_false(config_is_name(""));
	assert_false(config_is_name(".a"));
	assert_false(config_is_name("a/b"));
	assert_false(config_is_name("a%b"));
	assert_false(config_is_name("a\xff"));
}

static int finish(void **state)
{
	config_lines_free(&lines);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_wrong_lines),
		cmocka_unit_test(test_names),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, finish);
}
