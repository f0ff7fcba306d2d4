/* SPDX-License-Identifier: MIT */
#include "entry.h"
#include "output.h"
#include <internal/text.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Widths of a column. */
enum { OWNER_NUMBERS = 9, OWNER_NAMES = 17 };

const char *tool_type_name(uint8_t type)
{
	static const char *const names[] = {
		[BT_FILE] = "file",	[BT_DIR] = "dir",	  [BT_SYMLINK] = "symlink",   [BT_FIFO] = "fifo",
		[BT_SOCKET] = "socket", [BT_CHARDEV] = "chardev", [BT_BLOCKDEV] = "blockdev",
	};

	return type < sizeof(names) / sizeof(*names) && names[type] ? names[type] : "unknown";
}

void tool_mode_text(const struct bt_entry *entry, char text[11])
{
	static const char types[] = "?-dlpscb", all[] = "rwxrwxrwx";
	static const struct {
		uint16_t bit;
		unsigned char at;
		char set, unset; /* with the right to execute, and without */
	} specials[] = {{04000, 3, 's', 'S'}, {02000, 6, 's', 'S'}, {01000, 9, 't', 'T'}};

	text[0] = entry->type < sizeof(types) - 1 ? types[entry->type] : '?';
	for (int i = 0; i < 9; i++)
		text[i + 1] = entry->mode & (0400 >> i) ? all[i] : '-';
	for (size_t i = 0; i < sizeof(specials) / sizeof(*specials); i++)
		if (entry->mode & specials[i].bit)
			text[specials[i].at] = text[specials[i].at] == 'x' ? specials[i].set : specials[i].unset;
	text[10] = '\0';
}

