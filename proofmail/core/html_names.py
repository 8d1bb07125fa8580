"""The closed lists of `html-text/1`: elements, attributes, character references (SPEC §3.12)."""

from __future__ import annotations


def _listed(names: str) -> frozenset[str]:
    return frozenset(names.split())


BLOCKS = _listed(
    "address article aside blockquote center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5"
    " h6 header main nav p section"
)
"""Begin and end a line."""

INLINES = _listed(
    "abbr acronym b big cite code dfn em font i ins kbd label mark nobr o:p samp span strong time"
    " tt u var st1:city st1:country-region st1:date st1:metricconverter st1:personname st1:place"
    " st1:placename st1:placetype st1:postalcode st1:state st1:street st1:time st1:address"
)
"""Change neither words nor lines."""

NEUTRAL = frozenset(["html", "head", "body", "meta", "link", "wbr", "col", "colgroup"])
"""Not shown; their end tags mean nothing here either."""

MARKED = {"sub": "sub", "sup": "sup", "s": "s", "strike": "s", "del": "s", "small": ""}
"""Within a line, and shown otherwise than the words around it; "" for what is smaller only."""

STRUCTURE = _listed("table tbody thead tr td th ul ol li pre a br hr img style title")

HIDING = frozenset(["noscript", "template", "noframes", "noembed", "details", "dialog"])
"""Not known here, and made for text that is not shown to all."""

ATTRIBUTES = _listed(
    "abbr accept-charset accesskey align alink alt autocapitalize autocorrect axis bgcolor border"
    " bordercolor bottommargin cellpadding cellspacing char charoff charset cite class clear color"
    " cols colspan compact content contenteditable coords crossorigin datetime decoding dir"
    " draggable editable face fetchpriority for frame headers height href hreflang hspace"
    " http-equiv id itemid itemprop itemref itemscope itemtype lang language leftmargin link"
    " loading longdesc marginheight marginwidth media moz-do-not-send name noshade nowrap"
    " originalsrc prefix property rel rev rightmargin role rowspan rules scheme scope shape shash"
    " size sizes span spellcheck src start style summary tabindex target text title topmargin"
    " translate type typeof unselectable valign value version vlink vocab vspace width wrap"
    " xml:lang xmlns"
)
ATTRIBUTE_STARTS = (
    "data-", "aria-", "xmlns:", "v:", "o:", "w:", "m:", "st1:", "moz-", "apple-", "nfa-",
)  # fmt: skip
"""An attribute is known if it is listed, or begins with one of these."""

_LATIN = """
    nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn
    sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave
    Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc
    Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute
    THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml
    igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave
    uacute ucirc uuml yacute thorn yuml
"""  # A0 to FF
_OTHERS = """
    amp=26 lt=3c gt=3e quot=22 apos=27 OElig=152 oelig=153 Scaron=160 scaron=161 Yuml=178 fnof=192
    circ=2c6 tilde=2dc Alpha=391 Beta=392 Gamma=393 Delta=394 Epsilon=395 Zeta=396 Eta=397 Theta=398
    Iota=399 Kappa=39a Lambda=39b Mu=39c Nu=39d Xi=39e Omicron=39f Pi=3a0 Rho=3a1 Sigma=3a3 Tau=3a4
    Upsilon=3a5 Phi=3a6 Chi=3a7 Psi=3a8 Omega=3a9 alpha=3b1 beta=3b2 gamma=3b3 delta=3b4 epsilon=3b5
    zeta=3b6 eta=3b7 theta=3b8 iota=3b9 kappa=3ba lambda=3bb mu=3bc nu=3bd xi=3be omicron=3bf pi=3c0
    rho=3c1 sigmaf=3c2 sigma=3c3 tau=3c4 upsilon=3c5 phi=3c6 chi=3c7 psi=3c8 omega=3c9 thetasym=3d1
    upsih=3d2 piv=3d6 ensp=2002 emsp=2003 thinsp=2009 zwnj=200c zwj=200d lrm=200e rlm=200f
    ndash=2013 mdash=2014 lsquo=2018 rsquo=2019 sbquo=201a ldquo=201c rdquo=201d bdquo=201e
    dagger=2020 Dagger=2021 bull=2022 hellip=2026 permil=2030 prime=2032 Prime=2033 lsaquo=2039
    rsaquo=203a oline=203e frasl=2044 euro=20ac image=2111 weierp=2118 real=211c trade=2122
    alefsym=2135 larr=2190 uarr=2191 rarr=2192 darr=2193 harr=2194 crarr=21b5 lArr=21d0 uArr=21d1
    rArr=21d2 dArr=21d3 hArr=21d4 forall=2200 part=2202 exist=2203 empty=2205 nabla=2207 isin=2208
    notin=2209 ni=220b prod=220f sum=2211 minus=2212 lowast=2217 radic=221a prop=221d infin=221e
    ang=2220 and=2227 or=2228 cap=2229 cup=222a int=222b there4=2234 sim=223c cong=2245 asymp=2248
    ne=2260 equiv=2261 le=2264 ge=2265 sub=2282 sup=2283 nsub=2284 sube=2286 supe=2287 oplus=2295
    otimes=2297 perp=22a5 sdot=22c5 lceil=2308 rceil=2309 lfloor=230a rfloor=230b loz=25ca
    spades=2660 clubs=2663 hearts=2665 diams=2666
"""

CHARACTERS = {name: chr(0xA0 + place) for place, name in enumerate(_LATIN.split())}
"""Named references, with their semicolon. Others are not guessed at."""
CHARACTERS |= {
    name: chr(int(number, 16)) for name, number in (pair.split("=") for pair in _OTHERS.split())
}

BARE = (*_LATIN.split(), "amp", "lt", "gt", "quot", "AMP", "LT", "GT", "QUOT", "COPY", "REG")
"""Names that readers of HTML take without a semicolon too, even at the start of a longer word."""

WINDOWS = dict(
    zip(
        range(0x80, 0xA0),
        "\u20ac\0\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\0\u017d\0"
        "\0\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\0\u017e\u0178",
        strict=True,
    )
)
"""What readers of HTML make of numeric references 80 to 9F; NUL for those refused."""
