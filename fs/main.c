/* SPDX-License-Identifier: MIT */
#include "ahead.h"
#include "bounds.h"
#include "daemon.h"
#include "follow.h"
#include "groups.h"
#include "loop.h"
#include "mounts.h"
#include "ops.h"
#include "paths.h"
#include "push.h"
#include "root.h"
#include "versions.h"
#include <backuptool/version.h>
#include <errno.h>
#include <fcntl.h>
#include <internal/streams.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum exit_code { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NO_STORE = 10 };

/* The paths of store and mount point, absolute and without links. */
struct places {
	char *store, *mountpoint;
	dev_t device; /* valid once it is mounted */
};

static int complain(const char *what, const char *text)
{
	char shown[640];

	bt_error_escape(what, shown, sizeof(shown));
	fprintf(stderr, "backupfs: %s: %s\n", shown, text);
	return EXIT_FAILED;
}

static int complain_error(const struct bt_error *error, int code)
{
	char text[640];
	struct bt_error plain = {.code = (enum bt_code)code, .offset = BT_NO_OFFSET};

	bt_error_text(error->code ? error : &plain, text, sizeof(text));
	fprintf(stderr, "backupfs: %s\n", text);
	return code == BT_E_NO_STORE ? EXIT_NO_STORE : EXIT_FAILED;
}

/* Removes dead mounts of this user's killed drivers. Dead mounts of others are not ours to remove. */
static int clear_place(const char *path)
{
	char shown[640], text[sizeof(shown) + 128];
	dev_t device;
	uid_t user;

	while (mounts_has(path) && mounts_is_dead(path)) {
		if (mounts_device(path, &device) == 0 && mounts_is_store(device, &user) && user == getuid() &&
		    mounts_end(device, true))
			continue;
		bt_error_escape(path, shown, sizeof(shown));
		snprintf(text, sizeof(text), "a mount whose program has ended is left here: umount %s", shown);
		return complain(path, text);
	}
	return EXIT_FINE;
}

static bool is_mounted_store(const char *path)
{
	dev_t device;
	uid_t user;

	return mounts_has(path) && mounts_device(path, &device) == 0 && mounts_is_store(device, &user);
}

static int find_places(const struct options *options, struct places *ret_places)
{
	struct stat st;

	ret_places->store = realpath(options->store, NULL);
	if (!ret_places->store && errno != ENOENT && errno != ENOTDIR)
		return complain(options->store, strerror(errno));
	if (!ret_places->store || stat(ret_places->store, &st) != 0 || !S_ISDIR(st.st_mode)) {
		complain(options->store, "there is no store here");
		return EXIT_NO_STORE;
	}
	if (clear_place(options->mountpoint) != EXIT_FINE)
		return EXIT_FAILED;
	ret_places->mountpoint = realpath(options->mountpoint, NULL);
	if (ret_places->mountpoint && is_mounted_store(ret_places->mountpoint))
		return complain(options->mountpoint, "a store is mounted here already; unmount it first");
	if (!ret_places->mountpoint || stat(ret_places->mountpoint, &st) != 0)
		return complain(options->mountpoint,
				errno == ENOENT ? "there is no such directory; make it with mkdir" : strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return complain(options->mountpoint, "not a directory");
	if (paths_overlap(ret_places->store, ret_places->mountpoint))
		return complain(options->mountpoint, "the mount point and the store may not lie in each other");
	return EXIT_FINE;
}

static void before_slow(void *arg)
{
	loop_slow(arg);
}

static int open_store(struct fs *fs, const char *path)
{
	uint32_t serial;
	struct bt_error error = {0};
	struct bt_store_options options = {.size = sizeof(options),
					   .cache_bytes = bounds_blocks_cache(fs->options.cache_bytes),
					   .open_files = bounds_store_files(),
					   .verify_always = fs->options.verify_always};
	int code = bt_store_open(path, &options, &fs->store, &error);

	if (code)
		return complain_error(&error, code);
	bt_store_call_before_slow(fs->store, before_slow, fs);
	fs->store_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs->store_fd < 0)
		return complain(path, strerror(errno));
	fs->groups = fs->options.group ? groups_new() : NULL;
	if (fs->options.group && !fs->groups)
		return complain(path, strerror(ENOMEM));
	code = root_new(fs, &error);
	if (code == BT_E_NOT_FOUND && !error.code)
		return complain(fs->options.subpath, "the snapshot has no such directory");
	if (code)
		return complain_error(&error, code);
	if (root_count(fs) > 0 && !root_is_single(fs, &serial) && root_may_hide(fs) &&
	    !root_latest(fs, GROUPS_NONE, &serial))
		return complain(fs->options.subpath ? fs->options.subpath : path,
				fs->options.subpath ? "no snapshot has such a directory"
						    : "no snapshot can be read, or matches host=, target= and tag=");
	if (nodes_new(&fs->nodes) != 0 || (fs->options.push && push_new(&fs->push) != 0) ||
	    (fs->options.versions && versions_new(fs) != 0))
		return complain(path, strerror(ENOMEM));
	return EXIT_FINE;
}

