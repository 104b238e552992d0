"""Whether a server can be reached, found out quickly: libraries retry for minutes."""

import socket
import threading
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def is_reachable(url: str, timeout_seconds: float = 3.0) -> bool:
    """Whether the server of a URL, or the proxy that leads to it, accepts a connection in time."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)
    proxy = getproxies().get(parts.scheme)
    if proxy and not proxy_bypass(host):
        proxy_parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host, port = proxy_parts.hostname or "", proxy_parts.port or 80
    connected = threading.Event()

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=timeout_seconds).close()
        except OSError:
            return
        connected.set()

    # In a thread, because looking up a name knows no time limit.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    return connected.is_set()
