"""What a browser and a stranger are kept from: response headers, Host, Origin, forged requests.

Pure functions over header values; ``guard`` applies them.
"""

import hmac
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from multidict import CIMultiDict

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_COOKIE = "onecode"
SECURE_SESSION_COOKIE = "__Host-onecode"
"""With TLS: the prefix makes a browser refuse it from another host or over plain HTTP."""

_COMMON = {
    "Server": "onecode",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a form says Origin: null
    "Cross-Origin-Opener-Policy": "same-origin",
}
_PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors {}"
)
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def build_api_headers() -> CIMultiDict[str]:
    """For answers that no browser shows: nothing may be run from them, nobody in between keeps
    them, and whoever asked asks again before each use."""
    policy = {"Content-Security-Policy": _API_POLICY, "Cache-Control": "private, no-cache"}
    return CIMultiDict(_COMMON | policy)


def build_page_headers(frame_ancestors: tuple[str, ...]) -> CIMultiDict[str]:
    """For pages: their own scripts and styles from here, no inline ones, framed by nobody but
    ``frame_ancestors`` (origins)."""
    ancestors = " ".join(frame_ancestors) or "'none'"
    policy = {
        "Content-Security-Policy": _PAGE_POLICY.format(ancestors),
        "Cache-Control": "no-store",
    }
    return CIMultiDict(_COMMON | policy)


class Hosts:
    """The names that central is called by: loopback's, and those of its public address."""

    def __init__(self, public_url: str, *more: str) -> None:
        self._names = {"localhost", *more} | {urlsplit(public_url).hostname or "localhost"}
        self._known: set[str] = set()

    def knows(self, host: str) -> bool:
        """Whether a Host header's value means us; a foreign name is a rebound one."""
        if host in self._known:
            return True
        name = _host_name(host)
        known = name in self._names or _is_loopback(name)
        if known and len(self._known) < 100:
            self._known.add(host)
        return known

    def allow_origin(self, origin: str, host: str) -> bool:
        """Whether an Origin header's value is the very host that was asked."""
        parts = urlsplit(origin)
        return parts.scheme in {"http", "https"} and parts.netloc == host


class Addresses:
    """Where requests come from, also through proxies, each of which adds whom it serves at the end
    of X-Forwarded-For. What anybody else writes there is not believed."""

    def __init__(self, proxies: Iterable[str]) -> None:
        self._proxies = frozenset(proxies)

    def read(self, peer: str | None, forwarded: Iterable[str]) -> str:
        """The last address that is no proxy's; the connection's own where there is none."""
        if peer in self._proxies:
            for each in reversed(",".join(forwarded).split(",")):
                address = each.strip()
                if address not in self._proxies:
                    return address if _is_address(address) else peer or ""
        return peer or ""


def is_cross_site(fetch_site: str) -> bool:
    """Whether a browser says that another site makes it ask (Fetch metadata)."""
    return fetch_site not in {"", "same-origin", "none"}


def same_secret(given: str, expected: str) -> bool:
    """Compare without telling how much was right. Bytes that are no text are surrogates."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode())


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
