//! TLS of clients and to servers: modes, versions, certificates right and wrong.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use margay::backend::cluster::{Access, Backends};
use margay::backend::settings::{
    ClientIdentity, ClusterSpec, NodeSpec, Password, Settings, TlsMode,
};
use margay::cli::demo::flavor::Flavor;
use margay::cli::demo::program::Program;
use margay::cli::demo::server::Server;
use rcgen::{CertifiedIssuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::certificates::{Certificates, Subject, of_versions, trusting_all};
use crate::client::{Client, Login};
use crate::fixture::{PASSWORD, Proxy, Servers, refusal, wanted};

#[test]
fn encryption_mysql() {
    run(Flavor::MySql);
}

#[test]
fn encryption_mariadb() {
    run(Flavor::MariaDb);
}

fn run(flavor: Flavor) {
    if !wanted(flavor) {
        return;
    }
    let program = Program::find(Some(flavor)).expect("a server");
    // As the server sees it, and as we do.
    let inside = Path::new("/tmp").join(format!("margay-tls-{}-{flavor}", std::process::id()));
    let made = Made::new(&program.host_path(&inside));
    let file = |name: &str| inside.join(name).display().to_string();
    let options = [
        format!("--ssl-ca={}", file("ca.pem")),
        format!("--ssl-cert={}", file("server.pem")),
        format!("--ssl-key={}", file("server-key.pem")),
    ];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let servers = Servers::start(flavor, 1, &options);
    servers.run(0, &["CREATE DATABASE shop"]);
    let stage = Stage { made, servers };
    stage.modes();
    stage.names();
    stage.dates();
    stage.versions();
    stage.accounts();
    stage.clients();
}

/// The certificates of a test.
struct Made {
    files: Certificates,
    ca: CertifiedIssuer<'static, KeyPair>,
}

impl Made {
    fn new(directory: &Path) -> Self {
        let files = Certificates::new(directory);
        let ca = files.authority("ca");
        let other = files.authority("other");
        let made = Self { files, ca };
        made.sign("server", "db", &["localhost", "127.0.0.1"], false);
        made.sign("app", "app", &[], false);
        made.sign("late", "app", &[], true);
        let subject = Subject { name: "app", hosts: &[], expired: false };
        made.files.sign("stranger", &subject, &other);
        made
    }

    fn sign(&self, file: &str, name: &str, hosts: &[&str], expired: bool) {
        self.files.sign(file, &Subject { name, hosts, expired }, &self.ca);
    }
}

struct Stage {
    made: Made,
    servers: Servers,
}

impl Stage {
    fn server(&self) -> &Server {
        &self.servers.servers[0]
    }

    fn spec(&self, tls: TlsMode) -> ClusterSpec {
        let server = self.server();
        ClusterSpec {
            name: "c0".into(),
            primary: NodeSpec { address: server.address().to_string(), weight: 1 },
            replicas: Vec::new(),
            user: server.account().user.clone(),
            password: Password(server.account().password.clone()),
            tls,
            identity: None,
            compression: None,
        }
    }

    /// The version of TLS that a connection to the server has, or why there is none.
    fn connect(&self, spec: ClusterSpec) -> Result<String, String> {
        self.servers.runtime.block_on(async {
            let backends = Backends::new(Settings::default(), vec![spec], None)
                .map_err(|error| error.to_string())?;
            let mut lease = backends
                .lease(0, Access::Primary, false)
                .await
                .map_err(|error| error.to_string())?;
            let result = lease.query_all("SHOW STATUS LIKE 'Ssl_version'").await;
            let result = result.map_err(|error| error.to_string())?;
            Ok(result.first("Value").unwrap_or_default().to_owned())
        })
    }

    /// A connection by each mode that verifies, and whether it is there; the others always are.
    fn check(&self, what: &str, ca: &str, by_ca: Option<&str>, by_identity: Option<&str>) {
        for mode in [TlsMode::Disabled, TlsMode::Preferred, TlsMode::Required] {
            let is_plain = mode == TlsMode::Disabled;
            let version = self.connect(self.spec(mode.clone()));
            let version = version.unwrap_or_else(|error| panic!("{what}: {mode:?}: {error}"));
            assert_eq!(version.is_empty(), is_plain, "{what}: {mode:?}: {version}");
        }
        let ca = self.made.files.path(ca);
        for (mode, expect) in [
            (TlsMode::VerifyCa { ca: ca.clone() }, by_ca),
            (TlsMode::VerifyIdentity { ca }, by_identity),
        ] {
            match (self.connect(self.spec(mode.clone())), expect) {
                (Ok(version), None) => assert!(version.starts_with("TLSv1."), "{version}"),
                (Err(error), Some(expect)) => {
                    assert!(error.contains("TLS failed"), "{what}: {mode:?}: {error}");
                    assert!(error.contains(expect), "{what}: {mode:?}: {error}");
                }
                (outcome, expect) => panic!("{what}: {mode:?}: {outcome:?} for {expect:?}"),
            }
        }
    }

    fn modes(&self) {
        self.check("right", "ca.pem", None, None);
        let unknown = Some("UnknownIssuer");
        self.check("of an unknown authority", "other.pem", unknown, unknown);
    }

    /// Has the server show another certificate.
    fn show(&self, name: &str, hosts: &[&str], expired: bool) {
        self.made.sign("server", name, hosts, expired);
        self.servers.run(
            0,
            &[match self.server().flavor() {
                Flavor::MySql => "ALTER INSTANCE RELOAD TLS",
                Flavor::MariaDb => "FLUSH SSL",
            }],
        );
    }

    fn names(&self) {
        self.show("db", &["db.example"], false);
        self.check("of another host", "ca.pem", None, Some("not valid for name"));
        // As MySQL's own clients: a certificate of old names its host in its subject.
        self.show("127.0.0.1", &[], false);
        self.check("of a host in its subject", "ca.pem", None, None);
        self.show("127.0.0.2", &[], false);
        self.check("of another in its subject", "ca.pem", None, Some("not valid for name"));
    }

    fn dates(&self) {
        // MySQL loads no certificate that has expired.
        if self.server().flavor() == Flavor::MySql {
            return self.show("db", &["127.0.0.1"], false);
        }
        self.show("db", &["127.0.0.1"], true);
        self.check("expired", "ca.pem", Some("expired"), Some("expired"));
        self.show("db", &["127.0.0.1"], false);
    }

    fn versions(&self) {
        if self.server().flavor() == Flavor::MariaDb {
            return;
        }
        for version in ["TLSv1.2", "TLSv1.3"] {
            let set = format!("SET GLOBAL tls_version = '{version}'");
            self.servers.run(0, &[&set, "ALTER INSTANCE RELOAD TLS"]);
            assert_eq!(self.connect(self.spec(TlsMode::Required)).as_deref(), Ok(version));
        }
        let both = "SET GLOBAL tls_version = 'TLSv1.2,TLSv1.3'";
        self.servers.run(0, &[both, "ALTER INSTANCE RELOAD TLS"]);
    }

    /// Accounts of the server that need a certificate of Margay.
    fn accounts(&self) {
        self.servers.run(
            0,
            &[
                "CREATE USER strict IDENTIFIED BY 'pw' REQUIRE SUBJECT '/O=Shop/CN=app'",
                "CREATE USER x509 IDENTIFIED BY 'pw' REQUIRE X509",
            ],
        );
        for user in ["strict", "x509"] {
            let spec = |identity: Option<&str>| {
                let identity = identity.map(|name| ClientIdentity {
                    cert: self.made.files.path(&format!("{name}.pem")),
                    key: self.made.files.path(&format!("{name}-key.pem")),
                });
                let password = Password("pw".into());
                let spec = self.spec(TlsMode::Required);
                ClusterSpec { user: user.into(), password, identity, ..spec }
            };
            let error = self.connect(spec(None)).unwrap_err();
            assert!(error.contains("Access denied"), "{error}");
            self.connect(spec(Some("app"))).unwrap();
            for wrong in ["stranger", "late"] {
                self.connect(spec(Some(wrong))).unwrap_err();
            }
        }
        let identity = Some(ClientIdentity {
            cert: self.made.files.path("app.pem"),
            key: self.made.files.path("late-key.pem"),
        });
        let error = self.connect(ClusterSpec { identity, ..self.spec(TlsMode::Required) });
        let error = error.unwrap_err();
        assert!(error.contains("`tls_cert`") && error.contains("do not go together"), "{error}");
    }

    /// Clients of Margay that need certificates.
    fn clients(&self) {
        let path = |name: &str| self.made.files.path(name).display().to_string();
        let rules = format!(
            "listen: 127.0.0.1:0\n\
             tls: {{cert: {}, key: {}, ca: {}}}\n\
             clusters:\n  c0: {{primary: \"127.0.0.1:${{C0_PORT}}\", user: \"${{BACKEND_USER}}\", \
             password: \"${{BACKEND_PASSWORD}}\", tls: verify_identity, tls_ca: {}}}\n\
             users:\n\
             \x20 any: {{password: \"${{APP_PASSWORD}}\", schemas: {{shop: [read]}}}}\n\
             \x20 tls: {{password: \"${{APP_PASSWORD}}\", schemas: {{shop: [read]}}, tls: required}}\n\
             \x20 x509: {{password: \"${{APP_PASSWORD}}\", schemas: {{shop: [read]}}, tls: certificate}}\n\
             \x20 own: {{password: \"${{APP_PASSWORD}}\", schemas: {{shop: [read]}}, tls_subject: /O=Shop/CN=app}}\n\
             \x20 no: {{password: \"${{APP_PASSWORD}}\", schemas: {{shop: [read]}}, tls_issuer: /O=Shop/CN=other}}\n\
             schemas:\n  shop: {{default_shard: c0/shop}}\n",
            path("server.pem"),
            path("server-key.pem"),
            path("ca.pem"),
            path("ca.pem"),
        );
        let proxy = Proxy::start(&rules, &self.servers.variables());
        let denied = (1045, "28000".to_owned());
        let check = |user: &str, expect: [bool; 3]| {
            for (index, certificate) in
                [None, Some(None), Some(Some("app"))].into_iter().enumerate()
            {
                let tls = certificate.map(|shown| Arc::new(self.config(shown)));
                let login = Login { tls, ..Login::new(&proxy.address, user, PASSWORD) };
                if expect[index] {
                    let mut client = Client::open(&login);
                    assert_eq!(client.value("SELECT 1"), "1");
                } else {
                    assert_eq!(refusal(&login), denied, "{user} {certificate:?}");
                }
            }
        };
        check("any", [true, true, true]);
        check("tls", [false, true, true]);
        check("x509", [false, false, true]);
        check("own", [false, false, true]);
        check("no", [false, false, false]);
        // What does not prove who it is ends the connection.
        for wrong in ["stranger", "late"] {
            let tls = Some(Arc::new(self.config(Some(wrong))));
            let login = Login { tls, ..Login::new(&proxy.address, "any", PASSWORD) };
            assert!(Client::connect(&login).is_err(), "{wrong}");
        }
        for (versions, expect) in
            [(&rustls::version::TLS12, "TLSv1_2"), (&rustls::version::TLS13, "TLSv1_3")]
        {
            let config = of_versions(&[versions]).with_no_client_auth();
            let tls = Some(Arc::new(config));
            let login = Login { tls, ..Login::new(&proxy.address, "any", PASSWORD) };
            let mut client = Client::open(&login);
            assert_eq!(client.tls_version().as_deref(), Some(expect));
            assert_eq!(client.rows("SELECT REPEAT('x', 100000)").len(), 1);
            let shown = client.rows("SHOW STATUS LIKE 'Ssl_version'");
            assert_eq!(shown[0][1].as_deref(), Some(expect.replace('_', ".").as_str()));
        }
    }

    fn config(&self, certificate: Option<&str>) -> rustls::ClientConfig {
        let Some(name) = certificate else { return trusting_all() };
        let path = |name: String| fs::read(self.made.files.path(&name)).expect("a file");
        let chain = CertificateDer::from_pem_slice(&path(format!("{name}.pem")));
        let key = PrivateKeyDer::from_pem_slice(&path(format!("{name}-key.pem")));
        of_versions(rustls::DEFAULT_VERSIONS)
            .with_client_auth_cert(vec![chain.expect("PEM")], key.expect("PEM"))
            .expect("they go together")
    }
}
