//! Both programs and the broker as processes of their own, which can be killed.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A port that is free now.
pub(crate) fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A program with its folder and its address, which stay the same when it is started again.
pub(crate) struct Program {
    name: &'static str,
    file: PathBuf,
    folder: TempDir,
    pub(crate) port: u16,
    args: Vec<String>,
    child: Option<Child>,
}

impl Program {
    /// The house that sells meals.
    pub(crate) fn tickets(args: &[&str]) -> Program {
        Program::new("tickets", beside("tickets", "tickets"), args)
    }

    /// The office that looks after sponsors.
    pub(crate) fn sponsorship(tickets: &Program, args: &[&str]) -> Program {
        let address = tickets.address();
        let args = [&["--tickets", &address], args].concat();
        let file = env!("CARGO_BIN_EXE_sponsorship");
        Program::new("sponsorship", file.into(), &args)
    }

    fn new(name: &'static str, file: PathBuf, args: &[&str]) -> Program {
        Program {
            name,
            file,
            folder: TempDir::with_prefix(name).unwrap(),
            port: port(),
            args: args.iter().map(ToString::to_string).collect(),
            child: None,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts it, and comes back when it says where it is, with what it said until then.
    pub(crate) fn up(&mut self) -> String {
        let mut child = Command::new(&self.file)
            .args(["--listen", &format!("127.0.0.1:{}", self.port), "--data"])
            .arg(self.folder.path())
            .args(&self.args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let address = self.address();
        let said = lines.find(|line| line.contains(&address));
        std::thread::spawn(move || lines.for_each(drop));
        self.child = Some(child);
        said.unwrap_or_else(|| panic!("{} does not open", self.name))
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        let url = format!("{}{path}", self.address());
        ureq::get(url).call().ok()?.body_mut().read_json().ok()
    }

    /// All events behind a position, by position; what can be had of them.
    pub(crate) fn events(&self, mut after: u64) -> BTreeMap<u64, Value> {
        let mut out = BTreeMap::new();
        while let Some(page) = self.get(&format!("/api/events?after={after}&limit=1000")) {
            let events = page["events"].as_array().unwrap();
            if events.is_empty() {
                break;
            }
            for event in events {
                after = event["position"].as_u64().unwrap();
                out.insert(after, event.clone());
            }
        }
        out
    }

    /// How many instances of processes are so.
    pub(crate) fn instances(&self, status: &str) -> Option<u64> {
        let all = self.get("/api/ops/processes")?;
        let count = |p: &Value| p["instances"][status].as_u64();
        all.as_array()?.iter().map(count).sum()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program of another crate, which stands beside this one's. What is built alone may lack it.
pub(crate) fn beside(program: &str, package: &str) -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_sponsorship")).with_file_name(program);
    if !beside.is_file() {
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", package])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(built.unwrap().success(), "{program} is not built");
    }
    beside
}

/// Ends the broker also when the test itself is killed: then its end of the pipe is closed.
const KEEPER: &str = "PATH=$PATH:/usr/sbin:/usr/local/sbin; \
                      nats-server -a 127.0.0.1 -p $1 -js -sd \"$2\" >\"$2.log\" 2>&1 & \
                      read gone; kill -9 $!; wait";

/// A NATS server with its files, which it finds again when it is started again.
pub(crate) struct Broker {
    folder: TempDir,
    port: u16,
    keeper: Option<(Child, ChildStdin)>,
}

impl Broker {
    pub(crate) fn start() -> Broker {
        let mut broker = Broker {
            folder: TempDir::with_prefix("nats").unwrap(),
            port: port(),
            keeper: None,
        };
        broker.up();
        broker
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Starts it, and comes back when it takes connections.
    pub(crate) fn up(&mut self) {
        let files = self.folder.path().join("jetstream");
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper", &self.port.to_string()])
            .arg(&files)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let pipe = keeper.stdin.take().unwrap();
        self.keeper = Some((keeper, pipe));
        for _ in 0..1000 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let log = std::fs::read_to_string(files.with_extension("log")).unwrap_or_default();
        panic!("nats-server does not start: {log}");
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some((mut keeper, pipe)) = self.keeper.take() {
            drop(pipe);
            keeper.wait().unwrap();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}
