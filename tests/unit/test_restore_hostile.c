/* SPDX-License-Identifier: MIT */
/* What may go wrong in a restore, and who may be at work against it. */
#include "restore/place.h"
#include "restore_world.h"
#include <backuptool/check.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/wait.h>

/* Everything of the wrong type stands in the way. */
static void test_types_in_the_way(void **state)
{
	struct back back;

	back_begin(&back);
	put_dir(&back.world, "dir");
	put_text(&back.world, "dir/file", "text");
	put_text(&back.world, "file", "text");
	put_symlink(&back, "file", "symlink");
	assert_int_equal(mknod(in_source(&back.world, "fifo"), S_IFIFO | 0644, 0), 0);
	world_snap(&back.world);
	static const char *const kinds[] = {"file", "symlink to a file", "symlink to a directory", "empty directory",
					    "fifo"};
	static const char *const names[] = {"dir", "file", "symlink", "fifo"};
	char outside[128], outside_file[160];
	snprintf(outside, sizeof(outside), "%s/outside", back.world.base);
	snprintf(outside_file, sizeof(outside_file), "%s/file", outside);
	for (size_t kind = 0; kind < 5; kind++) {
		remove_tree(back.output);
		remove_tree(outside);
		assert_int_equal(mkdir(back.output, 0755), 0);
		assert_int_equal(mkdir(outside, 0755), 0);
		append(outside_file, "outside");
		for (size_t i = 0; i < 4; i++) {
			const char *path = in_output(&back, names[i]);

			switch (kind) {
			case 0:
				append(path, "in the way");
				break;
			case 1:
				assert_int_equal(symlink(outside_file, path), 0);
				break;
			case 2:
				assert_int_equal(symlink(outside, path), 0);
				break;
			case 3:
				assert_int_equal(mkdir(path, 0755), 0);
				break;
			default:
				assert_int_equal(mkfifo(path, 0600), 0);
			}
		}
		print_message("%s\n", kinds[kind]);
		expect(&back, 0);
		same_as_source(&back);
		assert_int_equal(status_of(outside_file).st_size, 7);
		char **listed;
		assert_int_equal(list_names(outside, &listed), 1);
		free(listed[0]);
		free(listed);
	}
	back_end(&back);
}

static void test_full_directory_in_the_way(void **state)
{
	struct back back;

	back_begin(&back);
	put_text(&back.world, "file", "text");
	put_text(&back.world, "other", "text");
	world_snap(&back.world);
	assert_int_equal(mkdir(back.output, 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "file"), 0755), 0);
	append(in_output(&back, "file/precious"), "mine");
	expect(&back, BT_E_INCOMPLETE);
	assert_int_equal(back.told_count, 1);
	assert_string_equal(back.told[0].path, "file");
	assert_int_equal(back.told[0].error.sys, ENOTEMPTY);
	assert_true(exists(in_output(&back, "file/precious")));
	assert_true(exists(in_output(&back, "other")));
	char **names;
	size_t count = list_names(back.output, &names);
	assert_int_equal(count, 2); /* no temporary file is left */
	while (count)
		free(names[--count]);
	free(names);
	back.options.delete_extra = true;
	expect(&back, 0);
	same_as_source(&back);
	back_end(&back);
}

/* Changes one byte in the middle of the last store file that holds blocks, at a part of its length. */
static void spoil_store(struct back *back, off_t at)
{
	char path[256];
	unsigned char byte;

	snprintf(path, sizeof(path), "%s/%s", back->world.store_path, back->world.result.name);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte = byte == 'A' ? 'B' : 'A';
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
	world_open_store(&back->world);
}

