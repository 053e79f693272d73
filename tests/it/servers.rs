//! Real servers for the tests: which flavors to test, and how to start them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use margay::cli::demo::flavor::Flavor;
use margay::cli::demo::program::Program;
use margay::cli::demo::server::{Account, Launcher, Server, ServerSpec};
use tokio::sync::OnceCell;

/// The flavors to test: those that `MARGAY_TEST_FLAVORS` names (`mysql,mariadb`), else both.
pub(crate) fn flavors() -> Vec<Flavor> {
    let Ok(names) = std::env::var("MARGAY_TEST_FLAVORS") else {
        return vec![Flavor::MySql, Flavor::MariaDb];
    };
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| match name {
            "mysql" => Flavor::MySql,
            "mariadb" => Flavor::MariaDb,
            other => panic!("MARGAY_TEST_FLAVORS: unknown flavor `{other}`"),
        })
        .collect()
}

/// Starts servers of one flavor.
pub(crate) fn launcher(flavor: Flavor) -> Launcher {
    let program = Program::find(Some(flavor)).unwrap_or_else(|error| {
        panic!("{error}; or leave it out: MARGAY_TEST_FLAVORS=mysql or MARGAY_TEST_FLAVORS=mariadb")
    });
    Launcher::new(program, Account { user: "margay".into(), password: "it's a\\secret".into() })
}

/// A server that tests share: they neither stop it nor change what is global, and make databases of
/// their own. Its guard ends it with the process.
pub(crate) async fn shared(flavor: Flavor) -> &'static Server {
    static MYSQL: OnceCell<Server> = OnceCell::const_new();
    static MARIADB: OnceCell<Server> = OnceCell::const_new();
    let server = match flavor {
        Flavor::MySql => &MYSQL,
        Flavor::MariaDb => &MARIADB,
    };
    server
        .get_or_init(|| async {
            let launcher = launcher(flavor);
            start(&launcher, 1, &["--max-allowed-packet=64M"]).await
        })
        .await
}

/// A server of its own for a test; `options` are further options of the server.
pub(crate) async fn start(launcher: &Launcher, server_id: u32, options: &[&str]) -> Server {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let spec = ServerSpec {
        name: format!("server-{serial}"),
        directory: directory(),
        server_id,
        options: options.iter().map(|&option| option.to_owned()).collect(),
        keep: false,
    };
    launcher.start(spec, &|_| {}).await.expect("the server starts")
}

/// The parent of all servers of this process.
fn directory() -> PathBuf {
    std::env::temp_dir().join(format!("margay-test-{}", std::process::id()))
}
