/* SPDX-License-Identifier: MIT */
#include "model/owners.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

static bool is_acl(const struct bt_xattr *xattr)
{
	static const char *const names[] = {"system.posix_acl_access", "system.posix_acl_default"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (xattr->name_length == strlen(names[i]) && !memcmp(xattr->name, names[i], xattr->name_length))
			return true;
	return false;
}

size_t bt_acl_length(const struct bt_xattr *xattr)
{
	struct posix_acl_xattr_header header;

	if (!is_acl(xattr) || xattr->value_length < sizeof(header))
		return 0;
	memcpy(&header, xattr->value, sizeof(header));
	if (le32toh(header.a_version) != POSIX_ACL_XATTR_VERSION)
		return 0;
	return (xattr->value_length - sizeof(header)) / sizeof(struct posix_acl_xattr_entry);
}

static size_t place_of(size_t index)
{
	return sizeof(struct posix_acl_xattr_header) + index * sizeof(struct posix_acl_xattr_entry);
}

bool bt_acl_owner(const struct bt_xattr *xattr, size_t index, enum bt_owner_kind *ret_kind, uint32_t *ret_id)
{
	struct posix_acl_xattr_entry entry;

	memcpy(&entry, xattr->value + place_of(index), sizeof(entry));
	uint16_t tag = le16toh(entry.e_tag);
	if (tag != ACL_USER && tag != ACL_GROUP)
		return false;
	*ret_kind = tag == ACL_USER ? BT_OWNER_USER : BT_OWNER_GROUP;
	*ret_id = le32toh(entry.e_id);
	return true;
}

void bt_acl_set_owner(unsigned char *value, size_t index, uint32_t id)
{
	uint32_t stored = htole32(id);

	memcpy(value + place_of(index) + offsetof(struct posix_acl_xattr_entry, e_id), &stored, sizeof(stored));
}
