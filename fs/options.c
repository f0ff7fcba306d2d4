/* SPDX-License-Identifier: MIT */
#include "options.h"
#include <errno.h>
#include <internal/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char options_usage[] =
	"Usage: backupfs STORE MOUNTPOINT [-f] [-o OPTION,...]\n"
	"\n"
	"Shows the snapshots of a store as read-only directories.\n"
	"\n"
	"  -f                    stay in the foreground\n"
	"  -d                    the same, and print every request\n"
	"  -h, --help            print this and exit\n"
	"  -V, --version         print the version and exit\n"
	"  -o allow_other        let other users see the mount too (each file by its own permissions)\n"
	"  -o snapshot=NAME      show this snapshot only, as the root\n"
	"  -o host=NAME, target=DIR, tag=TAG  show only snapshots of this host, of this directory, with this tag\n"
	"  -o group              show them by host and directory: HOST/DIRECTORY/SNAPSHOT (or groups)\n"
	"  -o subpath=PATH       show what is below this path of each snapshot\n"
	"  -o versions           add a directory versions/: each file as a directory of its versions\n"
	"  -o uid=N,gid=N        show everything as owned by this user and group\n"
	"  -o umask=OCTAL        take these permissions away\n"
	"  -o cache=SIZE         memory for decoded data and directories (32M)\n"
	"  -o verify=first|always  check data when it is decoded, or each time it is read\n"
	"  -o xattr=auto|on|off  extended attributes: those of the snapshots; also our own; none\n"
	"  -o inodes=shared|separate  equal files of two snapshots have one inode, or each its own\n"
	"  -o nopush             never hand data to the kernel before it is asked for\n"
	"  -o max_read=BYTES     the largest request for data that the kernel makes\n"
	"  -o nosymfollow        follow no symbolic link in the mount (root only)\n"
	"  -o noexec, auto_unmount and the other mount options\n";

enum key {
	KEY_HELP,
	KEY_VERSION,
	KEY_FOREGROUND,
	KEY_DEBUG,
	KEY_SNAPSHOT,
	KEY_SUBPATH,
	KEY_HOST,
	KEY_TARGET,
	KEY_TAG,
	KEY_VERSIONS,
	KEY_GROUP,
	KEY_UID,
	KEY_GID,
	KEY_UMASK,
	KEY_CACHE,
	KEY_VERIFY,
	KEY_XATTR,
	KEY_INODES,
	KEY_MAX_READ,
	KEY_NOSYMFOLLOW,
	KEY_SYMFOLLOW,
	KEY_PUSH,
	KEY_NOPUSH,
};

static const struct fuse_opt templates[] = {
	FUSE_OPT_KEY("-h", KEY_HELP),
	FUSE_OPT_KEY("--help", KEY_HELP),
	FUSE_OPT_KEY("-V", KEY_VERSION),
	FUSE_OPT_KEY("--version", KEY_VERSION),
	FUSE_OPT_KEY("-f", KEY_FOREGROUND),
	FUSE_OPT_KEY("-d", KEY_DEBUG),
	FUSE_OPT_KEY("debug", KEY_DEBUG),
	FUSE_OPT_KEY("snapshot=", KEY_SNAPSHOT),
	FUSE_OPT_KEY("subpath=", KEY_SUBPATH),
	FUSE_OPT_KEY("host=", KEY_HOST),
	FUSE_OPT_KEY("target=", KEY_TARGET),
	FUSE_OPT_KEY("tag=", KEY_TAG),
	FUSE_OPT_KEY("versions", KEY_VERSIONS),
	FUSE_OPT_KEY("group", KEY_GROUP),
	FUSE_OPT_KEY("groups", KEY_GROUP), /* "group" is a word of mount(8) in fstab */
	FUSE_OPT_KEY("uid=", KEY_UID),
	FUSE_OPT_KEY("gid=", KEY_GID),
	FUSE_OPT_KEY("umask=", KEY_UMASK),
	FUSE_OPT_KEY("cache=", KEY_CACHE),
	FUSE_OPT_KEY("verify=", KEY_VERIFY),
	FUSE_OPT_KEY("xattr=", KEY_XATTR),
	FUSE_OPT_KEY("inodes=", KEY_INODES),
	FUSE_OPT_KEY("max_read=", KEY_MAX_READ),
	FUSE_OPT_KEY("nosymfollow", KEY_NOSYMFOLLOW),
	FUSE_OPT_KEY("symfollow", KEY_SYMFOLLOW),
	FUSE_OPT_KEY("push", KEY_PUSH),
	FUSE_OPT_KEY("nopush", KEY_NOPUSH),
	FUSE_OPT_END,
};

