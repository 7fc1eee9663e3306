#!/usr/bin/env bash
# Makes sure of what `make hil` needs besides what the tests need: a machine emulator, and what
# builds its image. As system.sh: root gets it installed, anybody else one sentence and exit code 3.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [ "$(id -u)" != 0 ]; then
    echo "make hil 要以管理员身份运行 · make hil builds a system in a chroot, please run as root" >&2
    exit 3
fi
mapfile -t packages <apt-hil.txt
! dpkg --status "${packages[@]}" >/dev/null 2>&1 || exit 0

echo "→ installing ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq --no-install-recommends "$@" </dev/null; }
log=$(mktemp)
{
    install "${packages[@]}" || { apt-get update -qq </dev/null && install "${packages[@]}"; }
} >"$log" 2>&1 || { cat "$log" >&2 && exit 1; }
rm "$log"
