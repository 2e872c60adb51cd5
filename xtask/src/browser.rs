//! The browser tests: the restaurant, two systems that ask and tell each other, and the pages of a
//! board run, a real Chromium visits them, all are stopped.

use crate::machine;
use crate::tree;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const HELP: &str = "\
Usage: cargo xtask browser [--filter TEXT] [--address URL]

Starts the restaurant on a free port with an empty folder, tickets and sponsorship in the same way,
and with copies of the restaurant's board `fait board serve` and `fait play`; runs tests/browser/*.test.mjs against them in Chromium, and stops them. What is missing
is installed when this runs as root on Debian; elsewhere the error says what to install.
Screenshots and logs: target/browser/.

  --filter TEXT   only tests whose name contains TEXT
  --address URL   against a restaurant that runs already

Environment: CHROMIUM is the browser to use.";

/// How long the restaurant may take until it says its address.
const START: Duration = Duration::from_secs(30);

/// How long it may take to stop when asked.
const STOP: Duration = Duration::from_secs(15);

/// What to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    filter: Option<String>,
    address: Option<String>,
}

impl Options {
    fn read(args: &[String]) -> Result<Options, String> {
        let mut options = Options::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let value = args
                .next()
                .cloned()
                .ok_or_else(|| format!("`{arg}` needs a value"))?;
            match arg.as_str() {
                "--filter" => options.filter = Some(value),
                "--address" => options.address = Some(value),
                _ => return Err(format!("`{arg}` is not an option\n\n{HELP}")),
            }
        }
        Ok(options)
    }
}

/// The verb `browser`.
pub(crate) fn verb(args: &[String]) -> Result<bool, String> {
    run(&Options::read(args)?)
}

/// Runs the tests; the answer is whether all passed.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let root = tree::root()?;
    let machine = machine::ensure()?;
    let tests = root.join("tests/browser");
    packages(&tests)?;
    let results = tree::target(&root).join("browser");
    fs::create_dir_all(&results).map_err(|e| format!("{}: {e}", results.display()))?;
    let programs = build(&root)?;
    let mut servers = vec![];
    let address = match &options.address {
        Some(address) => address.clone(),
        None => {
            let server = restaurant(&programs, &results)?;
            let address = server.address.clone();
            servers.push(server);
            address
        }
    };
    let (file, board) = with_board("fait board serve", &root, &programs, &results)?;
    let (played, play) = with_board("fait play", &root, &programs, &results)?;
    let house = tickets(&programs, &results)?;
    let office = sponsorship(&programs, &results, &house)?;
    let mut command = Command::new("node");
    command.arg("run.mjs").arg(&address).current_dir(&tests);
    command
        .env("CHROMIUM", &machine.chromium)
        .env("RESULTS", &results)
        .env("BOARD_SITE", &board.address)
        .env("BOARD_FILE", file)
        .env("PLAY_SITE", &play.address)
        .env("PLAY_FILE", played)
        .env("TICKETS_SITE", &house.address)
        .env("SPONSORSHIP_SITE", &office.address)
        .env("FAIT", program(&programs, "fait"))
        .env("RESTAURANT", program(&programs, "restaurant"));
    servers.extend([board, play, office, house]);
    if let Some(filter) = &options.filter {
        command.args(["--filter", filter]);
    }
    let status = command
        .status()
        .map_err(|e| format!("node cannot be run: {e}"))?;
    let stopped = servers.into_iter().map(Server::stop);
    stopped
        .collect::<Result<Vec<()>, _>>()
        .map(|_| status.success())
}

/// The restaurant, where nobody works by themselves, so that a test finds its order as it left it.
fn restaurant(programs: &Path, results: &Path) -> Result<Server, String> {
    let mut command = Command::new(program(programs, "restaurant"));
    command
        .args(["--listen", "127.0.0.1:0"])
        .args(["--staff", "none", "--orders", "3", "--every", "0"]);
    Server::start("the restaurant", command, &empty(results, "restaurant")?)
}

