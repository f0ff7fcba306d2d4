/* SPDX-License-Identifier: MIT */
/* Backups: what a restore would replace or remove gets another name in its directory. No step loses anything, whatever
 * others do there meanwhile: a name is never taken from something else. */
#ifndef BT_RESTORE_BACKUP_H
#define BT_RESTORE_BACKUP_H

#include "restore/run.h"

#define BT_BACKUP_LONGEST 200 /* bytes of what is put after a name */

/* Whether --delete is to leave a name alone, since it is one of a backup. */
bool bt_backup_is_kept(const struct bt_restore_run *run, const char *name);
/* Renames what is at the end of path, whose name in dirfd that is; a dry run only reports it. 0; -ENOENT: nothing is
 * there; or -errno. */
int bt_backup_move(struct bt_restore_run *run, const struct bt_place *place, int dirfd, const char *path);
/* The complete file temp gets its name, and what has that now gets another one; where there are links and the kernel
 * can exchange names, the name never is without a file. 0 or -errno. */
int bt_backup_install(struct bt_restore_run *run, struct bt_place *place, int dirfd, const char *temp,
		      const char *name);

#endif
