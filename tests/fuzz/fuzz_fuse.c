/* SPDX-License-Identifier: MIT */
/*
 * The driver between a kernel that asks anything and a real store: the input is a list of requests, with any arguments,
 * of nodes that were named in answers or of none that exist. Every request is answered once, and never with more than
 * it asked for.
 */
#include "fuzz.h"
#include "loop.h"
#include "ops.h"
#include "push.h"
#include "root.h"
#include "versions.h"
#include <backuptool/snapshot.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NODES	 64
#define REQUESTS 200

struct input {
	const uint8_t *data;
	size_t size;
};

/* The kernel's side of the conversation. */
static struct {
	struct input input;
	uint64_t nodes[NODES]; /* that answers named; the first is the root */
	unsigned node_count, asked;
	uint32_t opcode, wanted; /* of the request under way; the most bytes that it takes */
	bool answered, begun;
} kernel;

static struct bt_store *store;
static char folder[] = "/tmp/fuzz_fuse_XXXXXX";

/* ---- a store with something of everything, made once ---- */

static void write_file(int dir, const char *name, size_t size, unsigned seed)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	FUZZ_CHECK(fd >= 0);
	for (size_t done = 0; done < size; done++) {
		char byte = (char)(done * seed >> 7 ^ done);

		FUZZ_CHECK(write(fd, &byte, 1) == 1);
	}
	close(fd);
}

static int make_directory(int parent, const char *name)
{
	mkdirat(parent, name, 0755);
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY);
	FUZZ_CHECK(fd >= 0);
	return fd;
}

static void make_tree(int tree)
{
	char name[32];
	int wide = make_directory(tree, "wide"), deep = make_directory(tree, "deep");

	for (unsigned i = 0; i < 600; i++) { /* more than a page holds */
		snprintf(name, sizeof(name), "%03u", i);
		write_file(wide, name, i % 7, i);
	}
	write_file(tree, "a", 5000, 3);
	write_file(tree, "empty", 0, 0);
	write_file(deep, "b", 70000, 5);
	FUZZ_CHECK(linkat(deep, "b", tree, "hard", 0) == 0 && symlinkat("deep/b", tree, "link") == 0);
	int holes = openat(tree, "holes", O_WRONLY | O_CREAT, 0600);
	FUZZ_CHECK(pwrite(holes, "x", 1, 200000) == 1 && ftruncate(holes, 500000) == 0);
	fsetxattr(holes, "user.some", "value", 5, 0);
	close(holes);
	close(wide);
	close(deep);
}

static void remove_folder(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	FUZZ_CHECK(system(command) == 0);
}

static void take(const char *target, int64_t when)
{
	struct bt_time time = {.seconds = when};
	struct bt_snapshot_options options = {.size = sizeof(options), .time = &time, .threads = 1};
	struct bt_snapshot_result result = {.size = sizeof(result)};

	FUZZ_CHECK(bt_snapshot_take(store, target, &options, NULL, &result, NULL) == 0);
}

static void make_store(void)
{
	char path[64], target[64];

	FUZZ_CHECK(mkdtemp(folder) && atexit(remove_folder) == 0);
	snprintf(path, sizeof(path), "%s/store", folder);
	snprintf(target, sizeof(target), "%s/tree", folder);
	int top = open(folder, O_RDONLY | O_DIRECTORY), tree = make_directory(top, "tree");
	FUZZ_CHECK(bt_store_open(path,
				 &(struct bt_store_options){.size = sizeof(struct bt_store_options),
							    .create = true,
							    .cache_bytes = 1 << 20},
				 &store, NULL) == 0);
	make_tree(tree);
	take(target, 1700000000);
	write_file(tree, "a", 6000, 4);
	take(target, 1700001000);
	FUZZ_CHECK(bt_store_refresh(store, NULL) == 0);
	close(tree);
	close(top);
}

/* ---- reading the input ---- */

static uint8_t take_byte(void)
{
	if (kernel.input.size == 0)
		return 0;
	kernel.input.size--;
	return *kernel.input.data++;
}

static uint64_t take_number(void)
{
	unsigned length = take_byte() % 9;
	uint64_t value = 0;

	while (length-- > 0)
		value = value << 8 | take_byte();
	return value;
}

/* Mostly one that there is. */
static uint64_t take_node(void)
{
	uint8_t choice = take_byte();

	return choice < 0xf0 ? kernel.nodes[choice % kernel.node_count] : take_number();
}

