//! The pictures in the documents are what the boards look like today.
//!
//! After a change of a board or of the drawing:
//! `INSTA_UPDATE=always cargo test -p courses pictures`.

use fait_board::{DrawOptions, draw, parse};
use std::fs;
use std::path::Path;

const TUTORIAL: &str = include_str!("../../../../docs/guide/tutorial.md");
const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/pictures");

#[test]
fn the_picture_of_the_courses_is_their_board() {
    check("courses.svg", courses::BOARD);
}

#[test]
fn the_picture_in_the_tutorial_is_its_board() {
    let (_, rest) = TUTORIAL.split_once("```text,file=bikes.board\n").unwrap();
    check("bikes.svg", rest.split_once("```\n").unwrap().0);
}

#[track_caller]
fn check(name: &str, board: &str) {
    let parsed = parse(board);
    assert!(parsed.problems.is_empty(), "{:#?}", parsed.problems);
    let drawn = draw(&parsed.board, &DrawOptions::default());
    let file = Path::new(PICTURES).join(name);
    if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        fs::write(&file, &drawn).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == drawn,
        "docs/pictures/{name} is another picture; see the top of {}",
        file!()
    );
}
