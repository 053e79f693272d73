//! Initialised data directories, made once and copied for each server.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::demo::flavor::Flavor;
use crate::cli::demo::program::Program;
use crate::error::{Error, ErrorKind, Result};

/// Where the template of a program lies, as the server sees it: under `base`, or in the user's cache.
pub(crate) fn path(program: &Program, base: Option<&Path>) -> PathBuf {
    let name = format!("{}-{}", program.flavor(), program.version());
    if let Some(base) = base {
        return base.join(name);
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir);
    cache.join("margay/servers").join(name)
}

/// Makes the template unless someone has. Whoever else is at it at the same time does no harm.
pub(crate) fn make(program: &Program, base: Option<&Path>) -> Result<PathBuf> {
    let template = path(program, base);
    let target = program.host_path(&template);
    if target.join("mysql").is_dir() {
        return Ok(template);
    }
    let scratch = template.with_file_name(format!("attempt-{:016x}", rand::random::<u64>()));
    let directory = program.host_path(&scratch);
    make_private(&directory)?;
    let done = initialise(program, &scratch).and_then(|()| {
        // The identity of a server; each copy makes its own.
        let _ = fs::remove_file(directory.join("auto.cnf"));
        match fs::rename(&directory, &target) {
            Err(_) if target.join("mysql").is_dir() => Ok(()),
            moved => moved.map_err(|error| cannot("put in place", &target, error)),
        }
    });
    // Nothing is left there if all went well.
    let _ = fs::remove_dir_all(&directory);
    done.map(|()| template)
}

/// Copies a template to a new data directory; both as we see them.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    make_private(to)?;
    copy_tree(from, to).map_err(|error| cannot("copy an empty database to", to, error))
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Creates a directory that only this user may enter.
pub(crate) fn make_private(directory: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(directory)
        .and_then(|()| fs::set_permissions(directory, fs::Permissions::from_mode(0o700)))
        .map_err(|error| cannot("create", directory, error))
}

fn initialise(program: &Program, directory: &Path) -> Result<()> {
    let mut command = match program.flavor() {
        Flavor::MySql => {
            let mut command = program.command();
            command.args(["--no-defaults", "--initialize-insecure", "--secure-file-priv="]);
            command.arg("--loose-innodb-redo-log-capacity=8M");
            command
        }
        Flavor::MariaDb => {
            let mut command = program.sibling("mariadb-install-db");
            command.args(["--no-defaults", "--skip-test-db", "--skip-name-resolve"]);
            // Go on where the name of this machine cannot be looked up.
            command.arg("--force");
            command.args(["--auth-root-authentication-method=socket", "--innodb-log-file-size=8M"]);
            command
        }
    };
    command.arg(format!("--datadir={}", directory.display()));
    if is_root(&program.host_path(directory)) {
        command.arg("--user=root");
    }
    run(&mut command)
}

/// Whether we are root, told by the owner of a directory that we made.
pub(crate) fn is_root(ours: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(ours).is_ok_and(|metadata| metadata.uid() == 0)
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        Error::new(ErrorKind::NoBackend, format!("cannot run `{name}`")).with_source(error)
    })?;
    if output.status.success() {
        return Ok(());
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    let message = format!("`{name}` cannot initialise a database ({}):\n{text}", output.status);
    Err(Error::new(ErrorKind::NoBackend, message))
}

fn cannot(what: &str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Config, format!("cannot {what} `{}`", path.display())).with_source(error)
}
