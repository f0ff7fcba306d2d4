# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For the tools that can mount what they keep.

# copy_out PLACE COMMAND…: what is at PLACE in a mount goes to DST. The command, with the mount point behind it, stays in the
# foreground until the mount is gone, so that its processor time and memory count.
copy_out() {
	local place=$1 at=$DST.mounted
	shift
	mkdir -p "$at"
	"$@" "$at" &
	until mountpoint -q "$at"; do
		kill -0 $!
		sleep 0.002
	done
	cp -a "$at/$place/." "$DST/"
	umount "$at"
	wait $!
	rmdir "$at"
}
