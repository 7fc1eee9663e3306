#!/usr/bin/env bash
# The guest with the agent: the base system and what `make install SIDES=box` puts there, as a
# disk image below OUT; and beside it an empty disk for the box's state.
#   tests/hil/image/box.sh BASE OUT
set -euo pipefail
base=$1 out=$2
export PATH=$PATH:/usr/sbin:/sbin

rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)
root=$out/root
cp -a "$base/root" "$root"
make install DESTDIR="$root" SIDES=box >/dev/null
# What the installation does itself where it is not below a folder.
chroot "$root" systemd-sysusers /usr/lib/sysusers.d/onecode.conf 2>/dev/null

truncate -s 700M "$out/root.img"
mke2fs -q -F -t ext4 -O ^has_journal -d "$root" "$out/root.img"
truncate -s 64M "$out/state.img"
mke2fs -q -F -t ext4 "$out/state.img"
rm -rf "$root"
echo "$SECONDS" >"$out/seconds"
