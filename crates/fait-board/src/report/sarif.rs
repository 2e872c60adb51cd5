//! Problems in the format of code scanners: SARIF 2.1.0.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Linted;
use super::json::end_column;
use crate::lint::Rule;
use crate::note::Level;
use crate::problem::{Problem, Severity};

/// All boards and what is wrong with each, as a SARIF log of one run. Paths are given as they are
/// called, `-` as `stdin`; whoever reads them resolves them against the folder of the run.
#[must_use]
pub fn sarif(boards: &[Linted<'_>]) -> Value {
    let rules: Vec<&Rule> = Rule::all().collect();
    let codes = rules.iter().map(|rule| rule.code);
    let indexes: HashMap<&str, usize> = codes.enumerate().map(|(at, code)| (code, at)).collect();
    let mut results = Vec::new();
    for board in boards {
        let index = |code: &str| indexes.get(code).copied();
        let all = board.problems.iter();
        results.extend(all.map(|problem| result(board, problem, index(problem.code))));
    }
    let rules: Vec<Value> = rules.into_iter().map(rule).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "fait board lint",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(rule: &Rule) -> Value {
    let level = match rule.level {
        Level::BigPicture => "big picture",
        Level::Process => "process",
        Level::Design => "design",
    };
    json!({
        "id": rule.code,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.why },
        "help": {
            "text": format!("Breaks it:\n\n{}\nKeeps it:\n\n{}", rule.bad, rule.good),
            "markdown": format!(
                "{}\n\nBreaks it:\n\n```text\n{}```\n\nKeeps it:\n\n```text\n{}```\n",
                rule.why, rule.bad, rule.good
            ),
        },
        "defaultConfiguration": { "level": weight(rule.severity) },
        "properties": { "boardLevel": level },
    })
}

fn result(board: &Linted<'_>, problem: &Problem, index: Option<usize>) -> Value {
    let text = match &problem.help {
        Some(help) => format!("{}\n{help}", problem.message),
        None => problem.message.clone(),
    };
    let mut result = json!({
        "ruleId": problem.code,
        "level": weight(problem.severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(board.path) },
            "region": {
                "startLine": problem.span.line,
                "startColumn": problem.span.column,
                "endColumn": end_column(board.source, problem),
            },
        } }],
    });
    if let (Some(index), Some(result)) = (index, result.as_object_mut()) {
        result.insert("ruleIndex".into(), index.into());
    }
    result
}

fn weight(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Remark => "note",
    }
}

/// A path as a reference that may stand in a URI.
fn uri(path: &str) -> String {
    if path == "-" {
        return "stdin".to_owned();
    }
    let mut out = String::with_capacity(path.len());
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'\\' => out.push('/'),
            b'/' | b'-' | b'_' | b'.' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
