#![no_main]

use fait_board::{LintOptions, Look, format, lint, parse, report};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let parsed = parse(text);
    let problems = lint(&parsed, &LintOptions::default());
    for problem in &problems {
        assert!(text.get(problem.span.bytes()).is_some(), "{problem:?}");
    }
    let few = problems.get(..3).unwrap_or(&problems);
    let _ = report(text, "any.board", few, Look::Plain);
    let once = format(text);
    assert_eq!(format(&once), once);
    if !text.contains('\t') {
        let again = parse(&once);
        assert_eq!(again.board.notes().len(), parsed.board.notes().len());
        assert_eq!(again.comments.len(), parsed.comments.len());
    }
});
