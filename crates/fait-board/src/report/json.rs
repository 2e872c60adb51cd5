//! Problems as JSON.

use serde_json::{Value, json as value};

use super::Linted;
use crate::problem::{Problem, Severity};

/// All boards and what is wrong with each. Lines and columns are counted from 1, columns in
/// characters; `end_column` is that behind the last character. `start` and `len` are in bytes of
/// the whole text.
#[must_use]
pub fn json(boards: &[Linted<'_>]) -> Value {
    let files: Vec<Value> = boards.iter().map(file).collect();
    value!({ "files": files })
}

fn file(board: &Linted<'_>) -> Value {
    let count = |severity| {
        let of = board.problems.iter().filter(|p| p.severity == severity);
        of.count()
    };
    let problems = board.problems.iter();
    let problems: Vec<Value> = problems.map(|p| problem(board.source, p)).collect();
    value!({
        "path": board.path,
        "notes": board.notes,
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "remarks": count(Severity::Remark),
        "problems": problems,
    })
}

fn problem(source: &str, problem: &Problem) -> Value {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Remark => "remark",
    };
    value!({
        "code": problem.code,
        "severity": severity,
        "message": problem.message,
        "help": problem.help,
        "line": problem.span.line,
        "column": problem.span.column,
        "end_column": end_column(source, problem),
        "start": problem.span.start,
        "len": problem.span.len,
    })
}

/// The column behind the last character of a problem.
pub(super) fn end_column(source: &str, problem: &Problem) -> usize {
    let text = source.get(problem.span.bytes()).unwrap_or("");
    problem.span.column + text.chars().count()
}
