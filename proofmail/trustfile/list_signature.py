"""The signature of a trusted list (ETSI TS 119 612 §5.7.1: XAdES, enveloped), by signxml.

What is given back are the bytes that the signature covers, and nobody reads anything else: so a
signature that was moved around another list (wrapping) is worth nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from proofmail.errors import CheckFailed, Misconfigured, Unreadable
from proofmail.trustfile.trusted_list import ROOT
from proofmail.trustfile.xml_tree import Element, read_xml

_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_METHODS = (
    "RSA_SHA256", "RSA_SHA384", "RSA_SHA512", "SHA256_RSA_MGF1", "SHA384_RSA_MGF1",
    "SHA512_RSA_MGF1", "ECDSA_SHA256", "ECDSA_SHA384", "ECDSA_SHA512",
)  # fmt: skip
_DIGESTS = ("SHA256", "SHA384", "SHA512")


def signed_list(
    data: bytes, signers: Sequence[x509.Certificate], issued: datetime
) -> tuple[Element, x509.Certificate]:
    """The list as its signature covers it, and the signer's certificate, which is one of those
    given and was valid when the list says that it was issued (aware).

    CheckFailed if none of them signed it; Misconfigured without the package signxml. `data` has
    been read by `read_xml` before: it has no document type.
    """
    root = read_xml(data)
    if len(list(root.all(_SIGNATURE))) != 1:
        raise CheckFailed("the list has no signature, or several")
    for signer in signers:
        for covered in _covered(data, signer, issued):
            try:
                found = read_xml(covered)
            except Unreadable:
                continue  # the signed properties are covered too, and may be a fragment
            if found.tag == ROOT:
                return found, signer
    raise CheckFailed("the list is not signed by any of the signers given")


def _covered(data: bytes, signer: x509.Certificate, issued: datetime) -> list[bytes]:
    """The bytes that each reference of the signature covers; none if it does not hold."""
    try:
        from signxml.algorithms import DigestAlgorithm, SignatureMethod
        from signxml.verifier import SignatureConfiguration, XMLVerifier
    except ModuleNotFoundError as error:
        raise Misconfigured(
            "trusted lists need a package that is not here: pip install 'proofmail[lists]'"
        ) from error
    expected = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=True,
        signature_methods=frozenset(SignatureMethod[name] for name in _METHODS),
        digest_algorithms=frozenset(DigestAlgorithm[name] for name in _DIGESTS),
        ignore_ambiguous_key_info=True,
        verification_time=issued,
    )
    try:
        results = XMLVerifier().verify(data, x509_cert=signer, expect_config=expected)
    except Exception:  # its own errors, lxml's and cryptography's: all say that it does not hold
        return []
    return [result.signed_data for result in (results if isinstance(results, list) else [results])]
