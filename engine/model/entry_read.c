/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"
#include "model/flags.h"
#include "model/lists.h"
#include "model/page.h"

#include <endian.h>
#include <string.h>

/* What is wrong with an entry as a whole is reported at its closing brace. */

#define TARGET_MAX   4095
#define BOUNDARY_MAX 64

#define OF_FILE	  (1 << BT_FILE)
#define OF_DIR	  (1 << BT_DIR)
#define OF_LINK	  (1 << BT_SYMLINK)
#define OF_DEVICE (1 << BT_CHARDEV | 1 << BT_BLOCKDEV)
#define OF_NODES  (OF_FILE | OF_DIR)
#define OF_ALL	  0xff
#define OF_OTHERS (OF_ALL & ~OF_DIR)

struct reader {
	struct bt_json *json;
	char *scratch;
	struct bt_arena *arena;
	struct bt_entry entry;
	struct bt_extra extra;
	uint64_t pieces, holes; /* their bytes */
	unsigned seen;		/* members, by their place in the table */
};

static int keep_text(struct reader *reader, const struct bt_text *text, const char **ret_text)
{
	*ret_text = bt_arena_text(reader->arena, text->bytes, text->length);
	return *ret_text ? 0 : BT_E_NOMEM;
}

static int read_type(struct reader *reader)
{
	static const struct {
		const char *name;
		uint8_t type;
	} types[] = {
		{"\"file\"", BT_FILE},	       {"\"dir\"", BT_DIR},	  {"\"symlink\"", BT_SYMLINK},
		{"\"fifo\"", BT_FIFO},	       {"\"socket\"", BT_SOCKET}, {"\"chardev\"", BT_CHARDEV},
		{"\"blockdev\"", BT_BLOCKDEV},
	};
	const char *begin = reader->json->at;
	char *scratch = reader->scratch;
	struct bt_text text;
	int r;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (bt_json_try(reader->json, types[i].name)) {
			reader->entry.type = types[i].type;
			return 0;
		}
	r = bt_json_read_string(reader->json, &scratch, &text);
	return r ? r : bt_json_fail_at(reader->json, begin, BT_R_BAD_TYPE);
}

static int read_mode(struct reader *reader)
{
	const char *begin = reader->json->at;
	char *scratch = reader->scratch;
	struct bt_text text;
	unsigned mode = 0;
	int r = bt_json_read_string(reader->json, &scratch, &text);

	if (r)
		return r;
	for (size_t i = 0; i < text.length && text.length == 4; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '7')
			return bt_json_fail_at(reader->json, begin, BT_R_BAD_MODE);
		mode = mode << 3 | (unsigned)(text.bytes[i] - '0');
	}
	/* The escapes of digits are refused, so that four characters are six bytes. */
	if (text.length != 4)
		return bt_json_fail_at(reader->json, begin, BT_R_BAD_MODE);
	reader->entry.mode = (uint16_t)mode;
	return 0;
}

/* A number up to max; beyond it the failure has the reason given. */
static int read_number(struct bt_json *json, uint64_t max, enum bt_reason reason, uint64_t *ret_value)
{
	const char *begin = json->at;
	int r = bt_json_read_u64(json, UINT64_MAX, ret_value);

	if (r)
		return r;
	return *ret_value <= max ? 0 : bt_json_fail_at(json, begin, reason);
}

static int read_owner(struct reader *reader, uint32_t *ret_owner)
{
	uint64_t value;
	int r = read_number(reader->json, UINT32_MAX - 1, BT_R_BAD_OWNER, &value);

	if (!r)
		*ret_owner = (uint32_t)value;
	return r;
}

static int read_size(struct reader *reader)
{
	int r = bt_json_key(reader->json, "size", false);

	return r ? r : read_number(reader->json, INT64_MAX, BT_R_BAD_NUMBER, &reader->entry.size);
}

