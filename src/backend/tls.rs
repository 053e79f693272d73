//! TLS towards servers: the modes of MySQL's own clients.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
};
use tokio_rustls::TlsConnector;

use crate::backend::settings::TlsMode;
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
    /// Reads the certificates that the mode names.
    pub(super) fn of_mode(mode: &TlsMode) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let check = match mode {
            TlsMode::Disabled => return Ok(Self::Off),
            TlsMode::Preferred | TlsMode::Required => Check::Nothing,
            TlsMode::VerifyCa { ca } => Check::Signer(verifier(ca, &provider)?),
            TlsMode::VerifyIdentity { ca } => Check::Identity(verifier(ca, &provider)?),
        };
        let verifier = Arc::new(Verifier { check, provider: Arc::clone(&provider) });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::internal("no TLS versions").with_source(error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        let connector = TlsConnector::from(Arc::new(config));
        Ok(match mode {
            TlsMode::Preferred => Self::IfOffered(connector),
            _ => Self::Always(connector),
        })
    }
}

fn verifier(ca: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    let bad = |what: &str| Error::new(ErrorKind::Config, format!("tls: `{}` {what}", ca.display()));
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
            Check::Identity(verifier) => verify(verifier),
            // The name is checked last: all else was right.
            Check::Signer(verifier) => match verify(verifier) {
                Err(TlsError::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )) => Ok(ServerCertVerified::assertion()),
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