static void test_damage(void **state)
{
	struct back back;

	back_begin(&back);
	put_noise(&back.world, "a", 2 * MEGA, 1);
	put_noise(&back.world, "b-large", 12 * MEGA, 2);
	put_text(&back.world, "c", "whole");
	put_link(&back, "c", "d");
	put_noise(&back.world, "e", 2 * MEGA, 3);
	world_snap(&back.world);
	expect(&back, 0);
	remove_tree(back.output);
	/* Somewhere within the large file, which takes the most. */
	spoil_store(&back, (off_t)(9 * MEGA));
	expect(&back, BT_E_INCOMPLETE);
	assert_int_equal(back.told_count, 1);
	assert_int_equal(back.result.errors, 1);
	assert_string_equal(back.told[0].path, "b-large");
	assert_int_equal(back.told[0].error.code, BT_E_DAMAGED);
	assert_non_null(strstr(back.told[0].error.file, back.world.result.name));
	assert_int_not_equal(back.told[0].error.reason, BT_R_NONE);
	assert_false(exists(in_output(&back, "b-large")));
	assert_int_equal(unlink(in_source(&back.world, "b-large")), 0);
	struct stat root = status_of(back.output);
	set_times(back.world.source, root.st_mtim.tv_sec, root.st_mtim.tv_nsec);
	same_as_source(&back);
	back_end(&back);
}

/* Every thread meets an index out of cache/ that one damaged block casts doubt on. */
static void sound_files_come_back(struct back *back, unsigned sound)
{
	char **names;

	remove_tree(back->output);
	expect(back, BT_E_INCOMPLETE);
	assert_int_equal(back->told_count, 1);
	assert_string_equal(back->told[0].path, "aaa");
	size_t count = list_names(back->output, &names);
	assert_int_equal(count, sound);
	while (count)
		free(names[--count]);
	free(names);
}

static void test_damage_stays_local_with_threads(void **state)
{
	enum { SOUND = 30, ROUNDS = 30 };
	struct back back;
	char name[16];

	back_begin(&back);
	back.options.threads = 8;
	put_noise(&back.world, "aaa", 3 * MEGA, 1);
	for (unsigned i = 0; i < SOUND; i++) {
		snprintf(name, sizeof(name), "sound-%u", i);
		put_noise(&back.world, name, 400000, 2 + i);
	}
	world_snap(&back.world);
	spoil_store(&back, 20000);
	for (int round = 0; round < ROUNDS; round++) {
		world_open_store(&back.world);
		sound_files_come_back(&back, SOUND);
	}
	world_open_store(&back.world);
	assert_int_equal(bt_repair(back.world.store, NULL, NULL, NULL, NULL, NULL), BT_E_INCOMPLETE);
	for (int round = 0; round < ROUNDS; round++) {
		world_open_store(&back.world);
		sound_files_come_back(&back, SOUND);
	}
	back_end(&back);
}

static void test_cancel(void **state)
{
	struct back back;

	back_begin(&back);
	put_everything(&back);
	world_snap(&back.world);
	for (unsigned after = 1; after < 60; after += 7) {
		back.asked = 0;
		back.cancel_after = after;
		int r = restore_now(&back);
		assert_true(r == BT_E_CANCELLED || (!r && after > 20));
		/* Whatever has its name is whole. */
		if (exists(in_output(&back, "docs/large")))
			assert_int_equal(status_of(in_output(&back, "docs/large")).st_size, 21 * MEGA + 5);
		remove_tree(back.output);
	}
	back.cancel_after = 0;
	expect(&back, 0);
	same_as_source(&back);
	back_end(&back);
}

/* A file with a second name outside the output directory is never written to. */
static void test_shared_with_outside(void **state)
{
	struct back back;
	char outside[128];

	back_begin(&back);
	put_text(&back.world, "file", "content");
	put_text(&back.world, "x", "linked");
	put_link(&back, "x", "y");
	world_snap(&back.world);
	snprintf(outside, sizeof(outside), "%s/outside", back.world.base);
	assert_int_equal(mkdir(back.output, 0755), 0);
	for (int i = 0; i < 2; i++) {
		const char *in = in_output(&back, i ? "x" : "file");

		(void)!unlink(in);
		append(outside, i ? "linked" : "content");
		assert_int_equal(chmod(outside, 0600), 0);
		set_times(outside, 5, 5);
		assert_int_equal(link(outside, in), 0);
		expect(&back, 0);
		struct stat status = status_of(outside);
		assert_int_equal(status.st_mode & 07777, 0600);
		assert_int_equal(status.st_mtim.tv_sec, 5);
		assert_int_equal(status.st_nlink, 1);
		assert_int_equal(unlink(outside), 0);
	}
	same_as_source(&back);
	back_end(&back);
}

