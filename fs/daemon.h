/* SPDX-License-Identifier: MIT */
/* Going into the background without leaving the caller in the dark. */
#ifndef FS_DAEMON_H
#define FS_DAEMON_H

/*
 * Forks. The parent waits and exits: 0 when something was written to the descriptor, 1 with a sentence when it was
 * closed without. The child returns 0 in a session of its own, with the descriptor in *ret_ready. Or an errno.
 * session_fd is closed in the parent, so that a dead child takes its mount along.
 */
int daemon_start(int session_fd, int *ret_ready);
/* The child's last step when all is well: nothing of the caller's terminal and directory is held any more. */
void daemon_detach(void);
/*
 * For an ordinary user, whose mounts only fusermount3 can undo, with privileges that the driver gives up: leaves a
 * small process behind that runs it as soon as this one ends, however it does. 0 or an errno.
 */
int daemon_unmount_at_end(const char *mountpoint);

#endif
