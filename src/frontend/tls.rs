//! The server's certificate: from PEM files, or made at start.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{CipherSuite, ProtocolVersion, RootCertStore, ServerConfig};
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

use crate::error::{Error, ErrorKind, Result};

/// Reads a certificate chain and its private key; with `ca`, clients are asked for certificates, and
/// what they show must be signed by one of these. Blocks on the files.
pub fn from_files(certificate: &Path, key: &Path, ca: Option<&Path>) -> Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| unusable("certificate file", certificate).with_source(error))?;
    if chain.is_empty() {
        return Err(unusable("certificate file", certificate).context("no certificate in it"));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unusable("key file", key).with_source(error))?;
    let verifier = ca.map(verifier).transpose()?;
    config(chain, private, verifier).map_err(|error| {
        let names = format!("{} and {}", certificate.display(), key.display());
        Error::new(ErrorKind::Config, format!("cannot serve TLS by {names}")).with_source(error)
    })
}

/// Makes a certificate for these names, signed by itself: it encrypts, but proves nothing, so clients
/// that verify certificates refuse it.
pub fn self_signed(names: Vec<String>) -> Result<Arc<ServerConfig>> {
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| {
        Error::new(ErrorKind::Config, "cannot make a certificate for TLS").with_source(error)
    })?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    config(vec![made.cert.into()], key.into(), None).map_err(|error| {
        Error::internal("the certificate made at start does not work").with_source(error)
    })
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> std::result::Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients.unwrap_or_else(WebPkiClientVerifier::no_client_auth))
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

/// Clients may show no certificate: whether they must is said of each user.
fn verifier(ca: &Path) -> Result<Arc<dyn ClientCertVerifier>> {
    let what = "file of the certificates that sign those of clients";
    let mut roots = RootCertStore::empty();
    let found =
        CertificateDer::pem_file_iter(ca).map_err(|error| unusable(what, ca).with_source(error))?;
    for certificate in found {
        let certificate = certificate.map_err(|error| unusable(what, ca).with_source(error))?;
        roots.add(certificate).map_err(|error| unusable(what, ca).with_source(error))?;
    }
    let provider = Arc::new(ring::default_provider());
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .allow_unauthenticated()
        .build()
        .map_err(|error| unusable(what, ca).with_source(error))
}

/// Whose a client's certificate is and who signed it, as MySQL writes them: `/C=SE/O=Shop/CN=app`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PeerNames {
    pub(super) subject: String,
    pub(super) issuer: String,
}

impl PeerNames {
    /// `None` if it cannot be read.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        Some(Self { subject: one_line(parsed.subject())?, issuer: one_line(parsed.issuer())? })
    }
}

/// Such as `TLSv1.3`.
pub(super) fn version_name(version: ProtocolVersion) -> String {
    format!("{version:?}").replace('_', ".")
}

/// As OpenSSL calls it: such as `TLS_AES_256_GCM_SHA384` of TLS 1.3, and `ECDHE-RSA-AES256-GCM-SHA384`
/// of TLS 1.2.
pub(super) fn cipher_name(suite: CipherSuite) -> String {
    let name = format!("{suite:?}");
    if let Some(rest) = name.strip_prefix("TLS13_") {
        return format!("TLS_{rest}");
    }
    let name = name.trim_start_matches("TLS_").replace("_WITH", "").replace("AES_", "AES");
    let name = name.replace("POLY1305_SHA256", "POLY1305");
    name.replace('_', "-")
}

fn one_line(name: &X509Name<'_>) -> Option<String> {
    let mut line = String::new();
    for attribute in name.iter_attributes() {
        let short = short_name(&attribute.attr_type().to_id_string());
        let value = attribute.as_str().ok()?;
        line.push('/');
        line.push_str(&short);
        line.push('=');
        for byte in value.bytes() {
            match byte {
                b' '..=b'~' => line.push(char::from(byte)),
                _ => line.push_str(&format!("\\x{byte:02X}")),
            }
        }
    }
    Some(line)
}

/// The short name of an attribute's type where it has one.
fn short_name(id: &str) -> String {
    let name = match id {
        "2.5.4.3" => "CN",
        "2.5.4.4" => "SN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "2.5.4.12" => "title",
        "2.5.4.13" => "description",
        "2.5.4.17" => "postalCode",
        "2.5.4.41" => "name",
        "2.5.4.42" => "GN",
        "2.5.4.43" => "initials",
        "2.5.4.46" => "dnQualifier",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        other => other,
    };
    name.to_owned()
}

fn unusable(what: &str, path: &Path) -> Error {
    Error::new(ErrorKind::Config, format!("cannot use {what} {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_from_files() {
        let dir = std::env::temp_dir().join(format!("margay-tls-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (cert, key, bad) = (dir.join("cert.pem"), dir.join("key.pem"), dir.join("bad.pem"));
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(&bad, "nothing").unwrap();

        assert!(from_files(&cert, &key, None).is_ok());
        assert!(from_files(&cert, &key, Some(&cert)).is_ok());
        assert!(from_files(&cert, &key, Some(&bad)).is_err());
        let check = |cert: &Path, key: &Path, expect: &str| {
            let error = from_files(cert, key, None).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Config);
            assert!(error.to_string().starts_with(expect), "{error}");
        };
        check(&dir.join("none"), &key, "cannot use certificate file");
        check(&bad, &key, "no certificate in it: cannot use certificate file");
        check(&cert, &bad, "cannot use key file");
        let other = rcgen::KeyPair::generate().unwrap();
        std::fs::write(&key, other.serialize_pem()).unwrap();
        check(&cert, &key, "cannot serve TLS by");
        std::fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn names_of_ciphers() {
        let check = |suite, expect: &str| assert_eq!(cipher_name(suite), expect);
        check(CipherSuite::TLS13_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384");
        check(CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256");
        let rsa = CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384;
        check(rsa, "ECDHE-RSA-AES256-GCM-SHA384");
        let chacha = CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
        check(chacha, "ECDHE-ECDSA-CHACHA20-POLY1305");
        assert_eq!(version_name(ProtocolVersion::TLSv1_2), "TLSv1.2");
    }

    #[test]
    fn names_in_certificates() {
        use rcgen::{CertificateParams, DnType, KeyPair};
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in [
            (DnType::CountryName, "SE"),
            (DnType::OrganizationName, "Shop & Co"),
            (DnType::CommonName, "äpp"),
        ] {
            params.distinguished_name.push(kind, value);
        }
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let names = PeerNames::of(made.der()).unwrap();
        assert_eq!(names.subject, "/C=SE/O=Shop & Co/CN=\\xC3\\xA4pp");
        assert_eq!(names.issuer, names.subject);
        assert_eq!(PeerNames::of(&CertificateDer::from(&b"nothing"[..])), None);
    }

    #[test]
    fn certificates_made_at_start() {
        assert!(self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).is_ok());
    }
}