/* What every entry has, up to mtime. */
static int read_common(struct reader *reader, bool named)
{
	struct bt_json *json = reader->json;
	struct bt_text name = {"", 0};
	const char *begin;
	int r = named ? bt_model_read_name(json, reader->scratch, reader->arena, &name) : 0;

	if (r)
		return r;
	reader->entry.name = name.bytes;
	reader->entry.name_length = (uint16_t)name.length;
	r = bt_json_key(json, "type", !named);
	if (!r)
		r = read_type(reader);
	if (!r)
		r = bt_json_key(json, "mode", false);
	if (!r)
		r = read_mode(reader);
	if (!r)
		r = bt_json_key(json, "uid", false);
	if (!r)
		r = read_owner(reader, &reader->entry.uid);
	if (!r)
		r = bt_json_key(json, "gid", false);
	if (!r)
		r = read_owner(reader, &reader->entry.gid);
	if (!r && reader->entry.type == BT_FILE)
		r = read_size(reader);
	if (r)
		return r;
	begin = json->at;
	if (reader->entry.type != BT_FILE && bt_json_try_key(json, "size", false))
		return bt_json_fail_at(json, begin + 1, BT_R_BAD_TYPE);
	r = bt_json_key(json, "mtime", false);
	if (r)
		return r;
	return bt_json_read_time(json, &reader->entry.mtime);
}

static int read_btime(struct reader *reader)
{
	reader->extra.has_btime = true;
	return bt_json_read_time(reader->json, &reader->extra.btime);
}

static int read_digest(struct reader *reader)
{
	reader->entry.has_digest = true;
	return bt_json_read_digest(reader->json, &reader->entry.digest);
}

static int read_chunks(struct reader *reader)
{
	reader->extra.has_chunks = true;
	return bt_chunks_read(reader->json, reader->arena, BT_INLINE_CHUNKS, &reader->extra.chunks,
			      &reader->extra.chunk_count, &reader->pieces);
}

static int read_chunk_pages(struct reader *reader)
{
	const char *begin = reader->json->at;
	int r = bt_chunks_read(reader->json, reader->arena, UINT32_MAX, &reader->extra.chunk_pages,
			       &reader->extra.chunk_page_count, &reader->pieces);

	if (!r && !reader->extra.chunk_page_count)
		return bt_json_fail_at(reader->json, begin, BT_R_BAD_SIZE);
	return r;
}

static int read_holes(struct reader *reader)
{
	int r = bt_holes_read(reader->json, reader->arena, BT_HOLES_MAX, reader->entry.size, &reader->extra);

	if (!r)
		reader->holes = reader->extra.hole_sums[reader->extra.hole_count - 1];
	return r;
}

/* Reads its key too: it is target or target_b64. */
static int read_target(struct reader *reader)
{
	struct bt_text target;
	const char *begin;
	int r = bt_model_read_bytes(reader->json, "target", false, reader->scratch, &target, &begin);

	if (r)
		return r;
	if (!target.length || target.length > TARGET_MAX || memchr(target.bytes, 0, target.length))
		return bt_json_fail_at(reader->json, begin, BT_R_BAD_TARGET);
	reader->extra.target_length = (uint32_t)target.length;
	return keep_text(reader, &target, &reader->extra.target);
}

static int read_rdev(struct reader *reader)
{
	struct bt_json *json = reader->json;
	uint64_t major, minor;
	int r = bt_json_expect(json, "[");

	if (!r)
		r = read_number(json, UINT32_MAX, BT_R_BAD_TARGET, &major);
	if (!r)
		r = bt_json_expect(json, ",");
	if (!r)
		r = read_number(json, UINT32_MAX, BT_R_BAD_TARGET, &minor);
	if (r)
		return r;
	reader->extra.dev_major = (uint32_t)major;
	reader->extra.dev_minor = (uint32_t)minor;
	return bt_json_expect(json, "]");
}

static int read_inode(struct reader *reader)
{
	return bt_json_read_u64(reader->json, UINT64_MAX, &reader->extra.inode);
}

