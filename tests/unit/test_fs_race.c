/* SPDX-License-Identifier: MIT */
/* What requests do, on several threads and without a kernel, while the store is followed and snapshots come and go. */
#include "dirs.h"
#include "look.h"
#include "ops.h"
#include "removed.h"
#include "root.h"
#include "snapshot_world.h"
#include "versions.h"
#include <pthread.h>
#include <stdatomic.h>

#define READERS 3
#define ROUNDS	40
#define KEPT	2 /* snapshots, when others are removed */

struct scene {
	struct world world;
	struct fs *fs;
	atomic_bool stop;
	atomic_uint reads, failures;
};

static int look_up_below(struct fs *fs, fuse_ino_t parent, const char *name, fuse_ino_t *ret_node)
{
	struct dir dir;
	struct found found = {0};
	struct fuse_entry_param param;
	int r = dir_open(fs, parent, &dir);

	if (r)
		return r;
	r = dir_find(fs, &dir, name, &found);
	if (!r)
		r = dir_entry(fs, &dir, &found, &param);
	if (!r)
		*ret_node = param.ino;
	dir_close(fs, &dir);
	return r;
}

static int read_node(struct fs *fs, fuse_ino_t node, char text[64])
{
	struct held held;
	size_t length = 0;
	int r = held_get(fs, node, &held);

	if (r)
		return r;
	unsigned version = bt_store_version(fs->store);
	struct bt_error error;
	int code;
	do {
		error = (struct bt_error){0};
		code = bt_entry_pread(fs->store, held.entry, text, 63, 0, &length, &error);
	} while (code && look_retry(fs, &version, &error));
	text[length] = '\0';
	held_end(fs, &held);
	return code ? EIO : 0;
}

/* The two files of a snapshot say the same, as long as the kernel knows it. */
static void read_snapshot(struct scene *scene, fuse_ino_t snapshot)
{
	struct fs *fs = scene->fs;
	fuse_ino_t first, second, directory;
	char one[64] = "", other[64] = "";
	int r = look_up_below(fs, snapshot, "a.txt", &first);

	if (!r)
		r = look_up_below(fs, snapshot, "d", &directory);
	if (!r)
		r = look_up_below(fs, directory, "b.txt", &second);
	if (!r)
		r = read_node(fs, first, one);
	if (!r)
		r = read_node(fs, second, other);
	scene->failures += r || !*one || strcmp(one, other) != 0;
	scene->reads++;
}

/* As op_lookup does it. */
static bool enter(struct scene *scene, const char *name, fuse_ino_t *ret_node)
{
	struct fuse_entry_param param;

	look_if_changed(scene->fs);
	if (top_lookup(scene->fs, FUSE_ROOT_ID, name, &param) != 0 || param.ino == 0)
		return false;
	op_entry_known(scene->fs, &param);
	*ret_node = param.ino;
	if (!root_is_gone(scene->fs, node_unpack(param.ino).index))
		return true;
	op_forgotten(scene->fs, param.ino, 1);
	return false;
}

static void look_into_all(struct scene *scene)
{
	struct top_entry entry;
	fuse_ino_t node;
	unsigned found = 0;

	for (uint64_t at = 3, next; top_entry_at(scene->fs, FUSE_ROOT_ID, at, &entry, &next) == 0; at = next) {
		if (strcmp(entry.name, "versions") == 0 || !enter(scene, entry.name, &node))
			continue;
		read_snapshot(scene, node);
		op_forgotten(scene->fs, node, 1);
		found++;
	}
	scene->failures += found > ROUNDS + KEPT;
}

static void look_into_versions(struct scene *scene)
{
	struct versions_entry entry;
	struct fuse_entry_param param;
	struct stat st;
	fuse_ino_t top = versions_top(scene->fs);

	scene->failures += versions_attr(scene->fs, top, &st) != 0;
	if (versions_lookup(scene->fs, top, "d", &param) == 0 && param.ino)
		scene->failures += versions_after(scene->fs, param.ino, 0, &entry) == EIO;
}

static void *look_around(void *arg)
{
	struct scene *scene = arg;
	char target[300];
	struct fuse_entry_param param;

	while (!scene->stop) {
		look_into_all(scene);
		look_into_versions(scene);
		look_if_changed(scene->fs);
		if (top_lookup(scene->fs, FUSE_ROOT_ID, "latest", &param) == 0 && param.ino)
			scene->failures += top_readlink(scene->fs, param.ino, target, sizeof(target)) != 0;
	}
	return NULL;
}

/* As the thread that follows the store does it, but for word to the kernel. */
static void *follow(void *arg)
{
	struct scene *scene = arg;
	struct fs *fs = scene->fs;

	while (!scene->stop) {
		struct root_change news;
		struct bt_error error = {0};

		bt_store_doubt(fs->store);
		scene->failures += look_again(fs, &news, &error) != 0;
		free(news.serials);
		bt_store_hold(fs->store);
		removed_release_unused(fs);
		root_close_gone(fs);
	}
	return NULL;
}

static void begin(struct scene *scene)
{
	world_begin(&scene->world);
	put_dir(&scene->world, "d");
	for (unsigned i = 0; i < KEPT; i++)
		world_round(&scene->world, i);
	scene->fs = calloc(1, sizeof(*scene->fs));
	assert_non_null(scene->fs);
	fs_begin(scene->fs);
	scene->fs->store = open_another(&scene->world, 0);
	scene->fs->store_fd = open(scene->world.store_path, O_RDONLY | O_DIRECTORY);
	log_open(&scene->fs->log, false);
	assert_int_equal(nodes_new(&scene->fs->nodes), 0);
	assert_int_equal(root_new(scene->fs, NULL), 0);
	assert_int_equal(versions_new(scene->fs), 0);
}

static void end(struct scene *scene)
{
	versions_free(scene->fs);
	root_free(scene->fs);
	nodes_free(scene->fs->nodes);
	bt_store_close(scene->fs->store);
	close(scene->fs->store_fd);
	log_close(&scene->fs->log);
	fs_end(scene->fs);
	free(scene->fs);
	world_end(&scene->world);
}

static void requests_while_snapshots_come_and_go(void **state)
{
	struct scene scene = {.stop = false};
	pthread_t threads[READERS + 1];

	begin(&scene);
	for (unsigned i = 0; i < READERS + 1; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, i ? look_around : follow, &scene), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		world_round(&scene.world, KEPT + i);
		if (i % 3 == 2)
			world_remove_but(&scene.world, KEPT);
	}
	while (scene.reads < 10 * READERS)
		usleep(1000);
	scene.stop = true;
	for (unsigned i = 0; i < READERS + 1; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(scene.failures, 0);
	end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(requests_while_snapshots_come_and_go)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
