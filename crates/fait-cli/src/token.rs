//! `fait token`: tokens with which other systems come to the open door.

use crate::failure::Failure;
use crate::output::{Out, note};
use clap::Subcommand;
use fait_web::NewToken;
use serde_json::json;

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a token for a client: shown once, with the line for the system's clients
    #[command(after_help = "Examples:
  fait token new sponsorship
  fait token new sponsorship --role clerk --feed
  fait token new billing --command PayTable --json

The token is for the client, which sends it as `Authorization: Bearer …`. The line goes into the file
of the system's clients, and holds no secret. Two lines of one name are one client with two tokens: to
replace a token add a line, give the client its token, and take the old line away.")]
    New {
        /// The client: letters a-z, digits and `-`
        name: String,
        /// A role whose commands it may send; may be repeated
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// A command that it may send; may be repeated
        #[arg(long = "command", value_name = "NAME")]
        commands: Vec<String>,
        /// It may read what is published
        #[arg(long)]
        feed: bool,
    },
}

/// Does what was asked.
pub(crate) fn run(verb: &Verb, out: &mut Out) -> Result<(), Failure> {
    let Verb::New {
        name,
        roles,
        commands,
        feed,
    } = verb;
    let NewToken { token, mut line } = NewToken::of(name).map_err(Failure::Usage)?;
    for role in roles {
        line.push_str(&format!(" role={}", word("role", &role.replace(' ', "-"))?));
    }
    for command in commands {
        line.push_str(&format!(" command={}", word("command", command)?));
    }
    if *feed {
        line.push_str(" feed");
    }
    if out.json() {
        return out.document(&json!({ "token": token, "line": line }));
    }
    note("the token is shown this once; give it to the client");
    out.line(format_args!("{token}"))?;
    note("and this line into the file of the system's clients:");
    out.line(format_args!("{line}"))
}

/// A name as one word of the line, in which `#` would begin a comment.
fn word<'a>(what: &str, name: &'a str) -> Result<&'a str, Failure> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '#';
    match name.is_empty() || name.contains(odd) {
        true => Err(Failure::Usage(format!("`{name}` is no name of a {what}"))),
        false => Ok(name),
    }
}
