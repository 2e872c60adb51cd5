//! The programs that tests need: found, installed, or named in the error.

use crate::tree;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the browser tests run with.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Chromium or a relative of it.
    pub(crate) chromium: PathBuf,
}

const BROWSERS: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// The oldest Node.js that can drive the browser.
const NODE: u32 = 18;

/// Finds what is needed; on Debian and its relatives, root installs what is missing.
pub(crate) fn ensure() -> Result<Machine, String> {
    let missing = missing();
    if !missing.is_empty() {
        if !can_install() {
            return Err(what_to_install(&missing));
        }
        install(&missing)?;
    }
    let still = self::missing();
    match chromium() {
        Some(chromium) if still.is_empty() => Ok(Machine { chromium }),
        _ => Err(what_to_install(&still)),
    }
}

/// The programs of PostgreSQL with which tests start a server of their own.
const POSTGRESQL: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Finds PostgreSQL, or installs it as [`ensure`] does; gives the folder of its programs.
pub(crate) fn postgresql() -> Result<PathBuf, String> {
    if let Some(folder) = postgresql_folder() {
        return Ok(folder);
    }
    if can_install() {
        install(&["postgresql"])?;
    }
    postgresql_folder().ok_or_else(|| {
        format!(
            "the tests of feeds need PostgreSQL: {} are neither on the path nor in \
             /usr/lib/postgresql/*/bin. Install it (Debian: apt-get install postgresql)",
            POSTGRESQL.join(", ")
        )
    })
}

fn postgresql_folder() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let complete = |folder: &PathBuf| POSTGRESQL.iter().all(|name| folder.join(name).is_file());
    folders.into_iter().find(complete)
}

/// What a test in Python runs with, from the root of the repository.
const REQUIREMENTS: &str = "tests/python/requirements.txt";

/// Finds Python with its `venv`, or installs it as [`ensure`] does, and makes an environment with
/// the packages of [`REQUIREMENTS`]; gives its Python. It is made anew when they change.
pub(crate) fn python() -> Result<PathBuf, String> {
    let root = tree::root()?;
    let wanted = root.join(REQUIREMENTS);
    let place = tree::target(&root).join("python");
    let made = place.join("made-of.txt");
    let python = place.join("bin/python");
    let text = fs::read_to_string(&wanted).map_err(|e| format!("{}: {e}", wanted.display()))?;
    if fs::read_to_string(&made).is_ok_and(|of| of == text) && python.is_file() {
        return Ok(python);
    }
    if !has_venv() && can_install() {
        install(&["python3", "python3-venv"])?;
    }
    if !has_venv() {
        return Err(
            "tests of the open door need Python 3.10 or newer with venv. Install them \
                    (Debian: apt-get install python3 python3-venv)"
                .into(),
        );
    }
    println!("installing {REQUIREMENTS} into {}", place.display());
    let environment = ["-m", "venv", "--clear"].map(Path::new);
    ran(Command::new("python3").args(environment).arg(&place))?;
    let pip = [
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        "-r",
    ];
    ran(Command::new(&python).args(pip).arg(&wanted))?;
    // Last, so that what was interrupted is made anew.
    fs::write(&made, text).map_err(|e| format!("{}: {e}", made.display()))?;
    Ok(python)
}

/// Whether an environment can be made here.
fn has_venv() -> bool {
    let looks = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
    let found = Command::new("python3").args(["-c", looks]).output();
    found.is_ok_and(|out| out.status.success())
}

fn ran(command: &mut Command) -> Result<(), String> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?} failed: {status}")),
        Err(e) => Err(format!("{command:?} cannot be run: {e}")),
    }
}

/// Where else than on the path Debian and others put what is a server.
const SERVERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Finds the NATS server, or installs it as [`ensure`] does.
pub(crate) fn nats_server() -> Result<PathBuf, String> {
    let find = || {
        let elsewhere = SERVERS.map(|folder| Path::new(folder).join("nats-server"));
        on_path("nats-server").or_else(|| elsewhere.into_iter().find(|file| file.is_file()))
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    if can_install() {
        install(&["nats-server"])?;
    }
    find().ok_or_else(|| {
        "the tests of the bus need nats-server 2.9.10 or newer: it is neither on the path nor in \
         /usr/sbin. Install it (Debian: apt-get install nats-server)"
            .into()
    })
}

/// The Debian packages that are missing here.
fn missing() -> Vec<&'static str> {
    let mut missing = Vec::new();
    if chromium().is_none() {
        missing.push("chromium");
    }
    if node_version().is_none_or(|version| version < NODE) {
        missing.push("nodejs");
    }
    if on_path("npm").is_none() {
        missing.push("npm");
    }
    missing
}

fn what_to_install(missing: &[&str]) -> String {
    format!(
        "the browser tests need Chromium and Node.js {NODE} or newer with npm; missing here: {}. \
         Install them (Debian: apt-get install {}), or say where Chromium is with the environment \
         variable CHROMIUM",
        missing.join(", "),
        missing.join(" "),
    )
}

fn chromium() -> Option<PathBuf> {
    match std::env::var_os("CHROMIUM").filter(|named| !named.is_empty()) {
        Some(named) => Some(PathBuf::from(named)).filter(|path| path.is_file()),
        None => BROWSERS.iter().find_map(|name| on_path(name)),
    }
}

/// The major version of Node.js.
fn node_version() -> Option<u32> {
    let out = Command::new("node").arg("--version").output().ok()?;
    major(&String::from_utf8_lossy(&out.stdout))
}

fn major(version: &str) -> Option<u32> {
    version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}

fn can_install() -> bool {
    let id = Command::new("id").arg("-u").output();
    let root = id.is_ok_and(|out| out.stdout.trim_ascii() == b"0");
    root && Path::new("/etc/debian_version").is_file() && on_path("apt-get").is_some()
}

fn install(packages: &[&str]) -> Result<(), String> {
    println!("installing {} with apt-get", packages.join(", "));
    apt(&["update", "-q"])?;
    apt(&[
        &["install", "-y", "-q", "--no-install-recommends"],
        packages,
    ]
    .concat())
}

fn apt(args: &[&str]) -> Result<(), String> {
    let mut command = Command::new("apt-get");
    let status = command
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("apt-get {} failed: {status}", args.join(" "))),
        Err(e) => Err(format!("apt-get cannot be run: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{major, what_to_install};

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major(""), None);
    }

    #[test]
    fn the_error_says_what_to_install() {
        assert!(what_to_install(&["chromium", "npm"]).contains("apt-get install chromium npm"));
    }
}
