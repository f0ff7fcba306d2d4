/* SPDX-License-Identifier: MIT */
/* Going into the background without leaving the caller in the dark, and coming to an end without leaving a dead mount.
 */
#ifndef FS_DAEMON_H
#define FS_DAEMON_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Forks. The parent waits and exits: 0 when something was written to the descriptor, 1 with a sentence when it was
 * closed without. The child returns 0 in a session of its own, with the descriptor in *ret_ready. Or an errno.
 * session_fd is closed in the parent, so that a dead child takes its mount along; blocked: signals that the parent
 * takes again.
 *
 * Until that was written, the child may not look up any path that leads over the mount point: an automounter waits for
 * the parent, and the kernel keeps everybody who is not of the automounter's process group waiting there.
 */
int daemon_start(int session_fd, dev_t device, const sigset_t *blocked, int *ret_ready);
/* The child's last step when all is well: nothing of the caller's terminal and directory is held any more. */
void daemon_detach(void);

/*
 * The driver gives up the privileges that unmounting takes, so a small process stays behind that keeps them, and does
 * it when it is asked to, or when the driver has died. *ret_unmounter: for daemon_unmount. 0 or an errno.
 */
int daemon_keep_unmounter(dev_t device, int *ret_unmounter);
/* Whether it has gone for whatever reason. Thread-safe. */
bool daemon_unmounter_is_gone(int unmounter);
/* Returns when it is done, or when somebody was quicker, and closes the descriptor. False when there is nobody left who
 * could, and the place is a dead mount from now on. */
bool daemon_unmount(int unmounter, int session_fd, dev_t device);

#endif
