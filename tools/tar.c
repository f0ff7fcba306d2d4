/* SPDX-License-Identifier: MIT */
#include "tar.h"
#include "bytes.h"
#include "output.h"
#include "tool.h"
#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <errno.h>
#include <internal/text.h>
#include <locale.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#define ACL_ACCESS  "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"
#define SHORT_NAME  100 /* fits as it is in a header of any tar */

#define ZEROS	   ((size_t)65536)
#define HOLE_ZEROS ((size_t)1 << 30) /* the writer does not read them: they only have to be there */

/* Of the paths that are kept: a path can be as long as the store. Files whose first name does not fit have their bytes
 * in the stream for each name. */
#define LINK_PATHS ((size_t)256 << 20)

/* A file of several names: the first one of them has its bytes. */
struct link {
	uint64_t inode, dev;
	char *path;
};

struct tool_tar {
	struct bt_store *store;
	const struct bt_owners *names;
	struct archive *archive;
	bool zip;
	locale_t locale, before; /* of names in a zip */
	struct tool_zip_lacks lacks;
	void *links; /* struct link, for tsearch */
	size_t link_bytes;
	void *zeros; /* HOLE_ZEROS of address space, or MAP_FAILED */
	void (*wrote)(void *arg, uint64_t bytes);
	void *arg;
};

static int compare_links(const void *left, const void *right)
{
	const struct link *a = left, *b = right;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	return (a->dev > b->dev) - (a->dev < b->dev);
}

static void free_link(void *node)
{
	struct link *link = node;

	free(link->path);
	free(link);
}

static bool begin(struct tool_tar *tar, int fd)
{
	struct archive *archive = tar->archive;

	if (!archive || (tar->zip ? archive_write_set_format_zip(archive) : archive_write_set_format_pax(archive)))
		return false;
	return archive_write_set_bytes_per_block(archive, 10240) == ARCHIVE_OK &&
	       (!tar->zip || archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK) &&
	       archive_write_open_fd(archive, fd) == ARCHIVE_OK;
}

/* The writer says that names are UTF-8 only where the locale is. */
static void use_utf8(struct tool_tar *tar)
{
	tar->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (tar->locale)
		tar->before = uselocale(tar->locale);
}

