#!/usr/bin/env bash
# The guest without the agent: a Debian system as a folder, its kernel and an initrd, below OUT.
# The kernel's package is unpacked, not installed, and of its thousands of modules a box's are
# kept. Nothing is mounted and no loop device is used; root is needed for the chroot.
#   tests/hil/image/base.sh OUT
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$1
root=$out/root
export PATH=$PATH:/usr/sbin:/sbin

rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)
root=$out/root
kernel=$out/kernel
mkdir "$kernel"
mapfile -t packages < <(grep -v '^#' "$here/packages.txt")

# --- system --------------------------------------------------------------------------------------

# The machine's own package sources, whichever of Debian's two files it has.
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
    [ ! -s "$file" ] || sources+=("$file")
done
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")

# The hook asks the new system's own lists, so that kernel and system are of one day.
fetch_kernel='cd '$kernel' && export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG &&
    apt-get download -qq -o APT::Sandbox::User=root "$(apt-cache depends linux-image-amd64 | sed -n "s/.*Depends: \(linux-image-[0-9].*\)/\1/p" | head -1)"'
mmdebstrap --quiet --variant=minbase --mode=root --format=directory \
    --include="$(IFS=, && echo "${packages[*]}")" \
    --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/lib/udev/hwdb*' \
    --dpkgopt='path-exclude=/usr/share/fonts/*/*Bold*' \
    --dpkgopt='path-exclude=/usr/share/fonts/*/*Serif*' \
    --customize-hook="$fetch_kernel" \
    "$suite" "$root" "${sources[@]}" </dev/null

# --- kernel --------------------------------------------------------------------------------------

dpkg-deb -x "$kernel"/*.deb "$kernel/x"
version=$(ls "$kernel/x/lib/modules")
modules=lib/modules/$version
depmod -b "$kernel/x" "$version"
cp "$kernel/x/boot/vmlinuz-$version" "$out/vmlinuz"

# Files of the modules named, each after those it needs.
with_needed() {
    for module in "$@"; do
        modprobe -d "$kernel/x" -S "$version" --show-depends "$module"
    done | awk '/^insmod/ && !seen[$2]++ { print $2 }'
}

mapfile -t wanted < <(grep -v '^#' "$here/modules.txt")
mkdir -p "$root/$modules"
cp "$kernel/x/$modules"/modules.{builtin,builtin.modinfo,order} "$root/$modules/"
with_needed "${wanted[@]}" | while read -r file; do
    install -D -m 0644 "$file" "$root/$modules/${file#*"$modules"/}"
done
depmod -b "$root" "$version"

# --- initrd: the disk's driver and a root; not packed, for unpacking is slow without KVM ---------

initrd=$out/initrd.d
mkdir -p "$initrd"/{bin,dev,proc,sys,mnt}
cp /bin/busybox "$initrd/bin/"
with_needed virtio_pci virtio_blk crc32c_generic ext4 >"$out/first-modules"
xargs -a "$out/first-modules" cp -t "$initrd"
{
    echo '#!/bin/busybox sh'
    echo 'b=/bin/busybox'
    echo '$b mount -t devtmpfs x /dev; $b mount -t proc x /proc; $b mount -t sysfs x /sys'
    while read -r file; do echo "\$b insmod /${file##*/}"; done <"$out/first-modules"
    echo 'while [ ! -b /dev/vda ]; do $b sleep 0.1; done'
    echo '$b mount -o rw,noatime /dev/vda /mnt'
    echo '$b umount /sys /proc; $b mount --move /dev /mnt/dev'
    echo 'exec $b switch_root /mnt /lib/systemd/systemd'
} >"$initrd/init"
chmod +x "$initrd/init"
(cd "$initrd" && find . | cpio -o -H newc --quiet) >"$out/initrd"

# --- settings ------------------------------------------------------------------------------------

ssh-keygen -q -t ed25519 -N '' -C hil -f "$out/key"
install -D -m 0600 "$out/key.pub" "$root/root/.ssh/authorized_keys"
chmod 0700 "$root/root/.ssh"
echo box >"$root/etc/hostname"
echo '127.0.0.1 localhost box' >"$root/etc/hosts"
systemd-id128 new >"$root/etc/machine-id" 2>/dev/null || echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
printf 'UseDNS no\nUsePAM no\n' >>"$root/etc/ssh/sshd_config"
# QEMU's user network gives every guest this address, and the machine outside that gateway.
cat >"$root/etc/systemd/network/10-qemu.network" <<'NETWORK'
[Match]
Name=en* eth*
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
LinkLocalAddressing=no
IPv6AcceptRA=no
NETWORK
chroot "$root" systemctl --quiet enable systemd-networkd ssh
mapfile -t masked < <(grep -v '^#' "$here/masked.txt")
chroot "$root" systemctl --quiet mask "${masked[@]}"

rm -rf "$root"/{boot,var/cache/apt,var/lib/apt/lists}/* \
    "$root"/usr/share/{doc,man,locale,info,zoneinfo} "$root/lib/udev/hwdb.bin"
rm -rf "$kernel" "$initrd" "$out/first-modules"
echo "$SECONDS" >"$out/seconds"
