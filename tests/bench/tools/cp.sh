# SPDX-License-Identifier: MIT
# The floor of a restore: a plain copy.
needs="coreutils"
rounds=1
prepare() { mkdir -p "$STORE"; }
first() { cp -a "$SRC/." "$STORE/" && sync -f "$STORE"; }
restore() { cp -a "$STORE/." "$DST/" && sync -f "$DST"; }
