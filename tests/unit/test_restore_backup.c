/* SPDX-License-Identifier: MIT */
/* What a restore would replace or remove stays under another name; and files that are newer stay. */
#include "restore_world.h"

#define SUFFIX ".old"

/* What happens between the second name of a file and the exchange. */
static const char *replaced_by, *replaced;
static bool no_links, no_exchange;

int __real_linkat(int from_dirfd, const char *from, int dirfd, const char *name, int flags);
int __wrap_linkat(int from_dirfd, const char *from, int dirfd, const char *name, int flags);
int __real_renameat2(int from_dirfd, const char *from, int dirfd, const char *name, unsigned flags);
int __wrap_renameat2(int from_dirfd, const char *from, int dirfd, const char *name, unsigned flags);

int __wrap_linkat(int from_dirfd, const char *from, int dirfd, const char *name, int flags)
{
	const char *by = replaced_by;

	if (no_links) {
		errno = EPERM;
		return -1;
	}
	int r = __real_linkat(from_dirfd, from, dirfd, name, flags);
	if (!r && by) {
		replaced_by = NULL;
		assert_int_equal(rename(by, replaced), 0);
	}
	return r;
}

int __wrap_renameat2(int from_dirfd, const char *from, int dirfd, const char *name, unsigned flags)
{
	if (no_exchange && flags == RENAME_EXCHANGE) {
		errno = EINVAL;
		return -1;
	}
	return __real_renameat2(from_dirfd, from, dirfd, name, flags);
}