static int in_child(void (*run)(struct back *back), struct back *back)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(99);
		run(back);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/* Runs in the child: no assertions of the framework, whose jumps would leave it. */
static void run_as_nobody(struct back *back)
{
	struct stat status;
	unsigned lacks = 0;

	for (int round = 0; round < 2; round++) {
		int r = restore_now(back);

		lacks = 0;
		for (size_t i = 0; i < back->told_count; i++)
			lacks += back->told[i].error.code == BT_E_UNSUPPORTED;
		/* docs/middle cannot be compared when nobody may read it, but it need not be. */
		if (r || lacks != back->told_count || lacks != (round ? 2 : 3)) {
			char text[640];

			for (size_t i = 0; i < back->told_count; i++) {
				bt_error_text(&back->told[i].error, text, sizeof(text));
				print_error("%s: %s\n", back->told[i].path, text);
			}
			_exit(1);
		}
	}
	if (lstat(in_output(back, "setuid"), &status) || status.st_mode & 06000 || status.st_uid != 65534)
		_exit(2);
	if (lstat(in_output(back, "docs/large"), &status) || status.st_size != (off_t)(21 * MEGA + 5))
		_exit(3);
	if (lstat(in_output(back, "empty"), &status) || (status.st_mode & 07777) != 0500)
		_exit(4);
	if (lstat(in_output(back, "char"), &status) == 0 || lstat(in_output(back, "fifo"), &status))
		_exit(5);
}

static void test_unprivileged(void **state)
{
	struct back back;

	back_begin(&back);
	put_everything(&back);
	world_snap(&back.world);
	assert_int_equal(chmod(back.world.base, 0755), 0);
	assert_int_equal(mkdir(back.output, 0700), 0);
	assert_int_equal(chown(back.output, 65534, 65534), 0);
	char command[200];
	snprintf(command, sizeof(command), "chmod -R a+rwX '%s'", back.world.store_path);
	assert_int_equal(system(command), 0);
	assert_int_equal(in_child(run_as_nobody, &back), 0);
	back_end(&back);
}

/* Somebody plants symlinks and swaps directories while the restore runs: nothing outside may change. */
struct attack {
	struct back *back;
	atomic_bool stop;
	char outside[128];
	atomic_uint swaps;
};

