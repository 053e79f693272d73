//! The server's certificate: from PEM files, or made at start.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::error::{Error, ErrorKind, Result};

/// Reads a certificate chain and its private key. Blocks on the files.
pub fn from_files(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|error| unusable("certificate file", certificate).with_source(error))?;
    if chain.is_empty() {
        return Err(unusable("certificate file", certificate).context("no certificate in it"));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unusable("key file", key).with_source(error))?;
    config(chain, private).map_err(|error| {
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
    config(vec![made.cert.into()], key.into()).map_err(|error| {
        Error::internal("the certificate made at start does not work").with_source(error)
    })
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> std::result::Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
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

        assert!(from_files(&cert, &key).is_ok());
        let check = |cert: &Path, key: &Path, expect: &str| {
            let error = from_files(cert, key).unwrap_err();
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
    fn certificates_made_at_start() {
        assert!(self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).is_ok());
    }
}