char *tool_digest_text(const struct bt_digest *digest)
{
	char *text = tool_alloc(2 * sizeof(digest->bytes) + 1);

	for (size_t i = 0; i < sizeof(digest->bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", digest->bytes[i]);
	return text;
}

/* "  (flags: ia, project: 5)" */
static void print_inode(const struct bt_extra *extra)
{
	char flags[BT_FLAGS_TEXT_SIZE];

	bt_flags_text(extra->flags, flags);
	printf("  (%s%s%s", extra->flags ? "flags: " : "", flags, extra->flags && extra->project ? ", " : "");
	if (extra->project)
		printf("project: %" PRIu32, extra->project);
	putchar(')');
}

struct bt_owners *tool_owners_open(const struct tool *tool, struct bt_store *store, const struct bt_snapshot *snapshot)
{
	struct bt_owners *names = NULL;
	struct bt_error error = {0};

	if (bt_owners_open(store, snapshot, &names, &error))
		tool_say_once(tool,
			      "the names of users and groups cannot be read; 'backuptool check' tells what is damaged");
	return names;
}

/* The name, or the number. */
static char *owner_text(const struct bt_owners *names, enum bt_owner_kind kind, uint32_t id)
{
	const char *name = bt_owners_find(names, kind, id);

	return name ? tool_escape(name) : tool_format("%" PRIu32, id);
}

void tool_entry_print(const struct bt_entry *entry, const char *name, const struct bt_owners *names, bool human)
{
	const struct bt_extra *extra = entry->extra;
	char mode[11], *shown = tool_escape(*name ? name : "."), *time = tool_short_time(entry->mtime);
	tool_auto char *user = owner_text(names, BT_OWNER_USER, entry->uid);
	tool_auto char *group = owner_text(names, BT_OWNER_GROUP, entry->gid);
	tool_auto char *owner = tool_format("%s:%s", user, group);
	char *size;

	if (entry->type == BT_CHARDEV || entry->type == BT_BLOCKDEV)
		size = tool_format("%" PRIu32 ",%" PRIu32, extra ? extra->dev_major : 0, extra ? extra->dev_minor : 0);
	else
		size = human ? tool_bytes(entry->size) : tool_format("%" PRIu64, entry->size);
	tool_mode_text(entry, mode);
	printf("%s  %-*s %12s  %s  %s", mode, names ? OWNER_NAMES : OWNER_NUMBERS, owner, size, time, shown);
	if (entry->type == BT_SYMLINK && extra && extra->target) {
		tool_auto char *target = tool_escape(extra->target);

		printf(" -> %s", target);
	}
	if (extra && extra->error) {
		char words[BT_ERRNO_WORDS_SIZE];

		bt_errno_words(extra->error, words);
		printf("  (not in the snapshot: %s)", words);
	}
	if (extra && extra->torn)
		printf("  (changed while it was read)");
	if (extra && extra->boundary)
		printf("  (not entered: %s)", extra->boundary);
	if (extra && (extra->flags || extra->project))
		print_inode(extra);
	putchar('\n');
	free(shown);
	free(time);
	free(size);
}

void tool_entry_say_torn(const struct tool *tool, const char *path, const struct bt_entry *entry)
{
	if (!entry->extra || !entry->extra->torn)
		return;
	tool_auto char *shown = tool_escape(path);
	tool_say(tool, "%s: it changed while the snapshot was taken", shown);
}

static const struct tool_value nothing = {.kind = TOOL_NOTHING};

static const struct bt_entry *entry_of(const void *row)
{
	return ((const struct tool_entry *)row)->entry;
}

static const struct bt_extra *extra_of(const void *row)
{
	static const struct bt_extra none = {0};

	return entry_of(row)->extra ? entry_of(row)->extra : &none;
}

static struct tool_value owned(char *text)
{
	return (struct tool_value){.kind = TOOL_OWNED, .owned = text};
}

static struct tool_value get_mode(const void *row)
{
	return owned(tool_format("%04o", (unsigned)entry_of(row)->mode));
}

static struct tool_value get_sha256(const void *row)
{
	const struct bt_entry *entry = entry_of(row);

	return entry->type == BT_FILE && entry->has_digest ? owned(tool_digest_text(&entry->digest)) : nothing;
}

static struct tool_value get_btime(const void *row)
{
	const struct bt_extra *extra = extra_of(row);

	return extra->has_btime ? (struct tool_value){.kind = TOOL_TIME, .time = extra->btime} : nothing;
}

static bool is_device(const void *row)
{
	return entry_of(row)->type == BT_CHARDEV || entry_of(row)->type == BT_BLOCKDEV;
}

#define IF(given) ((given) ? TOOL_COUNT : TOOL_NOTHING)
TOOL_GETTER(struct tool_entry, type, TOOL_TEXT, text, tool_type_name(self->entry->type))
TOOL_GETTER(struct tool_entry, size, IF(self->entry->type == BT_FILE), number, self->entry->size)
TOOL_GETTER(struct tool_entry, major, IF(is_device(self)), number, extra_of(self)->dev_major)
TOOL_GETTER(struct tool_entry, minor, IF(is_device(self)), number, extra_of(self)->dev_minor)
TOOL_GETTER(struct tool_entry, inode, IF(extra_of(self)->links > 1), number, extra_of(self)->inode)
TOOL_GETTER(struct tool_entry, links, IF(extra_of(self)->links > 1), number, extra_of(self)->links)

static struct tool_value named(const struct tool_entry *self, enum bt_owner_kind kind, uint32_t id)
{
	const char *name = bt_owners_find(self->names, kind, id);

	return name ? (struct tool_value){.kind = TOOL_TEXT, .text = name} : nothing;
}

static struct tool_value get_user(const void *row)
{
	return named(row, BT_OWNER_USER, entry_of(row)->uid);
}

static struct tool_value get_group(const void *row)
{
	return named(row, BT_OWNER_GROUP, entry_of(row)->gid);
}

static struct tool_value get_flags(const void *row)
{
	char flags[BT_FLAGS_TEXT_SIZE];

	bt_flags_text(extra_of(row)->flags, flags);
	return *flags ? owned(tool_format("%s", flags)) : nothing;
}

static struct tool_value get_xattrs(const void *row)
{
	const struct bt_extra *extra = extra_of(row);
	const char **names;

	if (!extra->xattr_count)
		return nothing;
	names = tool_alloc(extra->xattr_count * sizeof(*names));
	for (uint32_t i = 0; i < extra->xattr_count; i++)
		names[i] = tool_format("%.*s", (int)extra->xattrs[i].name_length, extra->xattrs[i].name);
	return (struct tool_value){.kind = TOOL_OWNED_TEXTS, .texts = {names, extra->xattr_count}};
}

const struct tool_column tool_entry_columns[] = {
	{"snapshot", NULL, TOOL_MEMBER(TOOL_TEXT, struct tool_entry, snapshot)},
	{"path", NULL, TOOL_MEMBER(TOOL_TEXT, struct tool_entry, path)},
	{"type", NULL, TOOL_GET(get_type)},
	{"mode", NULL, TOOL_GET(get_mode)},
	{"uid", NULL, TOOL_VIA(TOOL_COUNT, struct tool_entry, entry, uid)},
	{"gid", NULL, TOOL_VIA(TOOL_COUNT, struct tool_entry, entry, gid)},
	{"user", NULL, TOOL_GET(get_user)},
	{"group", NULL, TOOL_GET(get_group)},
	{"size", NULL, TOOL_GET(get_size)},
	{"mtime", NULL, TOOL_VIA(TOOL_TIME, struct tool_entry, entry, mtime)},
	{"btime", NULL, TOOL_GET(get_btime)},
	{"sha256", NULL, TOOL_GET(get_sha256)},
	{"target", NULL, TOOL_VIA(TOOL_TEXT, struct tool_entry, extra, target)},
	{"major", NULL, TOOL_GET(get_major)},
	{"minor", NULL, TOOL_GET(get_minor)},
	{"inode", NULL, TOOL_GET(get_inode)},
	{"links", NULL, TOOL_GET(get_links)},
	{"xattrs", NULL, TOOL_GET(get_xattrs)},
	{"flags", NULL, TOOL_GET(get_flags)},
	{"project", NULL, TOOL_VIA_IF_ANY(TOOL_COUNT, struct tool_entry, extra, project)},
	{"boundary", NULL, TOOL_VIA(TOOL_TEXT, struct tool_entry, extra, boundary)},
	{"error", NULL, TOOL_VIA(TOOL_TEXT, struct tool_entry, extra, error)},
	{"torn", NULL, TOOL_VIA_IF_ANY(TOOL_FLAG, struct tool_entry, extra, torn)},
	{0},
};
