//! `fait board`: what can be done with a board, the text of an event-storming workshop.

mod check;
mod lint;
mod fmt;
#[cfg(feature = "png")]
mod png;
mod draw;
mod test;
mod serve;

use crate::failure::Failure;
use crate::output::Out;
use clap::Subcommand;
use std::io::Read;
use std::path::Path;

/// What can be done with a board.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Say what is wrong with a board, and where
    Lint(lint::Lint),
    /// Lay a board out: the same words, in the canonical layout
    Fmt(fmt::Fmt),
    /// Draw a board, as SVG or PNG
    Draw(draw::Draw),
    /// Run the examples of a board against the program that it is about
    Test(test::Test),
    /// Show a board in the browser, and follow its file while it is edited
    Serve(serve::Serve),
    /// Hold a board against a program and against what happened
    Check(check::Check),
}

pub(crate) fn run(verb: &Verb, at: Option<&str>, out: &mut Out) -> Result<(), Failure> {
    match verb {
        Verb::Lint(lint) => lint::run(lint, out),
        Verb::Fmt(fmt) => fmt::run(fmt, out),
        Verb::Draw(draw) => draw::run(draw, out),
        Verb::Test(test) => test::run(test, out),
        Verb::Serve(serve) => serve::run(serve, out),
        Verb::Check(check) => check::run(check, at, out),
    }
}

/// A board that is larger is not read, in bytes.
const MOST: u64 = 16 << 20;

/// The text of a board; `-` is standard input.
pub(crate) fn text_of(file: &Path) -> Result<String, Failure> {
    let name = file.display();
    let read = |from: &mut dyn Read| -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        from.take(MOST + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = match file.as_os_str() == "-" {
        true => read(&mut std::io::stdin().lock()),
        false => std::fs::File::open(file).and_then(|mut file| read(&mut file)),
    };
    let bytes = bytes.map_err(|e| Failure::Usage(format!("{name} cannot be read: {e}")))?;
    if bytes.len() as u64 > MOST {
        let limit = MOST >> 20;
        let sorry = format!("{name} has more than {limit} MiB, which no board has");
        return Err(Failure::Usage(sorry));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let sorry = format!("{name} is not UTF-8 text: byte {at} is the first that is wrong");
        Failure::Usage(sorry)
    })
}
