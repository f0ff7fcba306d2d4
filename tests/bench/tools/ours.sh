# SPDX-License-Identifier: MIT
# Each file here says how one tool does each piece of work. Given: SRC, STORE (a path that the tool may make), DST (an empty directory), BUILD.
# A function that is not there is a dash in the table. needs: Debian packages.
needs=""
first() { "$BUILD/tools/backuptool" snapshot -q --store "$STORE" --target-directory "$SRC"; }
again() { first; }
restore() { "$BUILD/tools/backuptool" restore -q --store "$STORE" --snapshot-file latest --output-directory "$DST"; }
check() { "$BUILD/tools/backuptool" check -q --store "$STORE"; }
