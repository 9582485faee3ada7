"""Which credentials each platform takes, and in words how to get them: docs/platforms/ repeats these paragraphs."""

from collections.abc import Mapping

from extrophi_backend.accounts.models import Account, Kind
from extrophi_backend.collectors.models import Platform

ACCOUNTS: Mapping[Platform, Account] = {
    account.platform: account
    for account in (
        Account(
            platform="twitter",
            title="X",
            needed=True,
            kinds=(
                Kind(
                    "bearer_token",
                    "X_BEARER_TOKEN",
                    "API v2 bearer token",
                    "posts, users, lists and search by the official API, within your plan's monthly cap",
                ),
                Kind("auth_token", "X_AUTH_TOKEN", "cookie auth_token", "what you see on x.com when signed in"),
                Kind("ct0", "X_CT0", "cookie ct0", "belongs to auth_token"),
            ),
            ways=(frozenset({"bearer_token"}), frozenset({"auth_token", "ct0"})),
            how=(
                "Either of two is enough. For the official API, make a project with an app at developer.x.com, and "
                "take the app's Bearer Token under “Keys and tokens”: `extrophi accounts set twitter bearer_token`. "
                "What it may read in a month depends on your plan. Or use your own session: sign in to x.com in a "
                "browser, export its cookies with an extension that writes cookies.txt or JSON, and give the file: "
                "`extrophi accounts set twitter cookies --file cookies.txt` keeps the two cookies it needs, "
                "auth_token and ct0, and nothing else of it. Signing out in that browser ends the session here, too."
            ),
        ),
        Account(
            platform="reddit",
            title="Reddit",
            needed=True,
            kinds=(
                Kind(
                    "client_id",
                    "REDDIT_CLIENT_ID",
                    "OAuth client id",
                    "posts with scores and whole comment trees, search, a user's posts: 100 requests a minute",
                ),
                Kind("client_secret", "REDDIT_CLIENT_SECRET", "OAuth client secret", "belongs to client_id"),
                Kind(
                    "refresh_token",
                    "REDDIT_REFRESH_TOKEN",
                    "a user's refresh token",
                    "with client_id and client_secret: also what that user alone may read",
                ),
                Kind(
                    "feed_token",
                    "REDDIT_FEED_TOKEN",
                    "private feed token",
                    "your own feeds: front page, saved, private multireddits",
                ),
                Kind("feed_user", "REDDIT_FEED_USER", "user of the private feeds", "belongs to feed_token"),
            ),
            ways=(frozenset({"client_id", "client_secret"}), frozenset({"feed_token", "feed_user"})),
            how=(
                "Without credentials only Reddit's open feeds can be read: 25 entries, no scores, no comment trees. "
                "For more, create an app of the type “script” at www.reddit.com/prefs/apps; the id stands under its "
                "name, the secret beside “secret”: `extrophi accounts set reddit client_id`, then `client_secret`. "
                "Reddit may ask you to apply for access first. For your own feeds it is enough to copy any address "
                "that www.reddit.com/prefs/feeds shows while you are signed in: `extrophi accounts set reddit "
                "feed_token` takes the whole address, and keeps the token and the user that stand in it."
            ),
        ),
        Account(
            platform="youtube",
            title="YouTube",
            needed=False,
            kinds=(
                Kind(
                    "cookies",
                    "YOUTUBE_COOKIES",
                    "cookies of youtube.com",
                    "videos for members or of an age, and answers where YouTube asks strangers to sign in",
                ),
            ),
            ways=(frozenset({"cookies"}),),
            how=(
                "None are needed for public videos; cookies of one's own help where YouTube says “sign in to confirm "
                "you're not a bot”. Open a private window, sign in to youtube.com there, go to youtube.com/robots.txt "
                "in the same tab, export the cookies of youtube.com with an extension that writes cookies.txt or "
                "JSON, and close the window, so that the browser does not replace them: `extrophi accounts set "
                "youtube cookies --file cookies.txt`. Use an account that you can do without: YouTube may lock one "
                "that asks too much."
            ),
        ),
        Account(
            platform="web",
            title="Web",
            needed=False,
            kinds=(
                Kind(
                    "cookies",
                    "WEB_COOKIES",
                    "cookies of a site",
                    "pages of sites where you have a login of your own",
                ),
            ),
            ways=(frozenset({"cookies"}),),
            how=(
                "None are needed for open pages. For a site where you have a login, sign in to it in a browser, "
                "export that one site's cookies with an extension that writes cookies.txt or JSON, and give the file: "
                "`extrophi accounts set web cookies --file cookies.txt`. They are sent to the hosts that they belong "
                "to and to no others, over https alone unless the site set them for http, too; a file for another "
                "site is kept beside them, one for the same site replaces them."
            ),
        ),
        Account(platform="files", title="Files", needed=False, kinds=(), ways=(), how="None are needed."),
    )
}

SETTINGS: Mapping[str, tuple[Platform, str]] = {
    kind.setting: (account.platform, kind.name) for account in ACCOUNTS.values() for kind in account.kinds
}
"""Environment variables, and whose credentials they are."""
