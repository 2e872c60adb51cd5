//! The rules: the boards that everyone knows, and for each rule a board on either side of it.

use fait_board::note::Level;
use fait_board::{LintOptions, Look, Problem, Rule, Severity, lint, parse, report, summary};

use crate::boards::{BROKEN, EXAMPLE, RESTAURANT};

fn found(board: &str, options: &LintOptions) -> Vec<Problem> {
    lint(&parse(board), options)
}

fn places(problems: &[Problem], severity: Severity) -> Vec<(&'static str, usize, usize)> {
    let weighty = problems.iter().filter(|p| p.severity == severity);
    weighty
        .map(|p| (p.code, p.span.line, p.span.column))
        .collect()
}

#[test]
fn the_restaurant_has_no_errors_and_no_warnings() {
    for board in [RESTAURANT, EXAMPLE] {
        let problems = found(board, &LintOptions::default());
        assert_eq!(places(&problems, Severity::Error), []);
        assert_eq!(places(&problems, Severity::Warning), []);
    }
}

#[test]
fn the_broken_board_breaks_these_rules_in_these_places() {
    let problems = found(BROKEN, &LintOptions::default());
    let errors = [
        ("P002", 64, 1),
        ("B301", 27, 1),
        ("B201", 30, 1),
        ("B101", 35, 8),
        ("B304", 39, 1),
        ("B401", 46, 1),
        ("B404", 47, 9),
        ("B404", 47, 16),
        ("B313", 57, 1),
        ("B314", 57, 1),
        ("B308", 60, 5),
    ];
    assert_eq!(places(&problems, Severity::Error), errors);
    let warnings = [
        ("B318", 10, 1),
        ("B204", 18, 1),
        ("B403", 18, 1),
        ("B203", 24, 1),
        ("B202", 27, 1),
        ("B203", 27, 1),
        ("B402", 46, 1),
        ("B310", 55, 5),
    ];
    assert_eq!(places(&problems, Severity::Warning), warnings);
    insta::assert_snapshot!(report(BROKEN, "broken.board", &problems, Look::Plain));
    let remarks = [("B302", 27, 1), ("B302", 43, 1)];
    assert_eq!(places(&problems, Severity::Remark), remarks);
    let counted = summary(parse(BROKEN).board.note_count(), &problems);
    assert_eq!(
        counted,
        "20 notes on the board: 11 errors, 8 warnings, 2 remarks"
    );
}

#[test]
fn each_rule_is_broken_by_one_board_and_kept_by_its_neighbour() {
    for rule in Rule::all() {
        let options = LintOptions {
            level: Some(rule.level),
            ..LintOptions::default()
        };
        let broken = found(rule.bad, &options);
        let hit = broken.iter().find(|problem| problem.code == rule.code);
        assert_eq!(
            hit.map(|problem| problem.severity),
            Some(rule.severity),
            "{}: {broken:#?}",
            rule.code
        );
        let kept = found(rule.good, &options);
        let fine = kept
            .iter()
            .all(|problem| problem.code != rule.code && !problem.code.starts_with('P'));
        assert!(fine, "{}: {kept:#?}", rule.code);
    }
}

#[test]
fn a_rule_is_silent_below_its_level() {
    for rule in Rule::all() {
        let lower = match rule.level {
            Level::BigPicture => continue,
            Level::Process => Level::BigPicture,
            Level::Design => Level::Process,
        };
        let options = LintOptions {
            level: Some(lower),
            ..LintOptions::default()
        };
        let silent = found(rule.bad, &options)
            .iter()
            .all(|problem| problem.code != rule.code);
        assert!(silent, "{}", rule.code);
    }
}
