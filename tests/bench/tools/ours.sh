# SPDX-License-Identifier: MIT
# Each file here says how one tool does each piece of work. Given: SRC, STORE (a path that the tool may make), DST (an empty directory), BUILD.
# A function that is not there is a dash in the table. needs: Debian packages. rounds: at most so many of them, for what is slow.
# What a tool leaves to be written later is synced in its function: a backup that is not on the disk is none.
needs=""
. "$BENCH/mounted.sh"
first() { "$BUILD/tools/backuptool" snapshot -q --store "$STORE" --target-directory "$SRC"; }
again() { first; }
restore() { "$BUILD/tools/backuptool" restore -q --store "$STORE" --snapshot-file latest --output-directory "$DST"; }
copied() { copy_out latest "$BUILD/fs/backupfs" -f "$STORE"; }
check() { "$BUILD/tools/backuptool" check -q --store "$STORE"; }
list() { "$BUILD/tools/backuptool" list --store "$STORE"; }
prune() { "$BUILD/tools/backuptool" prune -q --store "$STORE" --snapshot-number 5; }
