/* SPDX-License-Identifier: MIT */
/* Somebody changes the target at the one moment that counts: what the engine opens comes by here
 * (-Wl,--wrap=bt_openat). */
#include "restore/run.h"
#include "restore_world.h"

static struct {
	const char *name;     /* before the first open of it … */
	void (*before)(void); /* … this happens */
	void (*after)(void);  /* and this after it; NULL: nothing */
	atomic_bool armed;    /* it has yet to happen */
	char inside[512], outside[512];
	struct stat seen; /* outside, before the engine sees it */
} ambush;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): --wrap wants them */
int __real_bt_openat(int dirfd, const char *name, int flags, unsigned mode);
int __wrap_bt_openat(int dirfd, const char *name, int flags, unsigned mode);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

int __wrap_bt_openat(int dirfd, const char *name, int flags, unsigned mode)
{
	bool now = ambush.name && strcmp(name, ambush.name) == 0 && atomic_exchange(&ambush.armed, false);

	if (now)
		ambush.before();
	int fd = __real_bt_openat(dirfd, name, flags, mode);
	if (now && ambush.after)
		ambush.after();
	return fd;
}

static void lie_in_wait(const char *name, void (*before)(void), void (*after)(void))
{
	ambush.name = name;
	ambush.before = before;
	ambush.after = after;
	atomic_store(&ambush.armed, true);
}

static void set_paths(struct back *back, const char *inside, const char *outside)
{
	snprintf(ambush.inside, sizeof(ambush.inside), "%s/%s", back->output, inside);
	snprintf(ambush.outside, sizeof(ambush.outside), "%s/%s", back->world.base, outside);
}

static void swap_in_link(void)
{
	assert_int_equal(unlink(ambush.inside), 0);
	assert_int_equal(link(ambush.outside, ambush.inside), 0);
}

static void move_in(void)
{
	assert_int_equal(rename(ambush.outside, ambush.inside), 0);
}

static void move_out(void)
{
	assert_int_equal(rename(ambush.inside, ambush.outside), 0);
}

/* The file itself gets a name outside. */
static void share(void)
{
	assert_int_equal(unlink(ambush.outside), 0);
	assert_int_equal(link(ambush.inside, ambush.outside), 0);
	ambush.seen = status_of(ambush.outside);
}

static void mend_what_changes(void (*before)(void), void (*after)(void))
{
	struct back back;

	back_begin(&back);
	put_text(&back.world, "file", "text");
	world_snap(&back.world);
	expect(&back, 0);
	set_paths(&back, "file", "outside");
	append(ambush.outside, "text");
	assert_int_equal(chmod(ambush.outside, 0600), 0);
	set_times(ambush.outside, 5, 5);
	ambush.seen = status_of(ambush.outside);
	assert_int_equal(chmod(ambush.inside, 0640), 0); /* so that it is mended in place */
	lie_in_wait("file", before, after);
	expect(&back, 0);
	assert_false(ambush.armed);
	struct stat status = status_of(ambush.outside);
	assert_int_equal(status.st_mode, ambush.seen.st_mode);
	assert_int_equal(status.st_mtim.tv_sec, ambush.seen.st_mtim.tv_sec);
	assert_int_equal(status.st_nlink, 1);
	same_as_source(&back);
	back_end(&back);
}

/* Only the file that was looked at is changed in place, and only as long as it has no other name. */
static void test_mended_in_place(void **state)
{
	mend_what_changes(swap_in_link, NULL);
	mend_what_changes(move_in, move_out);
	mend_what_changes(share, NULL);
}

