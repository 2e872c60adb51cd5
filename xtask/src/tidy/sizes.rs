//! Sizes: functions, files and lines that can be read.

use super::Tree;
use crate::finding::Finding;
use crate::source::Source;

const FUNCTION: usize = 70;
const FILE_SOFT: usize = 500;
const FILE_HARD: usize = 800;
const COLUMNS: usize = 100;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let written = [".rs", ".mjs", ".js", ".css", ".sh"];
    let mut found = Vec::new();
    for text in tree
        .texts
        .iter()
        .filter(|t| written.iter().any(|e| t.path.ends_with(e)))
    {
        if !text.path.split('/').any(|part| part == "vendor") {
            found.extend(check_file(&text.path, text.text.lines().count()));
        }
    }
    for source in &tree.sources {
        found.extend(check_functions(source));
        found.extend(check_lines(source));
    }
    found
}

fn check_file(path: &str, lines: usize) -> Option<Finding> {
    let wrong = format!("the file has {lines} lines");
    if lines > FILE_HARD {
        let remedy = format!("split it by what it says; {FILE_HARD} lines are the limit");
        Some(Finding::new(path, FILE_HARD + 1, wrong, remedy))
    } else if lines > FILE_SOFT {
        let remedy = format!("more than {FILE_SOFT} are hard to read");
        Some(Finding::new(path, FILE_SOFT + 1, wrong, remedy).into_remark())
    } else {
        None
    }
}

fn check_functions(source: &Source) -> Vec<Finding> {
    let long = source
        .functions()
        .into_iter()
        .filter(|f| f.lines > FUNCTION);
    let finding = |f: crate::source::Function| {
        let wrong = format!("the function `{}` has {} lines", f.name, f.lines);
        let remedy = format!("name its parts; {FUNCTION} lines are the limit");
        Finding::new(&source.path, f.line, wrong, remedy)
    };
    long.map(finding).collect()
}

/// Lines that are too long without what stands in quotes; an address cannot be broken either.
fn check_lines(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    for (i, (width, line)) in source.widths.iter().zip(&source.raw).enumerate() {
        if *width > COLUMNS && !line.contains("://") {
            let wrong = format!("the line is {width} columns wide");
            let remedy = format!("break it; {COLUMNS} columns are the limit");
            found.push(Finding::new(&source.path, i + 1, wrong, remedy));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::findings;

    fn found(path: &str, text: &str) -> Vec<String> {
        findings(check, &[(path, text)])
    }

    #[test]
    fn a_function_has_at_most_seventy_lines() {
        let function = |body: usize| format!("fn f() {{\n{}}}\n", "    x();\n".repeat(body));
        assert_eq!(found("a.rs", &function(68)).len(), 0);
        let said = found("a.rs", &function(69));
        assert_eq!(said.len(), 1);
        assert!(said[0].starts_with("a.rs:1: the function `f` has 71 lines"));
    }

    #[test]
    fn a_file_has_at_most_eight_hundred_lines() {
        let file = |lines: usize| "const A: u8 = 1;\n".repeat(lines);
        assert_eq!(found("a.rs", &file(500)).len(), 0);
        assert!(found("a.rs", &file(501))[0].contains("remark: "));
        let said = found("a.rs", &file(801));
        assert!(said.len() == 1 && !said[0].contains("remark"));
        assert_eq!(found("crates/x/assets/vendor/a.js", &file(801)).len(), 0);
        assert_eq!(found("Cargo.lock", &file(801)).len(), 0);
    }

    #[test]
    fn a_line_has_at_most_a_hundred_columns() {
        assert_eq!(found("a.rs", &format!("{};\n", "x".repeat(99))).len(), 0);
        assert_eq!(found("a.rs", &format!("{};\n", "x".repeat(100))).len(), 1);
        assert_eq!(found("a.rs", &format!("// {}\n", "x".repeat(100))).len(), 1);
        assert_eq!(
            found("a.rs", &format!("f(\"{}\");\n", "x".repeat(100))).len(),
            0
        );
        assert_eq!(
            found("a.rs", &format!("// https://{}\n", "x".repeat(100))).len(),
            0
        );
    }
}
