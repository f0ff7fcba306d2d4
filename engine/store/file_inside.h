/* SPDX-License-Identifier: MIT */
/* What the sources of struct bt_file share. */
#ifndef BT_STORE_FILE_INSIDE_H
#define BT_STORE_FILE_INSIDE_H

#include "store/file.h"

#define BT_BLOCKS_LINE	   "\"blocks\":[\n"
#define BT_CONTENTS_LINE   "\"contents\":[\n"
#define BT_TREES_LINE	   "\"trees\":[\n"
#define BT_TREE_INDEX_LINE "\"tree_index\":[\n"
#define BT_LIST_END	   "],\n"
#define BT_BLOCK_OPEN	   "{\"zstd\":\""
#define BT_BLOCK_CLOSE	   "\"}"

struct bt_file {
	char *name;
	struct bt_object *object;
	struct bt_object
		*named; /* has the name and the blocks: the same, or the version 1 file that this one is derived from */
	struct bt_file *older; /* replaced by this one, but maybe still in use; freed with this one */
	enum bt_file_kind kind;
	bool loose; /* opened by bt_file_open_loosely */
	struct bt_sections sections;
	struct bt_buf header, summary;
	bool draft;
	struct bt_digest index_digest;
};

/* Reads and checks what is needed for opening. object and name are set. */
int bt_file_load(struct bt_file *file, enum bt_file_kind expected, struct bt_error *error);

#endif
