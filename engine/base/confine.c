/* SPDX-License-Identifier: MIT */
#include <backuptool/confine.h>

#include "base/fail.h"
#include "base/io.h"
#include <errno.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Before this version a directory's files cannot be renamed or linked into another. */
#define VERSION_LEAST 2

/* Rights that came after the headers of Debian 12. */
#define RIGHT_TRUNCATE	(UINT64_C(1) << 14)
#define RIGHT_IOCTL_DEV (UINT64_C(1) << 15)

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_WRITE                                                                                                   \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |              \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                    \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                 \
	 LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER | RIGHT_TRUNCATE)

/* What the running kernel can bar; 0 if that is not enough. */
static uint64_t known_rights(void)
{
#ifdef BT_INSTRUMENTED
	return 0;
#else
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t rights = RIGHTS_READ | RIGHTS_WRITE | LANDLOCK_ACCESS_FS_EXECUTE | RIGHT_IOCTL_DEV;
	if (version < VERSION_LEAST)
		return 0;
	if (version < 3)
		rights &= ~RIGHT_TRUNCATE;
	if (version < 5)
		rights &= ~RIGHT_IOCTL_DEV;
	return rights;
#endif
}

static int allow_below(int rules, const int *dirs, size_t count, uint64_t rights)
{
	struct landlock_path_beneath_attr below = {.allowed_access = rights};

	for (size_t i = 0; i < count; i++) {
		below.parent_fd = dirs[i];
		if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0) != 0)
			return errno;
	}
	return 0;
}

/* 0 or an errno. */
static int restrict_to(const struct bt_confinement *limits, uint64_t rights)
{
	struct landlock_ruleset_attr handled = {.handled_access_fs = rights};
	int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);

	if (rules < 0)
		return errno;
	int sys = allow_below(rules, limits->readable, limits->readable_count, rights & RIGHTS_READ);
	if (sys == 0)
		sys = allow_below(rules, limits->writable, limits->writable_count,
				  rights & (RIGHTS_READ | RIGHTS_WRITE));
	if (sys == 0 && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		sys = errno;
	bt_close(&rules);
	return sys;
}

int bt_confine(const struct bt_confinement *limits, bool *ret_confined, struct bt_error *error)
{
	uint64_t rights = known_rights();
	int sys = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ? errno : 0;

	if (sys == 0 && rights)
		sys = restrict_to(limits, rights);
	if (sys)
		return bt_fail_sys(error, sys, NULL, "give up access to files");
	if (ret_confined)
		*ret_confined = rights != 0;
	return 0;
}
