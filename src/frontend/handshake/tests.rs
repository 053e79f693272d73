use std::collections::BTreeSet;

use mysql_async::prelude::Queryable;
use mysql_async::{ChangeUserOpts, Conn, OptsBuilder, SslOpts};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::super::tls::self_signed;
use super::super::users::{Grants, TlsNeed, User};
use super::*;
use crate::protocol::auth::{PasswordDigest, native_response, sha2_response};
use crate::protocol::command::Command;
use crate::protocol::login::{AuthReply, AuthSwitch, ChangeUser};
use crate::protocol::packet::{Assembler, put_packet};

/// PASSWORD('secret')
const HASH: &str = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";

fn context() -> HandshakeContext {
    let user = |name: &str, password| User {
        name: name.to_owned(),
        password,
        schemas: Grants::Only(BTreeSet::from(["shop".to_owned()])),
        tls: TlsNeed::Any,
        max_connections: None,
    };
    let users = [user("app", PasswordDigest::of(b"secret")), user("open", PasswordDigest::of(b""))];
    let schemas = ["shop".to_owned(), "crm".to_owned()];
    HandshakeContext {
        server_version: "8.4.0-margay".into(),
        collation: 255,
        users: Arc::new(UserStore::new(users, schemas)),
        tls: Some(self_signed(vec!["localhost".into()]).unwrap()),
        tls_required: false,
        compression: true,
        rsa: Arc::new(RsaKey::new()),
        places: Arc::default(),
        handshake_timeout: Duration::from_secs(30),
    }
}

/// With a user `old` known by its hash alone.
fn context_of_hashes() -> HandshakeContext {
    let user = |name: &str, password| User {
        name: name.to_owned(),
        password,
        schemas: Grants::All,
        tls: TlsNeed::Any,
        max_connections: None,
    };
    let old = user("old", PasswordDigest::from_native_hash(HASH).unwrap());
    let users = [old, user("app", PasswordDigest::of(b"secret"))];
    HandshakeContext { users: Arc::new(UserStore::new(users, [])), ..context() }
}

/// Serves one connection: its login, then pings, resets and changes of user. Gives all logins.
async fn serve(listener: TcpListener, ctx: HandshakeContext) -> Result<Vec<Login>> {
    let (socket, _) = listener.accept().await.unwrap();
    let (mut stream, login) = handshake(socket, 7, &ctx).await?;
    let mut logins = vec![login];
    loop {
        let payload = stream.read_command(1 << 24).await?;
        let login = logins.last().unwrap();
        match Command::parse(&payload, login.capabilities)? {
            Command::Quit => return Ok(logins),
            Command::ChangeUser => {
                logins.push(change_user(&mut stream, &payload, login, &ctx).await?);
            }
            _ => {
                let capabilities = login.capabilities;
                stream.put_ok(&OkPacket::default(), capabilities);
                stream.flush().await?;
            }
        }
    }
}

async fn start(ctx: HandshakeContext) -> (u16, JoinHandle<Result<Vec<Login>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (port, tokio::spawn(serve(listener, ctx)))
}

fn options(user: &str, password: &str) -> OptsBuilder {
    OptsBuilder::default()
        .ip_or_hostname("127.0.0.1")
        .user(Some(user))
        .pass((!password.is_empty()).then_some(password))
        .prefer_socket(false)
        .max_allowed_packet(Some(1 << 24))
        .wait_timeout(Some(60))
}

fn over_tls(options: OptsBuilder) -> OptsBuilder {
    options.ssl_opts(SslOpts::default().with_danger_accept_invalid_certs(true))
}

/// Logs in, pings and quits.
async fn log_in(ctx: HandshakeContext, options: OptsBuilder) -> Result<Login, String> {
    let (port, server) = start(ctx).await;
    let mut conn = Conn::new(options.tcp_port(port)).await.map_err(|error| error.to_string())?;
    conn.ping().await.unwrap();
    conn.disconnect().await.unwrap();
    Ok(server.await.unwrap().unwrap().remove(0))
}

async fn check_denied(ctx: HandshakeContext, options: OptsBuilder, expect: &str) {
    let error = log_in(ctx, options).await.unwrap_err();
    assert_eq!(error, format!("Server error: `{expect}'"));
}

