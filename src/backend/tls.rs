//! TLS towards servers: the modes of MySQL's own clients.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};
use tokio_rustls::TlsConnector;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::backend::settings::{ClientIdentity, TlsMode};
use crate::error::{Error, ErrorKind, Result};

/// What to do about TLS when a server greets.
#[derive(Clone)]
pub(super) enum Tls {
    Off,
    /// If the server offers it.
    IfOffered(TlsConnector),
    /// Or fail.
    Always(TlsConnector),
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::IfOffered(_) => "IfOffered",
            Self::Always(_) => "Always",
        })
    }
}

impl Tls {
    /// Reads the certificates that the mode names, and the one to show to servers.
    pub(super) fn new(mode: &TlsMode, identity: Option<&ClientIdentity>) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let check = match mode {
            TlsMode::Disabled => return Ok(Self::Off),
            TlsMode::Preferred | TlsMode::Required => Check::Nothing,
            TlsMode::VerifyCa { ca } => Check::Signer(verifier(ca, &provider)?),
            TlsMode::VerifyIdentity { ca } => Check::Identity(verifier(ca, &provider)?),
        };
        let verifier = Arc::new(Verifier { check, provider: Arc::clone(&provider) });
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::internal("no TLS versions").with_source(error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(ClientIdentity { cert, key }) => {
                let (chain, private) = (chain(cert)?, private_key(key)?);
                builder.with_client_auth_cert(chain, private).map_err(|error| {
                    let (cert, key) = (cert.display(), key.display());
                    let message =
                        format!("`tls_cert` `{cert}` and `tls_key` `{key}` do not go together");
                    Error::new(ErrorKind::Config, message).with_source(error)
                })?
            }
        };
        let connector = TlsConnector::from(Arc::new(config));
        Ok(match mode {
            TlsMode::Preferred => Self::IfOffered(connector),
            _ => Self::Always(connector),
        })
    }
}

fn chain(cert: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bad = |what: &str| unusable("tls_cert", cert, what);
    let pem = fs::read(cert).map_err(|error| bad("cannot be read").with_source(error))?;
    let chain: Result<Vec<_>, _> = rustls_pemfile::certs(&mut pem.as_slice()).collect();
    let chain = chain.map_err(|error| bad("is not PEM").with_source(error))?;
    match chain.is_empty() {
        true => Err(bad("holds no certificate")),
        false => Ok(chain),
    }
}

fn private_key(key: &Path) -> Result<PrivateKeyDer<'static>> {
    let bad = |what: &str| unusable("tls_key", key, what);
    let pem = fs::read(key).map_err(|error| bad("cannot be read").with_source(error))?;
    let private = rustls_pemfile::private_key(&mut pem.as_slice())
        .map_err(|error| bad("is not PEM").with_source(error))?;
    private.ok_or_else(|| bad("holds no private key"))
}

fn unusable(setting: &str, path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("`{setting}`: `{}` {what}", path.display()))
}

fn verifier(ca: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    let bad = |what: &str| unusable("tls_ca", ca, what);
    let pem = fs::read(ca).map_err(|error| bad("cannot be read").with_source(error))?;
    let mut roots = RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut pem.as_slice()) {
        let certificate = certificate.map_err(|error| bad("is not PEM").with_source(error))?;
        roots
            .add(certificate)
            .map_err(|error| bad("holds a certificate that cannot be used").with_source(error))?;
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| bad("holds no certificate").with_source(error))
}

fn is_other_name(error: &TlsError) -> bool {
    matches!(
        error,
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        )
    )
}

/// The name stands in the certificate's subject, as certificates of old have it that list no names.
/// MySQL's own clients take those too.
fn is_subject(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return false };
    if !matches!(parsed.subject_alternative_name(), Ok(None)) {
        return false;
    }
    let wanted = name.to_str();
    let mut names = parsed.subject().iter_common_name();
    names.any(|found| found.as_str().is_ok_and(|found| found.eq_ignore_ascii_case(&wanted)))
}

/// Checks as much of a server's certificate as the mode asks for.
#[derive(Debug)]
struct Verifier {
    check: Check,
    provider: Arc<CryptoProvider>,
}

#[derive(Debug)]
enum Check {
    Nothing,
    Signer(Arc<WebPkiServerVerifier>),
    Identity(Arc<WebPkiServerVerifier>),
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verify = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(certificate, intermediates, name, ocsp, now)
        };
        match &self.check {
            Check::Nothing => Ok(ServerCertVerified::assertion()),
            // The name is checked last: all else was right.
            Check::Signer(verifier) => match verify(verifier) {
                Err(error) if is_other_name(&error) => Ok(ServerCertVerified::assertion()),
                verified => verified,
            },
            Check::Identity(verifier) => match verify(verifier) {
                Err(error) if is_other_name(&error) && is_subject(certificate, name) => {
                    Ok(ServerCertVerified::assertion())
                }
                verified => verified,
            },
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
