//! Lines that are no export are refused, with the place, and nothing is left of them.

use super::export::exported;
use super::small;
use fait_store::Disk;
use fait_store::tools::{ToolError, import};
use std::fs;
use std::path::Path;

/// The lines of six events: appends of two, with a key in the first of each.
fn lines() -> Vec<String> {
    let (temp, _) = small(3);
    exported(temp.path()).lines().map(String::from).collect()
}

/// Imports lines that must be refused; gives the number and the sentence.
#[track_caller]
fn refused(lines: &[String]) -> (u64, String) {
    let temp = tempfile::tempdir().unwrap();
    let to = temp.path().join("made");
    let text = lines.join("\n");
    let error = import(&mut text.as_bytes(), &to, &mut |_| {}).unwrap_err();
    assert_eq!(
        fs::read_dir(temp.path()).unwrap().count(),
        0,
        "nothing is left"
    );
    assert!(error.to_string().contains("nothing was imported"));
    match error {
        ToolError::Line { number, what } => (number, what),
        error => panic!("{error}"),
    }
}

/// The same with one piece of one line replaced.
#[track_caller]
fn with(number: usize, old: &str, new: &str) -> String {
    let mut lines = lines();
    let line = &mut lines[number - 1];
    assert!(line.contains(old), "{line}");
    *line = line.replace(old, new);
    let (found, what) = refused(&lines);
    assert_eq!(found, number as u64, "{what}");
    what
}

#[test]
fn a_line_that_is_no_object_is_refused() {
    let what = with(2, "{\"specversion\"", "[\"specversion\"");
    assert!(what.contains("no JSON object at column"), "{what}");
    let mut cut = lines();
    cut[5].truncate(100);
    let (number, what) = refused(&cut);
    assert_eq!(number, 6);
    assert!(what.contains("column 100: EOF"), "{what}");
    let (number, what) = refused(&[lines()[0].clone(), String::new(), lines()[1].clone()]);
    assert_eq!(number, 2);
    assert!(what.contains("no JSON object"), "{what}");
    let both = format!("{}{}", lines()[0], lines()[1]);
    assert!(refused(&[both]).1.contains("trailing"));
}

#[test]
fn a_line_that_is_no_text_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let to = temp.path().join("made");
    let text = [lines()[0].as_bytes(), b"\n{\"id\":\"\xff\"}\n"].concat();
    let error = import(&mut &text[..], &to, &mut |_| {}).unwrap_err();
    let told = "line 2: it is not UTF-8 from byte 8 on; nothing was imported";
    assert_eq!(error.to_string(), told);
}

