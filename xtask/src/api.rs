//! Open doors, held against their own OpenAPI documents: a validator reads a document, and
//! schemathesis sends what it allows and what it does not.

use crate::browser::{Server, build, empty, program};
use crate::machine;
use crate::tree;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const HELP: &str = "\
Usage: cargo xtask api [--examples N] [--seed N]

Starts the restaurant on a free port with an empty folder, once with an open door for everybody and
once for a client with a token, and then the meal tickets, which publish. The OpenAPI document of each
must be valid; then schemathesis asks everything that the document says and much that it forbids, and
no answer may be another than it says. Logs: target/api/.

  --examples N   so many requests of each kind for each operation (25)
  --seed N       the random number to begin with (7)";

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    examples: u32,
    seed: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            examples: 25,
            seed: 7,
        }
    }
}

impl Options {
    fn read(args: &[String]) -> Result<Options, String> {
        let mut options = Options::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let value = args.next().and_then(|value| value.parse().ok());
            let value = value.ok_or_else(|| format!("`{arg}` needs a number"));
            match arg.as_str() {
                "--examples" => options.examples = value?,
                "--seed" => options.seed = value?,
                _ => return Err(format!("`{arg}` is not an option\n\n{HELP}")),
            }
        }
        Ok(options)
    }
}

/// The verb `api`.
pub(crate) fn verb(args: &[String]) -> Result<bool, String> {
    run(&Options::read(args)?)
}

/// Runs the checks; the answer is whether all is well.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let root = tree::root()?;
    let python = machine::python()?;
    let results = tree::target(&root).join("api");
    fs::create_dir_all(&results).map_err(|e| format!("{}: {e}", results.display()))?;
    let programs = build(&root)?;
    let mut well = true;
    for door in doors(&programs, &results)? {
        well &= door.holds(&root, &python, &results, options)?;
    }
    Ok(well)
}

/// An open door.
struct Door {
    name: &'static str,
    program: Command,
    token: Option<String>,
}

fn doors(programs: &Path, results: &Path) -> Result<Vec<Door>, String> {
    let restaurant = || {
        let mut restaurant = Command::new(program(programs, "restaurant"));
        restaurant
            .args(["--listen", "127.0.0.1:0"])
            .args(["--staff", "none", "--orders", "3", "--every", "0"]);
        restaurant
    };
    let open = Door {
        name: "restaurant-open",
        program: restaurant(),
        token: None,
    };
    let staff = [
        "Waiter",
        "Cook",
        "Assistant manager",
        "Cashier",
        "Floor manager",
    ];
    let name = "restaurant-clients";
    let may: Vec<[&str; 2]> = staff.iter().map(|role| ["--role", role]).collect();
    let (token, clients) = client(programs, results, name, &may)?;
    let mut with_clients = restaurant();
    with_clients.arg("--clients").arg(clients);
    let closed = Door {
        name,
        program: with_clients,
        token: Some(token),
    };
    // It publishes, so that there is a feed.
    let name = "tickets";
    let may = [["--command", "IssueMealTickets"]];
    let (token, clients) = client(programs, results, name, &may)?;
    let mut tickets = Command::new(program(programs, "tickets"));
    tickets
        .args(["--listen", "127.0.0.1:0", "--places", "40", "--clients"])
        .arg(clients);
    let publishing = Door {
        name,
        program: tickets,
        token: Some(token),
    };
    Ok(vec![open, closed, publishing])
}

/// A token, and the file of clients that knows it.
fn client(
    programs: &Path,
    results: &Path,
    name: &str,
    may: &[[&str; 2]],
) -> Result<(String, PathBuf), String> {
    let mut made = Command::new(program(programs, "fait"));
    made.args(["token", "new", "tester", "--feed"]);
    made.args(may.iter().flatten());
    let made = made
        .output()
        .map_err(|e| format!("fait cannot be run: {e}"))?;
    let said = String::from_utf8_lossy(&made.stdout);
    let mut lines = said.lines();
    let (Some(token), Some(line)) = (lines.next(), lines.next()) else {
        let why = String::from_utf8_lossy(&made.stderr);
        return Err(format!("`fait token new` said no token: {why}"));
    };
    let file = results.join(format!("{name}.txt"));
    fs::write(&file, line).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok((token.to_owned(), file))
}

impl Door {
    /// Holds it against its document.
    fn holds(
        self,
        root: &Path,
        python: &Path,
        results: &Path,
        options: &Options,
    ) -> Result<bool, String> {
        let server = Server::start(self.name, self.program, &empty(results, self.name)?)?;
        let mut check = Command::new(python);
        check
            .arg(root.join("tests/python/api.py"))
            .arg(&server.address)
            .args(["--examples", &options.examples.to_string()])
            .args(["--seed", &options.seed.to_string()])
            .current_dir(results);
        if let Some(token) = self.token {
            check.env("TOKEN", token);
        }
        let status = check
            .status()
            .map_err(|e| format!("{} cannot be run: {e}", python.display()))?;
        server.stop()?;
        Ok(status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn options_are_read_or_refused() {
        let read = |args: &[&str]| {
            Options::read(&args.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(read(&["--examples", "3"]).map(|o| o.examples), Ok(3));
        assert!(read(&["--examples"]).is_err());
        assert!(read(&["--loud", "3"]).is_err());
    }
}
