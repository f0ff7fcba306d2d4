# SPDX-License-Identifier: MIT
# The same image, mounted by a driver outside of the kernel.
. "$BENCH/mounted.sh"
. "$BENCH/tools/squashfs.sh"
needs="squashfs-tools squashfuse"
copied() { copy_out . squashfuse_ll -f "$STORE/image"; }