/* A number that would not be there if it were below least. */
static int read_at_least(struct bt_json *json, uint64_t least, uint64_t *ret_value)
{
	const char *begin = json->at;
	int r = bt_json_read_u64(json, UINT64_MAX, ret_value);

	if (r)
		return r;
	return *ret_value >= least ? 0 : bt_json_fail_at(json, begin, BT_R_BAD_NUMBER);
}

static int read_links(struct reader *reader)
{
	return read_at_least(reader->json, 2, &reader->extra.links);
}

static int read_dev(struct reader *reader)
{
	return read_at_least(reader->json, 1, &reader->extra.dev);
}

static int read_xattrs(struct reader *reader)
{
	return bt_xattrs_read(reader->json, reader->scratch, reader->arena, &reader->extra.xattrs,
			      &reader->extra.xattr_count);
}

/* The leaf without entries: what a boundary has below it. */
static const struct bt_digest empty_tree = {{0xd8, 0x01, 0xaa, 0x1f, 0xb7, 0xdd, 0xcc, 0x33, 0x0a, 0x5e, 0x31,
					     0x73, 0x37, 0x2e, 0xa6, 0xaf, 0x4a, 0x3d, 0x08, 0xec, 0x58, 0x07,
					     0x44, 0x78, 0xe8, 0x5a, 0xa5, 0x60, 0x3e, 0x92, 0x66, 0x58}};

static bool printable(const struct bt_text *text)
{
	for (size_t i = 0; i < text->length; i++)
		if (text->bytes[i] <= ' ' || text->bytes[i] > '~')
			return false;
	return text->length > 0;
}

static int read_boundary(struct reader *reader)
{
	const char *begin = reader->json->at;
	char *scratch = reader->scratch;
	struct bt_text type;
	int r = bt_json_read_string(reader->json, &scratch, &type);

	if (r)
		return r;
	if (type.length > BOUNDARY_MAX || !printable(&type))
		return bt_json_fail_at(reader->json, begin, BT_R_BAD_NAME);
	return keep_text(reader, &type, &reader->extra.boundary);
}

static int read_flags(struct reader *reader)
{
	const char *begin = reader->json->at;
	char *scratch = reader->scratch;
	struct bt_text text;
	int r = bt_json_read_string(reader->json, &scratch, &text);

	if (r)
		return r;
	if (!bt_flags_parse(text.bytes, text.length, &reader->extra.flags))
		return bt_json_fail_at(reader->json, begin, BT_R_BAD_MODE);
	return 0;
}

static int read_project(struct reader *reader)
{
	const char *begin = reader->json->at;
	uint64_t project;
	int r = read_at_least(reader->json, 1, &project);

	if (r)
		return r;
	reader->extra.project = (uint32_t)project;
	return project <= UINT32_MAX ? 0 : bt_json_fail_at(reader->json, begin, BT_R_BAD_NUMBER);
}