struct tool_tar *tool_tar_new(struct bt_store *store, int fd, bool zip, void (*wrote)(void *arg, uint64_t bytes),
			      void *arg)
{
	struct tool_tar *tar = tool_alloc(sizeof(*tar));

	*tar = (struct tool_tar){.store = store, .zip = zip, .wrote = wrote, .arg = arg};
	if (zip)
		use_utf8(tar);
	tar->zeros = mmap(NULL, HOLE_ZEROS, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	tar->archive = archive_write_new();
	if (begin(tar, fd))
		return tar;
	tool_tar_free(tar);
	return NULL;
}

const struct tool_zip_lacks *tool_tar_lacks(const struct tool_tar *tar)
{
	return &tar->lacks;
}

void tool_tar_names(struct tool_tar *tar, const struct bt_owners *names)
{
	tar->names = names;
}

void tool_tar_free(struct tool_tar *tar)
{
	if (!tar)
		return;
	if (tar->archive)
		archive_write_free(tar->archive);
	tdestroy(tar->links, free_link);
	if (tar->zeros != MAP_FAILED)
		munmap(tar->zeros, HOLE_ZEROS);
	if (tar->locale) {
		uselocale(tar->before);
		freelocale(tar->locale);
	}
	free(tar);
}

static int failed(const struct tool_tar *tar, struct bt_error *error)
{
	int sys = archive_errno(tar->archive);

	*error = (struct bt_error){.code = BT_E_SYSTEM, .sys = sys > 0 ? sys : EIO, .offset = BT_NO_OFFSET};
	snprintf(error->detail, sizeof(error->detail), "write the output");
	return BT_E_SYSTEM;
}

/* The name that the file has already in this stream, or NULL: then it has this one from now on. */
static const char *linked_to(struct tool_tar *tar, const char *path, const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;
	struct link wanted, *link, **found;

	if (!extra || extra->links < 2 || entry->type == BT_DIR || tar->zip)
		return NULL;
	wanted = (struct link){.inode = extra->inode, .dev = extra->dev};
	found = tfind(&wanted, &tar->links, compare_links);
	if (found)
		return (*found)->path;
	if (strlen(path) > LINK_PATHS - tar->link_bytes)
		return NULL;
	tar->link_bytes += strlen(path);
	link = tool_alloc(sizeof(*link));
	*link = wanted;
	link->path = tool_format("%s", path);
	if (!tsearch(link, &tar->links, compare_links))
		free_link(link);
	return NULL;
}

static mode_t type_of(uint8_t type)
{
	static const mode_t types[] = {
		[BT_FILE] = AE_IFREG, [BT_DIR] = AE_IFDIR,     [BT_SYMLINK] = AE_IFLNK,
		[BT_FIFO] = AE_IFIFO, [BT_CHARDEV] = AE_IFCHR, [BT_BLOCKDEV] = AE_IFBLK,
	};

	return type < sizeof(types) / sizeof(*types) ? types[type] : 0;
}

static const char *acl_name(const struct bt_owners *names, int tag, uint32_t id)
{
	if (tag == ARCHIVE_ENTRY_ACL_USER)
		return bt_owners_find(names, BT_OWNER_USER, id);
	return tag == ARCHIVE_ENTRY_ACL_GROUP ? bt_owners_find(names, BT_OWNER_GROUP, id) : NULL;
}

/* The kernel's form of an ACL: a version, then a tag, rights and an id for each. False: it is not one. */
static bool add_acl(struct archive_entry *header, const struct bt_xattr *xattr, int type, const struct bt_owners *names)
{
	static const struct {
		uint16_t tag;
		int archive;
	} tags[] = {{0x01, ARCHIVE_ENTRY_ACL_USER_OBJ},	 {0x02, ARCHIVE_ENTRY_ACL_USER},
		    {0x04, ARCHIVE_ENTRY_ACL_GROUP_OBJ}, {0x08, ARCHIVE_ENTRY_ACL_GROUP},
		    {0x10, ARCHIVE_ENTRY_ACL_MASK},	 {0x20, ARCHIVE_ENTRY_ACL_OTHER}};
	uint32_t version, id;
	uint16_t tag, rights;

	if (xattr->value_length < 4 || xattr->value_length % 8 != 4)
		return false;
	memcpy(&version, xattr->value, sizeof(version));
	if (le32toh(version) != 2)
		return false;
	for (uint32_t at = 4; at < xattr->value_length; at += 8) {
		memcpy(&tag, xattr->value + at, sizeof(tag));
		memcpy(&rights, xattr->value + at + 2, sizeof(rights));
		memcpy(&id, xattr->value + at + 4, sizeof(id));
		for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
			if (tags[i].tag == le16toh(tag))
				archive_entry_acl_add_entry(header, type, le16toh(rights) & 7, tags[i].archive,
							    (int)le32toh(id),
							    acl_name(names, tags[i].archive, le32toh(id)));
	}
	return true;
}

static bool is_named(const struct bt_xattr *xattr, const char *name)
{
	return xattr->name_length == strlen(name) && memcmp(xattr->name, name, xattr->name_length) == 0;
}

static void add_xattrs(struct archive_entry *header, const struct bt_extra *extra, const struct bt_owners *names)
{
	for (uint32_t i = 0; i < extra->xattr_count; i++) {
		const struct bt_xattr *xattr = &extra->xattrs[i];
		char *name;

		if (is_named(xattr, ACL_ACCESS) && add_acl(header, xattr, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, names))
			continue;
		if (is_named(xattr, ACL_DEFAULT) && add_acl(header, xattr, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, names))
			continue;
		name = tool_format("%.*s", (int)xattr->name_length, xattr->name);
		archive_entry_xattr_add_entry(header, name, xattr->value, xattr->value_length);
		free(name);
	}
}

/* What lies between the holes. */
static void add_holes(struct archive_entry *header, const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;
	uint64_t at = 0;

	for (uint32_t i = 0; i < extra->hole_count; i++) {
		const struct bt_extent *hole = &extra->holes[i];

		if (hole->offset > at)
			archive_entry_sparse_add_entry(header, (int64_t)at, (int64_t)(hole->offset - at));
		at = hole->offset + hole->length;
	}
	/* The last one ends the file, so that a hole at its end is one, too. */
	archive_entry_sparse_add_entry(header, (int64_t)at, (int64_t)(entry->size - at));
}

/* The writer puts a point between both numbers, which is right from 1970 on only. Within the last second before that
 * there is no way to say it. */
static void set_time(struct archive_entry *header, struct bt_time time)
{
	if (time.seconds < 0 && time.nanoseconds > 0) {
		time.seconds++;
		time.nanoseconds = time.seconds < 0 ? 1000000000 - time.nanoseconds : 0;
	}
	archive_entry_set_mtime(header, (time_t)time.seconds, (long)time.nanoseconds);
}

/* The writer gives a file with holes its name a second time, as it fits into the oldest form of a header, unless it can
 * turn it into UTF-8: readers then see that one, and two files may become one. */
static bool may_have_holes(const char *path)
{
	return strlen(path) <= SHORT_NAME || tool_is_utf8(path);
}

static void set_names(struct archive_entry *header, const struct bt_entry *entry, const struct bt_owners *names)
{
	const char *user = bt_owners_find(names, BT_OWNER_USER, entry->uid);
	const char *group = bt_owners_find(names, BT_OWNER_GROUP, entry->gid);

	if (user)
		archive_entry_set_uname_utf8(header, user);
	if (group)
		archive_entry_set_gname_utf8(header, group);
}

static void fill(const struct tool_tar *tar, struct archive_entry *header, const char *path,
		 const struct bt_entry *entry, const char *link)
{
	const struct bt_extra *extra = entry->extra;
	bool bytes = entry->type == BT_FILE && !link;

	archive_entry_copy_pathname(header, path);
	archive_entry_set_mode(header, type_of(entry->type) | entry->mode);
	archive_entry_set_uid(header, entry->uid);
	archive_entry_set_gid(header, entry->gid);
	set_names(header, entry, tar->names);
	set_time(header, entry->mtime);
	archive_entry_set_size(header, bytes ? (int64_t)entry->size : 0);
	if (link)
		archive_entry_copy_hardlink(header, link);
	if (!extra || link)
		return;
	if (extra->target)
		archive_entry_copy_symlink(header, extra->target);
	if (entry->type == BT_CHARDEV || entry->type == BT_BLOCKDEV)
		archive_entry_set_rdev(header, makedev(extra->dev_major, extra->dev_minor));
	if (!tar->zip)
		add_xattrs(header, extra, tar->names);
	if (bytes && !tar->zip && extra->hole_count && may_have_holes(path))
		add_holes(header, entry);
}

struct sink {
	struct tool_tar *tar;
	struct bt_error *error;
	bool skips; /* the writer knows of the holes */
};

/* The writer wants the bytes of holes, too, and leaves them out itself: a call for each 64 KiB would take days for the
 * longest hole that there can be. */
static int write_piece(void *arg, const void *data, uint64_t length)
{
	static const unsigned char few[ZEROS];
	const struct sink *sink = arg;
	bool all = !data && sink->skips && sink->tar->zeros != MAP_FAILED;
	const char *at = data ? data : all ? sink->tar->zeros : few;
	size_t most = all ? HOLE_ZEROS : ZEROS;

	while (length > 0) {
		size_t part = data || length < most ? (size_t)length : most;

		if (tool_signals_seen()) {
			sink->error->code = BT_E_CANCELLED;
			return BT_E_CANCELLED;
		}
		la_ssize_t written = archive_write_data(sink->tar->archive, at, part);

		if (written <= 0)
			return failed(sink->tar, sink->error);
		length -= (uint64_t)written;
		at += data ? written : 0;
		sink->tar->wrote(sink->tar->arg, (uint64_t)written);
	}
	return 0;
}

/* The first bytes are asked for before there is a header: so most damage does not spoil the stream. */
static int probe(struct tool_tar *tar, const struct bt_entry *entry, struct bt_error *error)
{
	struct bt_slice slice;
	int code;

	if (!entry->size && !(entry->extra && entry->extra->error))
		return 0;
	code = bt_slice_start(tar->store, entry, 0, 0, &slice, error);
	if (!code)
		bt_slice_end(tar->store, &slice);
	return code;
}

/* The engine says it of files. */
static int unread(const struct bt_entry *entry, struct bt_error *error)
{
	if (entry->type == BT_FILE || !entry->extra || !entry->extra->error)
		return 0;
	char words[BT_ERRNO_WORDS_SIZE];

	bt_errno_words(entry->extra->error, words);
	*error = (struct bt_error){.code = BT_E_INCOMPLETE, .offset = BT_NO_OFFSET};
	snprintf(error->detail, sizeof(error->detail), "it could not be read when the snapshot was taken (%s)", words);
	return error->code;
}

#define LAST_TIME 0x7fffffff /* of a zip, in seconds */

static bool is_in_zip(uint8_t type)
{
	return type == BT_FILE || type == BT_DIR || type == BT_SYMLINK;
}

static void count_lacks(struct tool_tar *tar, const char *path, const struct bt_entry *entry)
{
	const struct bt_extra *extra = entry->extra;
	struct tool_zip_lacks *lacks = &tar->lacks;

	lacks->copies += extra && extra->links > 1 && entry->type == BT_FILE;
	lacks->attributes += extra && extra->xattr_count;
	lacks->times += entry->mtime.seconds < 0 || entry->mtime.seconds > LAST_TIME;
	lacks->names += !tool_is_utf8(path);
}

/* A name in a zip is UTF-8: bytes that are not become %FF. Allocated. */
static char *zip_path(const char *path)
{
	char *text = tool_format("%s", "");
	bool whole = tool_is_utf8(path);

	if (strncmp(path, "./", 2) == 0)
		path += 2;
	for (; *path; path++)
		tool_append(&text, !whole && (unsigned char)*path >= 0x80 ? "%%%02X" : "%c", (unsigned char)*path);
	return text;
}

static int add(struct tool_tar *tar, const char *path, const struct bt_entry *entry, bool *ret_broken,
	       struct bt_error *error);

int tool_tar_add(struct tool_tar *tar, const char *path, const struct bt_entry *entry, bool *ret_broken,
		 struct bt_error *error)
{
	*ret_broken = false;
	if (!tar->zip)
		return add(tar, path, entry, ret_broken, error);
	tar->lacks.kinds += !is_in_zip(entry->type);
	if (!is_in_zip(entry->type))
		return BT_E_UNSUPPORTED;
	tool_auto char *named = zip_path(path);
	count_lacks(tar, path, entry);
	return *named ? add(tar, named, entry, ret_broken, error) : unread(entry, error);
}

static int add(struct tool_tar *tar, const char *path, const struct bt_entry *entry, bool *ret_broken,
	       struct bt_error *error)
{
	struct sink sink = {tar, error, may_have_holes(path)};
	struct archive_entry *header;
	const char *link;
	bool bytes;
	int code = 0;

	if (!type_of(entry->type))
		return BT_E_UNSUPPORTED;
	if (entry->type == BT_FILE)
		code = probe(tar, entry, error);
	else if (entry->type != BT_DIR)
		code = unread(entry, error);
	if (code)
		return code;
	link = linked_to(tar, path, entry);
	bytes = entry->type == BT_FILE && !link;
	header = archive_entry_new2(tar->archive);
	if (!header)
		return failed(tar, error);
	fill(tar, header, path, entry, link);
	*ret_broken = true;
	/* A warning is about a name that is not UTF-8, which is written as it is. */
	code = archive_write_header(tar->archive, header) < ARCHIVE_WARN ? failed(tar, error) : 0;
	archive_entry_free(header);
	if (!code && bytes)
		code = tool_bytes_read(tar->store, entry, write_piece, &sink, error);
	if (!code && archive_write_finish_entry(tar->archive) < ARCHIVE_WARN)
		code = failed(tar, error);
	*ret_broken = code != 0;
	return code || entry->type != BT_DIR ? code : unread(entry, error);
}

int tool_tar_end(struct tool_tar *tar, struct bt_error *error)
{
	return archive_write_close(tar->archive) < ARCHIVE_WARN ? failed(tar, error) : 0;
}
