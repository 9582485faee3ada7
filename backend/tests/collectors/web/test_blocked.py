"""Pages that stand in an article's place are told from articles, those about such pages included."""

import gzip
from pathlib import Path

import pytest

from extrophi_backend.collectors.models import Collected, Failure
from extrophi_backend.collectors.web.models import Entry
from extrophi_backend.collectors.web.reading import read
from extrophi_backend.fetch.client import Fetched

PAGES = Path(__file__).parents[4] / "tests" / "data" / "web" / "pages"
ASKED = "https://pond.example/herons"
SENTENCES = (
    "Grey herons stand in the shallows at dawn and wait for small fish to come near.",
    "The colony at the mill pond has grown from nine nests to forty within ten years.",
    "In hard winters they leave for the coast, where the mud does not freeze.",
    "Ringed birds were found again four hundred kilometres to the south-west.",
    "Farmers who keep carp look at them with other eyes than painters do.",
)
NOTE = f"<h1>Herons</h1><p>{SENTENCES[0]}</p><p>{SENTENCES[1]}</p><p>{SENTENCES[2]}</p>"
BANNER = (
    "<div id=cookie-banner><p>We and our 843 partners use cookies to personalise ads. You can withdraw your "
    "consent.</p>"
    "<button>Accept all</button><button>Reject all</button></div>"
)
LOGIN_FORM = "<form action=/login><input name=u type=text><input name=p type=password><button>Log in</button></form>"


def html(body: str, title: str = "", head: str = "") -> str:
    return f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>"


async def told(page: str, status: int = 200, *, asked: str = ASKED, final: str | None = None) -> str:
    """The code of the failure; "article" when it was read as one."""
    answer = Fetched(final or asked, status, "text/html; charset=utf-8", page.encode(), None, None)
    found = await read(answer, Entry(asked), asked, asked, 1_000_000)
    assert isinstance(found, Collected | Failure)
    if isinstance(found, Collected):
        return "article"
    assert found.detail.endswith(".")
    return found.code


