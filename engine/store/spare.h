/* SPDX-License-Identifier: MIT */
/* Memory of blocks that left the cache, kept for the next ones: they are large and of many sizes, which would leave the
 * heap in pieces, and fresh memory costs the kernel as much as a good part of the decoding. Thread-safe. */
#ifndef BT_STORE_SPARE_H
#define BT_STORE_SPARE_H

#include <pthread.h>
#include <stddef.h>

#define BT_SPARES 4

struct bt_spares {
	pthread_mutex_t lock;
	struct {
		void *data;
		size_t room;
	} list[BT_SPARES];
	unsigned count;
};

void bt_spares_init(struct bt_spares *spares);
void bt_spares_end(struct bt_spares *spares);
/* At least size bytes, and hardly more than twice as many; *ret_room tells. NULL: out of memory. */
void *bt_spares_take(struct bt_spares *spares, size_t size, size_t *ret_room);
void bt_spares_give(struct bt_spares *spares, void *data, size_t room);

#endif
