"""What stands in a page beside its article: how it is named in the markup, and how it reads.

Word lists cover the languages that publish most; what they miss stays in the text, which is the smaller harm.
"""

import re

from extrophi_backend.extraction.tree import Element

_NAMED = re.compile(
    r"""(?:^|[\s_-])(?:
        share|sharing|sharedaddy|social|addtoany|addthis|follow-us|
        related|recommended|recommendations?|recirc\w*|outbrain|taboola|zergnet|jp-relatedposts|yarpp\w*|
        more-(?:stories|from|news|articles|posts|on|like)|read-(?:more|next|also)|also-(?:read|like)|you-may|
        most-(?:read|popular|viewed)|trending|popular-(?:posts|stories)|latest-(?:news|posts|stories)|next-(?:post|article)|prev-(?:post|article)|
        newsletter|subscri(?:be|ption)\w*|sign-?up|mailchimp|mc4wp|optin|opt-in|paywall|regwall|
        promo|promoted|sponsor(?:ed)?|advert\w*|ad-(?:slot|unit|container|wrapper|block|label)|adsbygoogle|dfp|
        comments?|commentlist|comment-(?:list|area|form|respond)|respond|disqus\w*|livefyre|
        breadcrumbs?|sidebar|widget|navigation|nav|navbar|menu|site-header|site-footer|masthead|skip-link|pagination|pager|
        cookies?|cookie-\w+|consent|gdpr|modal|popup|overlay|lightbox|screen-reader-text|sr-only|visually-hidden|
        tags?|tag-(?:list|links|cloud)|tagcloud|post-tags|entry-tags|
        author-(?:bio|box|info|card)|about-(?:the-)?author|byline|dateline|post-meta|entry-meta|article-meta|
        toolbar|tooltip|copyright|correction-form|print-only|noprint|no-print
    )(?:$|[\s_-])""",
    re.VERBOSE | re.IGNORECASE,
)
_LAYOUT = re.compile(
    r"(?<!\S)(?:(?:tag-(?!list|links|cloud)|has-|no-(?!print)|with-|without-)\S*|elementor-widget(?![^\s-]))"
)
"""How themes name the place of an article: by its keywords, by what stands beside it or does not."""
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ROLES = frozenset({
    "alert", "alertdialog", "banner", "button", "complementary", "contentinfo", "dialog", "menu", "menubar",
    "navigation", "search", "status", "toolbar", "tooltip",
})  # fmt: skip
_FURNITURE_TAGS = frozenset({"aside", "dialog", "footer", "search"})
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_WHOLE = frozenset({"html", "body", "main", "article"})
_UNFOLDING = frozenset({"tabpanel", "region"})
"""Roles of what is hidden only until its tab or heading is chosen."""


def is_hidden(element: Element) -> bool:
    """Not shown to a reader. A whole page that waits for its scripts does not count."""
    if element.tag in _WHOLE:
        return False
    attributes = element.attrib
    if not attributes:
        return False
    role = attributes.get("role", "")
    if role in _UNFOLDING or attributes.get("hidden", "").lower() == "until-found":
        return False
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or role in {"navigation", "menu", "menubar", "search"}
        or bool(_HIDDEN_STYLE.search(attributes.get("style", "")))
    )


def is_furniture_container(tag: str, element: Element) -> bool:
    """Named by its tag, role, class or id as something beside the article."""
    if tag in _WHOLE:
        return False
    if tag in _FURNITURE_TAGS or element.get("role", "") in _ROLES:
        return True
    name = name_of(element)
    return bool(name and _NAMED.search(_CAMEL.sub("-", _LAYOUT.sub("", name))))


def name_of(element: Element) -> str:
    """Its class and id, cut to a length that a word list can be held against."""
    return f"{element.get('class', '')[:300]} {element.get('id', '')[:300]}".strip() if element.attrib else ""


_CAPTION = re.compile(r"(?:^|[\s_-])(?:captions?|wp-caption-text|photo-credit|image-credit)(?:$|[\s_-])", re.IGNORECASE)


def is_caption(name: str) -> bool:
    return bool(name and _CAPTION.search(_CAMEL.sub("-", name)))