/// The house that sells meals ahead.
fn tickets(programs: &Path, results: &Path) -> Result<Server, String> {
    let mut command = Command::new(program(programs, "tickets"));
    command.args(["--listen", "127.0.0.1:0"]);
    Server::start("tickets", command, &empty(results, "tickets")?)
}

/// The office that books there, for three sponsors at once.
fn sponsorship(programs: &Path, results: &Path, house: &Server) -> Result<Server, String> {
    let mut command = Command::new(program(programs, "sponsorship"));
    command
        .args(["--listen", "127.0.0.1:0", "--tickets", &house.address])
        .args(["--sponsors", "3", "--every", "0"]);
    Server::start("sponsorship", command, &empty(results, "sponsorship")?)
}

/// A verb of `fait` with a copy of the restaurant's board, which tests may edit.
fn with_board(
    verb: &'static str,
    root: &Path,
    programs: &Path,
    results: &Path,
) -> Result<(PathBuf, Server), String> {
    let words: Vec<&str> = verb.split(' ').skip(1).collect();
    let place = empty(results, &words.join("-"))?;
    let (from, to) = (
        root.join("examples/restaurant/restaurant.board"),
        place.join("restaurant.board"),
    );
    fs::copy(&from, &to).map_err(|e| format!("{}: {e}", from.display()))?;
    let mut command = Command::new(program(programs, "fait"));
    command
        .args(words)
        .args(["restaurant.board", "--listen", "127.0.0.1:0"]);
    let server = Server::start(verb, command, &place)?;
    Ok((to, server))
}

/// An empty folder for a program.
pub(crate) fn empty(results: &Path, name: &str) -> Result<PathBuf, String> {
    let place = results.join(name);
    let trouble = |e: std::io::Error| format!("{}: {e}", place.display());
    if place.exists() {
        fs::remove_dir_all(&place).map_err(trouble)?;
    }
    fs::create_dir_all(&place).map_err(trouble)?;
    Ok(place)
}

/// Brings the packages up to date with the lock file.
pub(crate) fn packages(tests: &Path) -> Result<(), String> {
    let changed = |path: PathBuf| path.metadata().and_then(|m| m.modified()).ok();
    let installed = changed(tests.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= changed(tests.join("package-lock.json")) {
        return Ok(());
    }
    println!("installing the packages of {} with npm", tests.display());
    let mut command = Command::new("npm");
    command
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(tests);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("npm ci failed in {}: {status}", tests.display())),
        Err(e) => Err(format!("npm cannot be run: {e}")),
    }
}

/// A program while it runs; it is stopped when this is dropped.
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    pub(crate) address: String,
    log: PathBuf,
}

impl Server {
    /// Starts it in its folder, and waits until it says where it is. Its log lies beside that.
    pub(crate) fn start(
        name: &'static str,
        mut command: Command,
        place: &Path,
    ) -> Result<Server, String> {
        let log = place.with_extension("log");
        let file = File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let errors = file
            .try_clone()
            .map_err(|e| format!("{}: {e}", log.display()))?;
        command.current_dir(place);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn();
        let mut child = child.map_err(|e| format!("{name} cannot be run: {e}"))?;
        let addresses = listen(&mut child, file);
        let mut server = Server {
            name,
            child,
            address: String::new(),
            log,
        };
        match addresses.recv_timeout(START) {
            Ok(address) => server.address = address,
            Err(_) => {
                let tail = server.tail();
                return Err(format!("{name} did not say its address; it said:\n{tail}"));
            }
        }
        println!("{name} listens at {}", server.address);
        Ok(server)
    }

