//! The board is valid, and says the same as the program.

use courses::BOARD;
use fait::App;
use fait_board::name::{kebab_name, rust_name};
use fait_board::parse;
use std::collections::BTreeSet;

#[test]
fn the_board_has_no_problems() {
    let problems = parse(BOARD).problems;
    assert!(problems.is_empty(), "{problems:#?}");
}

#[tokio::test]
async fn the_board_and_the_program_say_the_same() {
    let app = courses::wired(App::in_memory()).build().unwrap();
    let program = app.manifest();
    let board = parse(BOARD).board;
    let tasks: BTreeSet<String> = board
        .tasks
        .iter()
        .map(|t| rust_name(&t.note.name.text))
        .collect();
    assert_eq!(tasks, program.commands.keys().cloned().collect());
    let events: BTreeSet<String> = board
        .events
        .iter()
        .map(|e| rust_name(&e.note.name.text))
        .collect();
    assert_eq!(events, program.events.keys().cloned().collect());
    let views: BTreeSet<String> = board
        .views
        .iter()
        .map(|v| kebab_name(&v.note.name.text))
        .collect();
    assert_eq!(views, program.views.keys().cloned().collect());
    let reasons = board
        .tasks
        .iter()
        .flat_map(|t| &t.refused_when)
        .map(|said| said.text.clone());
    let coded = program
        .commands
        .values()
        .flat_map(|c| c.refusals.values().cloned());
    assert_eq!(reasons.collect::<BTreeSet<_>>(), coded.collect());
    app.stop().await;
}
