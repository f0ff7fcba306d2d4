# SPDX-License-Identifier: MIT
# The floor of a restore: a plain copy.
needs="coreutils"
prepare() { mkdir -p "$STORE"; }
first() { cp -a "$SRC/." "$STORE/"; }
restore() { cp -a "$STORE/." "$DST/"; }
