/* SPDX-License-Identifier: MIT */
/*
 * Snapshots of directories. This header includes all others; each of them can be included alone.
 *
 * A program opens a store (store.h), and most calls take it as their first argument:
 * - snapshot.h takes a snapshot of a directory; watch.h tells what changed since the last one, so that the next one
 *   does not have to look at everything.
 * - select.h finds the snapshot that a user means, view.h opens it and reads directories and files, walk.h goes through
 *   all entries below a directory; owners.h has the names of their owners.
 * - restore.h brings files back, export.h writes a snapshot in the layout of version 1.
 * - compare.h tells what differs between two trees, search.h finds entries in all snapshots, stats.h counts.
 * - retention.h decides which snapshots to keep, prune.h removes the others and changes tags, rewrite.h takes paths out
 *   of snapshots.
 * - check.h proves that a store is whole, and repairs it; copy.h copies snapshots into another store, mirror.h
 *   all files of one.
 * - observer.h has the calls by which a long operation reports to the program, and asks whether it is cancelled.
 * - confine.h and foreign.h protect a program that works on data and paths which others may have prepared.
 *
 * Results. A function that can fail returns 0 or a negative enum bt_code, and fills a struct bt_error when it is given
 * one (error.h). BT_E_INCOMPLETE means that it did a part of its work, and that the observer was told about the rest.
 * Outputs are called ret_…, and are not touched on failure unless the function says so. The library does not print,
 * does not exit, and reads no environment variables.
 *
 * Structs. A struct that a program fills or has filled, and that may get members later, begins with its size:
 *	struct bt_restore_options options = {.size = sizeof(options), .overwrite = BT_OVERWRITE_NEVER};
 *	struct bt_restore_result result = {.size = sizeof(result)};
 * A member that is zero means the default. A program keeps working with a library that knows more members. It also
 * works with one that knows fewer, unless it sets a member that the library does not know: that is BT_E_INVALID, and so
 * is a missing size. In a result, members that the library does not know are zero. Structs that the library makes and
 * hands out by pointer may get members at their end, too: do not copy them by value, or depend on their sizes. All
 * other structs stay as they are.
 *
 * Threads. Several threads may use a store, and everything that was obtained from it, at the same time, except where a
 * function says otherwise. Long calls start threads of their own, end them before they return, and call the observer
 * from any of them, one call at a time.
 *
 * Lifetimes. The store must outlive everything that was obtained from it. A snapshot owns its texts, an entry lives as
 * long as its page (view.h), and the arguments of a callback are valid until it returns.
 *
 * include/examples in the sources has three short programs.
 */
#ifndef BACKUPTOOL_BACKUPTOOL_H
#define BACKUPTOOL_BACKUPTOOL_H

#include <backuptool/check.h>
#include <backuptool/compare.h>
#include <backuptool/confine.h>
#include <backuptool/copy.h>
#include <backuptool/error.h>
#include <backuptool/export.h>
#include <backuptool/foreign.h>
#include <backuptool/mirror.h>
#include <backuptool/observer.h>
#include <backuptool/owners.h>
#include <backuptool/prune.h>
#include <backuptool/restore.h>
#include <backuptool/retention.h>
#include <backuptool/rewrite.h>
#include <backuptool/search.h>
#include <backuptool/select.h>
#include <backuptool/snapshot.h>
#include <backuptool/stats.h>
#include <backuptool/store.h>
#include <backuptool/types.h>
#include <backuptool/version.h>
#include <backuptool/view.h>
#include <backuptool/walk.h>
#include <backuptool/watch.h>

#endif
