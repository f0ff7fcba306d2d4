/* SPDX-License-Identifier: MIT */
#include "scan/ignore.h"
#include "base/buf.h"
#include "base/io.h"
#include <errno.h>
#include <fcntl.h>
#include <internal/policy.h>
#include <stdlib.h>

/* The whole file with a NUL after it. 0, an errno, or BT_E_NOMEM. */
static int read_text(int fd, struct bt_buf *text)
{
	if (bt_buf_reserve(text, BT_IGNORE_MAX + 2))
		return BT_E_NOMEM;
	ssize_t length = bt_read_some(fd, text->data, BT_IGNORE_MAX + 1);
	if (length < 0)
		return (int)-length;
	if ((size_t)length > BT_IGNORE_MAX)
		return EFBIG;
	text->length = (size_t)length;
	text->data[length] = 0;
	return 0;
}

static int compile(struct bt_buf *text, struct bt_rules **ret_rules)
{
	struct bt_buf patterns = {0};
	struct bt_lines lines;
	int r = bt_lines_begin((char *)text->data, text->length, &lines) ? EILSEQ : 0;

	for (const char *line = r ? NULL : bt_lines_next(&lines); line && !r; line = bt_lines_next(&lines))
		r = bt_buf_append(&patterns, &line, sizeof(line));
	if (!r)
		r = bt_rules_new((const char *const *)patterns.data, patterns.length / sizeof(char *), ret_rules, NULL);
	bt_buf_free(&patterns);
	return r;
}

static int read_rules(int dirfd, const char *name, struct bt_rules **ret_rules)
{
	struct bt_buf text = {0};
	int fd = bt_open_file(dirfd, name, O_RDONLY);

	if (fd < 0)
		return fd == -ENOENT || fd == -EMEDIUMTYPE ? 0 : -fd;
	int r = read_text(fd, &text);
	bt_close(&fd);
	if (!r)
		r = compile(&text, ret_rules);
	bt_buf_free(&text);
	return r;
}

static int add_ignore(struct bt_rules *rules, size_t skip, const struct bt_ignore **ignore)
{
	struct bt_ignore *added = malloc(sizeof(*added));

	if (!added) {
		bt_rules_free(rules);
		return BT_E_NOMEM;
	}
	*added = (struct bt_ignore){*ignore, rules, skip};
	*ignore = added;
	return 0;
}

int bt_ignore_read(const struct bt_ignore_names *names, int dirfd, size_t skip, const struct bt_ignore *above,
		   const struct bt_ignore **ret_ignore, const char **ret_name)
{
	const struct bt_ignore *ignore = above;
	int failed = 0, r = 0;

	for (size_t i = 0; i < names->count && r >= 0; i++) {
		struct bt_rules *rules = NULL;

		r = read_rules(dirfd, names->items[i], &rules);
		if (r > 0) {
			failed = r;
			*ret_name = names->items[i];
		}
		if (!r && rules)
			r = add_ignore(rules, skip, &ignore);
	}
	if (r < 0) {
		bt_ignore_free(ignore, above);
		return r;
	}
	*ret_ignore = ignore;
	return failed;
}

void bt_ignore_free(const struct bt_ignore *ignore, const struct bt_ignore *above)
{
	while (ignore != above) {
		const struct bt_ignore *next = ignore->above;

		bt_rules_free(ignore->rules);
		free((void *)ignore);
		ignore = next;
	}
}
