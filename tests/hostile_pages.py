"""A hundred kinds of pages that mean a browser harm, or that harm it without meaning to.

Each is a page at `/NAME` of a server; most try to reach a private listener, whose connections are counted, or to keep
the browser busy, full or asking for ever. Whoever renders one has to end with a document or a failure.
"""
# ruff: noqa: E501  what a page is or runs stands on a line of its own

import json
import socket
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from tests.web_server import Reply, WebServer

SITE = "127.0.0.2"
"""Where the pages are served: the one address that may be reached."""
INSIDE = "127.0.0.1"
NAMES = {"site.example": [SITE], "inside.example": [INSIDE], "mixed.example": [SITE, INSIDE]}


@dataclass
class Private:
    """Listens where nobody may come: TCP and UDP, IPv4 and IPv6. `reached` counts who did, and by which way."""

    port: int = 0
    reached: Counter[str] = field(default_factory=Counter[str])


@contextmanager
def private_listener() -> Generator[Private]:
    private = Private()
    with ExitStack() as stack:
        first = stack.enter_context(socket.create_server((INSIDE, 0)))
        private.port = first.getsockname()[1]
        listening = {"tcp": first}
        for name, family, kind, host in (
            ("tcp6", socket.AF_INET6, socket.SOCK_STREAM, "::1"),
            ("udp", socket.AF_INET, socket.SOCK_DGRAM, INSIDE),
            ("udp6", socket.AF_INET6, socket.SOCK_DGRAM, "::1"),
            ("tcp on 127.0.0.3", socket.AF_INET, socket.SOCK_STREAM, "127.0.0.3"),
        ):
            one = stack.enter_context(socket.socket(family, kind))
            one.bind((host, private.port))
            if kind == socket.SOCK_STREAM:
                one.listen(50)
            listening[name] = one
        ended = threading.Event()

        def listen(name: str, one: socket.socket) -> None:
            one.settimeout(0.2)
            while not ended.is_set():
                with suppress(TimeoutError):
                    if one.type == socket.SOCK_STREAM:
                        one.accept()[0].close()
                    else:
                        one.recvfrom(2048)
                    private.reached[name] += 1

        threads = [threading.Thread(target=listen, args=item, daemon=True) for item in listening.items()]
        for thread in threads:
            thread.start()
        try:
            yield private
        finally:
            ended.set()
            for thread in threads:
                thread.join()


class Resolver:
    """Names as strangers' servers answer for them: `rebind.example` changes once it has been checked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def __call__(self, host: str) -> list[str]:
        name = host.rstrip(".").lower()
        self.asked[name] += 1
        if name == "rebind.example":
            return [SITE] if self.asked[name] == 1 else [INSIDE]
        if name in {"localhost", "a.localhost"}:
            return [INSIDE, "::1"]
        if name in NAMES:
            return NAMES[name]
        if ":" in name or name.replace(".", "").isdigit():
            return [name]
        raise OSError(name)


def page(script: str, body: str = "<div id=root></div>", head: str = "") -> Reply:
    """Nothing to read without its script, so that a browser is asked."""
    return Reply(f"<!doctype html><html><head><title>Hostile</title>{head}</head><body>{body}<script>{script}</script>")


def markup(html: str, head: str = "") -> Reply:
    """The same, its harm in what is written."""
    return page("void 0;", f"<div id=root></div>{html}", head)


def raw(*parts: bytes, delay: float = 0.0, times: int = 1) -> Callable[[socket.socket], None]:
    """Writes to the socket as it likes."""

    def raw_answer(connection: socket.socket) -> None:
        for _ in range(times):
            for part in parts:
                connection.sendall(part)
                time.sleep(delay)

    return raw_answer


_NOTATIONS = {
    "dotted": "127.0.0.1", "decimal": "2130706433", "hex": "0x7f000001", "hex-parts": "0x7f.0x0.0x0.0x1",
    "octal": "017700000001", "octal-parts": "0177.0.0.01", "two-parts": "127.1", "three-parts": "127.0.1",
    "trailing-dot": "127.0.0.1.", "localhost": "localhost", "localhost-dot": "LOCALHOST.", "below-localhost": "a.localhost",
    "another-loopback": "127.0.0.3", "any": "0.0.0.0", "zero": "0", "ipv6": "[::1]", "ipv6-long": "[0:0:0:0:0:0:0:1]",
    "ipv6-any": "[::]", "mapped": "[::ffff:127.0.0.1]", "mapped-hex": "[::ffff:7f00:1]", "compatible": "[::127.0.0.1]",
    "nat64": "[64:ff9b::7f00:1]", "6to4": "[2002:7f00:1::]", "full-width": "１２７.０.０.１", "ideographic-dots": "127。0。0。1",
    "userinfo": "site.example@127.0.0.1", "a-name": "inside.example", "a-name-dot": "inside.example.",
    "one-of-two": "mixed.example", "rebinding": "rebind.example",
}  # fmt: skip

_ASKS = """
  const at = "//HOST:PORT/x", write = () => { root.textContent = "Asked for it."; };
  for (let n = 0; n < 3; n++) fetch("http:" + at, {mode: "no-cors"}).then(write, write);
  fetch("https:" + at, {mode: "no-cors"}).catch(() => {});
  new Image().src = "http:" + at;
  try { new WebSocket("ws:" + at); } catch {}
  const frame = document.createElement("iframe"); frame.src = "http:" + at; document.body.append(frame);
