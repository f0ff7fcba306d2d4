/* SPDX-License-Identifier: MIT */
/* To be preloaded into backupfs: as if libfuse could not agree with the kernel on how to talk, it ends the session in
 * the first request. Its children, as fusermount3, have it, too, and nothing of libfuse: the names are weak. */
struct fuse_buf;
struct fuse_session;
void fuse_session_exit(struct fuse_session *session) __attribute__((weak));
void fuse_session_process_buf(struct fuse_session *session, const struct fuse_buf *request);

void fuse_session_process_buf(struct fuse_session *session, const struct fuse_buf *request)
{
	(void)request;
	fuse_session_exit(session);
}
