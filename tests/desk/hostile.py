"""What somebody would write, or have collected, to make an exported page run something or ask somewhere."""

RUN = "window.ran=1"
ASK = "http://127.0.0.1:9/asked"

ELEMENTS = (
    f"<script>{RUN}</script>",
    f"<script src={ASK}></script>",
    f"<ScRiPt >{RUN}</sCrIpT>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<img src=x onerror={RUN}>",
    f"<img src={ASK}.png>",
    f"<img src=`x`onerror={RUN}>",
    f'<img src="x" srcset="{ASK} 2x">',
    f"<image href={ASK} onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>{RUN}</script></svg>#x'>",
    f"<math><mtext></p><style><img src=x onerror={RUN}></style></mtext></math>",
    f"<math><mi//xlink:href='data:x,<script>{RUN}</script>'>",
    f"<body onload={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<iframe src=javascript:parent.{RUN}></iframe>",
    f"<object data={ASK}></object>",
    f"<embed src={ASK}>",
    f"<link rel=stylesheet href={ASK}>",
    f"<style>@import url({ASK});</style>",
    f"<style>body{{background:url({ASK})}}</style>",
    f"<p style='background:url({ASK})'>x</p>",
    f"<meta http-equiv=refresh content='0;url={ASK}'>",
    f"<base href={ASK}/>",
    f"<form action={ASK}><input autofocus onfocus={RUN}></form>",
    f"<video src={ASK} onerror={RUN}></video>",
    f"<audio src={ASK} onerror={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<marquee onstart={RUN}>",
    f"<input type=image src={ASK}>",
    f"<table background={ASK}>",
    f"<a href=javascript:{RUN} autofocus>x</a>",
    f"<template><script>{RUN}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<!--><img src=x onerror={RUN}>-->",
    f"<![CDATA[<img src=x onerror={RUN}>]]>",
    f"<?xml-stylesheet href='{ASK}'?>",
    f"</title><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"</main></body></html><script>{RUN}</script>",
    f'"><img src=x onerror={RUN}>',
    f"' onmouseover={RUN} autofocus onfocus={RUN} x='",
    f"&lt;img src=x onerror={RUN}&gt;",
    f"&#60;script&#62;{RUN}&#60;/script&#62;",
    f"\u0001<script>{RUN}</script>",
    f"\ufeff<script>{RUN}</script>",
    f"<\u0001script>{RUN}</script>",
    f"\u202e<script>{RUN}</script>",
)
ADDRESSES = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"java%73cript:{RUN}",
    f"javascript&colon;{RUN}",
    f"&#106;avascript:{RUN}",
    f"&#x6A&#x61vascript:{RUN}",
    f"\\javascript:{RUN}",
    f"javascript\\:{RUN}",
    f"vbscript:{RUN}",
    f"data:text/html,<script>opener.{RUN}</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20onload='window.ran=1'/%3E",
    "file:///etc/passwd",
    "blob:http://127.0.0.1/x",
    f"view-source:{ASK}",
    "//127.0.0.1:9/asked",
    f'{ASK}"onmouseover={RUN}',
    f"{ASK}'onmouseover={RUN}",
    "https://[",
    '#" onclick=window.ran=1 x="',
    "intent://x#Intent;end",
    "ms-msdt:/id",
    "\u0001javascript:window.ran=1",
    "feed:javascript:window.ran=1",
    "jar:http://127.0.0.1:9/asked!/",
)  # fmt: skip
VECTORS = (*ELEMENTS, *ADDRESSES)


def hostile_draft() -> tuple[str, list[dict[str, object]]]:
    """A draft with each of them in every place that a draft or a reference has, and its bibliography."""
    lines = [f'---\ntitle: "{ELEMENTS[0]}"\nauthor: "{ELEMENTS[4]}"\nlang: en\n---\n']
    for n, vector in enumerate(ELEMENTS):
        word = vector.replace("|", "").replace("\n", " ")
        lines += [
            f"## {word}\n",
            f"{vector} and [{word}](https://a.example) and ![{word}](missing-{n}.png) and `{word}` and **{word}**\n",
            f"> {vector}\n",
            f"- {vector}\n",
            f"| a |\n|---|\n| {word} |\n",
            f"```{word.replace('`', '')}\n{vector}\n```\n",
            f"{vector}\n\n<div>\n{vector}\n</div>\n",
            f"Cited [see {word.replace('[', '').replace(']', '').replace(';', '')} @hostile{n}, p. 3].[^n{n}]\n",
            f"[^n{n}]: {vector}\n",
        ]
    for address in ADDRESSES:
        lines += [
            f"[a]({address}) [a](<{address}>) ![a]({address}) ![a](<{address}>) <{address}>\n",
        ]
    references: list[dict[str, object]] = [
        {
            "id": f"hostile{n}",
            "type": vector if n % 5 == 0 else "webpage",
            "title": vector,
            "author": [{"literal": vector}],
            "container-title": vector,
            "genre": vector,
            "URL": ADDRESSES[n % len(ADDRESSES)],
            "language": vector,
            "issued": {"date-parts": [[vector, vector]]},
        }
        for n, vector in enumerate(ELEMENTS)
    ]
    return "\n".join(lines), references