CAPTCHAS = {
    "cloudflare": (
        html(
            "<div class=main-wrapper><h1>pond.example</h1><p>Verifying you are human. This may take a few seconds.</p>"
            "</div><script>window._cf_chl_opt={cvId:'3'}</script>",
            "Just a moment...",
        ),
        403,
    ),
    "the same in German with a 200": (
        html("<h1>pond.example</h1><p>Bestätigen Sie, dass Sie ein Mensch sind.</p><script>x</script>",
             "Einen Moment, bitte…"),
        200,
    ),
    "a widget alone": (html("<form><div class=h-captcha data-sitekey=1></div></form><script src=x></script>"), 200),
    "google": (
        html(
            "<p>Our systems have detected unusual traffic from your computer network. This page checks to see if it's "
            "really you sending the requests, and not a robot.</p><div class=g-recaptcha></div><script>y</script>",
            "https://pond.example/herons",
        ),
        200,
    ),
    "datadome": (
        html("<p>Please enable JS and disable any ad blocker</p>"
             "<script src=https://ct.captcha-delivery.com/c.js></script>"),
        403,
    ),
    "proof of work": (
        html("<h1>Making sure you're not a bot!</h1><p>Loading...</p><script id=anubis_version>1</script>"),
        200,
    ),
    "a challenge in a 503": (
        html("<h1>Checking your browser before accessing pond.example.</h1><form id=challenge-form></form>"), 503,
    ),
    "perimeterx": (html("<h2>Press &amp; Hold to confirm you are a human.</h2><div id=px-captcha></div>"), 403),
    "proof of work that explains itself": (
        html(
            "<main><h1>Making sure you&#39;re not a bot!</h1><p>Loading...</p><details><summary>Why am I seeing "
            "this?</summary><p>You are seeing this because the administrator of this website has set up Anubis to "
            "protect the server against the scourge of AI companies aggressively scraping websites. This can and "
            "does cause downtime for the websites, which makes their resources inaccessible for "
            "everyone.</p><p>Anubis is a compromise. Anubis uses a Proof-of-Work scheme in the vein of Hashcash, "
            "a proposed proof-of-work scheme for reducing email spam. The idea is that at individual scales the "
            "additional load is ignorable, but at mass scraper levels it adds up and makes scraping much more "
            "expensive.</p><p>Ultimately, this is a placeholder solution so that more time can be spent on "
            "fingerprinting and identifying headless browsers so that the challenge page doesn't need to be "
            "presented to users that are much more likely to be legitimate.</p></details><script "
            "id=anubis_challenge type=application/json>{}</script></main>",
            "Making sure you&#39;re not a bot!",
        ),
        200,
    ),
    "reddit": (html("<form></form><script>x</script>", "Reddit - Please wait for verification"), 200),
    "amazon": (
        html("<h4>Click the button below to continue shopping</h4><form><button>Continue shopping</button></form>"
             "<p>Conditions of Use</p>", "Amazon.com"),
        200,
    ),
    "wechat": (html("<h2>环境异常</h2><p>当前环境异常，完成验证后即可继续访问。</p><script></script>"), 200),
    "baidu": (html("<div>请完成下方验证</div><script></script>", "百度安全验证"), 200),
    "zhihu": (html("<p>系统监测到您的网络环境存在异常，请点击下方验证按钮进行验证。</p>", "安全验证 - 知乎"), 200),
    "a firewall": (
        html("The requested URL was rejected. Please consult with your administrator.<br><br>Your support ID is: "
             "1234567890123456789<br><br><a href='javascript:history.back();'>[Go Back]</a>", "Request Rejected"),
        200,
    ),
    "cookies in a browser": (html("<p>Please enable cookies in your browser to continue.</p><script></script>"), 200),
}  # fmt: skip
LOGINS = {
    "a form": html(
        f"<h1>Sign in</h1>{LOGIN_FORM}<p>New here? <a href=/join>Create an account</a></p>", "Sign in | Pond"
    ),
    "words alone": html("<h1>Members' area</h1><p>You must be logged in to view this page.</p>", "Pond"),
    "in French": html("<h1>Connexion</h1><p>Connectez-vous pour continuer.</p><form></form>", "Connexion – Étang"),
    "a locked article": html(
        f"<article><h1>Herons</h1><p>{SENTENCES[0]}</p><p>Subscribe or log in to continue reading.</p></article>",
        "Herons",
        '<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":"False"}</script>',
    ),
}
TEASER = f"<h1>Herons</h1><p>{' '.join(SENTENCES)}</p><p>{' '.join(SENTENCES)}</p>"
"""840 letters: more than a note."""
LOCKED = (
    '<script type="application/ld+json">'
    '{"@graph":[{"@type":"WebPage"},{"@type":["NewsArticle"],"isAccessibleForFree":%s}]}</script>'
)
PAYWALLS = {
    "medium": html(f"<article>{TEASER}<h2>Create an account to read the full story.</h2><p>The author made this story "
                   "available to Medium members only.</p></article>"),
    "nyt": html(f"<article>{TEASER}<p>We are having trouble retrieving the article content.</p><p>Please enable "
                "JavaScript in your browser settings.</p></article>"),
    "substack": html(f"<article>{TEASER}</article><h2>This post is for paid subscribers</h2>"),
    "wsj": html(f"<article>{TEASER}<p>Continue reading your article with a WSJ subscription</p></article>"),
    "ft": html("<h1>Herons</h1><p>Subscribe to unlock this article</p><p>Try unlimited access for $1.</p>"),
    "spiegel": html(f"<article>{TEASER}<p>Diesen Artikel weiterlesen mit SPIEGEL+</p></article>"),
    "le monde": html(f"<article>{TEASER}<p>Il vous reste 77.33% de cet article à lire. La suite est réservée aux "
                     "abonnés.</p></article>"),
    "wordpress": html("<h1>Protected: Herons</h1><p>This content is password protected. To view it please enter your "
                      "password below:</p><form><input type=password></form>"),
    "a locked graph": html(f"<article>{TEASER}<p>Log in or subscribe to continue reading.</p></article>", "Herons",
                           LOCKED % "false"),
    "a locked graph in words": html(f"<article>{TEASER}<p>You need to sign in to see the rest.</p></article>", "Herons",
                                    LOCKED % '"False"'),
}  # fmt: skip
COOKIE_WALLS = {
    "before you continue": html(
        "<h1>Before you continue</h1><p>We use cookies and data to deliver and maintain our services.</p>"
        "<p>If you choose to accept, we will also use cookies to show personalised content.</p>"
        "<form><button>Accept all</button><button>Reject all</button></form><p>© Pond 2024</p>",
        "Before you continue to Pond",
    ),
    "in German": html(
        "<p>Wir und unsere Partner verarbeiten personenbezogene Daten mit Ihrer Einwilligung, für Werbung. "
        "Mit Abo lesen Sie ohne Cookies.</p><button>Alle akzeptieren</button>",
        "Teich.example",
    ),
}
SHELLS = {
    "an empty root": html("<div id=root></div><script src=/main.js></script>", "Pond"),
    "with noscript": html(
        "<noscript>You need to enable JavaScript to run it.</noscript><div id=app></div><script src=a.js></script>"
    ),
    "in words": html(
        "<h1>JavaScript is not available.</h1><p>We've detected that JavaScript is disabled in this browser. Please "
        "enable JavaScript or switch to a supported browser to continue.</p><p>© 2024 Pond Corp.</p><script></script>"
    ),
    "nothing at all": html("<div class=page></div><script src=/main.js></script>", "Herons"),
    "loading": html("<div id=__next><p>Loading…</p></div><script src=/main.js></script>", "Pond"),
}
MISSING = {
    "in the title": html(
        "<h1>Oops!</h1><p>Try the search.</p><ul><li><a href=/>Home</a></ul>", "Page not found | Pond"
    ),
    "in a heading": html(
        f"<h1>404</h1><p>Sorry!</p><h2>Popular</h2><ul><li><a href=/1>{SENTENCES[0]}</a></ul>", "Pond"
    ),
    "in words": html("<p>Sorry, we can't find the page you're looking for.</p>", "Pond"),
    "in German": html("<h1>Seite nicht gefunden</h1><p>Die angeforderte Seite existiert nicht.</p>", "Teich"),
    "in French": html("<h1>Page introuvable</h1><p>Retournez à l'accueil.</p>", "Étang"),
    "in Spanish": html("<h1>Página no encontrada</h1><p>Vuelve al inicio.</p>", "Estanque"),
    **{
        f"in {language}": html(f"<h1>{words}</h1><p>—</p>", f"{words} | Pond")
        for language, words in {
            "Turkish": "Sayfa bulunamadı",
            "Arabic": "الصفحة غير موجودة",
            "Danish": "Siden blev ikke fundet",
            "Norwegian": "Siden ble ikke funnet",
            "Finnish": "Sivua ei löytynyt",
            "Czech": "Stránka nebyla nalezena",
            "Hungarian": "Az oldal nem található",
            "Hindi": "पेज नहीं मिला",
            "Vietnamese": "Không tìm thấy trang",
            "Indonesian": "Halaman tidak ditemukan",
            "Greek": "Η σελίδα δεν βρέθηκε",
            "Hebrew": "הדף לא נמצא",
            "Ukrainian": "Сторінку не знайдено",
            "Polish": "Strona nie istnieje",
            "Chinese": "页面不见了",
        }.items()
    },
    "in Japanese": html("<h1>ページが見つかりません</h1><p>トップページへ戻る</p>", "池"),
}
ARTICLES = {
    "a short note": html(NOTE, "Herons"),
    "below a banner": html(NOTE + BANNER, "Herons"),
    "a very short note below a banner": html(BANNER + f"<main><p>{SENTENCES[0]}</p></main>", "Herons"),
    "with a login in its head": html(
        f"<header>{LOGIN_FORM}</header>{NOTE}<footer>Log in to comment</footer>", "Herons"
    ),
    "with comments that need scripts": html(
        NOTE + "<noscript>Please enable JavaScript to view the comments.</noscript><script src=disqus.js></script>"
    ),
    "rendered on the server": html(f"<div id=__next><main>{NOTE}</main></div><script src=a.js></script>"),
    "with a captcha below its form": html(
        f"{NOTE}<form><textarea></textarea><div class=g-recaptcha></div></form><script src=x></script>"
    ),
    "with the monitor of a challenge": html(
        f"{NOTE}<script src=/cdn-cgi/challenge-platform/scripts/jsd/main.js></script>"
    ),
    "with what watches browsers in the background": html(
        "<h1>Heron</h1><p>A heron has landed.</p>"
        "<script>d.src='/cdn-cgi/challenge-platform/h/b/scripts/jsd/22755d9a86c9/main.js'</script>", "Heron",
    ),
    "about a locked page": html(
        f"<h1>Minutes</h1><p>The page is password protected, so ask Ann for the word.</p><p>{SENTENCES[0]}</p>"
        f"<p>{SENTENCES[1]}</p>", "Minutes",
    ),
    "with a letter to subscribe to": html(
        f"<article>{TEASER}</article><p>Sign up for our weekly letter to read the full story of the colony.</p>",
        "Herons",
    ),
    "about a paper": html(
        f"<h1>The Pond Gazette</h1><p>Readers had to sign up by post to read the full story, until 1998.</p>"
        f"<p>{SENTENCES[0]}</p>", "The Pond Gazette",
    ),
    "about captchas": html(
        "<article><h1>Verify you are human</h1><p>More and more sites ask you to verify you are human. "
        f"{' '.join(SENTENCES)}</p><p>To complete the captcha below takes ten seconds, says Ruiz.</p></article>",
        "Verify you are human: an essay",
    ),
    "about pages that are gone": html(
        "<article><h1>Page not found</h1><p>Half of all links are broken after ten years: the page you are looking for "
        f"does not exist. {' '.join(SENTENCES)}</p></article>",
        "Page not found - a history of link rot",
    ),
    "about cookies": html(
        "<h1>What cookies know</h1><p>A cookie is a small text that a site leaves with you. Third-party cookies tell "
        f"advertising partners where you have been.</p><p>{SENTENCES[0]} {SENTENCES[1]} {SENTENCES[3]}</p>" + BANNER,
        "What cookies know",
    ),
    "about logging in": html(
        f"<h1>How to log in to a router</h1><p>{SENTENCES[0]} {SENTENCES[1]}</p><p>Please log in with the password on "
        f"its back.</p><p>{SENTENCES[2]} {SENTENCES[3]}</p>",
        "How to log in to a router",
    ),
    "with a number for a title": html(f"<article><h1>404</h1><p>{' '.join(SENTENCES)}</p></article>", "404"),
    "with a captcha that counts in the background": html(
        "<h1>Opening hours</h1><p>Mondays to Fridays from nine to five.</p>"
        "<script src='https://www.google.com/recaptcha/api.js?render=abc'></script>", "Opening hours",
    ),
    "carried for search engines": html(
        "<div id=root></div><script src=a.js></script>", "Herons",
        '<script type="application/ld+json">{"@type":"NewsArticle","articleBody":"'
        + " ".join(SENTENCES * 3) + '"}</script>',
    ),
    "about connections": html(f"<h1>Connexion</h1><p>{SENTENCES[0]}</p><p>{SENTENCES[1]}</p>", "Connexion"),
    "called login": html(f"<h1>Login</h1><p>{SENTENCES[0]}</p><p>{SENTENCES[1]} {SENTENCES[2]}</p>", "Login"),
    "called 404": html(
        "<h1>404 Not Found</h1><p>The page you are looking for could not be found, says the server, and he laughs.</p>"
        + "".join(f"<p>{' '.join(SENTENCES)}</p>" for _ in range(4)), "404 Not Found",
    ),
    "called slow down": html(f"<h1>Slow down!</h1><p>{SENTENCES[0]}</p><p>{SENTENCES[1]}</p>", "Slow down!"),
    "of a handbook": html(
        "<h1>Rate limited</h1><p>A client that sends too many requests in a minute gets this answer. It should wait "
        f"for as long as the header says.</p><p>{SENTENCES[0]} {SENTENCES[1]} {SENTENCES[2]}</p>", "Rate limited",
    ),
    "a poem": html(
        f"<h1>One moment, please</h1><p>{SENTENCES[0]}<br>{SENTENCES[1]}</p><script src=a.js></script>",
        "One moment, please",
    ),
    "a short note below a login": html(
        f"<header>{LOGIN_FORM}</header><h1>Herons</h1><p>{SENTENCES[0]}</p>", "Herons"
    ),
    "a thread": html(
        f"<div>Please log in or register to reply.</div>{LOGIN_FORM}<h1>Herons?</h1><p>{SENTENCES[0]}</p>"
        f"<p>{SENTENCES[1]}</p>", "Herons? - Forum",
    ),
    "a wiki's stub": html(
        f"<h1>Heron</h1><p>{SENTENCES[0]}</p><p>You must log in to edit this page.</p>", "Heron - Wiki"
    ),
    "about paywalls": html(
        f"<h1>Walls</h1><p>“Create an account to read the full story”, says the box. {' '.join(SENTENCES)}</p>", "Walls"
    ),
    "metered, and shown": html(
        f"<article>{TEASER}</article><aside>Subscribe to our newsletter</aside>", "Herons", LOCKED % "false"
    ),
    "in Chinese": html("<h1>苍鹭</h1><p>" + "清晨，苍鹭站在浅水中等待小鱼。" * 12 + "</p>", "苍鹭"),
}  # fmt: skip


