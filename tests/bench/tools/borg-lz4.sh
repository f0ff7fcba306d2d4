# SPDX-License-Identifier: MIT
needs="borgbackup"
rounds=1
level=lz4
export BORG_BASE_DIR="$STORE.base" BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
prepare() { borg init -e none "$STORE"; }
first() { borg create -C "$level" "$STORE::{now:%s.%f}" "$SRC"; }
again() { first; }
restore() { cd "$DST" && borg extract "$STORE::$(borg list --short --last 1 "$STORE")" && sync -f "$DST"; }
check() { borg check --verify-data "$STORE"; }
prune() { borg prune --keep-last 5 "$STORE" && borg compact "$STORE"; }