/* One swap; without paths, which would lead the attacker himself out. */
static void swap_once(struct attack *attack, const char *above, const char *name, unsigned turn)
{
	int base = open(attack->back->world.base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int output = openat(base, "output", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int in = openat(output, above, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char aside[256];

	if (in >= 0 && renameat(in, name, base, "aside") == 0) {
		if (symlinkat(attack->outside, in, name) == 0)
			atomic_fetch_add(&attack->swaps, 1);
		usleep(turn % 5 * 50);
		if (turn % 3 == 0) {
			unlinkat(in, name, 0);
			renameat(base, "aside", in, name);
		}
		snprintf(aside, sizeof(aside), "%s/aside", attack->back->world.base);
		remove_tree(aside);
	}
	close(in);
	close(output);
	close(base);
}

static void *attack_main(void *arg)
{
	static const char *const victims[][2] = {{".", "d0"},	{".", "d1"},   {".", "d2"},  {"d1", "e"},
						 {"d0", "f01"}, {"d2", "f02"}, {"d1", "f03"}};
	struct attack *attack = arg;

	for (unsigned turn = 0; !atomic_load(&attack->stop); turn++) {
		const char *const *victim = victims[turn % (sizeof(victims) / sizeof(*victims))];

		swap_once(attack, victim[0], victim[1], turn);
	}
	return NULL;
}

static void fill_outside(const char *outside)
{
	char path[256];

	assert_int_equal(mkdir(outside, 0750), 0);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/f0%d", outside, i);
		write_file(path, "outside", 7);
		assert_int_equal(chmod(path, 0640), 0);
		set_times(path, 5, 5);
	}
	snprintf(path, sizeof(path), "%s/e", outside);
	assert_int_equal(mkdir(path, 0750), 0);
	set_times(path, 5, 5);
	set_times(outside, 5, 5);
}

static void check_outside(const char *outside)
{
	char path[256];
	char **names;
	size_t count = list_names(outside, &names);

	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", outside, names[i]);
		struct stat status = status_of(path);
		assert_int_equal(status.st_mtim.tv_sec, 5);
		assert_int_equal(status.st_mode & 07777, S_ISDIR(status.st_mode) ? 0750 : 0640);
		assert_int_equal(status.st_uid, 0);
		if (S_ISREG(status.st_mode))
			assert_int_equal(status.st_size, 7);
		free(names[i]);
	}
	free(names);
	struct stat status = status_of(outside);
	assert_int_equal(status.st_mtim.tv_sec, 5);
	assert_int_equal(status.st_mode & 07777, 0750);
	snprintf(path, sizeof(path), "%s/e", outside);
	assert_int_equal(list_names(path, &names), 0);
	free(names);
}

static void test_attack(void **state)
{
	struct back back;
	struct attack attack = {.back = &back};
	char name[64];
	pthread_t thread;

	back_begin(&back);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		put_dir(&back.world, name);
		snprintf(name, sizeof(name), "d%d/e", i);
		put_dir(&back.world, name);
		for (int k = 0; k < 40; k++) {
			snprintf(name, sizeof(name), "d%d/f%02d", i, k);
			put_noise(&back.world, name, 5000, (uint64_t)(i * 100 + k));
			assert_int_equal(chown(in_source(&back.world, name), 4321, 4321), 0);
			snprintf(name, sizeof(name), "d%d/e/f%02d", i, k);
			put_text(&back.world, name, "inner");
		}
	}
	world_snap(&back.world);
	snprintf(attack.outside, sizeof(attack.outside), "%s/outside", back.world.base);
	fill_outside(attack.outside);
	assert_int_equal(pthread_create(&thread, NULL, attack_main, &attack), 0);
	for (int round = 0; round < 60 || !atomic_load(&attack.swaps); round++) {
		back.options.overwrite = round % 2 ? BT_OVERWRITE_ALWAYS : BT_OVERWRITE_IF_CHANGED;
		back.options.delete_extra = round % 3 == 0;
		struct bt_observer quiet = {.arg = NULL};
		back.observer = quiet;
		int r = restore_now(&back);
		assert_true(!r || r == BT_E_INCOMPLETE);
		check_outside(attack.outside);
	}
	atomic_store(&attack.stop, true);
	pthread_join(thread, NULL);
	print_message("%u swaps\n", attack.swaps);
	remove_tree(back.output);
	back.options = (struct bt_restore_options){.size = sizeof(struct bt_restore_options), .threads = 2};
	expect(&back, 0);
	same_as_source(&back);
	back_end(&back);
}

/* Symlinks that lead out stand at every name of the snapshot before the restore begins. */
static void test_planted(void **state)
{
	static const char *const places[] = {"d", "d/e", "d/e/f", "d/f", "f", "link", "fifo", "hard"};
	struct back back;
	char outside[128], made[256];

	for (int mode = 0; mode < 3; mode++) {
		for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
			back_begin(&back);
			put_dir(&back.world, "d");
			put_dir(&back.world, "d/e");
			put_text(&back.world, "d/e/f", "1");
			put_text(&back.world, "d/f", "22");
			put_text(&back.world, "f", "333");
			put_link(&back, "f", "hard");
			put_symlink(&back, "f", "link");
			assert_int_equal(mkfifo(in_source(&back.world, "fifo"), 0600), 0);
			world_snap(&back.world);
			snprintf(outside, sizeof(outside), "%s/outside", back.world.base);
			fill_outside(outside);
			assert_int_equal(mkdir(back.output, 0755), 0);
			for (const char *slash = strchr(places[i], '/'); slash; slash = strchr(slash + 1, '/')) {
				snprintf(made, sizeof(made), "%s/%.*s", back.output, (int)(slash - places[i]),
					 places[i]);
				assert_int_equal(mkdir(made, 0755), 0);
			}
			snprintf(made, sizeof(made), "%s%s", outside, mode == 1 ? "/f01" : mode == 2 ? "/new" : "");
			assert_int_equal(symlink(made, in_output(&back, places[i])), 0);
			expect(&back, 0);
			same_as_source(&back);
			check_outside(outside);
			back_end(&back);
		}
	}
}

