//! What is printed: data on stdout, everything else on stderr.

use crate::trouble::Trouble;
use serde_json::Value;
use std::io::{ErrorKind, Write, stderr, stdout};

/// Where the program prints, and in which form.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// As JSON, or for people.
    pub(crate) fn new(json: bool) -> Output {
        Output { json }
    }

    /// Whether JSON is wanted.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints text; a newline is added when it lacks one.
    pub(crate) fn text(&self, text: &str) -> Result<(), Trouble> {
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        let mut out = stdout().lock();
        write!(out, "{text}{newline}")
            .and_then(|()| out.flush())
            .map_err(|e| match e.kind() {
                ErrorKind::BrokenPipe => Trouble::Closed,
                _ => Trouble::Internal(format!("cannot print: {e}")),
            })
    }

    /// Prints one JSON document for people and programs.
    pub(crate) fn document(&self, value: &Value) -> Result<(), Trouble> {
        self.text(&format!("{value:#}"))
    }

    /// Prints one JSON document on one line, as part of a stream.
    pub(crate) fn line(&self, value: &Value) -> Result<(), Trouble> {
        self.text(&value.to_string())
    }

    /// Says something that is not data.
    pub(crate) fn note(&self, text: &str) {
        // When nobody reads stderr, that is all right.
        let _ = writeln!(stderr().lock(), "{text}");
    }
}

/// A table with aligned columns.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table; columns whose title starts with `#` are set to the right.
    pub(crate) fn new(header: &[&'static str]) -> Table {
        Table {
            header: header.to_vec(),
            rows: vec![],
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table as text.
    pub(crate) fn text(&self) -> String {
        let titles: Vec<String> = self
            .header
            .iter()
            .map(|t| t.trim_start_matches('#').to_string())
            .collect();
        let all = || std::iter::once(&titles).chain(&self.rows);
        let width = |i: usize| {
            let cells = all().filter_map(|r| r.get(i));
            cells.map(|c| c.chars().count()).max().unwrap_or(0)
        };
        let columns: Vec<(usize, bool)> = self
            .header
            .iter()
            .enumerate()
            .map(|(i, t)| (width(i), t.starts_with('#')))
            .collect();
        let mut text = String::new();
        for row in all() {
            let cells: Vec<String> = row
                .iter()
                .zip(&columns)
                .map(|(cell, (width, right))| match right {
                    true => format!("{cell:>width$}"),
                    false => format!("{cell:<width$}"),
                })
                .collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// A text of at most so many characters.
pub(crate) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}
