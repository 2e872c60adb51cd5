//! `cargo xtask`: what contributors and continuous integration run.

mod tree;
mod source;
mod finding;
mod tidy;
mod machine;
mod browser;
mod asyncapi;
mod api;
mod sim;
mod fuzz;
mod kill;
mod steps;

use std::io::Write;
use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask <verb> [options]

Verbs:
  test     everything that must hold: format, lints, tidy, tests, documentation, browser, api
  tidy     the rules that no other tool knows: directions, sizes, words, forbidden calls
  sim      the embedded store on a simulated disk, for as many lives as wanted
  fuzz     the decoders of the embedded store, fed with bytes of a fuzzer's making
  kill     the embedded store in a process that is killed, as often as wanted
  browser  the restaurant's pages in a real Chromium
  asyncapi the AsyncAPI documents, read by the official parser
  api      the restaurant's open door, held against its OpenAPI document by schemathesis
  python   the environment of the tests in Python: makes it, says where its Python is
  ci       what continuous integration runs: `test` that never asks and never writes

`cargo xtask <verb> --help` says more.";

const PYTHON_HELP: &str = "\
Usage: cargo xtask python

Makes an environment of tests/python/requirements.txt in target/python, unless it is there, and says
where its Python is. Tests find it by the environment variable FAIT_PYTHON, or there. What is missing
is installed when this runs as root on Debian; elsewhere the error says what to install.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match verb(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// Runs a verb; the answer is whether all is well.
fn verb(args: &[String]) -> Result<bool, String> {
    let (name, rest) = match args.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("help", args),
    };
    let help = rest.iter().any(|arg| arg == "--help" || arg == "-h");
    match name {
        "test" if help => say(steps::HELP),
        "test" => steps::test(rest),
        "ci" if help => say(steps::CI_HELP),
        "ci" => steps::ci(rest),
        "tidy" if help => say(tidy::HELP),
        "tidy" => tidy::verb(rest),
        "browser" if help => say(browser::HELP),
        "browser" => browser::verb(rest),
        "asyncapi" if help => say(asyncapi::HELP),
        "asyncapi" => asyncapi::verb(rest),
        "api" if help => say(api::HELP),
        "api" => api::verb(rest),
        "python" if help => say(PYTHON_HELP),
        "python" => say(&machine::python()?.display().to_string()),
        "sim" if help => say(sim::HELP),
        "sim" => sim::verb(rest),
        "fuzz" if help => say(fuzz::HELP),
        "fuzz" => fuzz::verb(rest),
        "kill" if help => say(kill::HELP),
        "kill" => kill::verb(rest),
        "help" | "--help" | "-h" => say(HELP),
        other => Err(format!("there is no verb `{other}`\n\n{HELP}")),
    }
}

fn say(text: &str) -> Result<bool, String> {
    // Whoever asked for help and stopped reading has read enough.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(true)
}