"""

_URL = "http://127.0.0.1:PORT/x"
_BY_MARKUP = {
    "img": "<img src=URL>", "srcset": "<img srcset='URL 1x, URL 2x'>", "picture": "<picture><source srcset=URL><img></picture>",
    "iframe": "<iframe src=URL></iframe>", "srcdoc": "<iframe srcdoc='<img src=URL>'></iframe>",
    "object": "<object data=URL></object>", "embed": "<embed src=URL>", "script-src": "<script src=URL></script>",
    "module": "<script type=module>import 'URL';</script>", "stylesheet": "<link rel=stylesheet href=URL>",
    "css-url": "<div style='background: url(URL)'>x</div>", "css-import": "<style>@import 'URL';</style>",
    "font-face": "<style>@font-face{font-family:f;src:url(URL)}p{font-family:f}</style><p>x</p>",
    "video": "<video src=URL poster=URL autoplay></video>", "audio": "<audio src=URL autoplay></audio>",
    "track": "<video autoplay><track default src=URL></video>", "svg": "<svg><image href='URL'/><use href='URL#x'/></svg>",
    "form": "<form id=f action=URL method=post></form><script>f.submit()</script>",
    "meta-refresh": "<meta http-equiv=refresh content='0;url=URL'>", "base": "<base href='URL/'><img src=a>",
    "link-ping": "<a id=a href='#x' ping=URL>x</a><script>a.click()</script>",
}  # fmt: skip
_BY_HEAD = {
    "prefetch": "<link rel=prefetch href=URL>", "preload": "<link rel=preload as=image href=URL>",
    "preconnect": "<link rel=preconnect href=URL>", "dns-prefetch": "<link rel=dns-prefetch href='//inside.example:PORT'>",
    "icon": "<link rel=icon href=URL>", "manifest": "<link rel=manifest href=URL>",
    "speculation": '<script type=speculationrules>{"prerender":[{"source":"list","urls":["URL"]}]}</script>',
    "csp-report": "<meta http-equiv=Content-Security-Policy content=\"img-src 'none'; report-uri URL\"><img src=/x>",
}  # fmt: skip
_BY_SCRIPT = {
    "location": "location.href = 'URL';", "worker": "new Worker('URL');",
    "blob-worker": "new Worker(URL_.createObjectURL(new Blob([\"importScripts('URL'); fetch('URL')\"])));",
    "shared-worker": "new SharedWorker(URL_.createObjectURL(new Blob([\"fetch('URL', {mode: 'no-cors'})\"])));",
    "service-worker": "navigator.serviceWorker.register('/sw.js').catch(() => {});",
    "event-source": "new EventSource('URL');", "web-socket": "new WebSocket('ws://127.0.0.1:PORT/');",
    "secure-web-socket": "new WebSocket('wss://[::1]:PORT/');", "beacon": "navigator.sendBeacon('URL', 'x');",
    "keepalive": "fetch('URL', {keepalive: true, method: 'POST', mode: 'no-cors', body: 'x'});",
    "xhr": "const x = new XMLHttpRequest(); x.open('GET', 'URL', false); try { x.send(); } catch {}",
    "web-rtc": """
      for (const w of [window, document.body.appendChild(document.createElement('iframe')).contentWindow]) try {
        const urls = ['stun:127.0.0.1:PORT', 'stun:[::1]:PORT', 'turn:127.0.0.1:PORT?transport=tcp', 'turn:127.0.0.1:PORT'];
        const peer = new w.RTCPeerConnection({iceServers: [{urls, username: 'a', credential: 'b'}]});
        peer.createDataChannel('x'); peer.createOffer().then(offer => peer.setLocalDescription(offer));
      } catch {}""",
    "web-transport": """
      const code = "for (const h of ['127.0.0.1', '[::1]', 'localhost', 'extrophi-proxy']) try { new WebTransport('https://'"
        + " + h + ':PORT/').ready.catch(() => {}) } catch {}";
      eval(code); new Worker(URL_.createObjectURL(new Blob([code])));""",
    "redirected-fetch": "fetch('/to-inside', {mode: 'no-cors'}).catch(() => {}); new Image().src = '/to-inside';",
    "redirected-location": "location.href = '/to-inside';",
    "other-schemes": """
      for (const at of ['file:///etc/passwd', 'ftp://127.0.0.1:PORT/', 'chrome://version', 'view-source:http://127.0.0.1:PORT/',
        'javascript:fetch("URL")', 'data:text/html,<img src=URL>', 'gopher://127.0.0.1:PORT/', 'filesystem:http://127.0.0.1/x',
        'ws://127.0.0.1:PORT/', 'devtools://x', 'about:srcdoc', 'intent://127.0.0.1:PORT/']) {
        const frame = document.createElement('iframe'); frame.src = at; document.body.append(frame);
        try { window.open(at); } catch {} fetch(at).catch(() => {});
      }""",
    "file-location": "location.href = 'file:///etc/passwd';", "crash-location": "location.href = 'chrome://crash';",
    "blob-location": "location.href = URL_.createObjectURL(new Blob(['<img src=URL>'], {type: 'text/html'}));",
}  # fmt: skip

_BUSY = {
    "endless-script": "for (;;) {}",
    "endless-later": "setTimeout(() => { for (;;) {} }, 50);",
    "endless-microtasks": "const again = () => Promise.resolve().then(again); again();",
    "endless-timers": "const more = () => { setTimeout(more); setTimeout(more); }; more();",
    "endless-frames": "const draw = () => { requestAnimationFrame(draw); root.style.width = Math.random() + 'px'; }; draw();",
    "endless-growth": "setInterval(() => { root.innerHTML += '<p>more and more of it</p>'.repeat(500); }, 10);",
    "endless-changes": "setInterval(() => { root.textContent = Math.random(); }, 5);",
    "endless-workers": "for (let n = 0; n < 50; n++) new Worker(URL_.createObjectURL(new Blob(['for (;;) {}'])));",
    "endless-write": "const w = () => { document.write('<p>x<script>1<\\/script>'); setTimeout(w); }; w();",
    "endless-history": "setInterval(() => { for (let n = 0; n < 100; n++) history.pushState({}, '', '/h' + Math.random()); }, 1);",
    "endless-hashes": "setInterval(() => { location.hash = Math.random(); }, 1);",
    "endless-reload": "setTimeout(() => location.reload(), 10);",
    "endless-location": "location.href = location.search ? '/by-endless-location' : '/by-endless-location?again';",
    "endless-meta": "",
    "endless-generator": "const s = new Set(); for (const x of (function*() { for (;;) yield {}; })()) s.add(x);",
    "endless-regex": "/^(a+)+$/.test('a'.repeat(60) + 'b');",
    "endless-wait": "const x = new XMLHttpRequest(); x.open('GET', '/hang', false); x.send();",
    "endless-requests": "setInterval(() => { for (let n = 0; n < 20; n++) fetch('/tiny?' + Math.random()); }, 5);",
    "endless-stream": "fetch('/firehose').then(r => r.text()).then(t => { root.textContent = t; });",
    "recursion": "const f = () => f() + f(); try { f(); } catch {} (() => { const g = () => { try { g(); } finally { g(); } }; g(); })();",
    "alerts": "for (;;) { alert(1); confirm(2); prompt(3); }",
    "prints": "for (let n = 0; n < 50; n++) print();",
    "before-unload": "onbeforeunload = e => { e.preventDefault(); return 'stay'; }; onunload = () => { for (;;) {} };",
    "window-storm": "setInterval(() => { for (let n = 0; n < 50; n++) window.open('/by-window-storm'); }, 5);",
    "popup-by-click": "const a = document.createElement('a'); a.href = '/tiny'; a.target = '_blank'; setInterval(() => a.click(), 5);",
    "downloads": "setInterval(() => { location.href = '/file'; const a = document.createElement('a'); a.download = 'x'; "
    "a.href = 'data:,x'; a.click(); }, 20);",
    "permissions": "navigator.geolocation.getCurrentPosition(() => {}); Notification?.requestPermission?.(); "
    "navigator.mediaDevices?.getUserMedia({video: true}).catch(() => {}); navigator.clipboard?.readText().catch(() => {});",
    "fullscreen": "document.body.requestFullscreen().catch(() => {}); root.requestPointerLock?.();",
    "no-more-words": "for (const name of ['Promise', 'MutationObserver', 'setTimeout', 'performance', 'JSON', 'Node', 'Set'])"
    " { delete window[name]; window[name] = () => { throw 1; }; } Object.prototype.html = 1; "
    "Object.defineProperty(document, 'childNodes', {get() { for (;;) {} }}); Array.prototype.join = () => 'x'.repeat(1e9);",
}  # fmt: skip
_LARGE = {
    "dom-of-a-gigabyte": "const s = 'x'.repeat(2 ** 20); for (let n = 0; n < 1024; n++) { "
    "const p = document.createElement('p'); p.textContent = s + n; root.append(p); }",
    "a-million-nodes": "for (let n = 0; n < 1e6; n++) root.append(document.createElement('b'));",
    "deep-nesting": "let at = root; for (let n = 0; n < 60000; n++) at = at.appendChild(document.createElement('div'));",
    "huge-title": "document.title = 'x'.repeat(5e7);",
    "huge-attribute": "root.setAttribute('data-x', 'x'.repeat(1e8)); root.className = 'y '.repeat(1e6);",
    "odd-names": "const n = document.createElementNS('x', 'a:b'); n.setAttributeNS('y', 'c:d', '\"<>'); root.append(n); "
    "root.append(document.createComment('--><script>alert(1)</script>'));",
    "many-frames": "for (let n = 0; n < 3000; n++) root.append(document.createElement('iframe'));",
    "frames-in-frames": "",
    "shadow-trees": "let at = root; for (let n = 0; n < 5000; n++) { const s = at.attachShadow({mode: 'open'}); "
    "at = s.appendChild(document.createElement('div')); } root.shadowRoot.append('In the shade.');",
    "array-buffers": "window.kept = []; for (;;) { const b = new Uint8Array(64 * 2 ** 20); b.fill(1); kept.push(b); }",
    "strings": "window.kept = []; for (let n = 0;; n++) kept.push(('x' + n).repeat(2 ** 20).split('').reverse().join(''));",
    "objects": "window.kept = []; for (;;) kept.push({a: [1, 2, 3], b: {}});",
    "canvases": "window.kept = []; for (let n = 0; n < 400; n++) { const c = document.createElement('canvas'); c.width = c.height = 8000;"
    " c.getContext('2d').fillRect(0, 0, 8000, 8000); kept.push(c, c.toDataURL()); }",
    "wasm-memory": "window.kept = []; for (;;) { const m = new WebAssembly.Memory({initial: 16384}); new Uint8Array(m.buffer).fill(1);"
    " kept.push(m); }",
    "storage": "try { for (let n = 0;; n++) localStorage.setItem(n, 'x'.repeat(1e5)); } catch {} caches.open('x').then(async c => {"
    " for (let n = 0; n < 500; n++) await c.put('/' + n, new Response('x'.repeat(1e6))); });",
    "tall-page": "root.style.height = '2000000000px';",
    "wide-page": "root.style.width = '2000000000px'; root.style.transform = 'scale(1e9)';",
    "css-storm": "root.innerHTML = '<style>@keyframes k{to{transform:rotate(1turn)}} i{animation:k 1ms infinite;filter:blur(50px);"
    "position:fixed;inset:0;box-shadow:0 0 900px red}</style>' + '<i>x</i>'.repeat(2000);",
    "text-of-many-marks": "root.textContent = ('e' + '\\u0301'.repeat(20000)).repeat(50) + '\\ud800\\0\\ufffe';",
}  # fmt: skip
_MARKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
_CHUNKED = _MARKED + b"Transfer-Encoding: chunked\r\n\r\n"


def _bomb(size: int = 300_000_000) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(b"x" * 1_000_000) for _ in range(size // 1_000_000)), packer.flush()])


def hostile_pages(server: WebServer, private: Private) -> list[str]:
    """Put them on the server; the paths that are to be rendered."""
    inside = _URL.replace("PORT", str(private.port))

    def filled(text: str) -> str:
        return text.replace("URL_", "\0").replace("URL", inside).replace("PORT", str(private.port)).replace("\0", "URL")

    pages: dict[str, Reply | Callable[[socket.socket], None]] = {}
    for name, host in _NOTATIONS.items():
        pages[f"to-{name}"] = page(filled(_ASKS.replace("HOST", host)))
    pages |= {f"by-{name}": markup(filled(html)) for name, html in _BY_MARKUP.items()}
    pages |= {f"by-{name}": page("void 0;", head=filled(head)) for name, head in _BY_HEAD.items()}
    pages |= {f"by-{name}": page(filled(script)) for name, script in (_BY_SCRIPT | _BUSY | _LARGE).items()}
    pages["by-endless-meta"] = markup("", "<meta http-equiv=refresh content='0;url=/by-endless-meta'>")
    pages["by-frames-in-frames"] = markup("<iframe src='/by-frames-in-frames?'></iframe>" * 3)
    reporting = {"group": "x", "max_age": 100, "endpoints": [{"url": inside}]}
    pages["by-report-header"] = Reply(
        page("void 0;").body,
        headers={
            "Report-To": json.dumps(reporting),
            "NEL": json.dumps({"report_to": "x", "max_age": 100, "success_fraction": 1.0}),
            "Link": f"<{inside}>; rel=preload; as=image, <{inside}>; rel=preconnect",
            "Content-Security-Policy-Report-Only": f"img-src 'none'; report-uri {inside}",
        },
    )
    pages["by-refresh-header"] = Reply(page("void 0;").body, headers={"Refresh": f"0;url={inside}"})
    pages["by-digest"] = page("fetch('/asks-for-password').catch(() => {}); location.href = '/asks-for-password';")
    pages["by-gzip-bomb"] = page("location.href = '/bomb';")
    pages["by-bomb-in-a-script"] = markup("<script src=/bomb></script><link rel=stylesheet href=/bomb>")
    pages["by-slow-drip"] = page("location.href = '/drip';")
    pages["by-slow-parts"] = markup("<script src=/drip></script><img src=/drip>")
    pages["by-redirects"] = page("location.href = '/round';")
    pages["by-broken-http"] = page("location.href = '/broken';")
    pages["by-broken-encoding"] = page("location.href = '/misencoded';")
    pages["by-no-end"] = page("location.href = '/firehose';")
    pages["by-a-file"] = page("location.href = '/file';")
    pages["by-early-hints"] = raw(
        b"HTTP/1.1 103 Early Hints\r\nLink: <" + inside.encode() + b">; rel=preload; as=image\r\n\r\n",
        _MARKED + b"Connection: close\r\n\r\n" + str(page("void 0;").body).encode(),
    )
    frames = "<iframe src='/by-frames-in-frames?'></iframe>"
    server.pages |= {f"/{name}": one for name, one in pages.items()}
    server.pages |= {
        "/by-frames-in-frames?": Reply(frames * 3),
        "/by-endless-location?again": pages["by-endless-location"],
        "/round": Reply(status=302, headers={"Location": "/round"}),
        "/to-inside": Reply(status=302, headers={"Location": inside}),
        "/asks-for-password": Reply(status=401, headers={"WWW-Authenticate": 'Digest realm="x", nonce="y"'}),
        "/bomb": Reply(_bomb(), headers={"Content-Encoding": "gzip"}),
        "/drip": raw(_CHUNKED, *[b"1\r\nx\r\n"] * 600, delay=0.1),
        "/hang": raw(_MARKED, b"X: y\r\n", delay=30),
        "/firehose": raw(_CHUNKED, *[b"10000\r\n" + b"<p>x " * 13107 + b"x\r\n"] * 5000),
        "/broken": raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\nContent-Length: 7\r\n\r\n\0\xff"),
        "/misencoded": Reply(b"\xff\xfe\x00\xd8<p>\x80\x81\xfe\xff" * 1000, media_type="text/html; charset=utf-7"),
        "/file": Reply(b"x" * 100_000, media_type="application/x-thing", headers={"Content-Disposition": "attachment"}),
        "/sw.js": Reply(f"fetch('{inside}')", media_type="text/javascript"),
        "/tiny": Reply("<p>x"),
    }
    return sorted(f"/{name}" for name in pages)


__all__ = ["INSIDE", "SITE", "Private", "Resolver", "hostile_pages", "private_listener"]
