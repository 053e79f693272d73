//! Finding a server program on this machine.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::demo::flavor::Flavor;
use crate::error::{Error, ErrorKind, Result};

const PROGRAM_VAR: &str = "MARGAY_MYSQLD";
const ROOT_VAR: &str = "MARGAY_MYSQLD_ROOT";
const NAMES: [&str; 2] = ["mysqld", "mariadbd"];
const PLACES: [&str; 5] =
    ["/usr/sbin", "/usr/libexec", "/usr/local/sbin", "/usr/local/mysql/bin", "/usr/bin"];

/// A `mysqld` or `mariadbd`, perhaps inside a directory tree that it must see as `/`.
#[derive(Debug, Clone)]
pub struct Program {
    /// As seen from inside `root`.
    path: PathBuf,
    /// Where to `chroot` before the start.
    root: Option<PathBuf>,
    flavor: Flavor,
    /// The number alone, like `9.7.4` or `10.11.19`.
    version: String,
}

impl Program {
    /// The program that a person names: inside `MARGAY_MYSQLD_ROOT` if it is there, else as it is.
    pub fn named(path: &Path) -> Result<Self> {
        let root = root().filter(|root| host_path(Some(root), path).is_file());
        Self::at(path, root.as_deref())
    }

    /// The first server program of this flavor, or of any: the one that `MARGAY_MYSQLD` names (a path
    /// inside `MARGAY_MYSQLD_ROOT` if that is set), one inside `MARGAY_MYSQLD_ROOT`, one on `PATH`,
    /// one in the usual places.
    pub fn find(flavor: Option<Flavor>) -> Result<Self> {
        let root = root();
        if let Some(named) = std::env::var_os(PROGRAM_VAR).filter(|path| !path.is_empty()) {
            let program = Self::at(Path::new(&named), root.as_deref())
                .map_err(|error| error.context(PROGRAM_VAR))?;
            if flavor.is_none_or(|flavor| flavor == program.flavor) {
                return Ok(program);
            }
        }
        let inside = places().map(|path| (path, root.as_deref())).filter(|_| root.is_some());
        let search = std::env::var_os("PATH").unwrap_or_default();
        let outside = std::env::split_paths(&search)
            .flat_map(|place| NAMES.map(|name| place.join(name)))
            .chain(places())
            .map(|path| (path, None));
        inside
            .chain(outside)
            .filter(|(path, root)| host_path(*root, path).is_file())
            .filter_map(|(path, root)| Self::at(&path, root).ok())
            .find(|program| flavor.is_none_or(|flavor| flavor == program.flavor))
            .ok_or_else(|| not_found(flavor))
    }

    /// The program at `path` inside `root`. Fails if it does not run.
    pub fn at(path: &Path, root: Option<&Path>) -> Result<Self> {
        let output = command(root, path.as_os_str())
            .args(["--no-defaults", "--version"])
            .output()
            .map_err(|error| cannot_run(path).with_source(error))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = version_number(&text).filter(|_| output.status.success());
        let Some(version) = version else {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(cannot_run(path).context(stderr.trim().to_owned()));
        };
        Ok(Self {
            path: path.to_owned(),
            root: root.map(Path::to_owned),
            flavor: Flavor::of_version(&text),
            version: version.to_owned(),
        })
    }

    /// As seen from inside [`Program::root`].
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory tree that it must see as `/`, if not our own.
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    pub fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// The number alone, like `9.7.4`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A command that runs the server itself, without arguments yet.
    pub(crate) fn command(&self) -> Command {
        command(self.root.as_deref(), self.path.as_os_str())
    }

    /// A command that runs another program of the same installation.
    pub(crate) fn sibling(&self, name: &str) -> Command {
        command(self.root.as_deref(), OsStr::new(name))
    }

    /// Where we find what the server sees as `inside`.
    pub fn host_path(&self, inside: &Path) -> PathBuf {
        host_path(self.root.as_deref(), inside)
    }
}

fn root() -> Option<PathBuf> {
    std::env::var_os(ROOT_VAR).filter(|root| !root.is_empty()).map(PathBuf::from)
}

fn places() -> impl Iterator<Item = PathBuf> {
    PLACES.iter().flat_map(|place| NAMES.map(|name| Path::new(place).join(name)))
}

fn host_path(root: Option<&Path>, inside: &Path) -> PathBuf {
    match root {
        Some(root) => root.join(inside.strip_prefix("/").unwrap_or(inside)),
        None => inside.to_owned(),
    }
}

fn command(root: Option<&Path>, program: &OsStr) -> Command {
    match root {
        Some(root) => {
            let mut command = Command::new("chroot");
            command.arg(root).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// The number in `mysqld  Ver 10.11.6-MariaDB-0+deb12u1 for ...`.
fn version_number(text: &str) -> Option<&str> {
    let rest = text.split_once("Ver ")?.1.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    rest.get(..end).filter(|number| !number.is_empty())
}

fn cannot_run(path: &Path) -> Error {
    Error::new(ErrorKind::Config, format!("cannot run `{}` as a MySQL server", path.display()))
}

fn not_found(flavor: Option<Flavor>) -> Error {
    let what = flavor.map_or("MySQL or MariaDB".to_owned(), |flavor| flavor.to_string());
    Error::new(
        ErrorKind::Config,
        format!(
            "found no {what} server on this machine; install one (package `mysql-server` or \
             `mariadb-server`), or set {PROGRAM_VAR} to the path of `mysqld` or `mariadbd`"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::{Flavor, version_number};

    fn check(text: &str, number: Option<&str>, flavor: Flavor) {
        assert_eq!(version_number(text), number, "{text}");
        assert_eq!(Flavor::of_version(text), flavor, "{text}");
    }

    #[test]
    fn reads_versions() {
        check(
            "/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))",
            Some("9.7.4"),
            Flavor::MySql,
        );
        check(
            "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64",
            Some("10.11.19"),
            Flavor::MariaDb,
        );
        check("mysqld  Ver 8.0.40", Some("8.0.40"), Flavor::MySql);
        check("usage: mysqld", None, Flavor::MySql);
    }
}
