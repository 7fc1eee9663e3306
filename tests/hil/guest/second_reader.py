"""Runs in the guest, with the agent's own evdev: a second program that wants a keyboard.

``second_reader.py DEVICE``: says what grabbing it came to, then, when its standard input ends, how
many events it saw without a grab.
"""

import errno
import select
import sys

sys.path.insert(0, "/usr/lib/onecode/box")

import evdev

device = evdev.InputDevice(sys.argv[1])
try:
    device.grab()
    print("grabbed", flush=True)
except OSError as error:
    print(errno.errorcode[error.errno or 0], flush=True)

seen = 0
while True:
    readable, _, _ = select.select([device, sys.stdin], [], [])
    if device in readable:
        seen += len(list(device.read()))
    elif not sys.stdin.readline():
        break
print(seen, flush=True)
