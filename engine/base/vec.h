/* SPDX-License-Identifier: MIT */
/* Growing arrays: a pointer to the elements, their count, and the room that is allocated. All zero is empty. */
#ifndef BT_BASE_VEC_H
#define BT_BASE_VEC_H

#include <backuptool/error.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for one more element: 0, or BT_E_NOMEM, and nothing has changed. The arguments are three variables. */
#define bt_vec_room(array, count, room)                                                                                \
	((count) < (room) ? 0 : bt_vec_grow((void *)&(array), &(room), sizeof(*(array))))

/* array is the address of the pointer to the elements, whatever their type. */
static inline int bt_vec_grow(void *array, size_t *room, size_t size)
{
	size_t larger = *room ? 2 * *room : 16;
	void *elements;

	memcpy(&elements, array, sizeof(elements));
	elements = reallocarray(elements, larger, size);
	if (!elements)
		return BT_E_NOMEM;
	memcpy(array, &elements, sizeof(elements));
	*room = larger;
	return 0;
}

#endif
