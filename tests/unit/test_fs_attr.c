/* SPDX-License-Identifier: MIT */
#include "attr.h"
#include "paths.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

static const struct attr_rules plain;

static struct bt_entry file_of(unsigned content)
{
	return (struct bt_entry){
		.name = "f",
		.name_length = 1,
		.type = BT_FILE,
		.mode = 0640,
		.uid = 3,
		.gid = 4,
		.size = 5000,
		.mtime = {.seconds = -7, .nanoseconds = 999999999},
		.has_digest = true,
		.digest = {{(unsigned char)content}},
	};
}

static void a_file_shows_what_it_has(void **state)
{
	struct bt_entry file = file_of(1);
	struct stat st;
	attr_fill(&plain, &file, 77, &st);
	assert_int_equal(st.st_ino, 77);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_uid, 3);
	assert_int_equal(st.st_gid, 4);
	assert_int_equal(st.st_size, 5000);
	assert_int_equal(st.st_blocks, 16);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mtim.tv_sec, -7);
	assert_int_equal(st.st_mtim.tv_nsec, 999999999);
}

static void holes_take_no_blocks(void **state)
{
	const struct bt_extent holes[] = {{0, 4096}, {8192, 1 << 20}};
	struct bt_extra extra = {.holes = holes, .hole_count = 2};
	struct bt_entry file = file_of(1);
	struct stat st;
	file.size = (1 << 20) + 8192 + 100;
	file.extra = &extra;
	attr_fill(&plain, &file, 77, &st);
	assert_int_equal(attr_data_bytes(&file), 4096 + 100);
	assert_int_equal(st.st_blocks, 16);
	assert_int_equal(st.st_size, file.size);
}

static void types_show_their_own(void **state)
{
	struct bt_extra extra = {.target = "abc", .target_length = 3, .dev_major = 8, .dev_minor = 300, .links = 4};
	struct bt_entry entry = {.type = BT_SYMLINK, .mode = 0777, .extra = &extra};
	struct attr_rules rules = {.umask = 077};
	struct stat st;
	attr_fill(&rules, &entry, 1, &st);
	assert_int_equal(st.st_mode, S_IFLNK | 0777);
	assert_int_equal(st.st_size, 3);
	assert_int_equal(st.st_nlink, 4);
	entry.type = BT_BLOCKDEV;
	attr_fill(&rules, &entry, 1, &st);
	assert_int_equal(st.st_mode, S_IFBLK | 0700);
	assert_int_equal(st.st_rdev, makedev(8, 300));
	entry.type = BT_FIFO;
	attr_fill(&plain, &entry, 1, &st);
	assert_int_equal(st.st_mode, S_IFIFO | 0777);
	assert_int_equal(st.st_rdev, 0);
}

static void options_change_owner_and_mode(void **state)
{
	struct attr_rules rules = {.set_uid = true, .uid = 11, .set_gid = true, .gid = 12, .umask = 0027};
	struct bt_entry file = file_of(1);
	struct stat st;
	file.mode = 06777;
	attr_fill(&rules, &file, 1, &st);
	assert_int_equal(st.st_uid, 11);
	assert_int_equal(st.st_gid, 12);
	assert_int_equal(st.st_mode & 07777, 06750);
}

static void equal_files_are_one_inode_at_one_path(void **state)
{
	struct bt_entry file = file_of(1), same = file_of(1), other = file_of(2);
	uint64_t path = attr_path_below(attr_path_top(), "f", 1), elsewhere = attr_path_below(path, "f", 1);
	assert_true(attr_ino(&file, path, 1) == attr_ino(&same, path, 2)); /* in any snapshot */
	assert_true(attr_ino(&file, path, 1) != attr_ino(&other, path, 1));
	assert_true(attr_ino(&file, path, 1) != attr_ino(&file, elsewhere, 1)); /* no hard link */
	same.mtime.nanoseconds--;
	assert_true(attr_ino(&file, path, 1) != attr_ino(&same, path, 1));
	same = file_of(1);
	same.mode = 0600;
	assert_true(attr_ino(&file, path, 1) != attr_ino(&same, path, 1));
	same = file_of(1);
	same.uid = 0;
	assert_true(attr_ino(&file, path, 1) != attr_ino(&same, path, 1));
}

static void hard_links_are_one_inode(void **state)
{
	struct bt_extra extra = {.inode = 9, .links = 2}, other = {.inode = 10, .links = 2};
	struct bt_entry a = file_of(1), b = file_of(1), c = file_of(1);
	a.extra = b.extra = &extra;
	c.extra = &other;
	assert_true(attr_ino(&a, 100, 1) == attr_ino(&b, 200, 1));
	assert_true(attr_ino(&a, 100, 1) != attr_ino(&c, 100, 1));
	other = extra;
	other.dev = 1;
	assert_true(attr_ino(&a, 100, 1) != attr_ino(&c, 100, 1));
}

static void directories_never_share(void **state)
{
	struct bt_entry dir = {.type = BT_DIR};
	assert_false(attr_is_shareable(&dir));
	assert_true(attr_ino(&dir, 1, 1) != attr_ino(&dir, 1, 2));
	assert_true(attr_ino(&dir, 1, 1) != attr_ino(&dir, 2, 1));
}

static void what_could_not_be_read_is_not_equal(void **state)
{
	struct bt_extra extra = {.error = "EACCES"};
	struct bt_entry file = file_of(0);
	file.has_digest = false;
	file.extra = &extra;
	assert_false(attr_is_shareable(&file));
	assert_true(attr_ino(&file, 1, 1) != attr_ino(&file, 1, 2));
}

static void without_a_digest_the_chunks_tell(void **state)
{
	struct bt_chunk one[] = {{{{1}}, 5}}, two[] = {{{{2}}, 5}};
	struct bt_extra a = {.chunks = one, .chunk_count = 1}, b = {.chunks = two, .chunk_count = 1};
	struct bt_entry file = file_of(0);
	file.has_digest = false;
	file.extra = &a;
	uint64_t first = attr_ino(&file, 1, 1);
	file.extra = &b;
	assert_true(first != attr_ino(&file, 1, 1));
}

static void paths_do_not_run_together(void **state)
{
	uint64_t top = attr_path_top();
	assert_true(attr_path_below(attr_path_below(top, "a", 1), "b", 1) != attr_path_below(top, "ab", 2));
	assert_true(attr_path_below(attr_path_below(top, "a", 1), "b", 1) !=
		    attr_path_below(attr_path_below(top, "b", 1), "a", 1));
}

static void store_and_mount_point_may_not_overlap(void **state)
{
	assert_true(paths_overlap("/a/b", "/a/b"));
	assert_true(paths_overlap("/a/b", "/a"));
	assert_true(paths_overlap("/a", "/a/b/c"));
	assert_true(paths_overlap("/", "/a"));
	assert_false(paths_overlap("/a/b", "/a/bc"));
	assert_false(paths_overlap("/a/bc", "/a/b"));
	assert_false(paths_overlap("/mnt", "/srv"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_shows_what_it_has),
		cmocka_unit_test(holes_take_no_blocks),
		cmocka_unit_test(types_show_their_own),
		cmocka_unit_test(options_change_owner_and_mode),
		cmocka_unit_test(equal_files_are_one_inode_at_one_path),
		cmocka_unit_test(hard_links_are_one_inode),
		cmocka_unit_test(directories_never_share),
		cmocka_unit_test(what_could_not_be_read_is_not_equal),
		cmocka_unit_test(without_a_digest_the_chunks_tell),
		cmocka_unit_test(paths_do_not_run_together),
		cmocka_unit_test(store_and_mount_point_may_not_overlap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
