# SPDX-License-Identifier: MIT
needs="tar zstd"
prepare() { mkdir -p "$STORE"; }
first() { tar -C "$SRC" -cf - . | zstd -q -f -3 -T2 -o "$STORE/archive.tar.zst" && sync "$STORE/archive.tar.zst"; }
restore() { zstd -q -dc "$STORE/archive.tar.zst" | tar -C "$DST" -xpf - && sync -f "$DST"; }
check() { zstd -q -t "$STORE/archive.tar.zst"; }
