/* SPDX-License-Identifier: MIT */
/* The command line of backupfs. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#define FUSE_USE_VERSION 312
#include "attr.h"
#include <fuse_opt.h>
#include <stdbool.h>
#include <stddef.h>

enum xattr_mode { XATTR_AUTO, XATTR_ON, XATTR_OFF };

struct options {
	char *store, *mountpoint; /* as given */
	char *snapshot, *subpath; /* NULL: all snapshots, all of them */
	size_t cache_bytes;	  /* 0: the default */
	struct attr_rules rules;
	enum xattr_mode xattr;
	uint32_t max_read; /* bytes of one read request; 0: as many as there can be */
	bool separate;	   /* every file has an inode of its own in each snapshot */
	bool nosymfollow;
	bool versions, push, verify_always, foreground, debug;
	bool help, version; /* asked for: nothing else counts */
	struct fuse_args libfuse;
};

#define OPTIONS_ERROR_SIZE 256
/* 0, or -1 with a sentence in error. options_free in any case. */
int options_parse(int argc, char **argv, struct options *ret_options, char error[OPTIONS_ERROR_SIZE]);
/* Adds the options that always hold (read-only and so on) after those of the user. source: what `df` shows. */
int options_add_fixed(struct options *options, const char *source);
void options_free(struct options *options);
extern const char options_usage[];

#endif
