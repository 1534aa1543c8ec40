"""The page of the waiting room: how many are before, and when to come again. It loads itself again by then."""

from __future__ import annotations

import math
from string import Template

from starlette.responses import HTMLResponse, Response

from targets.brokerage.api.room import Place

PAGE = Template("""<!doctype html>
<html lang="ja">
<head>
<meta charset="utf-8"><meta http-equiv="refresh" content="$again"><title>ただいま混み合っております</title>
</head>
<body><h1>ただいま混み合っております</h1>
<p>$ja</p>
<p lang="en">$en</p></body></html>
""")


def place_page(place: Place | None) -> Response:
    """404 where nobody has that ticket any more."""
    if place is None:
        ja, en = "この整理券は無効です。はじめからお手続きください。", "This ticket is not valid. Please begin anew."
        return HTMLResponse(PAGE.substitute(ja=ja, en=en, again=5), status_code=404)
    again = math.ceil(place.again_s)
    if place.called:
        ja, en = "お待たせしました。お手続きください。", "It is your turn."
    else:
        ja = f"お客様の前に{place.ahead}人がお待ちです。{again}秒後に自動で更新します。"
        en = f"{place.ahead} customers are before you. This page looks again in {again} s."
    return HTMLResponse(PAGE.substitute(ja=ja, en=en, again=again), headers={"Retry-After": str(again)})