struct parse {
	struct options *options;
	char *error;
};

static int refuse(struct parse *parse, const char *what, const char *text)
{
	char shown[OPTIONS_ERROR_SIZE / 2];

	bt_error_escape(what, shown, sizeof(shown));
	snprintf(parse->error, OPTIONS_ERROR_SIZE, "%s: %s", shown, text);
	return -1;
}

static int set_text(struct parse *parse, char **ret_text, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return refuse(parse, "options", "out of memory");
	free(*ret_text);
	*ret_text = copy;
	return 0;
}

/* One more of the hosts, directories or tags that are shown. */
static int add_wanted(struct parse *parse, const char *option, const char *const **texts, size_t *count)
{
	const char *value = strchr(option, '=') + 1;
	char *copy = *value ? strdup(value) : NULL;
	const char **more;

	if (!*value)
		return refuse(parse, option, "needs a name");
	more = copy ? realloc((void *)*texts, (*count + 1) * sizeof(*more)) : NULL;
	if (!more) {
		free(copy);
		return refuse(parse, "options", "out of memory");
	}
	*texts = more;
	more[(*count)++] = copy;
	return 0;
}

static int set_wanted(struct parse *parse, const char *option, int key)
{
	struct bt_filter *filter = &parse->options->filter;

	if (key == KEY_HOST)
		return add_wanted(parse, option, &filter->hosts, &filter->host_count);
	if (key == KEY_TAG)
		return add_wanted(parse, option, &filter->tags, &filter->tag_count);
	return add_wanted(parse, option, &filter->targets, &filter->target_count);
}

static int set_number(struct parse *parse, const char *option, int base, uint32_t max, uint32_t *ret_number)
{
	const char *value = strchr(option, '=') + 1;
	char *end;

	errno = 0;
	unsigned long long number = strtoull(value, &end, base);
	if (errno || *end || end == value || value[0] == '-' || value[0] == '+' || number > max)
		return refuse(parse, option, "not a number that is possible here");
	*ret_number = (uint32_t)number;
	return 0;
}

/* "64M", "1G", "500000": powers of 1024. */
static int set_size(struct parse *parse, const char *option, size_t *ret_size)
{
	static const char units[] = "KMGT";
	const char *value = strchr(option, '=') + 1;
	char *end;

	errno = 0;
	unsigned long long size = strtoull(value, &end, 10);
	bool number = end != value && errno == 0 && value[0] >= '0' && value[0] <= '9';
	const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	if (unit)
		end++;
	if (!number || *end || size == 0 || size > (SIZE_MAX >> 1) >> shift)
		return refuse(parse, option, "not a size such as 64M");
	*ret_size = (size_t)size << shift;
	return 0;
}

static int set_choice(struct parse *parse, const char *option, const char *const *choices, unsigned *ret_choice)
{
	const char *value = strchr(option, '=') + 1;

	for (unsigned i = 0; choices[i]; i++)
		if (strcmp(value, choices[i]) == 0) {
			*ret_choice = i;
			return 0;
		}
	return refuse(parse, option, "no such choice");
}

static int set_place(struct parse *parse, const char *text)
{
	if (!parse->options->store)
		return set_text(parse, &parse->options->store, text);
	if (!parse->options->mountpoint)
		return set_text(parse, &parse->options->mountpoint, text);
	return refuse(parse, text, "one store and one mount point are enough");
}

static int set_flag(struct options *options, int key)
{
	switch ((enum key)key) {
	case KEY_HELP:
		options->help = true;
		break;
	case KEY_VERSION:
		options->version = true;
		break;
	case KEY_VERSIONS:
		options->versions = true;
		break;
	case KEY_GROUP:
		options->group = true;
		break;
	case KEY_PUSH:
	case KEY_NOPUSH:
		options->push = key == KEY_PUSH;
		break;
	case KEY_NOSYMFOLLOW:
	case KEY_SYMFOLLOW:
		options->nosymfollow = key == KEY_NOSYMFOLLOW;
		break;
	case KEY_DEBUG:
		options->debug = options->foreground = true;
		return 1; /* libfuse wants to know, too */
	default:
		options->foreground = true;
	}
	return 0;
}

/* Options that are ignored: those of fstab for mount(8), those about writing times, and those that /proc/mounts shows
 * of an existing mount. */
