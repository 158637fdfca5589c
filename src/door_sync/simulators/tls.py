"""Certificates that the simulators make for themselves, and how their fingerprints are written.

The controller's certificate is self-signed for ``unifi.local`` without a subject alternative name
(§1.2 of the UniFi sheet), so only a pin can accept it; CiviCRM's is one that a client can verify
once it trusts the certificate itself.
"""

import datetime
import ipaddress
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Fixed dates, so that no clock is read and no certificate runs out during a long demonstration.
_VALID_FROM = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_VALID_UNTIL = datetime.datetime(2049, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Certificate:
    """A leaf certificate with its private key (both PEM) and its fingerprint.

    ``fingerprint`` is the SHA-256 of the DER leaf, written ``AB:CD:…`` in upper case.
    """

    pem_cert: bytes = field(repr=False)
    pem_key: bytes = field(repr=False)
    fingerprint: str


def self_signed(
    common_name: str, *, san: Sequence[str] = (), until: datetime.datetime = _VALID_UNTIL
) -> Certificate:
    """Given a subject name, return a fresh self-signed certificate that is good `until` then.

    `san` holds the alternative names, host names or IP addresses; without any the certificate has
    no such extension, and no host name check can pass.
    """
    # Every certificate has the same kind of key: a server that swaps one for another keeps one
    # certificate per kind, and would go on offering the old one beside a new one of another kind.
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID_FROM)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(key_id, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False
        )
    )
    if san:
        names = x509.SubjectAlternativeName([_general_name(text) for text in san])
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    return Certificate(
        pem_cert=certificate.public_bytes(serialization.Encoding.PEM),
        pem_key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
    )


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """Return the context of a server that shows `certificate` in every handshake.

    Sessions are never resumed: a resumed session skips the certificate, and then a swapped one
    would go unseen.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    load(context, certificate)
    return context


def load(context: ssl.SSLContext, certificate: Certificate) -> None:
    """Make `context` show `certificate` from its next handshake on."""
    with tempfile.TemporaryDirectory() as directory:  # the ssl module reads keys from files only
        chain = Path(directory) / "chain.pem"
        chain.touch(mode=0o600)
        chain.write_bytes(certificate.pem_cert + certificate.pem_key)
        context.load_cert_chain(chain)


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,  # strict verifiers want it of a certificate that vouches for itself
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
