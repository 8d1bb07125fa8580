"""Makes the mail of this folder anew: python -m tests.vectors.names.make"""

from __future__ import annotations

from base64 import encodebytes
from pathlib import Path

from tests.core.tnef_maker import file, tnef

_WINMAIL = tnef([file("offre signée.pdf", b"%PDF-1.4\n\xe9"), file("b.txt", b"b")])
_TEXT = """\
From: =?utf-8?q?Claire_Dubois?= <claire@atelier.example>
To: jean@client.example
Subject: Fwd
Date: Sat, 21 Nov 2026 11:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="cut"

--cut
Content-Type: multipart/related; boundary="in"

--in
Content-Type: text/html; charset=us-ascii

<p><img src="cid:one@pc7" alt="one"> and <img src="cid:two%40pc7" alt="two">,
<a href="https://firm-my.sharepoint.com/:b:/g/personal/secret">a file</a></p>
--in
Content-Type: image/png
Content-ID: <one@pc7>

ONE
--in
Content-Type: image/png
Content-ID: <two@pc7>

TWO
--in--
--cut
Content-Type: message/rfc822

From: =?utf-8?b?UmVuw6k=?= <rene@atelier.example>
To: claire@atelier.example, "Luc M." <luc@atelier.example>
Cc: eve@atelier.example
Subject: =?iso-8859-1?q?Caf=E9?=
Date: Fri, 20 Nov 2026 11:00:00 +0100
Content-Type: text/plain; charset=us-ascii

-----BEGIN PGP MESSAGE-----
--cut
Content-Type: application/ms-tnef; name="winmail.dat"
Content-Transfer-Encoding: base64

{winmail}--cut--
"""


def mail() -> bytes:
    text = _TEXT.format(winmail=encodebytes(_WINMAIL).decode())
    return text.replace("\n", "\r\n").encode("ascii")


if __name__ == "__main__":
    Path(__file__).with_name("mail.eml").write_bytes(mail())