_POINTER = re.compile(
    r"""(?:read\s(?:more|also|next|the\s(?:full|original))|more(?:\s(?:from|on|about|in|stories|coverage|like\sthis))?|
        related(?:\s(?:posts?|stor(?:y|ies)|articles?|content|links?|news|coverage|reading|topics?|videos?))?|
        see\s(?:also|more|related)|also\s(?:read|see|on)|you\s(?:may|might)\s(?:also\s)?(?:like|be\sinterested|enjoy)|
        recommended(?:\s(?:for\syou|reading|stories|articles))?|(?:don['’]t\smiss|up\snext|what\sto\sread\snext)|
        click\s(?:here|to)|tap\shere|watch(?:\s(?:now|more|live))?|
        (?:also|trending|popular|most\sread|latest)\s?(?:news|stories|on\s\w+|posts|articles)?|next\s(?:post|article|story)|previous\s(?:post|article|story)|
        in\scase\syou\smissed|
        lesen\ssie(?:\sauch|\smehr)?|mehr\s(?:zum\sthema|dazu|lesen)|auch\sinteressant|siehe\sauch|weiterlesen|
        lire\s(?:aussi|la\ssuite|également)|à\slire(?:\saussi)?|voir\saussi|sur\sle\smême\ssujet|
        (?:lee|leer|lea|ver)\s(?:también|más)|te\spuede\sinteresar|relacionad[oa]s?|noticias\srelacionadas|
        leia\s(?:também|mais)|veja\s(?:também|mais)|saiba\smais|artigos\srelacionados|
        leggi\sanche|lees\s(?:ook|meer)|baca\sjuga|läs\s(?:också|mer)|czytaj\s(?:też|także|więcej)|zobacz\s(?:też|także)|
        читайте\s(?:также|далее)|смотрите\sтакже|关连阅读|相关阅读|延伸阅读|延伸閱讀|相關新聞|関連記事|あわせて読みたい|관련\s?기사|اقرأ\sأيضا|اقرأ\sأيضاً
    )(?=\W|$)""",
    re.VERBOSE | re.IGNORECASE,
)
_SITE_CALL = re.compile(
    r"""(?:subscribe\s(?:now|today|here)|join\s(?:our|the)\s.{0,40}(?:newsletter|mailing\slist)|follow\s@|follow\sus|
        share\sth(?:is|e)\s(?:article|story|post|page|entry)|(?:tweet|pin|email|print)\s(?:this|it)|
        (?:download|get)\s(?:our|the)\s(?:\S+\s){0,3}app|leave\sa\s(?:comment|reply)|join\sthe\s(?:conversation|discussion)|
        (?:tell\sus|let\sus\sknow)\s(?:what\syou\sthink|your|in\sthe\scomments)|comments?\s(?:are\sclosed|\(\d+\))|advertisements?|continue\sreading|(?:story|article)\scontinues|
        loading(?=[\s.…]*\Z)|please\senable|sorry,\syour\sbrowser|publicidad|publicité|publicidade|реклама)(?!\w)|广告|広告""",
    re.VERBOSE | re.IGNORECASE,
)
"""What nobody writes but a site."""
_CALL = re.compile(
    r"""(?:sign\sup|subscribe|get\s.{1,60}\s(?:delivered|in\syour\sinbox|newsletter)|
        (?:follow|like|find)\s(?:us|me|him|her|them|\w+)\son|share\s(?:this|on|via|the)|(?:tell\sus|let\sus\sknow)|
        enter\syour\se-?mail|your\se-?mail\saddress|sponsored|scroll\s(?:down|for)|
        abonnieren\ssie|newsletter|abonnez(?:-vous)?|suscr[ií]bete|suscripci(?:ón|ones)|assine|inscreva(?:-se)?|iscriviti|
        partager|compartir|compartilh(?:e|ar)|teilen|condividi|delen|werbung|anzeige|
        подпис(?:ка|аться|ывайтесь|ывайся)|подпишитесь)(?!\w)""",
    re.VERBOSE | re.IGNORECASE,
)
_BULLETS = "»›>▶•*-–—[( "
_MAILING = re.compile(r"newsletter|delivered|your\s(?:inbox|e-?mail)", re.IGNORECASE)
_RIGHTS = re.compile(
    r"""(?:©|\(c\)\s|copyright\s(?:©|\(c\)|\w+\s\d{4}|\d{4})|all\srights\sreserved|alle\srechte|tous\sdroits|todos\s(?:los\s)?(?:derechos|os\sdireitos))""",
    re.VERBOSE | re.IGNORECASE,
)
_CREDIT = re.compile(
    r"""(?:additional\s)?(?:reporting|editing|writing|graphics?|photo(?:graph)?s?|image|video|translation|compiled|edited|reported)
            \s(?:by\s(?-i:[^\W\d_a-z])|credits?(?!\w)|:)|
        (?:sources?|via|credit|fonte|fuente|quelle|bron|image|photo|credits?)\s?:|source\s(?-i:[A-Z])|
        (?:\S+\s){1,8}contributed\s(?:to\sthis|reporting)|
        (?-i:[^\W\d_a-z])(?:\S*\s){1,12}?(?:is\sa|are)\s(?:\S+\s){0,8}(?:reporter|correspondent|editor|columnist|contributor|writer)s?\s
            (?:(?:at|for|with)\s(?:the\s)?(?-i:[^\W\d_a-z])|covering\s|based\s(?:in|at)\s)""",
    re.VERBOSE | re.IGNORECASE,
)
_CONTRIBUTED = re.compile(r"contributed\s(?:to\sthis\s(?:report|story|article)|reporting)", re.IGNORECASE)
_BY_NAME = re.compile(r"(?:reporting|writing|compiled)\sby\s.+\bedit(?:ing|ed)\sby\s", re.IGNORECASE)
_LABEL = re.compile(
    r"""(?:(?:by|von|par|por|door|av|di|autor|author|written\sby|posted\s(?:by|on|in|at)|published(?:\s(?:by|on|at))?|updated|last\s(?:updated|modified)|
        publicado(?:\s(?:por|em|en))?|veröffentlicht|publié|actualizado|filed\sunder|categor(?:y|ies|ia|ía|ie)s?|kategorien?|
        tags?|topics?|keywords?|etiquetas|schlagw(?:ort|örter)|mots[\s-]clés|temas|\d+\scomments?|\d+\sshares?|\d+\smin(?:ute)?s?\sread|
        published|photo|share)(?=\W|$))""",
    re.VERBOSE | re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_SENTENCE = re.compile(r"[.!?。！？…][\"'”’»)\]]*\s*\Z")


def points_elsewhere(text: str, linked: float) -> bool:
    """“Read more: …”, “Related: …”: a pointer to another page of the site, not a sentence of this one."""
    if not (match := _POINTER.match(text.lstrip(_BULLETS))) or len(text) > 300:
        return False
    rest = text.lstrip(_BULLETS)[match.end() :]
    if linked >= 0.4 or not rest.strip(" :：-–—>»›.…])"):
        return True
    # “Latest: the society has voted” is said by somebody; “See also: the society” hardly.
    parted = rest.lstrip()[:1] in {":", "：", ">", "»", "|"}
    return parted and (linked >= 0.2 or (len(text) <= 60 and " " in match[0]))


def calls_to_act(text: str, linked: float, *, heads: bool = False) -> bool:
    """“Subscribe to our newsletter”, “Share this”, “Advertisement”: what a site wants of its reader.

    Args:
        text: A part's.
        linked: The share of it that is links.
        heads: It is a heading with text below it, which may well be called “Loading data”.
    """
    if len(text) > 300:
        return False
    if _SITE_CALL.match(text):
        return linked >= 0.2 or len(text) <= 60
    if not _CALL.match(text):
        return False
    if linked >= 0.2 or _MAILING.search(text):
        return True
    # “Share the pond with others.” is said by somebody; a button has no full stop.
    return len(text) <= 60 and not heads and not ends_like_a_sentence(text)


def claims_rights(text: str) -> bool:
    return len(text) <= 300 and bool(_RIGHTS.match(text))


def credits_people(text: str) -> bool:
    """“Reporting by …; editing by …”: true only of what stands after an article's end."""
    if len(text) > 160:
        return len(text) <= 400 and bool(_BY_NAME.match(text))
    return bool(_CREDIT.match(text) or _CONTRIBUTED.search(text))


def ends_like_a_sentence(text: str) -> bool:
    return bool(_SENTENCE.search(text[-20:]))


def labels(text: str) -> bool:
    """A byline, a date, a list of tags: what stands around an article's text, and is kept as its metadata."""
    if len(text) > 100:
        return False
    if _LABEL.match(text) and not ends_like_a_sentence(text):
        return True
    words = re.findall(r"\w+", text)
    numbers = sum(word.isdigit() for word in words)
    return len(words) <= 14 and numbers >= 2 and bool(_YEAR.search(text)) and not ends_like_a_sentence(text)