/// What is replaced in the third line by what, and what is said of it.
type Case = (&'static str, &'static str, &'static str);

#[track_caller]
fn each_is_refused(cases: &[Case]) {
    for (old, new, expected) in cases {
        let what = with(3, old, new);
        assert!(what.contains(expected), "{new}: {what}");
    }
}

const NEEDED: &[Case] = &[
    (
        r#""1.0""#,
        r#""0.3""#,
        r#"`specversion` is "0.3", and must be "1.0""#,
    ),
    (r#""specversion":"1.0","#, "", "`specversion` is missing"),
    (
        r#""source":"urn:"#,
        r#""source":7,"x":""#,
        "`source` is 7, and must be text",
    ),
    (
        "-00000000000b",
        "-0000000000",
        r#"`id` is "00000000-0000-0000-0000-00"#,
    ),
    (
        r#""type":"Opened""#,
        r#""type":"""#,
        "event type `` is empty",
    ),
    (
        r#""type":"Opened""#,
        r#""type":"$Erased""#,
        "is what an erased event reads as",
    ),
    (
        r#""position":"3""#,
        r#""position":"4""#,
        "`position` is 4, and 3 is next",
    ),
    (
        r#""position":"3""#,
        r#""position":"-3""#,
        "must be a whole number",
    ),
    (
        r#""position":"3""#,
        r#""position":true"#,
        "must be a whole number",
    ),
    (
        r#""recordedms":"1000""#,
        r#""recordedms":"999""#,
        r#"`time` is "1970-01-01T00:00:01"#,
    ),
    (
        r#""1970-01-01T00:00:01.000Z""#,
        r#""noon""#,
        r#"`time` is "noon""#,
    ),
    (
        r#""dataversion":1"#,
        r#""dataversion":4294967296"#,
        "`dataversion` is 4294967296",
    ),
    (r#""dataversion":1,"#, "", "`dataversion` is missing"),
    (
        r#""data":{"#,
        r#""data_base64":"","data":{"#,
        "exactly one of the attributes `data`",
    ),
    (
        r#""data":{"number":11}"#,
        r#""data_base64":"Zg""#,
        "must be base64",
    ),
    (
        r#""data":{"number":11}"#,
        r#""data_base64":"Zg=""#,
        "must be base64",
    ),
    (
        r#""data":{"number":11}"#,
        r#""data_base64":"Zh==""#,
        "must be base64",
    ),
    (
        r#""data":{"number":11}"#,
        r#""data_base64":"Zg==Zg==""#,
        "must be base64",
    ),
    (
        r#""data":{"number":11}"#,
        r#""data_base64":"====""#,
        "must be base64",
    ),
    (
        r#""data":{"number":11}"#,
        r#""data_base64":"Zm 9v""#,
        "must be base64",
    ),
    (
        r#""data":{"number":11}"#,
        r#""data_base64":"Zm9-""#,
        "must be base64",
    ),
    (
        r#","data":{"number":11}"#,
        "",
        "exactly one of the attributes",
    ),
];

const MORE: &str = r#""dataversion":1"#;

const POSSIBLE: &[Case] = &[
    ("table:1,order:7", "table:1,,order:7", "tag `` is empty"),
    ("table:1,order:7", "table", "not of the form `kind:value`"),
    ("table:1,order:7", "table:50%", "in a tag, write `%` as %25"),
    (
        r#""keyevents":2"#,
        r#""keyevents":0"#,
        "must be from 1 to 4096",
    ),
    (
        r#""keyevents":2,"#,
        "",
        "with `keyid` come `keyfingerprint` and `keyevents`",
    ),
    (r#""keyid""#, r#""actor""#, "attribute `key"),
    (
        r#""keyevents":2"#,
        r#""keyms":"7","keyevents":2"#,
        "belongs to erased events only",
    ),
    (r#""application/json""#, "1", "must be text"),
    (
        MORE,
        r#""dataversion":1,"subject":"x""#,
        "`subject` is not known",
    ),
    (
        MORE,
        r#""dataversion":1,"dataversion":1"#,
        "stands there twice",
    ),
    (
        MORE,
        r#""erased":true,"dataversion":1"#,
        "not belong to an erased event",
    ),
    (
        MORE,
        r#""erased":1,"dataversion":1"#,
        "must be true or false",
    ),
    (
        MORE,
        r#""pairs":"[]","dataversion":1"#,
        "must be a JSON object of text",
    ),
    (
        MORE,
        r#""occurredms":"x","dataversion":1"#,
        "attribute `occurredms` is",
    ),
    (
        MORE,
        r#""causationid":"x","dataversion":1"#,
        "must be a UUID",
    ),
];

#[test]
fn every_attribute_is_checked() {
    each_is_refused(NEEDED);
    each_is_refused(POSSIBLE);
}

#[test]
fn lines_must_fit_together() {
    let missing: Vec<_> = lines().into_iter().skip(1).collect();
    assert!(refused(&missing).1.contains("none of them left out"));
    let what = with(4, "-00000000000c", "-000000000002");
    assert!(
        what.contains("attribute `id` is 00000000-0000-0000-0000-000000000002"),
        "{what}"
    );
    let what = with(
        5,
        "\"keyid\":\"00000000-0000-0000-0000-000000000003\"",
        "\"keyid\":\"00000000-0000-0000-0000-000000000002\"",
    );
    assert!(what.contains("as of an append before"), "{what}");
}

#[test]
fn times_never_run_backwards() {
    let mut lines = lines();
    lines[2] = lines[2]
        .replace("\"recordedms\":\"1000\"", "\"recordedms\":\"2000\"")
        .replace("00:00:01.000Z", "00:00:02.000Z");
    let (number, what) = refused(&lines);
    assert_eq!(number, 4);
    assert!(
        what.contains("`recordedms` is 1000, and was 2000 before"),
        "{what}"
    );
}

#[test]
fn an_append_with_a_key_is_there_as_a_whole() {
    let (number, what) = refused(&lines()[..5]);
    assert_eq!(number, 6);
    assert!(what.contains("goes on to position 6"), "{what}");
    let longer = lines()[..5]
        .join("\n")
        .replace("\"keyevents\":2", "\"keyevents\":3");
    let longer: Vec<_> = longer.lines().map(String::from).collect();
    let (number, what) = refused(&longer);
    assert_eq!(number, 3);
    assert!(
        what.contains("the one before it goes on to position 3"),
        "{what}"
    );
}

#[test]
fn what_is_too_large_is_refused() {
    let long = format!("\"data\":\"{}\"", "x".repeat((1 << 20) + 1));
    assert!(with(3, "\"data\":{\"number\":11}", &long).contains("at most 1048576 fit"));
    let tags: Vec<_> = (0..65).map(|n| format!("t:{n}")).collect();
    assert!(with(3, "table:1,order:7", &tags.join(",")).contains("65 tags"));
    let endless = format!("\"data\":\"{}\"", "x".repeat(17 << 20));
    assert!(
        with(3, "\"data\":{\"number\":11}", &endless).contains("is longer than 16777216 bytes")
    );
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let (temp, events) = small(3);
    let text = lines().join("\n");
    let error = import(&mut text.as_bytes(), temp.path(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, ToolError::NotEmpty { .. }), "{error}");
    assert_eq!(crate::all(&Disk::open(temp.path()).unwrap()), events);
    let file = temp.path().join("meta");
    assert!(import(&mut text.as_bytes(), &file, &mut |_| {}).is_err());
}

/// An import that was ended by force is begun anew; one that is under way is not disturbed.
#[test]
fn what_another_import_left_is_in_nobodys_way() {
    let temp = tempfile::tempdir().unwrap();
    let (to, beside) = (temp.path().join("made"), temp.path().join("made.importing"));
    let text = lines().join("\n");
    let go = |to: &Path| import(&mut text.as_bytes(), to, &mut |_| {});
    let other = Disk::open(&beside).unwrap();
    let error = go(&to).unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    drop(other);
    assert_eq!(go(&to).unwrap().events, 6);
    assert!(!beside.exists());
    fs::create_dir(&beside).unwrap();
    fs::write(beside.join("diary"), "dear").unwrap();
    let other = temp.path().join("made2");
    fs::rename(&to, &other).unwrap();
    let error = go(&to).unwrap_err();
    assert!(error.to_string().contains("diary"), "{error}");
    assert_eq!(fs::read(beside.join("diary")).unwrap(), b"dear");
}
