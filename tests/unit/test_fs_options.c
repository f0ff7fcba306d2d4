/* SPDX-License-Identifier: MIT */
#include "options.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MAX_ARGS 12

static int parse(struct options *options, const char *const *words, char *error)
{
	char *argv[MAX_ARGS + 2] = {(char *)(uintptr_t) "backupfs"};
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	return options_parse(argc, argv, options, error);
}

#define PARSE(options, error, ...) parse(options, (const char *const[]){__VA_ARGS__, NULL}, error)

static void assert_refused(const char *option, const char *word)
{
	struct options options;
	char error[OPTIONS_ERROR_SIZE];

	assert_int_equal(PARSE(&options, error, "store", "mnt", "-o", option), -1);
	assert_non_null(strstr(error, word));
	options_free(&options);
}

static void defaults(void **state)
{
	struct options options;
	char error[OPTIONS_ERROR_SIZE];

	assert_int_equal(PARSE(&options, error, "store", "mnt"), 0);
	assert_string_equal(options.store, "store");
	assert_string_equal(options.mountpoint, "mnt");
	assert_null(options.snapshot);
	assert_int_equal(options.xattr, XATTR_AUTO);
	assert_false(options.separate || options.nosymfollow);
	assert_true(options.push);
	assert_false(options.foreground || options.versions || options.verify_always);
	assert_int_equal(options.cache_bytes, 0);
	options_free(&options);
}

static void everything(void **state)
{
	struct options options;
	char error[OPTIONS_ERROR_SIZE];

	assert_int_equal(PARSE(&options, error, "-f", "s", "m", "-o",
			       "snapshot=x,subpath=a/b,uid=5,gid=6,umask=027,cache=2M", "-o",
			       "verify=always,xattr=on,nopush,inodes=separate,max_read=65536,nosymfollow,allow_other"),
			 0);
	assert_true(options.foreground && options.verify_always && !options.push);
	assert_string_equal(options.snapshot, "x");
	assert_string_equal(options.subpath, "a/b");
	assert_true(options.rules.set_uid && options.rules.set_gid);
	assert_int_equal(options.rules.uid, 5);
	assert_int_equal(options.rules.gid, 6);
	assert_int_equal(options.rules.umask, 027);
	assert_int_equal(options.cache_bytes, 2 << 20);
	assert_int_equal(options.xattr, XATTR_ON);
	assert_int_equal(options.max_read, 65536);
	assert_true(options.separate && options.nosymfollow);
	assert_string_equal(options.libfuse.argv[options.libfuse.argc - 1],
			    "max_read=65536,allow_other"); /* left for libfuse */
	options_free(&options);
}

static void selection(void **state)
{
	struct options options;
	char error[OPTIONS_ERROR_SIZE];

	assert_int_equal(PARSE(&options, error, "s", "m", "-o", "host=a,target=/x\\,y,host=b", "-o", "tag=t"), 0);
	assert_int_equal(options.filter.host_count, 2);
	assert_string_equal(options.filter.hosts[1], "b");
	assert_int_equal(options.filter.target_count, 1);
	assert_string_equal(options.filter.targets[0], "/x,y");
	assert_string_equal(options.filter.tags[0], "t");
	options_free(&options);
	assert_refused("host=", "host=");
	assert_refused("tag=", "tag=");
}

static void as_mount_calls_it(void **state)
{
	struct options options;
	char error[OPTIONS_ERROR_SIZE];

	assert_int_equal(PARSE(&options, error, "/srv/my store", "/mnt/x", "-o", "rw,noexec,suid,dev"), 0);
	assert_int_equal(options_add_fixed(&options, "/srv/my,store"), 0);
	const char *last = options.libfuse.argv[options.libfuse.argc - 1];
	assert_non_null(strstr(last, "fsname=/srv/my\\,store"));
	assert_non_null(strstr(last, ",ro,nosuid,nodev")); /* behind the user's, so it counts */
	options_free(&options);
}

static void help_and_version_need_nothing(void **state)
{
	struct options options;
	char error[OPTIONS_ERROR_SIZE];

	assert_int_equal(PARSE(&options, error, "--help"), 0);
	assert_true(options.help);
	options_free(&options);
	assert_int_equal(PARSE(&options, error, "-V"), 0);
	assert_true(options.version);
	options_free(&options);
}

static void what_is_for_mount_is_dropped(void **state)
{
	struct options options;
	char error[OPTIONS_ERROR_SIZE];

	assert_int_equal(PARSE(&options, error, "s", "m", "-o",
			       "relatime,x-a.b=c,user=me,nofail,nodiratime,silent,versions,noexec"),
			 0);
	assert_true(options.versions);
	assert_int_equal(options.libfuse.argc, 3); /* the program's name, -o and what is for libfuse */
	assert_string_equal(options.libfuse.argv[2], "noexec");
	options_free(&options);
}

static void nonsense_is_refused(void **state)
{
	assert_refused("versions,snapshot=x", "versions");
	assert_refused("group,snapshot=x", "group");
	struct options options;
	char error[OPTIONS_ERROR_SIZE];
	assert_refused("uid=-1", "uid");
	assert_refused("uid=4294967295", "uid");
	assert_refused("gid=", "gid");
	assert_refused("gid=12x", "gid");
	assert_refused("umask=8", "umask");
	assert_refused("umask=10000", "umask");
	assert_refused("cache=0", "cache");
	assert_refused("cache=-5M", "cache");
	assert_refused("cache=5X", "cache");
	assert_refused("cache=99999999T", "cache");
	assert_refused("verify=sometimes", "verify");
	assert_refused("xattr=", "xattr");
	assert_refused("inodes=", "inodes");
	assert_refused("max_read=x", "max_read");
	assert_int_equal(PARSE(&options, error, "store"), -1);
	options_free(&options);
	assert_int_equal(PARSE(&options, error, "store", "mnt", "third"), -1);
	assert_non_null(strstr(error, "third"));
	options_free(&options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(everything),
		cmocka_unit_test(selection),
		cmocka_unit_test(as_mount_calls_it),
		cmocka_unit_test(help_and_version_need_nothing),
		cmocka_unit_test(what_is_for_mount_is_dropped),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
