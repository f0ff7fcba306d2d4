# SPDX-License-Identifier: MIT
. "$BENCH/mounted.sh"
needs="restic fuse3"
rounds=2
export RESTIC_PASSWORD=x RESTIC_REPOSITORY="$STORE" RESTIC_CACHE_DIR="$STORE.cache"
prepare() { restic init -q; }
first() { restic backup -q "$SRC"; }
again() { first; }
restore() { restic restore -q latest --target "$DST" && sync -f "$DST"; }
copied() { copy_out "snapshots/latest$SRC" restic mount; }
check() { restic check -q --read-data; }
prune() { restic forget -q --keep-last 5 --prune; }
