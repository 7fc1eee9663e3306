"""By which names this machine is reached on its networks: asked of the kernel, at each look.

IPv4 addresses of all interfaces, and the machine's own name.
"""

import fcntl
import socket
import struct

_SIOCGIFADDR = 0x8915  # netdevice(7)


def list_addresses() -> list[str]:
    """IPv4 addresses, loopback last."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(asking, _SIOCGIFADDR, request)
            except OSError:
                continue  # an interface without an address
            found.append(socket.inet_ntoa(answer[20:24]))
    return sorted(found, key=lambda address: address.startswith("127."))


def list_names() -> list[str]:
    """Everything a workstation may call this machine, in lower case."""
    host = socket.gethostname().lower()
    return list(dict.fromkeys([*list_addresses(), host, f"{host.split('.')[0]}.local"]))
