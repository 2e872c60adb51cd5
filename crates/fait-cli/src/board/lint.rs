//! `fait board lint`: what is wrong with a board, as a compiler would say it.

use super::text_of;
use crate::failure::{Failure, nearest};
use crate::output::{Column, Out};
use clap::{Args, ValueEnum};
use fait_board::note::Level;
use fait_board::{
    LintOptions, Linted, Look, Problem, Rule, Severity, json, lint, parse, report, sarif, summary,
};
use std::path::PathBuf;

/// Which boards, which rules, and in which form.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait board lint restaurant.board
  fait board lint boards/*.board --deny warnings
  fait board lint restaurant.board --no-hotspots --allow B302
  fait board lint draft.board --level big-picture
  fait board lint restaurant.board --format sarif > board.sarif
  fait board lint --explain B304

Errors are findings; warnings only with `--deny warnings`. Exit codes:
  0   no findings
  1   findings
  2   the command line is wrong, or a board cannot be opened")]
pub(crate) struct Lint {
    /// The boards; `-` for standard input
    #[arg(required_unless_present_any = ["explain", "rules"])]
    files: Vec<PathBuf>,
    /// How the problems are said; `--json` is the same as `json`
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Make errors of what breaks this rule, or of all warnings
    #[arg(long, value_name = "CODE | warnings", value_delimiter = ',')]
    deny: Vec<String>,
    /// Do not ask this rule
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    allow: Vec<String>,
    /// Ask the rules of this level, whatever the board says
    #[arg(long, value_enum)]
    level: Option<Stage>,
    /// Make each open question an error
    #[arg(long)]
    no_hotspots: bool,
    /// Show remarks too, which are only counted otherwise
    #[arg(long)]
    remarks: bool,
    /// Say why a rule is there, with an example on either side of it
    #[arg(long, value_name = "CODE", conflicts_with_all = ["files", "rules"])]
    explain: Option<String>,
    /// List all rules
    #[arg(long, conflicts_with = "files")]
    rules: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For code scanners: SARIF 2.1.0
    Sarif,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Stage {
    /// Events and questions
    BigPicture,
    /// Who does what, and what follows
    Process,
    /// Every word explained: ready for code
    Design,
}

/// One board, read and held against the rules.
struct Board {
    path: String,
    text: String,
    notes: usize,
    problems: Vec<Problem>,
}

pub(crate) fn run(args: &Lint, out: &mut Out) -> Result<(), Failure> {
    if let Some(code) = &args.explain {
        return out.line(rule(code)?.to_string().trim_end());
    }
    if args.rules {
        return list(out);
    }
    let options = args.options()?;
    let boards = args.files.iter().map(|file| {
        let text = text_of(file)?;
        let parsed = parse(&text);
        Ok(Board {
            path: file.display().to_string(),
            notes: parsed.board.note_count(),
            problems: lint(&parsed, &options),
            text,
        })
    });
    let boards = boards.collect::<Result<Vec<_>, Failure>>()?;
    let linted: Vec<Linted<'_>> = boards.iter().map(Board::linted).collect();
    match args.format {
        Some(Format::Sarif) => out.document(&sarif(&linted))?,
        Some(Format::Json) => out.document(&json(&linted))?,
        None if out.json() => out.document(&json(&linted))?,
        _ => tell(&boards, args.remarks, out)?,
    }
    let weighty = |problem: &&Problem| problem.severity == Severity::Error;
    match boards
        .iter()
        .flat_map(|board| &board.problems)
        .filter(weighty)
        .count()
    {
        0 => Ok(()),
        1 => Err(Failure::Finding("1 error".into())),
        n => Err(Failure::Finding(format!("{n} errors"))),
    }
}

impl Lint {
    fn options(&self) -> Result<LintOptions, Failure> {
        let mut options = LintOptions {
            level: self.level.map(|level| match level {
                Stage::BigPicture => Level::BigPicture,
                Stage::Process => Level::Process,
                Stage::Design => Level::Design,
            }),
            no_hotspots: self.no_hotspots,
            ..LintOptions::default()
        };
        for code in &self.deny {
            match code.as_str() {
                "warnings" => options.deny_warnings = true,
                code => options.deny.push(rule(code)?.code.to_owned()),
            }
        }
        for code in &self.allow {
            let rule = rule(code)?;
            if rule.is_of_reading() {
                let sorry = format!(
                    "{code} cannot be allowed: what makes a board unreadable is always said"
                );
                return Err(Failure::Usage(sorry));
            }
            options.allow.push(rule.code.to_owned());
        }
        Ok(options)
    }
}

impl Board {
    fn linted(&self) -> Linted<'_> {
        Linted {
            path: &self.path,
            source: &self.text,
            notes: self.notes,
            problems: &self.problems,
        }
    }
}

/// The rule that a code on the command line stands for.
fn rule(code: &str) -> Result<&'static Rule, Failure> {
    let found = Rule::of(&code.to_uppercase());
    found.ok_or_else(|| {
        let codes: Vec<String> = Rule::all().map(|rule| rule.code.to_owned()).collect();
        let sorry = format!("there is no rule `{code}`");
        Failure::Usage(match nearest(code, &codes) {
            Some(near) => format!("{sorry}; did you mean `{near}`?"),
            None => format!("{sorry}; `fait board lint --rules` lists them"),
        })
    })
}

fn list(out: &mut Out) -> Result<(), Failure> {
    let columns = ["code", "level", "weight", "what is wrong"].map(Column::text);
    let rows: Vec<Vec<String>> = Rule::all()
        .map(|rule| {
            let level = match rule.level {
                Level::BigPicture => "big picture",
                Level::Process => "process",
                Level::Design => "design",
            };
            let weight = match rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Remark => "remark",
            };
            [rule.code, level, weight, rule.title]
                .map(str::to_owned)
                .into()
        })
        .collect();
    out.table(&columns, &rows)
}

/// The report of each board, with one line that counts at its end.
fn tell(boards: &[Board], remarks: bool, out: &mut Out) -> Result<(), Failure> {
    let look = if out.painted() {
        Look::Colour
    } else {
        Look::Plain
    };
    for board in boards {
        let shown = |problem: &&Problem| remarks || problem.severity != Severity::Remark;
        let shown: Vec<Problem> = board.problems.iter().filter(shown).cloned().collect();
        let text = report(&board.text, &board.path, &shown, look);
        if !text.is_empty() {
            out.line(text.trim_end())?;
            out.line("")?;
        }
        let line = summary(board.notes, &board.problems);
        let hidden = board.problems.len() > shown.len();
        let hint = if hidden {
            " (`--remarks` shows them)"
        } else {
            ""
        };
        match boards {
            [_] => out.line(format_args!("{line}{hint}"))?,
            _ => out.line(format_args!("{}: {line}{hint}", board.path))?,
        }
    }
    Ok(())
}
