//! Certificates for tests: authorities, servers and clients, right and wrong ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion};

/// A client that takes any certificate.
pub(crate) fn trusting_all() -> ClientConfig {
    of_versions(rustls::DEFAULT_VERSIONS).with_no_client_auth()
}

/// The same, by some versions of TLS only, before it is told whether to show a certificate.
pub(crate) fn of_versions(
    versions: &[&'static SupportedProtocolVersion],
) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("ring has these versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAll))
}

#[derive(Debug)]
struct TrustAll;

impl ServerCertVerifier for TrustAll {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Files of certificates and keys, PEM, in a directory of their own; they go with it.
pub(crate) struct Certificates {
    directory: PathBuf,
}

/// What a certificate says.
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a str,
    /// Host names and addresses.
    pub(crate) hosts: &'a [&'a str],
    pub(crate) expired: bool,
}

impl Certificates {
    /// Makes the directory, with an authority `ca` that signs and one `other` that has nothing to do
    /// with it.
    pub(crate) fn new(directory: &Path) -> Self {
        fs::create_dir_all(directory).expect("a directory for certificates");
        Self { directory: directory.to_owned() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file of a certificate");
    }

    /// Makes an authority: `NAME.pem`.
    pub(crate) fn authority(&self, name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = params(&Subject { name, hosts: &[], expired: false });
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        self.write(&format!("{name}.pem"), &issuer.pem());
        issuer
    }

    /// Makes a certificate and its key: `FILE.pem` and `FILE-key.pem`.
    pub(crate) fn sign(
        &self,
        file: &str,
        subject: &Subject<'_>,
        issuer: &CertifiedIssuer<'static, KeyPair>,
    ) {
        let key = KeyPair::generate().expect("a key");
        let made = params(subject).signed_by(&key, issuer).expect("a certificate");
        self.write(&format!("{file}.pem"), &made.pem());
        self.write(&format!("{file}-key.pem"), &key.serialize_pem());
    }
}

fn params(subject: &Subject<'_>) -> CertificateParams {
    let hosts: Vec<String> = subject.hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("names of hosts");
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Shop");
    params.distinguished_name.push(DnType::CommonName, subject.name);
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(if subject.expired { 2021 } else { 2096 }, 1, 1);
    params
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
