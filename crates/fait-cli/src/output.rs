//! What the program writes: data to stdout, as tables or as JSON; notes to stderr.

use crate::failure::Failure;
use crate::words::clean;
use serde::Serialize;
use std::fmt::Display;
use std::io::{BufWriter, IsTerminal, Stdout, Write, stderr, stdout};

/// Where the data goes, and in which form.
#[derive(Debug)]
pub(crate) struct Out {
    sink: BufWriter<Stdout>,
    json: bool,
    painted: bool,
}

/// How a piece of text stands out, on terminals that want it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    /// What the eye should find.
    Strong,
    /// What it may skip.
    Faint,
    /// What needs somebody.
    Alarm,
}

impl Out {
    /// Standard output. Colours only on a terminal, and never when `NO_COLOR` is set.
    pub(crate) fn new(json: bool) -> Out {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        Out {
            sink: BufWriter::new(stdout()),
            json,
            painted: !json && !unwanted && !dumb && stdout().is_terminal(),
        }
    }

    /// Whether JSON is wanted.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether the terminal is to be painted.
    pub(crate) fn painted(&self) -> bool {
        self.painted
    }

    /// One line of text.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        writeln!(self.sink, "{text}").map_err(Failure::writing)
    }

    /// The whole answer as one JSON document.
    pub(crate) fn document(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(unwritable)?;
        self.line(text)
    }

    /// One of many JSON values, on one line, at once.
    pub(crate) fn record(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(unwritable)?;
        self.line(text)?;
        self.flush()
    }

    /// Where bytes go that are data already.
    pub(crate) fn bytes(&mut self) -> &mut impl Write {
        &mut self.sink
    }

    /// Writes out what is held back.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.sink.flush().map_err(Failure::writing)
    }

    /// A table with aligned columns. Nothing is written when there is no row.
    pub(crate) fn table(
        &mut self,
        columns: &[Column<'_>],
        rows: &[Vec<String>],
    ) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let width = |cell: &String| clean(cell).chars().count();
        let widths: Vec<usize> = (columns.iter().enumerate())
            .map(|(i, column)| {
                let cells = rows.iter().filter_map(|r| r.get(i)).map(width);
                cells.max().unwrap_or(0).max(column.title.chars().count())
            })
            .collect();
        let titles: Vec<String> = columns.iter().map(|c| c.title.to_string()).collect();
        let head = row_of(columns, &widths, &titles);
        self.line(self.tone(Tone::Faint, &head))?;
        for row in rows {
            self.line(row_of(columns, &widths, row))?;
        }
        Ok(())
    }

    /// Text in a tone, when the terminal is to be painted.
    pub(crate) fn tone(&self, tone: Tone, text: &str) -> String {
        if !self.painted || text.is_empty() {
            return text.to_string();
        }
        let code = match tone {
            Tone::Strong => 1,
            Tone::Faint => 2,
            Tone::Alarm => 31,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'a> {
    title: &'a str,
    number: bool,
}

impl<'a> Column<'a> {
    /// A column of text.
    pub(crate) const fn text(title: &'a str) -> Column<'a> {
        Column {
            title,
            number: false,
        }
    }

    /// A column of numbers, aligned to the right.
    pub(crate) const fn number(title: &'a str) -> Column<'a> {
        Column {
            title,
            number: true,
        }
    }
}

/// One line to stderr. If stderr is closed there is nobody to tell.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}

fn row_of(columns: &[Column<'_>], widths: &[usize], cells: &[String]) -> String {
    let mut line = String::new();
    for (i, ((column, width), cell)) in columns.iter().zip(widths).zip(cells).enumerate() {
        let cell = clean(cell);
        if i > 0 {
            line.push_str("  ");
        }
        line.push_str(&match column.number {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        });
    }
    line.trim_end().to_string()
}

fn unwritable(e: serde_json::Error) -> Failure {
    Failure::Internal(format!("the answer cannot be written as JSON: {e}"))
}
