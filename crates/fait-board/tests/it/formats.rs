//! Problems as data for other programs, and which of them count.

use fait_board::note::Level;
use fait_board::{LintOptions, Linted, Problem, Severity, json, lint, parse, sarif};
use serde_json::Value;

use crate::boards::{BROKEN, RESTAURANT};

fn problems(board: &str, options: &LintOptions) -> Vec<Problem> {
    lint(&parse(board), options)
}

fn linted<'a>(path: &'a str, source: &'a str, problems: &'a [Problem]) -> Linted<'a> {
    let notes = parse(source).board.note_count();
    Linted {
        path,
        source,
        notes,
        problems,
    }
}

#[test]
fn json_says_what_the_report_says() {
    let board = "event Größe gewählt\n  records größe, größe\n  pivotl\n";
    let found = problems(board, &LintOptions::default());
    let value = json(&[linted("größe.board", board, &found)]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap_or_default());
}

/// What the schema of SARIF 2.1.0 requires of a log, and what code scanners require beyond it.
#[test]
fn sarif_has_what_code_scanners_require() {
    let (broken, fine) = (
        problems(BROKEN, &LintOptions::default()),
        problems(RESTAURANT, &LintOptions::default()),
    );
    let log = sarif(&[
        linted("a folder/broken.board", BROKEN, &broken),
        linted("-", RESTAURANT, &fine),
    ]);
    assert_eq!(log["version"], "2.1.0");
    assert!(
        log["$schema"]
            .as_str()
            .is_some_and(|schema| schema.contains("sarif-2.1.0"))
    );
    let runs = log["runs"].as_array().expect("runs");
    let [run] = runs.as_slice() else {
        panic!("{} runs", runs.len())
    };
    assert!(run["tool"]["driver"]["name"].is_string());
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(
                rule[text]["text"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            );
        }
        let level = rule["defaultConfiguration"]["level"].as_str();
        assert!(matches!(level, Some("error" | "warning" | "note")));
    }
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), broken.len() + fine.len());
    for (result, problem) in results.iter().zip(broken.iter().chain(&fine)) {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("index")).expect("index");
        assert_eq!(rules[index]["id"], problem.code);
        assert_eq!(result["ruleId"], problem.code);
        let text = result["message"]["text"].as_str().expect("text");
        assert!(text.starts_with(&problem.message));
        let place = &result["locations"][0]["physicalLocation"];
        assert!(place["artifactLocation"]["uri"].is_string());
        let at = |key: &str| place["region"][key].as_u64().unwrap_or(0);
        assert!(at("startLine") >= 1 && at("startColumn") >= 1);
        assert!(at("endColumn") >= at("startColumn"));
    }
    let uri =
        |at: usize| &results[at]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri(0), "a%20folder/broken.board");
    assert_eq!(uri(broken.len()), "stdin");
    let first: &Value = &results[0];
    insta::assert_snapshot!(serde_json::to_string_pretty(first).unwrap_or_default());
}

fn count(board: &str, options: &LintOptions, severity: Severity) -> usize {
    let all = problems(board, options);
    all.iter().filter(|p| p.severity == severity).count()
}

#[test]
fn what_is_allowed_is_not_said() {
    let options = LintOptions {
        allow: vec!["B404".into(), "B302".into(), "P002".into()],
        ..LintOptions::default()
    };
    // What cannot be read is always said.
    assert_eq!(count(BROKEN, &options, Severity::Error), 9);
    assert_eq!(count(BROKEN, &options, Severity::Remark), 0);
}

#[test]
fn what_is_denied_is_an_error() {
    let options = LintOptions {
        deny: vec!["B403".into(), "B302".into()],
        allow: vec!["B302".into()],
        ..LintOptions::default()
    };
    assert_eq!(count(BROKEN, &options, Severity::Error), 14);
    let warnings = LintOptions {
        deny_warnings: true,
        allow: vec!["B403".into()],
        ..LintOptions::default()
    };
    assert_eq!(count(BROKEN, &warnings, Severity::Error), 18);
    assert_eq!(count(BROKEN, &warnings, Severity::Warning), 0);
}

#[test]
fn open_questions_can_be_errors() {
    let strict = LintOptions {
        no_hotspots: true,
        ..LintOptions::default()
    };
    assert_eq!(
        count(RESTAURANT, &LintOptions::default(), Severity::Error),
        0
    );
    assert_eq!(count(RESTAURANT, &strict, Severity::Error), 3);
    let allowed = LintOptions {
        allow: vec!["B900".into()],
        ..strict
    };
    assert_eq!(count(RESTAURANT, &allowed, Severity::Error), 0);
}

#[test]
fn the_level_can_be_said_by_whoever_asks() {
    let at = |level| {
        let options = LintOptions {
            level: Some(level),
            ..LintOptions::default()
        };
        problems(BROKEN, &options)
            .iter()
            .map(|p| p.code)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        at(Level::BigPicture),
        ["P002", "B203", "B202", "B203", "B201", "B101"]
    );
    let process = at(Level::Process);
    assert!(process.contains(&"B314") && !process.contains(&"B404"));
    assert_eq!(at(Level::Design).len(), 21);
}