static void init_fs(struct fs *fs)
{
	fs_begin(fs);
	fs->store_fd = fs->ready_fd = fs->read_ahead_fd = -1;
	if (getrandom(&fs->generation, sizeof(fs->generation), 0) != sizeof(fs->generation))
		fs->generation = (uint32_t)time(NULL);
	fs->generation = (fs->generation & INT32_MAX) | 1; /* the kernel keeps it as an int */
	log_open(&fs->log, fs->options.foreground);
}

static void close_fs(struct fs *fs)
{
	versions_free(fs);
	push_free(fs->push);
	root_free(fs);
	groups_free(fs->groups);
	nodes_free(fs->nodes);
	bt_store_close(fs->store);
	if (fs->store_fd >= 0)
		close(fs->store_fd);
	log_close(&fs->log);
	fs_end(fs);
}

/* libfuse's own message needs knowledge of FUSE. */
static int check_device(void)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		return EXIT_FINE;
	}
	if (errno == EACCES || errno == EPERM)
		return complain("/dev/fuse", "you may not mount here: this device would have to be open to you");
	return complain("/dev/fuse", errno == ENOENT || errno == ENODEV || errno == ENXIO
					     ? "this system cannot mount it: the kernel has no FUSE"
					     : strerror(errno));
}

/* The last lookup of the mount point before the mount answers, see daemon_start. */
static int finish_mount(struct fs *fs, struct places *places)
{
	int r = mounts_device(places->mountpoint, &places->device);

	if (r)
		complain(places->mountpoint, strerror(r));
	if (!r && fs->options.nosymfollow) {
		r = mounts_follow_no_links(places->mountpoint);
		if (r)
			complain("nosymfollow", r == EPERM ? "only root can mount so" : strerror(r));
	}
	if (r)
		fuse_session_unmount(fs->session);
	return r ? EXIT_FAILED : EXIT_FINE;
}

static int mount_session(struct fs *fs, struct places *places)
{
	if (check_device() != EXIT_FINE)
		return EXIT_FAILED;
	if (options_add_fixed(&fs->options, places->store) != 0)
		return complain("options", strerror(ENOMEM));
	fs->session = fuse_session_new(&fs->options.libfuse, &ops_table, sizeof(ops_table), fs);
	if (!fs->session)
		return EXIT_USAGE; /* libfuse has reported why */
	if (fuse_session_mount(fs->session, places->mountpoint) != 0)
		return EXIT_FAILED;
	return finish_mount(fs, places);
}

static void block_signals(sigset_t *ret_set)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &ignore, NULL);
	sigemptyset(ret_set);
	sigaddset(ret_set, SIGTERM);
	sigaddset(ret_set, SIGINT);
	sigaddset(ret_set, SIGHUP);
	sigaddset(ret_set, SIGCHLD);
	pthread_sigmask(SIG_BLOCK, ret_set, NULL);
}

