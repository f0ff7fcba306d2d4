/* SPDX-License-Identifier: MIT */
#include "store/file.h"
#include "base/fail.h"
#include "store/file_inside.h"
#include <stdlib.h>
#include <string.h>

/* Takes both over; *ret_file may be filled on failure, too. */
static int file_new(struct bt_object *object, struct bt_object *source, const char *name, struct bt_file **ret_file,
		    struct bt_error *error)
{
	struct bt_file *file = calloc(1, sizeof(*file));

	if (!file) {
		bt_object_close(object);
		bt_object_close(source);
		return bt_fail(error, BT_E_NOMEM, name, NULL);
	}
	file->object = object;
	file->named = source ? source : bt_object_ref(object);
	file->sections.size = bt_object_size(object);
	*ret_file = file;
	file->name = strdup(name);
	return file->name ? 0 : bt_fail(error, BT_E_NOMEM, name, NULL);
}

static int open_parts(struct bt_object *object, struct bt_object *source, const char *name, enum bt_file_kind expected,
		      struct bt_file **ret_file, struct bt_error *error)
{
	struct bt_file *file = NULL;
	int r = file_new(object, source, name, &file, error);

	if (!r)
		r = bt_file_load(file, expected, error);
	if (r) {
		bt_file_free(file);
		return r;
	}
	*ret_file = file;
	return 0;
}

int bt_file_open(struct bt_object *object, const char *name, struct bt_file **ret_file, struct bt_error *error)
{
	return open_parts(object, NULL, name, BT_KIND_SNAPSHOT, ret_file, error);
}

int bt_file_open_classic(struct bt_object *object, struct bt_object *source, const char *name,
			 struct bt_file **ret_file, struct bt_error *error)
{
	return open_parts(object, source, name, BT_KIND_CLASSIC, ret_file, error);
}

int bt_file_open_loosely(struct bt_object *object, const char *name, struct bt_file **ret_file, struct bt_error *error)
{
	static const struct bt_index_visitor nobody = {0};
	struct bt_file *file = NULL;
	int r = file_new(object, NULL, name, &file, error);

	if (!r) {
		file->loose = true;
		r = bt_file_visit_loosely(file, &nobody, error); /* header and summary */
	}
	if (r) {
		bt_file_free(file);
		return r;
	}
	*ret_file = file;
	return 0;
}

void bt_file_free(struct bt_file *file)
{
	if (!file)
		return;
	bt_object_close(file->object);
	bt_object_close(file->named);
	bt_file_free(file->older);
	bt_buf_free(&file->header);
	bt_buf_free(&file->summary);
	free(file->name);
	free(file);
}

void bt_file_keep(struct bt_file *file, bool keep)
{
	bt_object_keep(file->named, keep);
}

void bt_file_release(struct bt_file *file)
{
	bt_object_release(file->named);
}

enum bt_file_kind bt_file_kind(const struct bt_file *file)
{
	return file->kind;
}

bool bt_file_is_draft(const struct bt_file *file)
{
	return file->draft && file->kind != BT_KIND_CLASSIC;
}

const char *bt_file_name(const struct bt_file *file)
{
	return file->name;
}

const struct bt_sections *bt_file_sections(const struct bt_file *file)
{
	return &file->sections;
}

struct bt_text bt_file_header(const struct bt_file *file)
{
	return (struct bt_text){(const char *)file->header.data, file->header.length};
}

struct bt_text bt_file_summary(const struct bt_file *file)
{
	return (struct bt_text){(const char *)file->summary.data, file->summary.length};
}