/* As in <errno.h>: E and capital letters or digits. */
static bool errno_name_valid(const struct bt_text *name)
{
	for (size_t i = 0; i < name->length; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", name->bytes[i]) || !name->bytes[i])
			return false;
	return name->length >= 2 && name->length <= 32 && name->bytes[0] == 'E';
}

static int read_error(struct reader *reader)
{
	const char *begin = reader->json->at;
	char *scratch = reader->scratch;
	struct bt_text name;
	int r = bt_json_read_string(reader->json, &scratch, &name);

	if (r)
		return r;
	if (!errno_name_valid(&name))
		return bt_json_fail_at(reader->json, begin, BT_R_BAD_NAME);
	return keep_text(reader, &name, &reader->extra.error);
}

static int read_torn(struct reader *reader)
{
	const char *begin = reader->json->at;
	int r = bt_json_read_bool(reader->json, &reader->extra.torn);

	return r || reader->extra.torn ? r : bt_json_fail_at(reader->json, begin, BT_R_BAD_TYPE);
}

static int read_stat(struct reader *reader)
{
	const char *begin = reader->json->at;
	char *scratch = reader->scratch;
	struct bt_text text;
	uint64_t bytes;
	int r = bt_json_read_base64(reader->json, &scratch, &text);

	if (r)
		return r;
	if (text.length != sizeof(bytes))
		return bt_json_fail_at(reader->json, begin, BT_R_BAD_SIZE);
	memcpy(&bytes, text.bytes, sizeof(bytes));
	reader->entry.stat = le64toh(bytes);
	reader->entry.has_stat = true;
	return 0;
}

enum {
	BTIME,
	SHA256,
	CHUNKS,
	CHUNK_PAGES,
	HOLES,
	TREE,
	BOUNDARY,
	TARGET,
	RDEV,
	INODE,
	LINKS,
	DEV,
	XATTRS,
	FLAGS,
	PROJECT,
	ERROR,
	TORN,
	STAT,
	MEMBERS
};

#define SEEN(member) (1U << (member))
#define CONTENT                                                                                                        \
	(SEEN(SHA256) | SEEN(CHUNKS) | SEEN(CHUNK_PAGES) | SEEN(HOLES) | SEEN(TREE) | SEEN(BOUNDARY) | SEEN(TARGET) |  \
	 SEEN(TORN))
#define EXTRA (~(SEEN(SHA256) | SEEN(TREE) | SEEN(STAT)))

#define MEMBER(key) key, sizeof(key) - 1

static const struct member {
	const char *key;
	uint8_t length, types;
	int (*read)(struct reader *reader);
} members[MEMBERS] = {
	[BTIME] = {MEMBER("btime"), OF_ALL, read_btime},
	[SHA256] = {MEMBER("sha256"), OF_FILE, read_digest},
	[CHUNKS] = {MEMBER("chunks"), OF_FILE, read_chunks},
	[CHUNK_PAGES] = {MEMBER("chunk_pages"), OF_FILE, read_chunk_pages},
	[HOLES] = {MEMBER("holes"), OF_FILE, read_holes},
	[TREE] = {MEMBER("tree"), OF_DIR, read_digest},
	[BOUNDARY] = {MEMBER("boundary"), OF_DIR, read_boundary},
	[TARGET] = {MEMBER("target"), OF_LINK, read_target},
	[RDEV] = {MEMBER("rdev"), OF_DEVICE, read_rdev},
	[INODE] = {MEMBER("inode"), OF_OTHERS, read_inode},
	[LINKS] = {MEMBER("links"), OF_OTHERS, read_links},
	[DEV] = {MEMBER("dev"), OF_OTHERS, read_dev},
	[XATTRS] = {MEMBER("xattrs"), OF_ALL, read_xattrs},
	[FLAGS] = {MEMBER("flags"), OF_NODES, read_flags},
	[PROJECT] = {MEMBER("project"), OF_NODES, read_project},
	[ERROR] = {MEMBER("error"), OF_FILE | OF_DIR | OF_LINK, read_error},
	[TORN] = {MEMBER("torn"), OF_FILE, read_torn},
	[STAT] = {MEMBER("stat"), OF_ALL, read_stat},
};

static const char keys[] = "name name_b64 type mode uid gid size mtime btime sha256 chunks chunk_pages holes tree "
			   "boundary target target_b64 rdev inode links dev xattrs flags project error torn stat";

/* Does ,"key" come next? For the target, _b64 may follow. */
static bool member_next(const struct bt_json *json, const struct member *member)
{
	const char *at = json->at;

	if (json->end - at < member->length + 3 || at[2] != member->key[0] || at[3] != member->key[1] || at[0] != ',' ||
	    at[1] != '"' || memcmp(at + 2, member->key, member->length) != 0)
		return false;
	at += member->length + 2;
	return *at == '"' || (member->read == read_target && *at == '_');
}

static int read_member(struct reader *reader, unsigned index)
{
	const struct member *member = &members[index];
	int r;

	if (!(member->types & 1 << reader->entry.type))
		return bt_json_fail_at(reader->json, reader->json->at + 1, BT_R_BAD_TYPE);
	reader->seen |= SEEN(index);
	r = index != TARGET ? bt_json_key(reader->json, member->key, false) : 0;
	if (r)
		return r;
	return member->read(reader);
}

static enum bt_reason check_file(const struct reader *reader)
{
	unsigned seen = reader->seen, pieces = seen & (SEEN(CHUNKS) | SEEN(CHUNK_PAGES));
	uint64_t data = reader->entry.size - reader->holes;

	bool may_lack = reader->holes > BT_WHOLE_HOLES || (pieces && (seen & SEEN(TORN)));

	if (!(seen & SEEN(SHA256)) && !may_lack)
		return BT_R_MISSING_KEY;
	if (pieces == (SEEN(CHUNKS) | SEEN(CHUNK_PAGES)))
		return BT_R_BAD_TYPE;
	if (!pieces && (seen & SEEN(HOLES)))
		return BT_R_BAD_HOLE;
	return pieces && reader->pieces != data ? BT_R_BAD_SIZE : BT_R_NONE;
}

/* Nothing is known of what is there; and the target itself is what is looked at. */
static enum bt_reason check_boundary(const struct reader *reader)
{
	if (reader->entry.name_length && bt_digest_equal(&reader->entry.digest, &empty_tree))
		return BT_R_NONE;
	return BT_R_BAD_TYPE;
}

static enum bt_reason check_entry(const struct reader *reader)
{
	static const unsigned needed[] = {
		[BT_DIR] = SEEN(TREE),
		[BT_SYMLINK] = SEEN(TARGET),
		[BT_CHARDEV] = SEEN(RDEV),
		[BT_BLOCKDEV] = SEEN(RDEV),
	};
	unsigned seen = reader->seen, links = seen & (SEEN(INODE) | SEEN(LINKS) | SEEN(DEV));

	if (links && (~links & (SEEN(INODE) | SEEN(LINKS))))
		return BT_R_MISSING_KEY;
	if (seen & SEEN(ERROR))
		return seen & CONTENT ? BT_R_BAD_TYPE : BT_R_NONE;
	if (reader->entry.type == BT_FILE)
		return check_file(reader);
	if ((seen & SEEN(BOUNDARY)) && (seen & SEEN(TREE)))
		return check_boundary(reader);
	return ~seen & needed[reader->entry.type] ? BT_R_MISSING_KEY : BT_R_NONE;
}

/* depth: brackets open in the line. */
static int read_further(struct reader *reader, unsigned depth)
{
	struct bt_text further;
	int r = bt_json_further(reader->json, depth, reader->scratch, &further);

	return r || !further.length ? r : keep_text(reader, &further, &reader->extra.further);
}

static int read_entry(struct reader *reader, bool named)
{
	struct bt_json *json = reader->json;
	enum bt_reason reason;
	int r = bt_json_expect(json, "{");

	if (!r)
		r = read_common(reader, named);
	if (r)
		return r;
	for (unsigned i = 0; i < MEMBERS; i++) {
		r = member_next(json, &members[i]) ? read_member(reader, i) : 0;
		if (r)
			return r;
	}
	r = read_further(reader, named ? 3 : 2);
	if (!r)
		r = bt_json_close(json, "}");
	if (r)
		return r;
	reason = check_entry(reader);
	if (reason)
		return bt_json_fail_at(json, json->at - 1, reason);
	if (reader->seen & EXTRA || reader->extra.further) {
		reader->entry.extra = bt_arena_copy(reader->arena, &reader->extra, sizeof(reader->extra));
		if (!reader->entry.extra)
			return BT_E_NOMEM;
	}
	return 0;
}

int bt_entry_read(struct bt_json *json, bool named, char **scratch, struct bt_arena *arena, struct bt_entry *ret_entry)
{
	struct reader reader = {.json = json, .scratch = *scratch, .arena = arena};
	const char *outer = json->keys;
	int r;

	json->keys = named ? keys : strchr(keys, 't');
	r = read_entry(&reader, named);
	if (r)
		return r;
	json->keys = outer;
	*ret_entry = reader.entry;
	return 0;
}
