//! NATS servers of the test's own: on free ports of this machine, with files in a folder that goes
//! away, ended by their process ids, also when the test itself is killed.

use rustix::process::{Pid, Signal, kill_process};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Ends the server when the test is gone: then its end of the pipe is closed.
const KEEPER: &str = "PATH=$PATH:/usr/sbin:/usr/local/sbin; \
                      nats-server -c \"$1\" >\"$1.log\" 2>&1 & echo $!; read gone; \
                      kill -9 $! 2>/dev/null; wait";

/// One server, alone or of a cluster.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) port: u16,
    keeper: Option<(Child, Pid)>,
}

/// A free port: nobody else is told of it until the next hundreds are used up.
fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

impl Server {
    /// A server with JetStream and further lines of configuration.
    pub(crate) fn start(more: &str) -> Server {
        Server::at(
            port(),
            &format!("jetstream {{ store_dir: \"$DIR\" }}\n{more}"),
        )
    }

    /// A server without JetStream.
    pub(crate) fn bare() -> Server {
        Server::at(port(), "")
    }

    fn at(port: u16, text: &str) -> Server {
        let folder = TempDir::with_prefix("fait-nats").expect("a folder");
        let dir = folder.path().join("jetstream").display().to_string();
        let text = text.replace("$DIR", &dir);
        let text = format!("listen: 127.0.0.1:{port}\n{text}\n");
        std::fs::write(folder.path().join("server.conf"), text).expect("written");
        let mut server = Server {
            folder,
            port,
            keeper: None,
        };
        server.up();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Where the streams are.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder.path().join("jetstream")
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it, and comes back when it takes connections.
    pub(crate) fn up(&mut self) {
        assert!(self.keeper.is_none(), "it runs");
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(self.folder.path().join("server.conf"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let out = keeper.stdout.take().expect("its output");
        BufReader::new(out)
            .read_line(&mut line)
            .expect("a process id");
        let id = line.trim().parse().ok().and_then(Pid::from_raw);
        self.keeper = Some((keeper, id.expect("a process id")));
        for _ in 0..1000 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let log = self.folder.path().join("server.conf.log");
        let log = std::fs::read_to_string(log).unwrap_or_default();
        panic!("nats-server does not start: {log}");
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        let (mut keeper, id) = self.keeper.take().expect("it runs");
        kill_process(id, Signal::KILL).expect("killed");
        drop(keeper.stdin.take());
        keeper.wait().expect("ended");
    }

    pub(crate) fn runs(&self) -> bool {
        self.keeper.is_some()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.runs() {
            self.kill();
        }
    }
}

/// Three servers that keep each message three times.
pub(crate) struct Cluster {
    pub(crate) servers: Vec<Server>,
}

impl Cluster {
    pub(crate) fn start() -> Cluster {
        let ports: Vec<(u16, u16)> = (0..3).map(|_| (port(), port())).collect();
        let mut routes = String::new();
        for (_, route) in &ports {
            _ = write!(routes, "\"nats-route://127.0.0.1:{route}\", ");
        }
        let one = |(n, (client, route)): (usize, &(u16, u16))| {
            let text = format!(
                "server_name: n{n}\njetstream {{ store_dir: \"$DIR\" }}\n\
                 cluster {{ name: c, listen: 127.0.0.1:{route}, routes: [{routes}] }}"
            );
            Server::at(*client, &text)
        };
        Cluster {
            servers: ports.iter().enumerate().map(one).collect(),
        }
    }

    pub(crate) fn url(&self) -> String {
        let urls: Vec<String> = self.servers.iter().map(Server::url).collect();
        urls.join(",")
    }

    /// The server with this name.
    pub(crate) fn named(&mut self, name: &str) -> &mut Server {
        let number: usize = name.trim_start_matches('n').parse().expect("n0, n1 or n2");
        &mut self.servers[number]
    }
}
