//! The picture of a board: one self-contained SVG.
//!
//! Columns are tasks in the order of the file, rows are kinds of notes, and below them each
//! process and policy has a strip. `columns` and `strips` decide what stands in which column,
//! `sheet` makes the cards, `ways` finds lanes that touch no card, `plan` gives everything its
//! place, and `paint` writes the SVG.

mod text;
mod svg;
mod card;
mod cards;
mod columns;
mod strips;
mod sheet;
mod ways;
mod plan;
mod arrows;
mod paint;

use std::collections::BTreeMap;

use crate::board::Board;

/// How a board is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawOptions {
    /// Whether the picture carries its own [`style`]. A page that forbids styles inside the
    /// document leaves it out and serves the style as a file.
    pub embed_style: bool,
    /// How often each event happened, by its name on the board or in Rust; shown as a badge.
    pub counts: BTreeMap<String, u64>,
    /// Draws only the chapter of this name.
    pub chapter: Option<String>,
}

impl Default for DrawOptions {
    fn default() -> Self {
        Self {
            embed_style: true,
            counts: BTreeMap::new(),
            chapter: None,
        }
    }
}

/// The board as one SVG element, without any inline style.
///
/// Every note is a group with the class `note` and its kind, with `data-kind` and `data-name`,
/// and with the id `note-<kind>-<name-in-kebab-case>`; where a note is drawn again, a number is
/// put behind the id.
#[must_use]
pub fn draw(board: &Board, options: &DrawOptions) -> String {
    let mut columns = columns::Columns::of(board, options.chapter.as_deref());
    let strips = strips::Strips::of(board, &mut columns);
    let plan = plan::Plan::of(board, &columns, &strips, &options.counts);
    paint::paint(board, &plan, options.embed_style)
}

/// The style of the picture: light, dark where the reader prefers it, and light on paper.
/// All its rules are below the class `fait-board`.
#[must_use]
pub fn style() -> &'static str {
    include_str!("draw/board.css")
}

#[cfg(test)]
mod tests;
