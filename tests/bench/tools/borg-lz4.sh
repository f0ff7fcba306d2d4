# SPDX-License-Identifier: MIT
. "$BENCH/mounted.sh"
needs="borgbackup python3-pyfuse3"
rounds=1
level=lz4
export BORG_BASE_DIR="$STORE.base" BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
prepare() { borg init -e none "$STORE"; }
first() { borg create -C "$level" "$STORE::{now:%s.%f}" "$SRC"; }
again() { first; }
restore() { cd "$DST" && borg extract "$STORE::$(borg list --short --last 1 "$STORE")" && sync -f "$DST"; }
copied() { copy_out "${SRC#/}" borg mount -f "$STORE::$(borg list --short --last 1 "$STORE")"; }
check() { borg check --verify-data "$STORE"; }
prune() { borg prune --keep-last 5 "$STORE" && borg compact "$STORE"; }