    /// Asks it to stop, and says so if it does not stop well.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        let name = self.name;
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        asked.map_err(|e| format!("kill cannot be run: {e}"))?;
        let until = Instant::now() + STOP;
        while Instant::now() < until {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    let tail = self.tail();
                    return Err(format!("{name} stopped with {status}; it said:\n{tail}"));
                }
                Ok(None) => thread::park_timeout(Duration::from_millis(20)),
                Err(e) => return Err(format!("{name} cannot be waited for: {e}")),
            }
        }
        Err(format!(
            "{name} did not stop within {} s when asked",
            STOP.as_secs()
        ))
    }

    fn tail(&self) -> String {
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the programs, and says in which folder they are.
pub(crate) fn build(root: &Path) -> Result<PathBuf, String> {
    let target = tree::target(root);
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["build", "--quiet", "--package", "restaurant"])
        .args(["--package", "tickets", "--package", "sponsorship"])
        .args(["--package", "fait-cli", "--target-dir"])
        .arg(&target);
    if tree::lock_is_tracked(root) {
        command.arg("--locked");
    }
    match command.current_dir(root).status() {
        Ok(status) if status.success() => Ok(target.join("debug")),
        Ok(_) => Err("the examples or `fait` do not compile".to_owned()),
        Err(e) => Err(format!("cargo cannot be run: {e}")),
    }
}

pub(crate) fn program(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Keeps what the program says in its log, and passes on the address.
fn listen(child: &mut Child, mut log: File) -> Receiver<String> {
    let (send, addresses) = mpsc::channel();
    if let Some(out) = child.stdout.take() {
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if let Some(address) = address_in(&line) {
                    // Only the first is waited for.
                    let _ = send.send(address);
                }
                // A log that cannot be written costs the log, not the tests.
                let _ = writeln!(log, "{line}");
            }
        });
    }
    addresses
}

/// The address that a line of the program says.
fn address_in(line: &str) -> Option<String> {
    let start = line.find("http://127.0.0.1:")?;
    let rest = &line[start + "http://".len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':');
    let host = rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ':']);
    Some(format!("http://{host}"))
}

#[cfg(test)]
mod tests {
    use super::{Options, Server, address_in};
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;

    /// A program that does what the restaurant might, and a folder for its results.
    #[cfg(unix)]
    fn program(name: &str, script: &str) -> (Command, PathBuf) {
        let folder = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        (command, folder)
    }

    #[cfg(unix)]
    #[test]
    fn a_server_says_its_address_and_stops_when_asked() {
        let script = "trap 'exit 0' TERM\necho open: http://127.0.0.1:4711/\n\
                      while true; do sleep 0.05; done";
        let (program, folder) = program("good", script);
        let server = Server::start("it", program, &folder).unwrap();
        assert_eq!(server.address, "http://127.0.0.1:4711");
        assert_eq!(server.stop(), Ok(()));
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_server_that_ends_at_once_is_quoted() {
        let (program, folder) = program("bad", "echo no room left >&2; exit 1");
        let error = Server::start("it", program, &folder)
            .err()
            .unwrap_or_default();
        assert!(error.contains("no room left"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_server_that_stops_badly_is_a_failure() {
        let script = "trap 'exit 3' TERM\necho http://127.0.0.1:4711/\n\
                      while true; do sleep 0.05; done";
        let (program, folder) = program("rude", script);
        let server = Server::start("it", program, &folder).unwrap();
        assert!(server.stop().is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_address_is_found_in_a_sentence() {
        let line = "The restaurant is open: http://127.0.0.1:41234/. Stop it with Ctrl-C.";
        assert_eq!(address_in(line).as_deref(), Some("http://127.0.0.1:41234"));
        assert_eq!(
            address_in("http://127.0.0.1:80."),
            Some("http://127.0.0.1:80".to_owned())
        );
        assert_eq!(address_in("http://example.org"), None);
    }

    #[test]
    fn options_are_read_or_refused() {
        let read = |args: &[&str]| {
            Options::read(&args.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            read(&["--filter", "x"]).map(|o| o.filter),
            Ok(Some("x".to_owned()))
        );
        assert!(read(&["--filter"]).is_err());
        assert!(read(&["--loud", "x"]).is_err());
    }
}