@pytest.mark.parametrize("name", CAPTCHAS)
async def test_a_challenge_is_a_captcha(name: str) -> None:
    page, status = CAPTCHAS[name]
    assert await told(page, status) == "captcha"


@pytest.mark.parametrize("name", LOGINS)
async def test_a_login_stands_for_a_page_behind_it(name: str) -> None:
    assert await told(LOGINS[name]) == "login_needed"


async def test_a_redirect_to_a_login_says_so_whatever_stands_there() -> None:
    page = html(f"<h1>Pond</h1><p>{SENTENCES[0]}</p>{LOGIN_FORM}", "Pond")
    assert await told(page, final="https://pond.example/users/sign_in?return=/herons") == "login_needed"
    assert await told(LOGINS["a form"], 401) == "login_needed"
    long = html("".join(f"<p>{' '.join(SENTENCES)}</p>" for _ in range(8)) + LOGIN_FORM, "Pond")
    assert await told(long, final="https://pond.example/login?next=/herons") == "login_needed"
    assert await told(long, final="https://pond.example/herons-and-more") == "article"


@pytest.mark.parametrize("name", PAYWALLS)
async def test_a_teaser_is_no_article(name: str) -> None:
    assert await told(PAYWALLS[name]) == "login_needed"


@pytest.mark.parametrize("name", COOKIE_WALLS)
async def test_a_question_about_cookies_is_a_wall(name: str) -> None:
    assert await told(COOKIE_WALLS[name]) == "cookie_wall"


