"""Cookies of ours, as headers."""

from http.cookies import SimpleCookie

Header = tuple[bytes, bytes]


def cookie(name: str, value: str, *, secure: bool, seconds: int | None = None) -> Header:
    """Return the header that sets a cookie no script reads; `seconds`: for how long, None: until the browser ends."""
    made: SimpleCookie = SimpleCookie()
    made[name] = value
    attributes = {"path": "/", "httponly": True, "samesite": "Lax", "secure": secure}
    for key, setting in attributes.items():
        made[name][key] = setting
    if seconds is not None:
        made[name]["max-age"] = seconds
    return b"set-cookie", made.output(header="").strip().encode("latin-1")


def no_cookie(name: str, *, secure: bool) -> Header:
    """Return the header that removes a cookie."""
    return cookie(name, "", secure=secure, seconds=0)
