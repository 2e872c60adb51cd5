//! A card: a box with lines of text, which is what every note becomes.

use super::text::{Pen, wrap};
use crate::name::note_id;
use crate::note::{Kind, Note};

/// The width of a column, and of most cards.
pub(super) const CARD_WIDTH: i32 = 176;
/// Between the edge of a card and its text, left and right.
const SIDE: i32 = 10;
/// Between the edge of a card and its text, above and below.
const EDGE: i32 = 6;

/// A box with lines of text.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
    /// The classes that the style sheet knows.
    pub(super) class: String,
    /// The note it stands for: kind and name. A reaction stands for no note of its own.
    pub(super) note: Option<(Kind, String)>,
    /// The id of a card that stands for no note, and the id of the note to which it belongs.
    pub(super) id: String,
    pub(super) of: String,
    /// How far to the right of its column it starts: a question leaves the way down free.
    pub(super) indent: i32,
    /// What it says to someone who cannot see it.
    pub(super) label: String,
    pub(super) lines: Vec<(Pen, String)>,
    pub(super) shape: Shape,
    /// A number in its upper right corner.
    pub(super) badge: Option<String>,
}

/// What marks a card besides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A piece of paper.
    Paper,
    /// Round ends, text in the middle: who.
    Pill,
    /// Rounder corners: what is done.
    Button,
    /// With a clock: time ran out.
    Clock,
    /// With a ring: here it ends.
    Ring,
}

impl Card {
    pub(super) fn new(class: impl Into<String>, shape: Shape, label: impl Into<String>) -> Self {
        let height = if shape == Shape::Pill {
            2 * EDGE - 2
        } else {
            2 * EDGE
        };
        Self {
            x: 0,
            y: 0,
            width: CARD_WIDTH,
            height,
            class: class.into(),
            note: None,
            id: String::new(),
            of: String::new(),
            indent: 0,
            label: label.into(),
            lines: Vec::new(),
            shape,
            badge: None,
        }
    }

    /// A card for a note.
    pub(super) fn of_note(kind: Kind, note: &Note, shape: Shape, label: String) -> Self {
        let planned = if note.planned.is_some() {
            " planned"
        } else {
            ""
        };
        let mut card = Self::new(format!("note {}{planned}", kind.keyword()), shape, label);
        card.note = Some((kind, note.name.text.clone()));
        card
    }

    /// The id of its note, the same wherever the note is drawn.
    pub(super) fn note_id(&self) -> String {
        let (kind, name) = match &self.note {
            Some((kind, name)) => (*kind, name.as_str()),
            None => return String::new(),
        };
        note_id(kind, name)
    }

    /// Writes a text, in as many lines as it needs.
    pub(super) fn write(mut self, pen: Pen, text: &str) -> Self {
        self.put(pen, text);
        self
    }

    /// Writes a text; gives the number of its first line.
    pub(super) fn put(&mut self, pen: Pen, text: &str) -> usize {
        let first = self.lines.len();
        for line in wrap(text, pen, self.width - 2 * SIDE - self.inset()) {
            self.height += pen.line_height();
            self.lines.push((pen, line));
        }
        first
    }

    /// The middle of a line, measured from the top of the card.
    pub(super) fn line_middle(&self, line: usize) -> i32 {
        let above: i32 = self
            .lines
            .iter()
            .take(line)
            .map(|(pen, _)| pen.line_height())
            .sum();
        let own = self.lines.get(line).map_or(0, |(pen, _)| pen.line_height());
        self.top_edge() + above + own / 2
    }

    /// From the top of the card to its first line.
    pub(super) fn top_edge(&self) -> i32 {
        if self.shape == Shape::Pill {
            EDGE - 1
        } else {
            EDGE
        }
    }

    /// From the left of the card to its text.
    pub(super) fn text_start(&self) -> i32 {
        SIDE + self.inset()
    }

    pub(super) fn bottom(&self) -> i32 {
        self.y + self.height
    }

    pub(super) fn right(&self) -> i32 {
        self.x + self.width
    }

    fn inset(&self) -> i32 {
        if self.shape == Shape::Ring { 4 } else { 0 }
    }
}

/// How far a question stands to the right of the note above it.
pub(super) const INDENT: i32 = 24;

/// Between cards that stand in one pile.
pub(super) const PILE_GAP: i32 = 10;

/// The height of cards in a pile.
pub(super) fn pile_height<'c>(cards: impl IntoIterator<Item = &'c Card>) -> i32 {
    let mut total = 0;
    for card in cards {
        total += card.height + if total > 0 { PILE_GAP } else { 0 };
    }
    total
}
