"""What a session's device is called, so that a person knows it again in a list."""

# As much as any browser sends of what is looked for; the rest is not read.
_READ_MAX = 300

# The first one found counts: most browsers say that they are others as well, too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("okhttp/", "App"),
    ("Dart/", "App"),
    ("CFNetwork/", "App"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def coarse_device(user_agent: str) -> str:
    """Return such as ``Chrome on Windows``; "" where nothing is recognised.

    Every word is one of ours: nothing of the header itself is kept, and no version. To
    tell one's own devices apart takes no more, and to follow people would.
    """
    read = user_agent[:_READ_MAX]
    browser = next((name for mark, name in _BROWSERS if mark in read), "")
    system = next((name for mark, name in _SYSTEMS if mark in read), "")
    return " on ".join(filter(None, (browser, system)))
