# SPDX-License-Identifier: MIT
# The floor of a second snapshot: looking at every entry once.
needs="findutils"
prepare() { mkdir -p "$STORE"; }
again() { find "$SRC" -printf '%s %T@\n' >"$STORE/list"; }
