# SPDX-License-Identifier: MIT
needs="borgbackup"
. "$BENCH/tools/borg-lz4.sh"
level=zstd,3
