import datetime
import hashlib
import ssl

from cryptography import x509

from door_sync.simulators.tls import self_signed


def test_the_fingerprint_is_the_sha256_of_the_der_leaf_in_upper_case_pairs() -> None:
    made = self_signed("unifi.local")
    der = ssl.PEM_cert_to_DER_cert(made.pem_cert.decode())
    assert made.fingerprint.replace(":", "").lower() == hashlib.sha256(der).hexdigest()
    assert made.fingerprint == made.fingerprint.upper()
    assert [len(pair) for pair in made.fingerprint.split(":")] == [2] * 32


def test_the_controller_certificate_has_its_common_name_and_no_alternative_name() -> None:
    """Rule 1 of the UniFi sheet's §19."""
    leaf = x509.load_pem_x509_certificate(self_signed("unifi.local").pem_cert)
    assert leaf.subject.rfc4514_string() == "CN=unifi.local"
    assert leaf.subject == leaf.issuer
    names = [extension.oid for extension in leaf.extensions]
    assert x509.SubjectAlternativeName.oid not in names


def test_alternative_names_may_be_host_names_and_addresses() -> None:
    leaf = x509.load_pem_x509_certificate(
        self_signed("localhost", san=["localhost", "127.0.0.1"]).pem_cert
    )
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_two_certificates_differ() -> None:
    assert self_signed("unifi.local").fingerprint != self_signed("unifi.local").fingerprint


def test_the_private_key_is_not_in_the_repr() -> None:
    made = self_signed("unifi.local")
    assert "KEY" not in repr(made)
    assert repr(made) == f"Certificate(fingerprint='{made.fingerprint}')"


def test_a_certificate_may_run_out_on_a_given_day() -> None:
    day = datetime.datetime(2031, 3, 5, tzinfo=datetime.UTC)
    leaf = x509.load_pem_x509_certificate(self_signed("localhost", until=day).pem_cert)
    assert leaf.not_valid_after_utc == day
