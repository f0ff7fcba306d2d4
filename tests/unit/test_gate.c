/* SPDX-License-Identifier: MIT */
/* A lock that was lost, and which file systems have none between hosts. */
#include "snapshot_world.h"
#include "store/gate.h"
#include "store/store_inside.h"

static void lose(struct bt_gate *gate)
{
	struct flock range = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_len = 2};

	assert_int_equal(fcntl(gate->fd, F_OFD_SETLK, &range), 0);
	gate->next = 0; /* time went by */
}

static void assert_lost(struct bt_gate *gate)
{
	struct bt_error error = {0};
	char text[640];

	assert_int_equal(bt_gate_pass(gate, &error), BT_E_LOCKED);
	assert_int_equal(error.sys, ENOLCK);
	bt_error_text(&error, text, sizeof(text));
	assert_non_null(strstr(text, "the store's lock was lost"));
	assert_null(strstr(text, "locked by"));
}

static void test_nothing_happened(void **state)
{
	struct world *world = *state;
	struct bt_gate gate;

	world_snap(world);
	assert_int_equal(bt_gate_open(world->store, BT_LOCK_EXCLUSIVE, NULL, &gate, NULL), 0);
	assert_int_equal(bt_gate_pass(&gate, NULL), 0);
	lose(&gate);
	assert_int_equal(bt_gate_pass(&gate, NULL), 0);
	assert_true(gate.next > 0);
	bt_gate_close(&gate);
}

static void test_somebody_has_it(void **state)
{
	struct world *world = *state;
	struct bt_store *store;
	struct bt_gate gate;
	int lock;

	world_snap(world);
	store = open_another(world, 0);
	assert_int_equal(bt_gate_open(store, BT_LOCK_EXCLUSIVE, NULL, &gate, NULL), 0);
	lose(&gate);
	assert_int_equal(bt_store_lock(world->store, BT_LOCK_SHARED, NULL, &lock, NULL), 0);
	assert_lost(&gate);
	close(lock);
	bt_gate_close(&gate);
	bt_store_close(store);
}

static void test_somebody_wrote(void **state)
{
	struct world *world = *state;
	struct bt_store *store;
	struct bt_gate gate;

	world_snap(world);
	store = open_another(world, 0);
	assert_int_equal(bt_gate_open(store, BT_LOCK_EXCLUSIVE, NULL, &gate, NULL), 0);
	lose(&gate);
	world_snap(world);
	assert_lost(&gate);
	bt_gate_close(&gate);
	bt_store_close(store);
}

static void test_somebody_took(void **state)
{
	struct world *world = *state;
	struct bt_store *store;
	struct bt_gate gate;
	char path[256];

	world_snap(world);
	store = open_another(world, 0);
	assert_int_equal(bt_gate_open(store, BT_LOCK_EXCLUSIVE, NULL, &gate, NULL), 0);
	lose(&gate);
	snprintf(path, sizeof(path), "%s/%s", world->store_path, world->result.name);
	assert_int_equal(unlink(path), 0);
	assert_lost(&gate);
	bt_gate_close(&gate);
	bt_store_close(store);
}

static void test_file_systems(void **state)
{
	assert_true(bt_locks_are_local("fuse.sshfs", "rw"));
	assert_true(bt_locks_are_local("nfs", "rw,vers=3,nolock,proto=tcp"));
	assert_true(bt_locks_are_local("nfs4", "rw,local_lock=posix"));
	assert_true(bt_locks_are_local("cifs", "rw,nobrl"));
	assert_false(bt_locks_are_local("nfs4", "rw,local_lock=none"));
	assert_false(bt_locks_are_local("nfs", "rw,nolocks"));
	assert_false(bt_locks_are_local("fuse.glusterfs", "rw"));
	assert_false(bt_locks_are_local("ext4", "rw"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_happened, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_somebody_has_it, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_somebody_wrote, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(test_somebody_took, world_setup, world_teardown),
		cmocka_unit_test(test_file_systems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