/* A name without NUL, terminated. Returns its size with that. */
static size_t take_name(char *name)
{
	static const char *const known[] = {"a",
					    "deep",
					    "b",
					    ".",
					    "..",
					    "wide",
					    "300",
					    "link",
					    "latest",
					    "versions",
					    "@now",
					    "user.some",
					    "user.backuptool.stored",
					    "snapshot_2023-11-14T22-13-20Z"};
	uint8_t choice = take_byte();

	if (choice < 0xc0)
		return (size_t)snprintf(name, 300, "%s", known[choice % (sizeof(known) / sizeof(*known))]) + 1;
	size_t length = 0, wanted = take_byte() + 1u;
	while (length < wanted) {
		uint8_t byte = take_byte();

		name[length++] = (char)(byte ? byte : 'x');
	}
	name[length] = '\0';
	return length + 1;
}

/* ---- requests ---- */

struct request {
	struct fuse_in_header header;
	union {
		struct fuse_init_in init;
		struct fuse_read_in read;
		struct fuse_lseek_in lseek;
		struct fuse_getxattr_in getxattr;
		struct fuse_open_in open;
		struct fuse_getattr_in getattr;
		struct fuse_forget_in forget;
		char bytes[4096];
	} body;
};

static size_t ask_read(struct request *request)
{
	kernel.wanted = (uint32_t)(take_number() % (1 << 20));
	request->body.read = (struct fuse_read_in){.offset = take_number(), .size = kernel.wanted};
	return sizeof(request->body.read);
}

static size_t ask_xattr(struct request *request)
{
	kernel.wanted = take_byte();
	request->body.getxattr = (struct fuse_getxattr_in){.size = kernel.wanted};
	kernel.wanted += (uint32_t)sizeof(struct fuse_getxattr_out);
	if (request->header.opcode == FUSE_LISTXATTR)
		return sizeof(request->body.getxattr);
	return sizeof(request->body.getxattr) + take_name(request->body.bytes + sizeof(request->body.getxattr));
}

/* Those that would change something: whatever stands there. */
static size_t ask_change(struct request *request)
{
	memset(request->body.bytes, take_byte(), 256);
	memset(request->body.bytes + 256, 0, 1024);
	return 256 + 1024;
}

static size_t fill(struct request *request)
{
	kernel.wanted = 1024;
	switch (request->header.opcode) {
	case FUSE_LOOKUP:
		return take_name(request->body.bytes);
	case FUSE_READ:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		return ask_read(request);
	case FUSE_LSEEK:
		request->body.lseek = (struct fuse_lseek_in){.offset = take_number(), .whence = take_byte() % 6};
		return sizeof(request->body.lseek);
	case FUSE_GETXATTR:
	case FUSE_LISTXATTR:
		return ask_xattr(request);
	case FUSE_READLINK:
		kernel.wanted = 4096;
		return 0;
	case FUSE_STATFS:
		return 0;
	case FUSE_GETATTR:
		request->body.getattr = (struct fuse_getattr_in){0};
		return sizeof(request->body.getattr);
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		request->body.open = (struct fuse_open_in){.flags = (uint32_t)take_number()};
		return sizeof(request->body.open);
	case FUSE_FORGET:
		request->body.forget.nlookup = take_number();
		return sizeof(request->body.forget);
	default:
		return ask_change(request);
	}
}

static const uint32_t opcodes[] = {
	FUSE_LOOKUP,   FUSE_READDIRPLUS, FUSE_READ,	   FUSE_GETATTR, FUSE_READDIR,	 FUSE_LSEEK,   FUSE_READLINK,
	FUSE_GETXATTR, FUSE_OPEN,	 FUSE_LISTXATTR,   FUSE_STATFS,	 FUSE_OPENDIR,	 FUSE_FORGET,  FUSE_SETATTR,
	FUSE_MKNOD,    FUSE_MKDIR,	 FUSE_UNLINK,	   FUSE_RMDIR,	 FUSE_RENAME,	 FUSE_RENAME2, FUSE_LINK,
	FUSE_SYMLINK,  FUSE_CREATE,	 FUSE_SETXATTR,	   FUSE_WRITE,	 FUSE_FALLOCATE, FUSE_FLUSH,   FUSE_RELEASE,
	FUSE_ACCESS,   FUSE_IOCTL,	 FUSE_REMOVEXATTR, FUSE_POLL,
};

static size_t begin(struct request *request)
{
	request->header.opcode = FUSE_INIT;
	request->body.init = (struct fuse_init_in){
		.major = 7, .minor = 38, .max_readahead = 1 << 17, .flags = (uint32_t)take_number()};
	kernel.wanted = 1024;
	kernel.begun = true;
	return sizeof(request->body.init);
}

static ssize_t hand_out(int fd, void *buffer, size_t size, void *userdata)
{
	struct request *request = buffer;
	size_t length;

	FUZZ_CHECK(kernel.answered && size >= sizeof(*request));
	if ((kernel.begun && kernel.input.size == 0) || kernel.asked++ == REQUESTS) {
		errno = ENODEV;
		return -1;
	}
	request->header = (struct fuse_in_header){.unique = kernel.asked, .pid = 1};
	if (!kernel.begun) {
		length = begin(request);
	} else {
		request->header.opcode = opcodes[take_byte() % (sizeof(opcodes) / sizeof(*opcodes))];
		request->header.nodeid = take_node();
		length = fill(request);
	}
	kernel.opcode = request->header.opcode;
	kernel.answered = kernel.opcode == FUSE_FORGET;
	request->header.len = (uint32_t)(sizeof(request->header) + length);
	return (ssize_t)request->header.len;
}