/* The way back from a directory that was moved out leads outside: nothing is removed there. */
static void test_moved_out_while_emptied(void **state)
{
	const struct bt_guard none = {0};
	struct bt_removal removal = {.guard = &none};
	struct back back;

	back_begin(&back);
	set_paths(&back, "extra/below", "outside/below");
	assert_int_equal(mkdir(back.output, 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "extra"), 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "extra/below"), 0755), 0);
	append(in_output(&back, "extra/below/file"), "x");
	assert_int_equal(mkdir(in_output(&back, "../outside"), 0755), 0);
	lie_in_wait("..", move_out, NULL);
	int fd = open(back.output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(bt_remove_tree(&removal, fd, "extra"), -ESTALE);
	assert_false(ambush.armed);
	assert_true(exists(ambush.outside));
	close(fd);
	back_end(&back);
}

/* What stands under a temporary name is nobody's to write to, even if somebody could guess the name. */
static void test_temporary_name_taken(void **state)
{
	struct bt_restore_run run = {.seed = 7}, twin = {.seed = 7};
	char taken[BT_TEMP_SIZE], name[BT_TEMP_SIZE];
	struct stat status;
	struct back back;

	back_begin(&back);
	assert_int_equal(mkdir(back.output, 0755), 0);
	bt_temp_name(&twin, taken);
	set_paths(&back, taken, "outside");
	append(ambush.outside, "mine");
	assert_int_equal(link(ambush.outside, ambush.inside), 0);
	int dirfd = open(back.output, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = bt_temp_open(&run, dirfd, name);
	assert_true(fd >= 0);
	assert_string_not_equal(name, taken);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_not_equal(status.st_ino, status_of(ambush.outside).st_ino);
	close(fd);
	close(dirfd);
	back_end(&back);
}

/* Of somebody else, to where nobody is to be led; in the place of the directory, if there is one. */
static void put_foreign_link(void)
{
	char aside[600];

	snprintf(aside, sizeof(aside), "%s.aside", ambush.inside);
	assert_true(rename(ambush.inside, aside) == 0 || errno == ENOENT);
	assert_int_equal(symlink(ambush.outside, ambush.inside), 0);
	assert_int_equal(lchown(ambush.inside, 1001, 1001), 0);
}

static void begin_way(struct back *back, const char *name, const char *output)
{
	back_begin(back);
	put_text(&back->world, "file", "text");
	world_snap(&back->world);
	assert_int_equal(mkdir(back->output, 0755), 0);
	assert_int_equal(mkdir(in_output(back, "way"), 0755), 0);
	assert_int_equal(mkdir(in_output(back, "../outside"), 0755), 0);
	set_paths(back, name, "outside");
	strcat(back->output, output);
}

static void end_way(struct back *back)
{
	assert_false(ambush.armed);
	assert_int_equal(rmdir(ambush.outside), 0); /* it is empty */
	back_end(back);
}

/* The way to the output is checked where it is walked, not before. */
static void test_way_changed(void **state)
{
	struct back back;
	char detail[600];

	if (geteuid() != 0)
		skip();
	begin_way(&back, "way", "/way/new");
	lie_in_wait("way", put_foreign_link, NULL);
	expect(&back, BT_E_FOREIGN);
	assert_string_equal(back.error.file, ambush.inside);
	snprintf(detail, sizeof(detail), "it belongs to user 1001 and leads to %s", ambush.outside);
	assert_string_equal(back.error.detail, detail);
	end_way(&back);
}

static void nothing(void)
{
}

/* When what is missing has been looked for, or was made a moment ago. */
static void test_way_changed_while_made(void **state)
{
	static const struct {
		const char *output, *at;
		int wanted;
	} cases[] = {
		{"/way/new", "new", BT_E_SYSTEM},
		{"/way/new/out", "new", BT_E_FOREIGN},
	};

	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct back back;

		begin_way(&back, "way/new", cases[i].output);
		lie_in_wait(cases[i].at, nothing, put_foreign_link);
		expect(&back, cases[i].wanted);
		end_way(&back);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mended_in_place),	       cmocka_unit_test(test_moved_out_while_emptied),
		cmocka_unit_test(test_temporary_name_taken),   cmocka_unit_test(test_way_changed),
		cmocka_unit_test(test_way_changed_while_made),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
