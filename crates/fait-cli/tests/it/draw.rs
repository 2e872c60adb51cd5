//! `fait board draw`, called.

use crate::called::{fait, told_in};
use std::fs;
use std::path::Path;

const BOARD: &str = "board Tea
chapter Brew
task Brew tea
  raises Tea brewed
event Tea brewed
chapter Drink
task Drink tea
  raises Tea drunk
event Tea drunk
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tea.board"), BOARD).unwrap();
    folder
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap()
}

#[test]
fn a_board_is_drawn_to_a_file_or_to_standard_output() {
    let folder = folder();
    let here = folder.path();
    assert_eq!(
        told_in(here, &["board", "draw", "tea.board", "--out", "tea.svg"]),
        ""
    );
    let picture = read(here, "tea.svg");
    assert!(picture.starts_with("<svg") && picture.contains("note-task-drink-tea"));
    let out = fait(&["board", "draw", "tea.board"])
        .current_dir(here)
        .output();
    assert_eq!(String::from_utf8(out.unwrap().stdout).unwrap(), picture);
    let dark = fait(&["board", "draw", "tea.board", "--dark"])
        .current_dir(here)
        .output();
    assert_ne!(dark.unwrap().stdout, picture.as_bytes());
}

#[test]
fn chapters_are_drawn_one_by_one() {
    let folder = folder();
    let here = folder.path();
    let words = [
        "board",
        "draw",
        "tea.board",
        "--each-chapter",
        "--out",
        "drawn",
    ];
    let told = told_in(here, &words);
    assert!(
        told.contains("brew.svg") && told.contains("drink.svg"),
        "{told}"
    );
    assert!(!read(&here.join("drawn"), "brew.svg").contains("note-task-drink-tea"));
    assert!(read(&here.join("drawn"), "drink.svg").contains("note-task-drink-tea"));
    let words = ["board", "draw", "tea.board", "--chapter", "brew"];
    let one = fait(&words).current_dir(here).output().unwrap().stdout;
    assert_eq!(
        String::from_utf8(one).unwrap(),
        read(&here.join("drawn"), "brew.svg")
    );
    insta::assert_snapshot!(told_in(
        here,
        &["board", "draw", "tea.board", "--chapter", "Brw"]
    ));
}

#[test]
fn a_board_with_problems_is_drawn_and_the_problems_are_said() {
    let folder = folder();
    let here = folder.path();
    fs::write(here.join("odd.board"), format!("{BOARD}taks Pour\n")).unwrap();
    let words = ["board", "draw", "odd.board", "--out", "odd.svg"];
    insta::assert_snapshot!(told_in(here, &words));
    assert!(read(here, "odd.svg").contains("note-task-drink-tea"));
}

#[test]
fn a_picture_never_takes_the_place_of_a_board() {
    let folder = folder();
    let here = folder.path();
    let words = ["board", "draw", "tea.board", "--out", "tea.board"];
    insta::assert_snapshot!(told_in(here, &words));
    assert_eq!(read(here, "tea.board"), BOARD);
}

#[test]
fn a_png_has_the_size_of_the_svg_times_the_scale() {
    let folder = folder();
    let here = folder.path();
    for file in ["one.png", "tea.svg"] {
        let told = told_in(here, &["board", "draw", "tea.board", "--out", file]);
        if told.contains("this machine has no fonts") {
            return;
        }
        assert_eq!(told, "");
    }
    told_in(
        here,
        &[
            "board",
            "draw",
            "tea.board",
            "--out",
            "two.png",
            "--scale",
            "2",
        ],
    );
    let size = |file: &str| {
        let bytes = fs::read(here.join(file)).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"));
        let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        (number(16), number(20))
    };
    let (width, height) = size("one.png");
    assert_eq!(size("two.png"), (2 * width, 2 * height));
    let wanted = format!("width=\"{width}\" height=\"{height}\"");
    assert!(read(here, "tea.svg").contains(&wanted), "{wanted}");
}