#[tokio::test]
async fn logins_by_either_plugin_plain_and_over_tls() {
    for tls in [false, true] {
        let wrap = if tls { over_tls } else { |options| options };
        let login = log_in(context(), wrap(options("app", "secret"))).await.unwrap();
        assert_eq!((login.user.as_str(), login.host.as_str()), ("app", "127.0.0.1"));
        assert_eq!((login.tls, login.connection_id, login.schema), (tls, 7, None));
        assert!(login.capabilities.contains(CapabilityFlags::CLIENT_DEPRECATE_EOF));
        log_in(context(), wrap(options("open", ""))).await.unwrap();
    }
}

#[tokio::test]
async fn accounts_known_by_hash_send_their_password() {
    for wrap in [over_tls, |options| options] {
        log_in(context_of_hashes(), wrap(options("old", "secret"))).await.unwrap();
        log_in(context_of_hashes(), wrap(options("app", "secret"))).await.unwrap();
        for user in ["old", "app", "nobody"] {
            let denied = format!(
                "ERROR 1045 (28000): Access denied for user '{user}'@'127.0.0.1' (using password: YES)"
            );
            check_denied(context_of_hashes(), wrap(options(user, "Secret")), &denied).await;
        }
    }
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users() {
    let denied = |user: &str, used: &str| {
        format!(
            "ERROR 1045 (28000): Access denied for user '{user}'@'127.0.0.1' (using password: {used})"
        )
    };
    for (user, password) in
        [("app", "Secret"), ("app", ""), ("open", "x"), ("nobody", "secret"), ("nobody", "")]
    {
        let expect = denied(user, if password.is_empty() { "NO" } else { "YES" });
        check_denied(context(), options(user, password), &expect).await;
    }
    check_denied(context(), over_tls(options("app", "no")), &denied("app", "YES")).await;
}

#[tokio::test]
async fn schemas_are_checked() {
    let with = |schema: &str| options("app", "secret").db_name(Some(schema));
    let login = log_in(context(), with("shop")).await.unwrap();
    assert_eq!(login.schema.as_deref(), Some("shop"));
    let unknown = "ERROR 1049 (42000): Unknown database 'nosuch'";
    check_denied(context(), with("nosuch"), unknown).await;
    let denied = "ERROR 1044 (42000): Access denied for user 'app'@'127.0.0.1' to database 'crm'";
    check_denied(context(), with("crm"), denied).await;
}

#[tokio::test]
async fn tls_can_be_required_or_missing() {
    let required = || HandshakeContext { tls_required: true, ..context() };
    log_in(required(), over_tls(options("app", "secret"))).await.unwrap();
    let error = log_in(required(), options("app", "secret")).await.unwrap_err();
    assert!(error.contains("tls.required"), "{error}");
    let without = HandshakeContext { tls: None, ..context() };
    assert!(log_in(without, over_tls(options("app", "secret"))).await.is_err());
}

#[tokio::test]
async fn users_change_on_one_connection() {
    let (port, server) = start(context()).await;
    let mut conn = Conn::new(options("app", "secret").tcp_port(port)).await.unwrap();
    let to_open = ChangeUserOpts::new().with_user(Some("open".into())).with_pass(None);
    conn.change_user(to_open.with_db_name(Some("shop".into()))).await.unwrap();
    conn.ping().await.unwrap();
    let to_app = ChangeUserOpts::new().with_user(Some("app".into()));
    conn.change_user(to_app.with_pass(Some("secret".into()))).await.unwrap();
    conn.disconnect().await.unwrap();
    let logins = server.await.unwrap().unwrap();
    let found: Vec<_> =
        logins.iter().map(|login| (login.user.as_str(), login.schema.as_deref())).collect();
    assert_eq!(found, [("app", None), ("open", Some("shop")), ("app", Some("shop"))]);

    let (port, server) = start(context()).await;
    let mut conn = Conn::new(options("app", "secret").tcp_port(port)).await.unwrap();
    let wrong = ChangeUserOpts::new().with_pass(Some("wrong".into()));
    assert!(conn.change_user(wrong).await.unwrap_err().to_string().contains("1045"));
    assert_eq!(*server.await.unwrap().unwrap_err().kind(), ErrorKind::AccessDenied);
}

#[tokio::test]
async fn a_change_of_user_by_the_older_plugin_is_switched() {
    let (port, _server) = start(context()).await;
    let mut client = Client::connect(port).await;
    let proof = sha2_response(&client.greeting.salt, b"secret");
    let reply = client.respond(Some("caching_sha2_password"), proof, 45).await;
    assert!(matches!(reply, AuthReply::More(_)), "{reply:?}");
    assert_eq!(client.read().await[0], 0);
    let change = ChangeUser {
        user: "app".into(),
        auth_response: native_response(&client.greeting.salt, b"secret").to_vec(),
        collation: Some(45),
        plugin: Some("mysql_native_password".into()),
        ..ChangeUser::default()
    };
    let mut payload = bytes::BytesMut::new();
    change.put(&mut payload, OFFERED);
    client.assembler.set_next_seq(0);
    let AuthReply::Switch(request) = client.ask(&payload).await else { panic!("no switch") };
    assert_eq!(request.plugin, "caching_sha2_password");
    assert_ne!(request.data, client.greeting.salt);
}

/// A client that speaks packets by hand.
struct Client {
    socket: TcpStream,
    assembler: Assembler,
    input: bytes::BytesMut,
    greeting: Greeting,
}

impl Client {
    async fn connect(port: u16) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (assembler, input) = (Assembler::of_server(1 << 20), bytes::BytesMut::new());
        let greeting = Greeting {
            server_version: String::new(),
            connection_id: 0,
            salt: Salt::default(),
            capabilities: CapabilityFlags::empty(),
            collation: 0,
            status: StatusFlags::empty(),
            plugin: String::new(),
        };
        let mut client = Self { socket, assembler, input, greeting };
        client.greeting = Greeting::parse(&client.read().await).unwrap();
        client
    }

    async fn read(&mut self) -> Bytes {
        use tokio::io::AsyncReadExt;
        loop {
            if let Some(payload) = self.assembler.next(&mut self.input).unwrap() {
                return payload;
            }
            assert!(self.socket.read_buf(&mut self.input).await.unwrap() > 0, "closed early");
        }
    }

    /// Sends a packet and reads the reply.
    async fn ask(&mut self, payload: &[u8]) -> AuthReply {
        use tokio::io::AsyncWriteExt;
        let (mut out, mut seq) = (bytes::BytesMut::new(), self.assembler.next_seq());
        put_packet(&mut out, &mut seq, payload);
        self.assembler.set_next_seq(seq);
        self.socket.write_all(&out).await.unwrap();
        AuthReply::parse(&self.read().await, OFFERED).unwrap()
    }

    async fn respond(
        &mut self,
        plugin: Option<&str>,
        auth_response: Vec<u8>,
        collation: u8,
    ) -> AuthReply {
        let mut capabilities = CapabilityFlags::CLIENT_PROTOCOL_41
            | CapabilityFlags::CLIENT_SECURE_CONNECTION
            | CapabilityFlags::CLIENT_CONNECT_ATTRS;
        capabilities.set(CapabilityFlags::CLIENT_PLUGIN_AUTH, plugin.is_some());
        let response = HandshakeResponse {
            capabilities,
            collation,
            user: "app".into(),
            auth_response,
            plugin: plugin.map(str::to_owned),
            attributes: vec![("_pid".to_owned(), "7".to_owned())],
            ..HandshakeResponse::default()
        };
        let mut payload = bytes::BytesMut::new();
        response.put(&mut payload);
        self.ask(&payload).await
    }
}

