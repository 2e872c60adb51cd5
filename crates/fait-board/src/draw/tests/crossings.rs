//! How often arrows cross: as they come from the board, and after the search.

use std::collections::HashSet;

use super::super::arrows::{Arrow, arrows};
use super::super::columns::Columns;
use super::super::lanes::arranged;
use super::super::plan::Plan;
use super::super::sheet::Sheet;
use super::super::strips::Strips;
use super::super::ways::Ways;
use super::SMALL;
use crate::parse;

const RESTAURANT: &str = include_str!("../../../tests/it/boards/restaurant.board");

/// Places where lines of different aims cross: arrows with one aim are one line.
fn crossings(all: &[Arrow]) -> usize {
    type Line = (&'static str, String);
    let mut level: Vec<(i32, i32, i32, Line)> = Vec::new();
    let mut upright: Vec<(i32, i32, i32, Line)> = Vec::new();
    for arrow in all {
        let line = match arrow.class {
            "asks" | "does" | "raises" => (arrow.class, arrow.to.clone()),
            "hears" => (arrow.class, arrow.from.clone()),
            _ => continue,
        };
        for pair in arrow.points.windows(2) {
            let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
            if ay == by {
                level.push((ay, ax.min(bx), ax.max(bx), line.clone()));
            } else {
                upright.push((ax, ay.min(by), ay.max(by), line.clone()));
            }
        }
    }
    let mut found = HashSet::new();
    for (y, left, right, one) in &level {
        for (x, top, bottom, other) in &upright {
            if one != other && left < x && x < right && top < y && y < bottom {
                found.insert((*x, *y, one.min(other).clone(), one.max(other).clone()));
            }
        }
    }
    found.len()
}

/// Crossings without and with the search.
fn counted(text: &str) -> (usize, usize) {
    let board = parse(text).board;
    let plan = |search: bool| {
        let mut columns = Columns::of(&board, None);
        let strips = Strips::of(&board, &mut columns);
        let sheet = Sheet::of(&board, &columns, &strips, &Default::default());
        let mut ways = Ways::of(&board, &sheet, &columns);
        if search {
            ways.untangle(&sheet);
        }
        crossings(&arrows(&Plan::with(sheet, ways)))
    };
    (plan(false), plan(true))
}

#[test]
fn arrows_cross_as_seldom_as_the_search_finds() {
    let hotel = include_str!("../../../../../examples/boards/hotel.board");
    let tickets = include_str!("../../../../../examples/boards/tickets.board");
    let found = [SMALL, RESTAURANT, hotel, tickets].map(counted);
    assert_eq!(found, [(4, 4), (55, 43), (8, 2), (7, 5)]);
}

#[test]
fn an_order_is_searched_until_nothing_moves() {
    // Each pair in the wrong order costs as much as it is apart.
    let cost = |one: usize, other: usize| one.saturating_sub(other);
    assert_eq!(arranged(vec![4, 2, 0, 3, 1], cost), [0, 1, 2, 3, 4]);
    assert_eq!(arranged(Vec::new(), cost), [0; 0]);
    let many: Vec<usize> = (0..1_000).rev().collect();
    assert_eq!(arranged(many.clone(), cost), many, "too many to look at");
}
