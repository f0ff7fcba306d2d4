# SPDX-License-Identifier: MIT
# The floor of a first snapshot: every byte is read, hashed once, and compressed.
needs="tar zstd openssl"
rounds=1
prepare() { mkdir -p "$STORE"; }
first() { tar -C "$SRC" -cf - . | tee >(openssl dgst -sha256 >"$STORE/digest") | zstd -q -f -3 -T2 -o "$STORE/archive.tar.zst"; }
