"""All spellings of one address: as a target, as a link that is followed, as a place in a site.

`fetch.addresses.canonical` names documents, and what it leaves out must stay as it is: a longer list there would give
known documents other names. What is left out here, beside that, is left out before an address is asked for.
"""

import re
from functools import lru_cache
from hashlib import sha256
from urllib.parse import unquote

from extrophi_backend.fetch.addresses import canonical, parse

REMEMBERED = 2_000
"""Addresses whose reading is remembered: most links of a site's page are on all its other pages, too."""
_TRACKING = re.compile(
    r"(?:pk|mtm|piwik|matomo|itm|hsa|stm|vero|oly|trk|guce|wt)_\w+|__hs(?:tc|sc|fp)|_hs\w+|hsctatracking|"
    r"fb_(?:action_ids|action_types|source|ref|comment_id)|gad_(?:source|campaignid)|wickedsource|wprov|"
    r"_openstat|_branch_match_id|__twitter_impression|mibextid|sfnsn|li_fat_id|mc_[ce]id|ml_subscriber\w*|"
    r"zanpid|irclickid|irgwc|rdt_cid|sc_cid|ef_id|s_kwcid|xtor|at_(?:medium|campaign|custom\d|link_\w+|ptr_\w+|bbc_team)|"
    r"ns_(?:mchannel|source|campaign|linkname|fee)|guccounter|trkcampaign|trkinfo|smid|smtyp|"
    r"bxid|esrc|int_?cid|icid|dm_i|elqtrack\w*|__s|ssp_iabi|ftag|tt_(?:medium|content)|spm|share_source|"
    r"dicbo|obclid|tblci|gclsrc|_kx|klaviyo_id|cvid|oicd|vgo_ee|nr_email_referer",
    re.IGNORECASE,
)
"""More of what tells where a reader came from: the lists of AdGuard, ClearURLs and Firefox agree on these. courlan's is
not used: it takes `ref`, `uid`, `source`, `keyword` and `session…` away, by which many a site names its pages."""
_SESSION = re.compile(
    r"phpsessid|jsessionid|aspsessionid\w*|asp\.net_sessionid|cfid|cftoken|oscsid|zenid|sessid|session_?id|sess_?id|"
    r"s_?id|s|sessionkey|phpsess",
    re.IGNORECASE,
)
_RANDOM = re.compile(
    r"(?=[a-z]*\d)(?=\d*[a-z])[0-9a-z]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)
"""What only a program would call a session."""
_CERTAIN = re.compile(r"phpsessid|jsessionid|aspsessionid\w*|asp\.net_sessionid|oscsid|zenid", re.IGNORECASE)
_SESSION_IN_PATH = re.compile(
    r";(?:jsessionid|phpsessid|sid)=[^/;?]*|/\((?:[A-Z]\([0-9a-z]{8,}\))+\)(?=/)", re.IGNORECASE
)
_FRONT = re.compile(r"/(?:index|default|home)\.(?:html?|xhtml|shtml|php\d?|aspx?|jspx?|cfm|cgi|pl)\Z", re.IGNORECASE)
_SLASHES = re.compile(r"/{2,}")


@lru_cache(REMEMBERED)
def plain(address: str) -> str:
    """`address` as it is asked for: canonical, without more of what tracks readers, and without session ids.

    Raises:
        FetchFailed: as `canonical`.
    """
    url = parse(canonical(address))
    path, _, query = url.raw_path.decode("ascii").partition("?")
    kept = [part for part in query.split("&") if part and not _is_idle(part)]
    path = _SESSION_IN_PATH.sub("", path)
    if len(kept) == query.count("&") + bool(query) and path == url.raw_path.decode("ascii").partition("?")[0]:
        return str(url)
    return canonical(str(url.copy_with(path=path or "/", query="&".join(kept).encode() or None)))


@lru_cache(REMEMBERED)
def identity(address: str) -> bytes:
    """Equal for the addresses of a site that are one page on every site that is made with care.

    Whatever scheme, `www.`, last slash, name of the folder's front, and order of the query's parts.

    Raises:
        FetchFailed: as `canonical`.
    """
    url = parse(plain(address))
    host = url.netloc.decode("ascii").lower().removeprefix("www.")
    path, _, query = url.raw_path.decode("ascii").partition("?")
    path = _FRONT.sub("/", _SLASHES.sub("/", path)).rstrip("/")
    return digest("page", host, path, "&".join(sorted(query.split("&"))))


def digest(*parts: str) -> bytes:
    """A key of a frontier."""
    return sha256("\n".join(parts).encode("utf-8", "replace")).digest()[:16]


def _is_idle(parameter: str) -> bool:
    name, _, value = (unquote(part) for part in parameter.partition("="))
    if _TRACKING.fullmatch(name) or _CERTAIN.fullmatch(name):
        return True
    return _SESSION.fullmatch(name) is not None and _RANDOM.fullmatch(value) is not None
