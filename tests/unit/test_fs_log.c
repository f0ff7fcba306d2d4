/* SPDX-License-Identifier: MIT */
/* What the mount writes to the log, and how often. */
#include "log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Logs so many different problems; the number of lines that this gave. */
static unsigned say(struct log *log, const char *what, unsigned count)
{
	FILE *file = tmpfile();
	char text[64], line[256];
	unsigned lines = 0;
	int before = dup(STDERR_FILENO);

	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%s %u", what, i);
		log_text(log, text);
	}
	fflush(stderr);
	dup2(before, STDERR_FILENO);
	close(before);
	rewind(file);
	while (fgets(line, sizeof(line), file))
		lines++;
	fclose(file);
	return lines;
}

static void each_problem_is_said_once_an_hour(void **state)
{
	struct log log = {0};

	log_open(&log, true);
	assert_int_equal(say(&log, "problem", 10), 10);
	assert_int_equal(say(&log, "problem", 10), 0);
	log.first -= LOG_SECONDS;
	assert_int_equal(say(&log, "problem", 10), 10);
	assert_int_equal(say(&log, "problem", 11), 1);
	log_close(&log);
}

static void very_many_problems_do_not_fill_the_log_nor_hide_later_ones(void **state)
{
	struct log log = {0};

	log_open(&log, true);
	assert_int_equal(say(&log, "problem", 2 * LOG_REMEMBERED), LOG_REMEMBERED + 1); /* and that it is so */
	assert_int_equal(say(&log, "other", 5), 0);
	log.first -= LOG_SECONDS;
	assert_int_equal(say(&log, "new", 5), 5);
	log_close(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_problem_is_said_once_an_hour),
		cmocka_unit_test(very_many_problems_do_not_fill_the_log_nor_hide_later_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
