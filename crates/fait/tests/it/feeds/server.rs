//! A PostgreSQL server of its own on a Unix socket, in a folder that goes with it.

use postgres::{Client, Config, NoTls};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Nothing of it outlives the test.
const SETTINGS: &str = "
listen_addresses = ''
shared_buffers = 16MB
max_connections = 20
fsync = off
logging_collector = off
";

/// The server, as long as it is needed.
pub(super) struct Server {
    programs: PathBuf,
    folder: TempDir,
    user: Option<(u32, u32)>,
}

impl Server {
    pub(super) fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let server = Server {
            programs: programs(),
            user: other_user(),
            folder,
        };
        let path = server.folder.path();
        if let Some((user, group)) = server.user {
            chown(path, Some(user), Some(group)).unwrap();
        }
        let (data, log) = (server.data(), path.join("log").display().to_string());
        server.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "fait",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
            ],
        );
        let file = Path::new(&data).join("postgresql.conf");
        let given = fs::read_to_string(&file).unwrap();
        let socket = format!("unix_socket_directories = '{}'\n", path.display());
        fs::write(&file, given + SETTINGS + &socket).unwrap();
        server.run("pg_ctl", &["-D", &data, "-l", &log, "-w", "start"]);
        server
    }

    /// Where its socket is.
    pub(super) fn socket(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null());
        // Not piped: the server would keep the pipe, and reading it would never end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        let status = command.status().unwrap();
        assert!(status.success(), "`{program}` failed: {status}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.run(
            "pg_ctl",
            &["-D", &self.data(), "-m", "immediate", "-w", "stop"],
        );
    }
}

/// A connection to the server whose socket is there.
pub(super) fn connect(socket: &Path) -> Client {
    let mut config = Config::new();
    config.host_path(socket).user("fait").dbname("postgres");
    config.connect(NoTls).unwrap()
}

/// Where `initdb` and `pg_ctl` are.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let complete = |folder: &PathBuf| {
        let mut programs = ["initdb", "pg_ctl", "postgres"].iter();
        programs.all(|program| folder.join(program).is_file())
    };
    let found = folders.into_iter().find(complete);
    found.expect(
        "this test needs PostgreSQL: `initdb`, `pg_ctl` and `postgres` on the path or in \
         /usr/lib/postgresql/*/bin (Debian: apt-get install postgresql); `cargo xtask test` \
         installs it when it can",
    )
}

/// PostgreSQL refuses to run as root: the user to run it as then.
fn other_user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").is_ok_and(|me| me.uid() != 0) {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let named = |name: &str| {
        let mut lines = users.lines();
        let line = lines.find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map_while(|part| part.parse().ok());
        Some((numbers.next()?, numbers.next()?))
    };
    let user = named("postgres").or_else(|| named("nobody"));
    Some(user.expect("PostgreSQL does not run as root, and there is no other user"))
}
