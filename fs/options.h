/* SPDX-License-Identifier: MIT */
/* The command line of backupfs. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#define FUSE_USE_VERSION 312
#include "attr.h"
#include <backuptool/select.h>
#include <fuse_opt.h>
#include <stdbool.h>
#include <stddef.h>

enum xattr_mode { XATTR_AUTO, XATTR_ON, XATTR_OFF };

struct options {
	char *store, *mountpoint; /* as given */
	char *snapshot, *subpath; /* NULL: all snapshots, the whole trees */
	struct bt_filter filter;  /* which snapshots are shown; its texts are the options' */
	size_t cache_bytes;	  /* 0: the default */
	struct attr_rules rules;
	enum xattr_mode xattr;
	uint32_t max_read; /* the largest read request in bytes; 0: no limit of ours */
	bool separate;	   /* each snapshot has its own inode for every file */
	bool nosymfollow;
	bool versions, group, push, verify_always, foreground, debug;
	bool help, version; /* asked for: all other options are ignored */
	struct fuse_args libfuse;
};

#define OPTIONS_ERROR_SIZE 256
/* 0, or -1 with a sentence in error. Call options_free in any case. */
int options_parse(int argc, char **argv, struct options *ret_options, char error[OPTIONS_ERROR_SIZE]);
/* Adds the fixed options (read-only and so on) after the user's. source: the device that df shows. */
int options_add_fixed(struct options *options, const char *source);
void options_free(struct options *options);
extern const char options_usage[];

#endif