async def test_a_redirect_to_a_consent_site_is_a_wall() -> None:
    page = html(f"<p>{SENTENCES[0]}</p>")
    for shown in (page, html("".join(f"<p>{' '.join(SENTENCES)}</p>" for _ in range(8)))):
        assert await told(shown, final="https://consent.pond.example/v2/collectConsent?s=1") == "cookie_wall"


async def test_a_redirect_to_a_path_named_for_consent_is_one_if_the_page_is_about_it() -> None:
    final = "https://pond.example/consent/"
    said = "We and our partners process your personal data for advertising, with your consent, as our policy says. "
    assert await told(html(f"<p>{said * 12}</p><button>Continue</button>"), final=final) == "cookie_wall"
    study = html("<h1>Asking people</h1>" + "".join(f"<p>{one}</p>" for one in SENTENCES * 3), "Asking people")
    assert await told(study, final=final) == "article"


@pytest.mark.parametrize("name", SHELLS)
async def test_a_page_without_text_that_has_scripts_needs_them(name: str) -> None:
    assert await told(SHELLS[name]) == "javascript_needed"


@pytest.mark.parametrize("name", MISSING)
async def test_a_page_that_says_that_there_is_none_is_missing(name: str) -> None:
    assert await told(MISSING[name]) == "soft_404"


