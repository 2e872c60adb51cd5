//! The programs that tests need: found, installed, or named in the error.

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
