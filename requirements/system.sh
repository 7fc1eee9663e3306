#!/usr/bin/env bash
# Makes sure of what no Python package brings: Mosquitto, a Chinese font for labels and pages, a
# clock that the demonstration can move, and for the tests a browser, MQTT clients that are not
# ours, and systemd's own judge of units.
# Root gets them installed; anybody else gets one sentence with the cure, and exit code 3.
set -euo pipefail

have_mosquitto() { PATH="$PATH:/usr/sbin" command -v mosquitto >/dev/null; }
have_clients() { command -v mosquitto_sub >/dev/null; }
have_font() { [ -n "$(find /usr/share/fonts /usr/local/share/fonts -iname 'NotoSansCJK*' -print -quit 2>/dev/null)" ]; }

have_browser() { command -v chromium >/dev/null; }
have_faketime() { [ -n "$(find /usr/lib -path '*/faketime/libfaketimeMT.so.1' -print -quit 2>/dev/null)" ]; }
have_analyze() { command -v systemd-analyze >/dev/null; }

missing=()
have_mosquitto || missing+=(mosquitto)
have_clients || missing+=(mosquitto-clients)
have_font || missing+=(fonts-noto-cjk)
have_browser || missing+=(chromium)
have_analyze || missing+=(systemd)
have_faketime || missing+=(libfaketime)
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "缺少系统软件包，请先以管理员身份安装 · Missing on this machine, please run once:" \
        "sudo apt-get install -y ${missing[*]}" >&2
    exit 3
fi

echo "→ installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -qq --no-install-recommends "$@" </dev/null; }
log=$(mktemp)
{
    install "${missing[@]}" || { apt-get update -qq </dev/null && install "${missing[@]}"; }
} >"$log" 2>&1 || cat "$log" >&2
rm "$log"
have_mosquitto && have_clients && have_font && have_browser && have_analyze && have_faketime