/* ---- answers ---- */

static void learn(uint64_t node)
{
	for (unsigned i = 0; i < kernel.node_count; i++)
		if (kernel.nodes[i] == node)
			return;
	if (node && kernel.node_count < NODES)
		kernel.nodes[kernel.node_count++] = node;
}

static void learn_listing(const char *data, size_t size)
{
	while (size > 0) {
		const struct fuse_direntplus *entry = (const void *)data;

		FUZZ_CHECK(size >= FUSE_NAME_OFFSET_DIRENTPLUS && size >= FUSE_DIRENTPLUS_SIZE(entry));
		FUZZ_CHECK(entry->dirent.namelen > 0 && entry->dirent.namelen <= 255);
		FUZZ_CHECK(!memchr(entry->dirent.name, '/', entry->dirent.namelen));
		learn(entry->entry_out.nodeid);
		data += FUSE_DIRENTPLUS_SIZE(entry);
		size -= FUSE_DIRENTPLUS_SIZE(entry);
	}
}

static ssize_t take_answer(int fd, struct iovec *parts, int count, void *userdata)
{
	const struct fuse_out_header *header = parts[0].iov_base;
	static _Alignas(8) char body[1 << 21];
	size_t size = 0;

	for (int i = 1; i < count; i++) {
		FUZZ_CHECK(size + parts[i].iov_len <= sizeof(body));
		memcpy(body + size, parts[i].iov_base, parts[i].iov_len);
		size += parts[i].iov_len;
	}
	FUZZ_CHECK(header->len == sizeof(*header) + size);
	if (header->unique == 0) /* pages that nobody asked for */
		return (ssize_t)header->len;
	FUZZ_CHECK(!kernel.answered && header->unique == kernel.asked);
	FUZZ_CHECK(header->error <= 0 && header->error > -1000 && size <= kernel.wanted);
	kernel.answered = true;
	if (header->error == 0 && kernel.opcode == FUSE_LOOKUP)
		learn(((const struct fuse_entry_out *)(const void *)body)->nodeid);
	else if (header->error == 0 && kernel.opcode == FUSE_READDIRPLUS)
		learn_listing(body, size);
	return (ssize_t)header->len;
}

/* ---- one conversation ---- */

/* The first byte chooses the options. */
static void set_up(struct fs *fs, uint8_t choice)
{
	static char subpath[] = "deep", latest[] = "latest", program[] = "backupfs";

	fs->options.libfuse = (struct fuse_args)FUSE_ARGS_INIT(0, NULL);
	FUZZ_CHECK(fuse_opt_add_arg(&fs->options.libfuse, program) == 0);
	fs->options.xattr = (enum xattr_mode)(choice % 3);
	fs->options.snapshot = choice & 8 ? latest : NULL;
	fs->options.subpath = choice & 16 ? subpath : NULL;
	fs->store = store;
	fs->store_fd = open(folder, O_RDONLY | O_DIRECTORY);
	fs->ready_fd = -1;
	fs_begin(fs);
	log_open(&fs->log, false);
	FUZZ_CHECK(root_new(fs, NULL) == 0 && nodes_new(&fs->nodes) == 0);
	FUZZ_CHECK(!(choice & 32) || push_new(&fs->push) == 0);
	FUZZ_CHECK(!(choice & 64) || versions_new(fs) == 0);
}

static void clean_up(struct fs *fs)
{
	versions_free(fs);
	push_free(fs->push);
	root_free(fs);
	nodes_free(fs->nodes);
	close(fs->store_fd);
	log_close(&fs->log);
	fs_end(fs);
	fuse_opt_free_args(&fs->options.libfuse);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fuse_custom_io io = {.writev = take_answer, .read = hand_out};
	struct fs fs = {0};

	if (!store)
		make_store();
	memset(&kernel, 0, sizeof(kernel));
	kernel.input = (struct input){data, size};
	kernel.nodes[kernel.node_count++] = FUSE_ROOT_ID;
	kernel.answered = true;
	set_up(&fs, take_byte());
	fs.session = fuse_session_new(&fs.options.libfuse, &ops_table, sizeof(ops_table), &fs);
	FUZZ_CHECK(fs.session && fuse_session_custom_io(fs.session, &io, memfd_create("device", MFD_CLOEXEC)) == 0);
	loop_run(&fs);
	FUZZ_CHECK(kernel.answered);
	fuse_session_destroy(fs.session);
	clean_up(&fs);
	return 0;
}
