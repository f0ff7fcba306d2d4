# SPDX-License-Identifier: MIT
# An image that the kernel mounts: made whole again each time.
needs="squashfs-tools"
rounds=1
prepare() { mkdir -p "$STORE"; }
first() { mksquashfs "$SRC" "$STORE/image" -noappend -quiet -no-progress -comp zstd -Xcompression-level 3 && sync "$STORE/image"; }
[ "$(id -u)" != 0 ] || copied() { mkdir -p "$DST.mounted" && mount -o loop,ro "$STORE/image" "$DST.mounted" && cp -a "$DST.mounted/." "$DST/" && umount "$DST.mounted" && rmdir "$DST.mounted"; }