#[tokio::test]
async fn the_greeting() {
    let (port, _server) = start(context()).await;
    let greeting = Client::connect(port).await.greeting;
    assert_eq!(greeting.server_version, "8.4.0-margay");
    assert_eq!((greeting.connection_id, greeting.collation), (7, 255));
    assert_eq!(greeting.plugin, "caching_sha2_password");
    let offered = CapabilityFlags::CLIENT_SSL
        | CapabilityFlags::CLIENT_COMPRESS
        | CapabilityFlags::CLIENT_ZSTD_COMPRESSION_ALGORITHM;
    assert_eq!(greeting.capabilities, OFFERED | offered);
    assert!(greeting.salt.iter().all(|byte| (1..128).contains(byte)));
    let (port, _server) = start(context()).await;
    assert_ne!(Client::connect(port).await.greeting.salt, greeting.salt);
}

#[tokio::test]
async fn clients_of_other_plugins_are_switched() {
    let check = async |plugin: Option<&str>, response: Vec<u8>, expect: &str| {
        let (port, server) = start(context()).await;
        let mut client = Client::connect(port).await;
        let reply = client.respond(plugin, response, 45).await;
        let AuthReply::Switch(AuthSwitch { plugin, data }) = reply else { panic!("{reply:?}") };
        assert_eq!(plugin, expect);
        let salt = Salt::try_from(&data[..]).unwrap();
        let proof = match AuthPlugin::from_name(expect) {
            Some(AuthPlugin::Native) => native_response(&salt, b"secret"),
            _ => sha2_response(&salt, b"secret"),
        };
        match client.ask(&proof).await {
            AuthReply::More(data) => {
                assert_eq!(&data[..], [3]);
                assert_eq!(client.read().await[0], 0);
            }
            reply => assert!(matches!(reply, AuthReply::Ok(_))),
        }
        drop(client);
        assert_eq!(*server.await.unwrap().unwrap_err().kind(), ErrorKind::ClientGone);
    };
    check(Some("mysql_native_password"), vec![], "mysql_native_password").await;
    check(Some("mysql_clear_password"), b"secret\0".to_vec(), "caching_sha2_password").await;
    check(Some("dialog"), vec![], "caching_sha2_password").await;
}

