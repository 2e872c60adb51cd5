//! A PostgreSQL server of its own, in a folder that goes with it.

use super::{Fault, fault};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The server, as long as it is needed.
pub(crate) struct Server {
    programs: PathBuf,
    data: PathBuf,
    user: Option<(u32, u32)>,
}

/// Durable as it is out of the box, with the memory that a server of this size would be given.
const SETTINGS: &str = "
listen_addresses = ''
shared_buffers = 1GB
max_wal_size = 8GB
max_connections = 150
fsync = on
synchronous_commit = on
logging_collector = off
";

impl Server {
    /// Makes the cluster when it is not there, and starts it.
    pub(crate) fn start(folder: &Path) -> Result<Server, Fault> {
        let server = Server {
            programs: programs()?,
            data: folder.join("data"),
            user: other_user(folder)?,
        };
        if !server.data.is_dir() {
            fs::create_dir_all(folder)?;
            if let Some((user, group)) = server.user {
                chown(folder, Some(user), Some(group))?;
                open_the_way(folder)?;
            }
            let data = server.data.display().to_string();
            let options = ["-D", &data, "-U", "bench", "-A", "trust", "-E", "UTF8"];
            server.run("initdb", &[&options[..], &["--no-sync"]].concat())?;
            let file = server.data.join("postgresql.conf");
            let given = fs::read_to_string(&file)?;
            let socket = format!("unix_socket_directories = '{}'\n", folder.display());
            fs::write(&file, given + SETTINGS + &socket)?;
        }
        let data = server.data.display().to_string();
        let log = folder.join("log").display().to_string();
        server.run("pg_ctl", &["-D", &data, "-l", &log, "-w", "start"])?;
        Ok(server)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), Fault> {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).stdin(Stdio::null());
        command.current_dir("/").stdout(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        // Not piped: the server would keep the pipe, and reading it would never end.
        let status = command.stderr(Stdio::null()).status()?;
        match status.success() {
            true => Ok(()),
            false => Err(fault(format_args!("`{program}` failed: {status}"))),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.data.display().to_string();
        if let Err(e) = self.run("pg_ctl", &["-D", &data, "-m", "fast", "-w", "stop"]) {
            eprintln!("the PostgreSQL server in {data} could not be stopped: {e}");
        }
    }
}

/// Where `initdb` and `pg_ctl` are.
fn programs() -> Result<PathBuf, Fault> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let complete = |folder: &PathBuf| {
        ["initdb", "pg_ctl"]
            .iter()
            .all(|program| folder.join(program).is_file())
    };
    let found = folders.into_iter().find(complete);
    found.ok_or_else(|| fault("no folder with `initdb` and `pg_ctl` was found"))
}

/// PostgreSQL refuses to run as root: the user to run it as then.
fn other_user(folder: &Path) -> Result<Option<(u32, u32)>, Fault> {
    let above = folder.parent().unwrap_or(folder);
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let named = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map_while(|part| part.parse().ok());
        Some((numbers.next()?, numbers.next()?))
    };
    let user = named("postgres").or_else(|| named("nobody"));
    let because = || {
        let above = above.display();
        fault(format_args!(
            "no user but root to run the server in {above}"
        ))
    };
    user.map(Some).ok_or_else(because)
}

/// Lets the other user reach the folder through our own temporary ones above it.
fn open_the_way(folder: &Path) -> Result<(), Fault> {
    for above in folder.ancestors().skip(1).take(2) {
        let mode = fs::metadata(above)?.mode();
        if mode & 0o001 == 0 {
            fs::set_permissions(above, Permissions::from_mode(mode | 0o111))?;
        }
    }
    Ok(())
}