static void expect_text(struct back *back, const char *name, const char *text)
{
	char found[64] = "";
	int fd = open(in_output(back, name), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail_msg("%s is missing", name);
	assert_true(read(fd, found, sizeof(found) - 1) >= 0);
	close(fd);
	assert_string_equal(found, text);
}

static void put_there(struct back *back, const char *name, const char *text)
{
	append(in_output(back, name), text);
}

static void put_kinds(struct back *back)
{
	put_dir(&back->world, "dir");
	put_text(&back->world, "dir/file", "snapshot");
	put_text(&back->world, "equal", "equal");
	put_text(&back->world, "file", "snapshot");
	put_text(&back->world, "linked", "linked");
	put_link(back, "linked", "other");
	put_noise(&back->world, "large", 9 * MEGA, 3);
	put_text(&back->world, "was-dir", "snapshot");
	put_symlink(back, "dir", "link");
	put_symlink(back, "dir", "same-link");
	world_snap(&back->world);
	assert_int_equal(mkdir(back->output, 0755), 0);
	put_there(back, "dir", "a file");
	put_there(back, "equal", "equal");
	put_there(back, "file", "mine");
	put_there(back, "file" SUFFIX, "taken");
	put_there(back, "linked", "linked");
	put_there(back, "other", "linked");
	put_there(back, "large", "small");
	assert_int_equal(mkdir(in_output(back, "was-dir"), 0755), 0);
	put_there(back, "was-dir/in", "mine");
	assert_int_equal(symlink("elsewhere", in_output(back, "link")), 0);
	assert_int_equal(symlink("dir", in_output(back, "same-link")), 0);
	put_there(back, "extra", "extra");
	assert_int_equal(mkdir(in_output(back, "tree"), 0755), 0);
	put_there(back, "tree/in", "extra");
	back->options.backup = SUFFIX;
}

static void expect_kinds(struct back *back)
{
	expect_text(back, "dir" SUFFIX, "a file");
	expect_text(back, "file" SUFFIX, "taken");
	expect_text(back, "file" SUFFIX ".2", "mine");
	expect_text(back, "large" SUFFIX, "small");
	expect_text(back, "was-dir" SUFFIX "/in", "mine");
	expect_text(back, "file", "snapshot");
	assert_false(exists(in_output(back, "equal" SUFFIX)));
	assert_false(exists(in_output(back, "other" SUFFIX)));
	assert_false(exists(in_output(back, "same-link" SUFFIX)));
	assert_true(S_ISLNK(status_of(in_output(back, "link" SUFFIX)).st_mode));
}

static void try_kinds(bool links, bool exchanges)
{
	struct back back;

	back_begin(&back);
	put_kinds(&back);
	no_links = !links;
	no_exchange = !exchanges;
	back.options.dry_run = true;
	expect(&back, 0);
	assert_int_equal(back.result.backed_up, 5);
	assert_int_equal(back.events[BT_EVENT_KEPT], 5);
	assert_false(exists(in_output(&back, "dir" SUFFIX)));
	back.options.dry_run = false;
	expect(&back, 0);
	assert_int_equal(back.result.backed_up, 5);
	assert_int_equal(back.events[BT_EVENT_KEPT], 5);
	no_links = no_exchange = false;
	expect_kinds(&back);
	assert_true(exists(in_output(&back, "extra")));
	expect(&back, 0);
	assert_int_equal(back.result.backed_up, 0);
	back_end(&back);
}

static void test_kinds(void **state)
{
	try_kinds(true, true);
}

static void test_kinds_without_exchange(void **state)
{
	try_kinds(true, false);
}

static void test_delete(void **state)
{
	struct back back;

	back_begin(&back);
	put_kinds(&back);
	back.options.delete_extra = back.options.keep_backups = true;
	expect(&back, 0);
	expect_kinds(&back);
	expect_text(&back, "extra" SUFFIX, "extra");
	expect_text(&back, "tree" SUFFIX "/in", "extra");
	assert_int_equal(back.result.deleted, 0);
	assert_int_equal(back.result.backed_up, 7);
	expect(&back, 0); /* the backups are no extras */
	assert_int_equal(back.result.backed_up, 0);
	expect_text(&back, "tree" SUFFIX "/in", "extra");
	/* what contains a backup takes it along */
	assert_int_equal(mkdir(in_output(&back, "more"), 0755), 0);
	put_there(&back, "more/in" SUFFIX, "before");
	expect(&back, 0);
	expect_text(&back, "more" SUFFIX "/in" SUFFIX, "before");
	assert_int_equal(back.result.backed_up, 1);
	put_there(&back, "a" BT_BACKUP_MARK "2026-11-30~", "default");
	back.options.backup = NULL;
	expect(&back, 0);
	assert_true(back.result.deleted > 0);
	expect_text(&back, "a" BT_BACKUP_MARK "2026-11-30~", "default");
	assert_false(exists(in_output(&back, "extra" SUFFIX)));
	back.options.keep_backups = false;
	expect(&back, 0);
	same_as_source(&back);
	back_end(&back);
}

/* What the snapshot's rules leave out stays where it is, so that the rest is set aside one by one. */
static void test_delete_around(void **state)
{
	const char *const rules[] = {"*.cache"};
	struct back back;

	back_begin(&back);
	put_text(&back.world, "file", "f");
	back.world.options.exclude = rules;
	back.world.options.exclude_count = 1;
	world_snap(&back.world);
	expect(&back, 0);
	assert_int_equal(mkdir(in_output(&back, "tree"), 0755), 0);
	put_there(&back, "tree/a.cache", "stays");
	put_there(&back, "tree/b", "goes");
	back.options.delete_extra = back.options.keep_left_out = true;
	back.options.backup = SUFFIX;
	expect(&back, 0);
	expect_text(&back, "tree/a.cache", "stays");
	expect_text(&back, "tree/b" SUFFIX, "goes");
	assert_int_equal(back.result.backed_up, 1);
	back_end(&back);
}

/* Somebody puts another file in the place of the one that was just given its second name: both stay. */
static void test_race(void **state)
{
	struct back back;
	char name[300], other[300];

	back_begin(&back);
	put_text(&back.world, "file", "snapshot");
	world_snap(&back.world);
	assert_int_equal(mkdir(back.output, 0755), 0);
	put_there(&back, "file", "first");
	put_there(&back, "new", "second");
	snprintf(name, sizeof(name), "%s", in_output(&back, "file"));
	snprintf(other, sizeof(other), "%s", in_output(&back, "new"));
	replaced = name;
	replaced_by = other;
	back.options.backup = SUFFIX;
	back.options.threads = 0;
	expect(&back, 0);
	expect_text(&back, "file", "snapshot");
	expect_text(&back, "file" SUFFIX, "first");
	expect_text(&back, "file" SUFFIX ".2", "second");
	assert_int_equal(back.result.backed_up, 2);
	back_end(&back);
}

static void test_long_name(void **state)
{
	struct back back;
	char name[256] = "", kept[256];

	back_begin(&back);
	for (int i = 0; i < 127; i++)
		strcat(name, "ä");
	put_text(&back.world, name, "snapshot");
	world_snap(&back.world);
	assert_int_equal(mkdir(back.output, 0755), 0);
	put_there(&back, name, "mine");
	back.options.backup = ".1";
	expect(&back, 0);
	snprintf(kept, sizeof(kept), "%.252s.1", name);
	expect_text(&back, kept, "mine");
	back_end(&back);
}

static void test_refused_suffix(void **state)
{
	static const char *const wrong[] = {"", "a/b"};
	struct back back;

	back_begin(&back);
	put_text(&back.world, "file", "x");
	world_snap(&back.world);
	for (int i = 0; i < 2; i++) {
		back.options.backup = wrong[i];
		expect(&back, BT_E_INVALID);
	}
	back_end(&back);
}

static void test_always(void **state)
{
	struct back back;

	back_begin(&back);
	put_text(&back.world, "file", "snapshot");
	world_snap(&back.world);
	expect(&back, 0);
	back.options.overwrite = BT_OVERWRITE_ALWAYS;
	back.options.backup = SUFFIX;
	expect(&back, 0);
	assert_int_equal(back.result.backed_up, 0);
	write_file(in_output(&back, "file"), "snapshOt", 8);
	set_times(in_output(&back, "file"), 5, 5);
	expect(&back, 0);
	expect_text(&back, "file" SUFFIX, "snapshOt");
	back_end(&back);
}

static void test_if_newer(void **state)
{
	struct back back;

	back_begin(&back);
	put_dir(&back.world, "dir");
	put_text(&back.world, "dir/older", "snapshot");
	put_text(&back.world, "newer", "snapshot");
	put_text(&back.world, "was-file", "snapshot");
	put_text(&back.world, "missing", "snapshot");
	set_times(in_source(&back.world, "dir/older"), 2000, 1);
	set_times(in_source(&back.world, "newer"), 2000, 1);
	world_snap(&back.world);
	assert_int_equal(mkdir(back.output, 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "dir"), 0700), 0);
	put_there(&back, "dir/older", "mine");
	put_there(&back, "newer", "mine");
	set_times(in_output(&back, "dir/older"), 2000, 0);
	set_times(in_output(&back, "newer"), 2000, 2);
	back.options.dry_run = back.options.count_only = true;
	expect(&back, 0);
	assert_int_equal(back.result.newer, 1);
	back.options.dry_run = back.options.count_only = false;
	back.options.overwrite = BT_OVERWRITE_IF_NEWER;
	expect(&back, 0);
	assert_int_equal(back.result.newer, 1);
	expect_text(&back, "dir/older", "snapshot");
	expect_text(&back, "newer", "mine");
	expect_text(&back, "missing", "snapshot");
	assert_int_equal(status_of(in_output(&back, "dir")).st_mode & 07777, 0700); /* it was made later */
	back.options.overwrite = BT_OVERWRITE_IF_CHANGED;
	expect(&back, 0);
	assert_int_equal(back.result.newer, 1);
	same_as_source(&back);
	back_end(&back);
}

