//! A board and its program as one test: what fails it.

use fait::app::AppBuilder;
use fait::board::{holds, play};
use fait::{App, Clock};

const LAMPS: &str = "\
board Lamps

word lamp is an id

actor Keeper

view Lamps
  for Keeper
  from Lamp lit
  shows lamp

task Light lamp
  by Keeper
  sees Lamps
  asks lamp
  raises Lamp lit

event Lamp lit
  records lamp

example A lamp is lit
  when Light lamp with lamp 7
  then Lamp lit with lamp 7
";

/// The program of the lamps.
fn lamps() -> AppBuilder {
    let played = play::read(LAMPS).unwrap();
    played.onto(App::in_memory().clock(Clock::by_hand()))
}

#[test]
fn a_board_that_its_program_keeps_holds() {
    let ran = holds(LAMPS, lamps);
    assert_eq!((ran.passed(), ran.skipped()), (1, 0), "{ran}");
}

#[test]
#[should_panic(expected = "error[B201]")]
fn a_broken_rule_fails() {
    let board = LAMPS.replace("Lamp lit", "Lamp lights");
    holds(&board, || {
        play::read(&board).unwrap().onto(App::in_memory())
    });
}

#[test]
#[should_panic(expected = "the board and the code differ")]
fn another_program_fails() {
    let board = LAMPS.replace("Keeper", "Watchman");
    holds(&board, lamps);
}

#[test]
#[should_panic(expected = "FAILED   A lamp is lit")]
fn an_example_that_does_not_hold_fails() {
    let board = LAMPS.replace("then Lamp lit with lamp 7", "then Lamp lit with lamp 8");
    holds(&board, lamps);
}