async def test_a_redirect_away_from_an_article_says_that_it_is_gone() -> None:
    deep = "https://www.pond.example/2024/03/why-herons-stand-on-one-leg"
    front = html(f"<h1>Pond</h1><p>{' '.join(SENTENCES)}</p>", "Pond")
    assert await told(front, asked=deep, final="https://pond.example/") == "soft_404"
    assert await told(front, asked=deep, final="https://pond.example/404.html") == "soft_404"
    assert await told(front, asked=deep, final="https://pond.example/2024/03/herons-on-one-leg") == "article"
    about = "pond.example/guides/404"
    assert await told(front, asked=f"http://{about}", final=f"https://{about}") == "article"
    assert await told(front, asked="https://pond.example/index.html", final="https://pond.example/") == "article"


async def test_a_status_says_more_than_the_page_below_it() -> None:
    assert await told(html(NOTE), 429) == "rate_limited"
    assert await told(html("<h1>Too many requests</h1><p>Slow down.</p>", "Too Many Requests")) == "rate_limited"
    assert await told(MISSING["in the title"], 404) == "http_404"
    assert await told(LOGINS["a form"], 404) == "http_404"
    assert await told(LOGINS["a form"], 500) == "http_500"
    assert await told(html("<h1>Forbidden</h1>"), 403) == "http_403"
    assert await told(SHELLS["in words"], 403) == "http_403"


@pytest.mark.parametrize("name", ARTICLES)
async def test_an_article_is_none_of_these(name: str) -> None:
    assert await told(ARTICLES[name]) == "article"


async def test_no_recorded_page_is_taken_for_one() -> None:
    pages = sorted(PAGES.glob("*.html.gz"))
    assert len(pages) == 36
    for page in pages:
        assert await told(gzip.decompress(page.read_bytes()).decode("utf-8", "replace")) == "article", page.name
