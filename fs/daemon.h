/* SPDX-License-Identifier: MIT */
/* Puts the driver into the background so that the caller learns the result, and ends it so that no dead mount stays. */
#ifndef FS_DAEMON_H
#define FS_DAEMON_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Forks. The parent waits and exits: 0 when something was written to the descriptor, 1 with a sentence when it was
 * closed before. The child returns 0 in a session of its own, with the descriptor in *ret_ready. Or an errno.
 * session_fd is closed in the parent, so that the mount ends with the child. blocked: signals that the parent unblocks.
 *
 * Before it writes to the descriptor, the child may not look up any path that leads over the mount point: an
 * automounter waits for the parent, and until then the kernel makes all processes wait there that are not in the
 * automounter's process group.
 */
int daemon_start(int session_fd, dev_t device, const sigset_t *blocked, int *ret_ready);
/* The child's last step on success: it lets go of the caller's terminal and directory. */
void daemon_detach(void);

/* Forks a small process that keeps the privileges for unmounting, which the driver gives up. It unmounts when it is
 * asked to, or when the driver has died. *ret_unmounter: for daemon_unmount. 0 or an errno. */
int daemon_keep_unmounter(dev_t device, int *ret_unmounter);
/* Whether that process has ended for any reason. Thread-safe. */
bool daemon_unmounter_is_gone(int unmounter);
/* Unmounts, and closes the descriptor. Returns when the mount is gone, no matter who ended it. False: no process is
 * left that could, and the mount point stays a dead mount. */
bool daemon_unmount(int unmounter, int session_fd, dev_t device);

#endif