/* Waits until a signal comes that ends the mount. */
static void wait_for_signal(struct fs *fs, const struct places *places, const sigset_t *signals, int unmounter)
{
	char shown[640], text[sizeof(shown) + 128];
	int signal = 0;

	while (sigwait(signals, &signal) != 0 || signal == SIGCHLD) {
		if (signal != SIGCHLD || !daemon_unmounter_is_gone(unmounter))
			continue;
		bt_error_escape(places->mountpoint, shown, sizeof(shown));
		snprintf(text, sizeof(text), "%s: what was to unmount it has ended: please use umount", shown);
		log_text(&fs->log, text);
	}
}

/* Serves until a signal comes or the mount is unmounted. */
static int serve(struct fs *fs, const struct places *places, const sigset_t *signals, int unmounter)
{
	struct follow *follow = NULL;
	struct loop *loop = NULL;
	int r = ahead_start(fs, &fs->ahead);

	if (!r)
		r = loop_start(fs, &loop);
	if (!r)
		r = follow_start(fs, places->store, &follow);
	if (!r)
		wait_for_signal(fs, places, signals, unmounter);
	else
		log_text(&fs->log, strerror(r));
	follow_stop(follow);
	fuse_session_exit(fs->session);
	if (loop)
		loop_stop(loop);
	ahead_stop(fs->ahead);
	fs->ahead = NULL;
	if (!r && !fs->answers)
		log_text(&fs->log, "ended before the mount answered");
	return r || !fs->answers ? EXIT_FAILED : EXIT_FINE;
}

/* Goes into the background, if that is wanted, and gives up all that reading the store does not need. */
static int settle(struct fs *fs, const struct places *places, const sigset_t *signals, int *ret_unmounter)
{
	struct bt_error error = {0};
	int r = 0;

	if (!fs->options.foreground)
		r = daemon_start(fuse_session_fd(fs->session), places->device, signals, &fs->ready_fd);
	if (!r)
		r = daemon_keep_unmounter(places->device, ret_unmounter);
	if (r)
		return complain("fork", strerror(r));
	if (!fs->options.foreground)
		daemon_detach();
	fs->read_ahead_fd = bounds_open_read_ahead(places->device);
	if (bounds_confine(fs->store_fd, &error) != 0) /* one defence less is no reason not to mount */
		log_error(&fs->log, "giving up unneeded privileges", &error);
	return EXIT_FINE;
}

/* A signal may come as soon as there is a mount: it is blocked until it can be handled. */
static int run(struct fs *fs, struct places *places)
{
	sigset_t signals;
	int unmounter = -1, r;

	block_signals(&signals);
	r = mount_session(fs, places);
	if (r)
		return r;
	r = settle(fs, places, &signals, &unmounter);
	if (r == EXIT_FINE)
		r = serve(fs, places, &signals, unmounter);
	fs_stop_waiting(fs);
	if (unmounter < 0)
		fuse_session_unmount(fs->session);
	else if (!daemon_unmount(unmounter, fuse_session_fd(fs->session), places->device))
		log_text(&fs->log, "the mount point is left, and answers nothing: please use umount");
	return r;
}

static int mount_store(struct fs *fs)
{
	struct places places = {0};
	int r = find_places(&fs->options, &places);

	if (r == EXIT_FINE)
		r = open_store(fs, places.store);
	if (r == EXIT_FINE)
		r = run(fs, &places);
	if (fs->session)
		fuse_session_destroy(fs->session);
	free(places.store);
	free(places.mountpoint);
	return r;
}

int main(int argc, char **argv)
{
	char error[OPTIONS_ERROR_SIZE];

	bt_hold_streams();
	struct fs *fs = calloc(1, sizeof(*fs));
	if (!fs)
		return EXIT_FAILED;
	int r = EXIT_FINE;
	if (options_parse(argc, argv, &fs->options, error) != 0) {
		fprintf(stderr, "backupfs: %s\n", error);
		r = EXIT_USAGE;
	} else if (fs->options.help) {
		fputs(options_usage, stdout);
	} else if (fs->options.version) {
		printf("backupfs %s\n", bt_version());
	} else {
		bounds_raise();
		init_fs(fs);
		r = mount_store(fs);
		close_fs(fs);
	}
	options_free(&fs->options);
	free(fs);
	return r;
}