/* Asked while the file is being written, it puts another one there. */
static bool put_newer(void *arg)
{
	struct back *back = arg;
	char **names;
	size_t count = exists(back->output) ? list_names(back->output, &names) : 0;
	bool begun = false;

	for (size_t i = 0; i < count; i++) {
		begun |= strncmp(names[i], ".backuptool-", 12) == 0;
		free(names[i]);
	}
	if (count)
		free(names);
	if (begun && !exists(in_output(back, "file")))
		put_there(back, "file", "newer");
	return false;
}

static void test_newer_appears(void **state)
{
	struct back back;

	back_begin(&back);
	put_text(&back.world, "file", "snapshot");
	world_snap(&back.world);
	assert_int_equal(mkdir(back.output, 0755), 0);
	back.observer.cancelled = put_newer;
	back.options.overwrite = BT_OVERWRITE_IF_NEWER;
	back.options.threads = 0;
	expect(&back, 0);
	expect_text(&back, "file", "newer");
	back_end(&back);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),	       cmocka_unit_test(test_kinds_without_exchange),
		cmocka_unit_test(test_delete),	       cmocka_unit_test(test_delete_around),
		cmocka_unit_test(test_race),	       cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_refused_suffix), cmocka_unit_test(test_always),
		cmocka_unit_test(test_if_newer),       cmocka_unit_test(test_newer_appears),
	};

	umask(022);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