/* A full disk ends the run at once, and leaves nothing half done behind. */
static void test_full_disk(void **state)
{
	struct back back;
	char command[200];

	back_begin(&back);
	put_noise(&back.world, "a", 400000, 1);
	put_noise(&back.world, "b", 12 * MEGA, 2);
	put_noise(&back.world, "c", 400000, 3);
	world_snap(&back.world);
	assert_int_equal(mkdir(back.output, 0755), 0);
	if (mount("none", back.output, "tmpfs", 0, "size=4m")) {
		back_end(&back);
		skip();
	}
	expect(&back, BT_E_SYSTEM);
	assert_int_equal(back.error.sys, ENOSPC);
	assert_true(back.told_count >= 1);
	assert_false(exists(in_output(&back, "b")));
	snprintf(command, sizeof(command), "test -z \"$(find '%s' -name '.backuptool-*')\"", back.output);
	assert_int_equal(system(command), 0);
	assert_int_equal(umount(back.output), 0);
	back_end(&back);
}

static int open_in(struct back *back, const char *name)
{
	return open(in_output(back, name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void assert_is(struct bt_ways *places, struct bt_place *place, ino_t inode)
{
	struct stat status;
	int fd = bt_place_get(places, place);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &status), 0);
	assert_int_equal(status.st_ino, inode);
	bt_place_put(places, place);
}

/* A directory whose descriptor was closed is found again by its way from the root or as its child's parent; what is
 * there instead of it, inside or outside, is not taken for it. */
static void test_places(void **state)
{
	struct back back;
	struct bt_ways places;
	char outside[128];

	back_begin(&back);
	snprintf(outside, sizeof(outside), "%s/outside", back.world.base);
	assert_int_equal(mkdir(outside, 0755), 0);
	assert_int_equal(mkdir(back.output, 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "a"), 0755), 0);
	assert_int_equal(mkdir(in_output(&back, "a/b"), 0755), 0);
	bt_places_init(&places);
	places.limit = 1;
	struct bt_place *root = bt_place_new(&places, NULL, "", open_in(&back, "."));
	struct bt_place *a = bt_place_new(&places, root, "a", open_in(&back, "a"));
	struct bt_place *b = bt_place_new(&places, a, "b", open_in(&back, "a/b"));
	ino_t inode = a->before.st_ino;
	assert_int_equal(a->way.fd, -1);
	assert_is(&places, a, inode);
	assert_true(bt_place_get(&places, b) >= 0);
	assert_int_equal(a->way.fd, -1);
	bt_place_ascend(&places, b);
	assert_is(&places, a, inode);
	/* The child is moved away while it is open: its parent is elsewhere. */
	snprintf(outside, sizeof(outside), "%s/outside/b", back.world.base);
	assert_int_equal(rename(in_output(&back, "a/b"), outside), 0);
	bt_place_ascend(&places, b);
	assert_is(&places, a, inode);
	bt_place_put(&places, b);
	/* Another directory, and then a symlink, stand at the name. */
	assert_int_equal(rename(in_output(&back, "a"), in_output(&back, "was-a")), 0);
	assert_int_equal(mkdir(in_output(&back, "a"), 0755), 0);
	assert_int_equal(bt_place_get(&places, a), -ESTALE);
	assert_int_equal(rmdir(in_output(&back, "a")), 0);
	assert_int_equal(symlink("was-a", in_output(&back, "a")), 0);
	assert_int_equal(bt_place_get(&places, a), -ENOTDIR);
	bt_place_unref(&places, a);
	bt_place_unref(&places, root);
	bt_place_unref(&places, b);
	bt_ways_destroy(&places);
	back_end(&back);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types_in_the_way), cmocka_unit_test(test_full_directory_in_the_way),
		cmocka_unit_test(test_damage),		 cmocka_unit_test(test_damage_stays_local_with_threads),
		cmocka_unit_test(test_cancel),		 cmocka_unit_test(test_shared_with_outside),
		cmocka_unit_test(test_unprivileged),	 cmocka_unit_test(test_attack),
		cmocka_unit_test(test_planted),		 cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_places),
	};

	if (geteuid() != 0)
		return 77; /* owners and devices are root's */
	umask(022);
	setenv("TZ", "UTC", 1);
	tzset();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
