"""HTML as Outlook, Apple Mail, Gmail and Thunderbird write it, around given content.

Their lines stay as long as those programs make them.
"""
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import dataclass
from html import escape

OUTLOOK_HEAD = r"""<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"
xmlns="http://www.w3.org/TR/REC-html40"><head><meta http-equiv=Content-Type content="text/html; charset=utf-8">
<meta name=Generator content="Microsoft Word 15 (filtered medium)"><!--[if !mso]><style>v\:* {behavior:url(#default#VML);}
o\:* {behavior:url(#default#VML);}
.shape {behavior:url(#default#VML);}
</style><![endif]--><style><!--
/* Font Definitions */
@font-face
	{font-family:"Cambria Math";
	panose-1:2 4 5 3 5 4 6 3 2 4;}
@font-face
	{font-family:Calibri;
	panose-1:2 15 5 2 2 2 4 3 2 4;}
/* Style Definitions */
p.MsoNormal, li.MsoNormal, div.MsoNormal
	{margin:0cm;
	margin-bottom:.0001pt;
	font-size:11.0pt;
	font-family:"Calibri",sans-serif;
	mso-fareast-language:EN-US;}
a:link, span.MsoHyperlink
	{mso-style-priority:99;
	color:#0563C1;
	text-decoration:underline;}
span.EmailStyle17
	{mso-style-type:personal-compose;
	font-family:"Calibri",sans-serif;
	color:windowtext;}
.MsoChpDefault
	{mso-style-type:export-only;
	font-family:"Calibri",sans-serif;}
@page WordSection1
	{size:612.0pt 792.0pt;
	margin:70.85pt 70.85pt 70.85pt 70.85pt;}
div.WordSection1
	{page:WordSection1;}
--></style><!--[if gte mso 9]><xml>
<o:shapedefaults v:ext="edit" spidmax="1026" />
</xml><![endif]--></head>"""

APPLE = (
    "caret-color: rgb(0, 0, 0); color: rgb(0, 0, 0); font-family: Helvetica; font-size: 12px;"
    " font-style: normal; font-variant-caps: normal; font-weight: 400; letter-spacing: normal;"
    " text-align: start; text-indent: 0px; text-transform: none; white-space: normal;"
    " word-spacing: 0px; -webkit-text-stroke-width: 0px; text-decoration: none; float: none;"
    " display: inline !important;"
)


@dataclass(frozen=True)
class Content:
    """What a page says, whatever its layout."""

    paragraphs: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    link: str
    picture: str


def plain(content: Content) -> str:
    rows = ["\t".join(row) for row in content.rows]
    return "\r\n\r\n".join((*content.paragraphs, *rows, content.link))


def outlook(content: Content) -> str:
    paragraphs = "".join(
        f"<p class=MsoNormal><span style='mso-fareast-language:EN-US'>{escape(text)}<o:p></o:p>"
        "</span></p>\r\n<p class=MsoNormal><o:p>&nbsp;</o:p></p>\r\n"
        for text in content.paragraphs
    )
    cell = "<td width=150 valign=top style='width:112.7pt;border:solid windowtext 1.0pt;padding:0cm 5.4pt 0cm 5.4pt'><p class=MsoNormal>{}<o:p></o:p></p></td>"
    rows = "".join(
        "<tr>" + "".join(cell.format(escape(text)) for text in row) + "</tr>"
        for row in content.rows
    )
    return (
        f'{OUTLOOK_HEAD}<body lang=FR link="#0563C1" vlink="#954F72" style=\'word-wrap:break-word\'>'
        f"<div class=WordSection1>{paragraphs}<table class=MsoTableGrid border=1 cellspacing=0 cellpadding=0"
        f" style='border-collapse:collapse;border:none'>{rows}</table>"
        f'<p class=MsoNormal><a href="{escape(content.link)}">ici</a>'
        f'<img width=120 height=40 style=\'width:1.25in;height:.4166in\' id="Image_1" src="{escape(content.picture)}" alt="logo"></p>'
        "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b>De :</b> A</p></div>"
        "</div></body></html>"
    )


def gmail(content: Content) -> str:
    paragraphs = "<div><br></div>".join(f"<div>{escape(text)}</div>" for text in content.paragraphs)
    rows = "".join(
        "<tr>" + "".join(f'<td style="padding:4px">{escape(text)}</td>' for text in row) + "</tr>"
        for row in content.rows
    )
    return (
        f'<div dir="ltr">{paragraphs}<table border="0"><tbody>{rows}</tbody></table>'
        f'<a href="{escape(content.link)}" target="_blank">here</a> <img src="{escape(content.picture)}" alt="">'
        '<br clear="all"></div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Monday, A wrote:<br></div>'
        '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex">'
        "quoted</blockquote></div>"
    )


def apple(content: Content) -> str:
    paragraphs = "<br><br>".join(
        f'<span style="{APPLE}">{escape(text)}</span>' for text in content.paragraphs
    )
    items = "".join(f"<li>{escape(' / '.join(row))}</li>" for row in content.rows)
    return (
        '<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head>'
        '<body style="overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">'
        f'{paragraphs}<ol start="3">{items}</ol><div><blockquote type="cite"><a href="{escape(content.link)}">link</a>'
        f'</blockquote></div><br class="Apple-interchange-newline"><img src="{escape(content.picture)}"></body></html>'
    )


def thunderbird(content: Content) -> str:
    paragraphs = "".join(f"<p>{escape(text)}<br>\r\n    </p>\r\n" for text in content.paragraphs)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>\r\n"
        for row in content.rows
    )
    return (
        '<!DOCTYPE html>\r\n<html>\r\n  <head>\r\n\r\n    <meta http-equiv="content-type" content="text/html; charset=UTF-8">\r\n'
        f'  </head>\r\n  <body text="#000000" bgcolor="#FFFFFF">\r\n    {paragraphs}'
        f'<table width="100%" cellpadding="2"><tbody>{rows}</tbody></table>'
        f'<div class="moz-cite-prefix">Le 1/2, A a &eacute;crit&nbsp;:<br></div><blockquote type="cite" cite="mid:1"><pre class="moz-quote-pre" wrap="">bon\r\njour</pre></blockquote>'
        f'<a class="moz-txt-link-freetext" href="{escape(content.link)}">lien</a><img moz-do-not-send="false" src="{escape(content.picture)}" alt="x">'
        "</body>\r\n</html>\r\n"
    )


LAYOUTS = (outlook, gmail, apple, thunderbird)
