#!/usr/bin/env bash
# Puts a side of the product below DESTDIR with its unit, rules, users and folders, or takes it
# away again. State in /var/lib is never touched. Called by `make install` and `make uninstall`.
#   systemd/install.sh install|uninstall box|central
# in the environment: DESTDIR, PIP, TARGET_PYTHON; EXPORT, a file for a box's unsent records
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

act=$1 side=$2
root=${DESTDIR:-}
library=/usr/lib/onecode/$side
python=${TARGET_PYTHON:-/usr/bin/python3}

case $side in
box) command=onecode-agent package=agent units=(onecode-agent.service) ;;
central)
    command=onecode-central package=central
    units=(onecode-central.service onecode-broker.service)
    units+=(onecode-broker-list.path onecode-broker-list.service)
    ;;
*) echo "a side is box or central" >&2 && exit 2 ;;
esac

# The product's own wheel, from a tree that holds this side alone.
build_wheel() {
    local tree=build/install/$side other
    [ "$side" = box ] && other=onecode-central || other=onecode-agent
    rm -rf "$tree" && mkdir -p "$tree"
    cp -r "$package" shared "$tree"
    sed "/^$other/d" pyproject.toml >"$tree/pyproject.toml"
    "$PIP" install -qq --no-deps --no-build-isolation --target "$root$library" --upgrade "./$tree"
}

install_side() {
    rm -rf "$root$library"
    mkdir -p "$root$library"
    "$PIP" install -qq --no-deps --no-build-isolation --require-hashes \
        --target "$root$library" -r "requirements/$side.txt"
    build_wheel
    rm -rf "$root$library/bin"
    install -D -m 0755 /dev/stdin "$root/usr/bin/$command" <<LAUNCHER
#!/bin/sh
exec $python -I -c 'import sys; sys.path.insert(0, "$library"); from $package.__main__ import main; sys.argv[0] = "$command"; sys.exit(main())' "\$@"
LAUNCHER
    for unit in "${units[@]}"; do
        install -D -m 0644 "systemd/$unit" "$root/usr/lib/systemd/system/$unit"
    done
    install -D -m 0644 "systemd/onecode-credential@.service" \
        "$root/usr/lib/systemd/system/onecode-credential@.service"
    if [ "$side" = box ]; then
        install -D -m 0644 systemd/70-onecode.rules "$root/usr/lib/udev/rules.d/70-onecode.rules"
    fi
    install -D -m 0644 systemd/sysusers.conf "$root/usr/lib/sysusers.d/onecode.conf"
    install -D -m 0644 systemd/tmpfiles.conf "$root/usr/lib/tmpfiles.d/onecode.conf"
    install -D -m 0644 docs/operations.md "$root/usr/share/doc/onecode/operations.md"
    if [ -z "$root" ]; then
        systemd-sysusers /usr/lib/sysusers.d/onecode.conf
        systemd-tmpfiles --create /usr/lib/tmpfiles.d/onecode.conf
        [ ! -d /run/systemd/system ] || systemctl daemon-reload
        ! command -v udevadm >/dev/null || udevadm control --reload 2>/dev/null || true
    fi
    echo "✓ $command → $root/usr/bin, $root$library"
}

# A box whose records central lacks is not taken away; EXPORT=FILE takes them along.
check_unsent() {
    local state=/var/lib/onecode-box reader=()
    [ -z "$root" ] && [ -e "$state/queue.db" ] && [ -x "/usr/bin/$command" ] || return 0
    if [ -n "${EXPORT:-}" ] && [ -e /etc/credstore.encrypted/onecode-box.key ]; then
        reader=(systemd-run --quiet --pipe --wait -p LoadCredentialEncrypted=onecode-box.key)
    fi
    "${reader[@]}" "/usr/bin/$command" --dir "$state" queue unsent ${EXPORT:+--export "$EXPORT"} && return
    systemctl start "${units[@]}" 2>/dev/null || true
    echo "✗ $command stays: EXPORT=FILE takes its unsent records along" >&2
    exit 1
}

uninstall_side() {
    if [ -z "$root" ] && [ -d /run/systemd/system ]; then
        systemctl stop "${units[@]}" 2>/dev/null || true
    fi
    [ "$side" != box ] || check_unsent
    if [ -z "$root" ] && [ -d /run/systemd/system ]; then
        systemctl disable "${units[@]}" 2>/dev/null || true
    fi
    rm -rf "$root$library" "$root/usr/bin/$command"
    for unit in "${units[@]}"; do rm -f "$root/usr/lib/systemd/system/$unit"; done
    [ "$side" != box ] || rm -f "$root/usr/lib/udev/rules.d/70-onecode.rules"
    if [ -z "$(ls -A "$root/usr/lib/onecode" 2>/dev/null)" ]; then # the other side is gone too
        rm -rf "$root/usr/lib/onecode" "$root/usr/share/doc/onecode"
        rm -f "$root/usr/lib/systemd/system/onecode-credential@.service"
        rm -f "$root/usr/lib/sysusers.d/onecode.conf" "$root/usr/lib/tmpfiles.d/onecode.conf"
    fi
    echo "✓ $command removed; what it kept in /var/lib stays"
}

"${act}_side"
