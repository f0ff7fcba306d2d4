/* SPDX-License-Identifier: MIT */
/* File systems on which only this host sees a lock. */
#include "backend/backend.h"
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* All other file systems belong to one host, or have a server that knows the locks (nfs, cifs, ceph, glusterfs, 9p,
 * …). */
static const struct {
	const char *type, *option; /* option NULL: in any case */
} local[] = {
	{"fuse.sshfs", NULL},
	{"fuse.rclone", NULL},
	{"fuse.s3fs", NULL},
	{"fuse.s3ql", NULL},
	{"fuse.goofys", NULL},
	{"fuse.gcsfuse", NULL},
	{"fuse.mountpoint-s3", NULL},
	{"fuse.blobfuse2", NULL},
	{"fuse.curlftpfs", NULL},
	{"fuse.davfs2", NULL},
	{"fuse.davfs", NULL},
	{"fuse.gvfsd-fuse", NULL},
	{"fuse", NULL} /* davfs2 */,
	{"davfs", NULL},
	{"nfs", "nolock"},
	{"nfs", "local_lock=all"},
	{"nfs", "local_lock=posix"},
	{"nfs4", "nolock"},
	{"nfs4", "local_lock=all"},
	{"nfs4", "local_lock=posix"},
	{"cifs", "nobrl"},
	{"smb3", "nobrl"},
	{"lustre", "localflock"},
};

static bool has_option(const char *options, const char *option)
{
	size_t length = strlen(option);

	for (; *options; options += strcspn(options, ","), options += *options == ',')
		if (!strncmp(options, option, length) && (!options[length] || options[length] == ','))
			return true;
	return false;
}

bool bt_locks_are_local(const char *type, const char *options)
{
	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
		if (!strcmp(type, local[i].type) && (!local[i].option || has_option(options, local[i].option)))
			return true;
	return false;
}

/* "36 25 0:41 / /mnt rw,… shared:1 - fuse.sshfs host:/dir rw,…" */
static bool is_local(char *line, uint64_t id, char type[64])
{
	char *rest = strstr(line, " - "), *end;

	if (strtoull(line, &end, 10) != id || *end != ' ' || !rest)
		return false;
	rest += strlen(" - ");
	char *kind = strsep(&rest, " ");
	strsep(&rest, " ");
	if (!rest)
		return false;
	rest[strcspn(rest, "\n")] = 0;
	snprintf(type, 64, "%s", kind);
	return bt_locks_are_local(kind, rest);
}

bool bt_locks_reach(int dirfd, char type[64])
{
	struct statx st;
	char *line = NULL;
	size_t size = 0;
	bool reach = true;
	FILE *mounts = statx(dirfd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) || !(st.stx_mask & STATX_MNT_ID)
			       ? NULL
			       : fopen("/proc/self/mountinfo", "re");

	while (mounts && reach && getline(&line, &size, mounts) >= 0)
		reach = !is_local(line, st.stx_mnt_id, type);
	free(line);
	if (mounts)
		fclose(mounts);
	return reach;
}
