use super::{Function, Source, says};

fn source(text: &str) -> Source {
    Source::new("crates/x/src/a.rs", text)
}

#[test]
fn comments_and_texts_are_no_code() {
    let s =
        source("let a = \"todo!( \\\" x\"; // dbg!(\n/* a /* b */ c */ let b = r#\"fn \"x\"#;\n");
    let code: String = s.lines.concat();
    assert!(!code.contains("todo") && !code.contains("dbg") && !code.contains("fn"));
    assert!(code.contains("let a =") && code.contains("let b ="));
}

#[test]
fn a_lifetime_is_no_character() {
    let s = source("fn f<'a>(x: &'a str) { if x == '\"' || x == '\\'' { g(\"}\") } }\n");
    assert_eq!(
        s.functions(),
        [Function {
            name: "f".to_owned(),
            line: 1,
            lines: 1
        }]
    );
    assert!(s.lines[0].contains("g(") && s.lines[0].contains("<'a>"));
}

#[test]
fn functions_are_measured_to_their_closing_brace() {
    let s = source(
        "trait T {\n    fn a(&self) -> [u8; 4];\n    fn b(&self) {\n        x()\n    }\n}\n",
    );
    assert_eq!(
        s.functions(),
        [Function {
            name: "b".to_owned(),
            line: 3,
            lines: 3
        }]
    );
}

#[test]
fn a_pointer_to_a_function_is_no_function() {
    assert_eq!(source("const F: fn(u8) -> u8 = { g };\n").functions(), []);
}

#[test]
fn use_trees_are_resolved() {
    let s = source("use std::{\n    fs::{self, File},\n    io as other,\n};\npub use a::*;\n");
    let found: Vec<String> = s.uses().into_iter().map(|u| u.path).collect();
    assert_eq!(found, ["std::fs", "std::fs::File", "std::io", "a::*"]);
    assert!(s.uses()[3].public && !s.uses()[0].public);
    assert_eq!(s.uses()[3].line, 5);
}

#[test]
fn tests_are_told_from_the_rest() {
    let s = source("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n");
    assert_eq!(s.tests, [false, true, true, true, true, false]);
    let s = source("#[cfg(test)]\nmod tests;\nfn c() {}\n");
    assert_eq!(s.tests, [true, true, false]);
    let s = source("#[cfg(not(test))]\nfn c() {}\n");
    assert_eq!(s.tests, [false, false]);
    assert!(Source::new("crates/x/src/a/tests.rs", "fn a() {}\n").is_test(1));
    assert!(Source::new("crates/x/tests/it/main.rs", "fn a() {}\n").is_test(1));
}

#[test]
fn widths_leave_the_insides_of_texts_out() {
    let s = source("let a = \"0123456789\";\n// 0123456789\n");
    assert_eq!(s.widths, [9, 13]);
}

#[test]
fn modules_with_and_without_body() {
    let s = source("pub mod a;\nmod b {\n}\n");
    assert_eq!(
        s.modules(),
        [(1, "a".to_owned(), false), (2, "b".to_owned(), true)]
    );
}

#[test]
fn words_stand_by_themselves() {
    assert!(says("rand::random()", "rand::"));
    assert!(!says("operand::x", "rand::"));
    assert!(says("Instant::now()", "Instant::now"));
    assert!(!says("Instant::now_then()", "Instant::now"));
}