static bool is_for_others(const char *text)
{
	static const char *const words[] = {"auto",	  "noauto",	"nofail",     "_netdev",     "defaults",
					    "user",	  "nouser",	"users",      "owner",	     "relatime",
					    "norelatime", "lazytime",	"nolazytime", "strictatime", "nostrictatime",
					    "diratime",	  "nodiratime", "silent",     "loud",	     "mand",
					    "nomand",	  "iversion",	"noiversion", "seclabel"};
	static const char *const beginnings[] = {"x-", "user=", "user_id=", "group_id="};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

static int set_option(void *data, const char *text, int key, struct fuse_args *args)
{
	static const char *const verify[] = {"first", "always", NULL}, *const xattr[] = {"auto", "on", "off", NULL},
				 *const inodes[] = {"shared", "separate", NULL};
	struct parse *parse = data;
	struct options *options = parse->options;
	unsigned choice = 0;
	int r;

	switch (key) {
	case FUSE_OPT_KEY_NONOPT:
		return set_place(parse, text);
	case FUSE_OPT_KEY_OPT:
		return is_for_others(text) ? 0 : 1;
	case KEY_SNAPSHOT:
		if (!text[strlen("snapshot=")])
			return refuse(parse, text, "needs a name");
		return set_text(parse, &options->snapshot, text + strlen("snapshot="));
	case KEY_SUBPATH:
		return set_text(parse, &options->subpath, text + strlen("subpath="));
	case KEY_HOST:
	case KEY_TARGET:
	case KEY_TAG:
		return set_wanted(parse, text, key);
	case KEY_UID:
		options->rules.set_uid = true;
		return set_number(parse, text, 10, UINT32_MAX - 1, &options->rules.uid);
	case KEY_GID:
		options->rules.set_gid = true;
		return set_number(parse, text, 10, UINT32_MAX - 1, &options->rules.gid);
	case KEY_UMASK:
		return set_number(parse, text, 8, 07777, &options->rules.umask);
	case KEY_CACHE:
		return set_size(parse, text, &options->cache_bytes);
	case KEY_VERIFY:
		r = set_choice(parse, text, verify, &choice);
		options->verify_always = choice == 1;
		return r;
	case KEY_XATTR:
		r = set_choice(parse, text, xattr, &choice);
		options->xattr = (enum xattr_mode)choice;
		return r;
	case KEY_INODES:
		r = set_choice(parse, text, inodes, &choice);
		options->separate = choice == 1;
		return r;
	case KEY_MAX_READ: /* libfuse wants to know, too */
		return set_number(parse, text, 10, UINT32_MAX, &options->max_read) == 0 ? 1 : -1;
	default:
		return set_flag(options, key);
	}
}

int options_parse(int argc, char **argv, struct options *ret_options, char error[OPTIONS_ERROR_SIZE])
{
	struct parse parse = {.options = ret_options, .error = error};

	*ret_options = (struct options){
		.push = true, .filter = {.size = sizeof(struct bt_filter)}, .libfuse = FUSE_ARGS_INIT(argc, argv)};
	snprintf(error, OPTIONS_ERROR_SIZE, "options: out of memory");
	if (fuse_opt_parse(&ret_options->libfuse, &parse, templates, set_option) != 0)
		return -1;
	if (ret_options->help || ret_options->version)
		return 0;
	if (!ret_options->mountpoint) {
		snprintf(error, OPTIONS_ERROR_SIZE, "STORE and MOUNTPOINT are needed (see backupfs --help)");
		return -1;
	}
	if (ret_options->versions && ret_options->snapshot)
		return refuse(&parse, "versions", "not with snapshot=: there would be one version of each file");
	if (ret_options->group && ret_options->snapshot)
		return refuse(&parse, "group", "not with snapshot=, which shows what is in one snapshot");
	return 0;
}

int options_add_fixed(struct options *options, const char *source)
{
	char *text = NULL, *name = NULL;
	int r = ENOMEM;

	if (asprintf(&name, "fsname=%s", source) < 0)
		name = NULL;
	else if (fuse_opt_add_opt_escaped(&text, name) == 0 &&
		 fuse_opt_add_opt(&text, "subtype=backupfs,default_permissions,ro,nosuid,nodev") == 0 &&
		 fuse_opt_add_arg(&options->libfuse, "-o") == 0 && fuse_opt_add_arg(&options->libfuse, text) == 0)
		r = 0;
	free(name);
	free(text);
	return r;
}

static void free_texts(const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((char *)(uintptr_t)texts[i]);
	free((void *)(uintptr_t)texts);
}

void options_free(struct options *options)
{
	free(options->store);
	free(options->mountpoint);
	free(options->snapshot);
	free(options->subpath);
	free_texts(options->filter.hosts, options->filter.host_count);
	free_texts(options->filter.targets, options->filter.target_count);
	free_texts(options->filter.tags, options->filter.tag_count);
	fuse_opt_free_args(&options->libfuse);
}