#[tokio::test]
async fn old_clients_answer_by_mysql_native_password() {
    for (collation, expect) in [(45, 45), (0, 255), (35, 255), (8, 8)] {
        let (port, server) = start(context()).await;
        let mut client = Client::connect(port).await;
        let proof = native_response(&client.greeting.salt, b"secret");
        assert!(matches!(client.respond(None, proof, collation).await, AuthReply::Ok(_)));
        let proof = native_response(&client.greeting.salt, b"secret");
        let change =
            ChangeUser { user: "app".into(), auth_response: proof, ..ChangeUser::default() };
        let mut payload = bytes::BytesMut::new();
        change.put(&mut payload, CapabilityFlags::CLIENT_SECURE_CONNECTION);
        client.assembler.set_next_seq(0);
        assert!(matches!(client.ask(&payload).await, AuthReply::Ok(_)));
        client.assembler.set_next_seq(0);
        let quit = [1, 0, 0, 0, 1];
        tokio::io::AsyncWriteExt::write_all(&mut client.socket, &quit).await.unwrap();
        let logins = server.await.unwrap().unwrap();
        assert!(logins.iter().all(|login| login.collation == expect));
        assert_eq!(logins[0].attributes, [("_pid".to_owned(), "7".to_owned())]);
    }
}

#[tokio::test]
async fn garbage_is_refused() {
    let check = async |payload: &[u8], expect: &str| {
        let (port, server) = start(context()).await;
        let reply = Client::connect(port).await.ask(payload).await;
        let AuthReply::Err(error) = reply else { panic!("{reply:?}") };
        assert_eq!(
            (error.code, String::from_utf8(error.message).unwrap().as_str()),
            (1043, expect)
        );
        assert_eq!(*server.await.unwrap().unwrap_err().kind(), ErrorKind::Handshake);
    };
    check(b"\x0f\xa2", "Bad handshake: malformed packet: 4 bytes expected, 2 left").await;
    let old =
        "bad handshake: the client does not speak the protocol of MySQL 4.1; use a newer client";
    check(b"\x05\x24\0\0\x01app\0pw", old).await;
    let large = "Bad handshake: a packet of over 131072 bytes";
    check(&vec![0; PACKET_MAX + 1], large).await;
}

#[tokio::test]
async fn a_silent_client_is_left_behind() {
    let ctx = HandshakeContext { handshake_timeout: Duration::from_millis(50), ..context() };
    let (port, server) = start(ctx).await;
    let _client = Client::connect(port).await;
    let error = server.await.unwrap().unwrap_err();
    assert_eq!(error.message(), "handshake not finished within `limits.handshake_timeout` = 50ms");
}

#[tokio::test]
async fn connections_over_the_limit_are_refused() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        refuse(socket, &Error::new(ErrorKind::TooManyConnections, "Too many connections")).await;
    });
    let error = Conn::new(options("app", "secret").tcp_port(port)).await.unwrap_err();
    assert!(error.to_string().contains("Too many connections"), "{error}");
}
