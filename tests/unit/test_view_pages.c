/* SPDX-License-Identifier: MIT */
/* Directories whose index pages nest. */
#include "view_scene.h"

#include <internal/view.h>

#define FIFO(name) "{\"name\":\"" name "\",\"type\":\"fifo\",\"mode\":\"0644\",\"uid\":0,\"gid\":0,\"mtime\":[0,0]}"

static int walk(struct bt_store *store, const struct bt_digest *tree, struct bt_error *error)
{
	struct bt_dir *dir;
	const struct bt_entry *entry = NULL;
	int r = bt_dir_new(store, tree, &dir, error);

	if (r)
		return r;
	do
		r = bt_dir_next(dir, &entry, error);
	while (!r && entry);
	bt_dir_free(dir);
	return r;
}

/* An index page of one entry each from two pages, of which the first says it has more. */
static struct bt_digest put_over(struct scene *scene, const char *first, unsigned entries, const struct bt_digest *page,
				 const char *second, const struct bt_digest *leaf)
{
	char ids[2][65], line[1024];

	bt_digest_text(page, ids[0]);
	bt_digest_text(leaf, ids[1]);
	snprintf(line, sizeof(line),
		 "{\"pages\":[{\"name\":\"%s\",\"entries\":%u,\"tree\":\"%s\"},{\"name\":\"%s\",\"entries\":1,"
		 "\"tree\":\"%s\"}]}",
		 first, entries, ids[0], second, ids[1]);
	return sample_page(scene->writer, line);
}

static struct bt_digest put_leaf(struct scene *scene, unsigned number)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "{\"entries\":[{\"name\":\"%03u\",\"type\":\"fifo\",\"mode\":\"0644\",\"uid\":0,\"gid\":0,"
		 "\"mtime\":[0,0]}]}",
		 number);
	return sample_page(scene->writer, line);
}

/* So many index pages one below the other, each with one leaf more. */
static struct bt_digest put_tower(struct scene *scene, unsigned height)
{
	struct bt_digest page = put_leaf(scene, 0);

	for (unsigned i = 1; i <= height; i++) {
		struct bt_digest leaf = put_leaf(scene, i);
		char name[8];

		snprintf(name, sizeof(name), "%03u", i);
		page = put_over(scene, "000", i, &page, name, &leaf);
	}
	return page;
}

static void check_tower(struct bt_store *store, const struct bt_digest *tree, unsigned height)
{
	const struct bt_entry *entry;
	struct bt_error error = {0};
	struct bt_dir *dir;
	char name[16];

	assert_int_equal(walk(store, tree, &error), 0);
	assert_int_equal(bt_dir_new(store, tree, &dir, &error), 0);
	assert_int_equal(bt_dir_count(dir), height + 1);
	for (unsigned step = 0; step < 3 * (height + 1); step++) {
		unsigned i = step * 7 % (height + 1);

		snprintf(name, sizeof(name), "%03u", i);
		assert_int_equal(bt_dir_at(dir, i, &entry, &error), 0);
		assert_string_equal(entry->name, name);
		assert_int_equal(bt_dir_here(dir).base, i);
		assert_int_equal(bt_dir_next(dir, &entry, &error), 0);
		assert_int_equal(!entry, i == height);
		assert_int_equal(bt_dir_find(dir, name, 3, &entry, &error), 0);
		assert_string_equal(entry->name, name);
		assert_int_equal(bt_dir_here(dir).base + bt_dir_here(dir).index, i);
		name[2] = 'x';
		assert_int_equal(bt_dir_find(dir, name, 3, &entry, &error), BT_E_NOT_FOUND);
	}
	assert_int_equal(bt_dir_at(dir, height + 1, &entry, &error), BT_E_NOT_FOUND);
	assert_int_equal(bt_dir_at(dir, UINT64_MAX, &entry, &error), BT_E_NOT_FOUND);
	bt_dir_free(dir);
}

static void test_index_pages_nest(void **state)
{
	struct scene scene = scene_new();
	struct bt_digest good = put_tower(&scene, BT_DIR_LEVELS), deep = put_tower(&scene, BT_DIR_LEVELS + 1);

	scene_seal(&scene);
	check_tower(scene.store, &good, BT_DIR_LEVELS);
	struct bt_error error = {0};
	assert_int_equal(walk(scene.store, &deep, &error), BT_E_DAMAGED);
	assert_string_equal(bt_reason_name(error.reason), "too-deep");
	scene_free(&scene);
}

/* Of a page two levels below, which only all of its names show. */
static void test_index_pages_lie_about_what_is_further_below(void **state)
{
	struct scene scene = scene_new();
	struct bt_digest leaves[4];

	for (unsigned i = 0; i < 4; i++)
		leaves[i] = put_leaf(&scene, i);
	struct bt_digest pair = put_over(&scene, "000", 1, &leaves[0], "002", &leaves[2]);
	struct bt_digest trees[] = {
		put_over(&scene, "000", 2, &pair, "003", &leaves[3]), /* right */
		put_over(&scene, "000", 1, &pair, "003", &leaves[3]), /* one entry less */
		put_over(&scene, "000", 3, &pair, "003", &leaves[3]),
		put_over(&scene, "000", 2, &pair, "001", &leaves[1]), /* which lies inside of the first */
		put_over(&scene, "0", 2, &pair, "003", &leaves[3]),   /* not the first name */
	};
	static const enum bt_reason reasons[] = {BT_R_NONE, BT_R_BAD_SIZE, BT_R_BAD_SIZE, BT_R_UNSORTED, BT_R_UNSORTED};
	/* the last leaf of the first page ends after the second page begins */
	struct bt_digest wide = sample_page(scene.writer, "{\"entries\":[" FIFO("001") "," FIFO("004") "]}");
	char line[1024], ids[2][65];
	bt_digest_text(&leaves[0], ids[0]);
	bt_digest_text(&wide, ids[1]);
	snprintf(line, sizeof(line),
		 "{\"pages\":[{\"name\":\"000\",\"entries\":1,\"tree\":\"%s\"},{\"name\":\"001\",\"entries\":2,"
		 "\"tree\":\"%s\"}]}",
		 ids[0], ids[1]);
	struct bt_digest overlapping = sample_page(scene.writer, line);
	struct bt_digest over = put_over(&scene, "000", 3, &overlapping, "003", &leaves[3]);
	scene_seal(&scene);
	for (size_t i = 0; i < sizeof(trees) / sizeof(*trees); i++) {
		struct bt_error error = {0};

		assert_int_equal(walk(scene.store, &trees[i], &error), reasons[i] ? BT_E_DAMAGED : 0);
		assert_string_equal(bt_reason_name(error.reason), bt_reason_name(reasons[i]));
	}
	struct bt_error error = {0};
	assert_int_equal(walk(scene.store, &over, &error), BT_E_DAMAGED);
	assert_string_equal(bt_reason_name(error.reason), "unsorted");
	scene_free(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_index_pages_nest),
		cmocka_unit_test(test_index_pages_lie_about_what_is_further_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
