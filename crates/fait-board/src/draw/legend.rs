//! What lines and marks mean, for those who see them for the first time: a line at the foot of
//! the picture, with what the picture has.

use super::card::{Card, Shape};
use super::sheet::Sheet;
use super::text::Pen;
use super::ways::Ways;

/// An entry of the legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) x: i32,
    pub(super) sample: Sample,
    pub(super) text: &'static str,
}

/// What an entry shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sample {
    /// An arrow of this class.
    Arrow(&'static str),
    /// A card with these classes.
    Card(&'static str),
    /// The mark of such a card.
    Mark(Shape),
}

/// At the left of the legend.
const LEFT: i32 = 12;
/// Between a sample and its text.
const NEXT: i32 = 8;
/// Between two entries.
const APART: i32 = 24;

impl Sample {
    pub(super) fn width(self) -> i32 {
        match self {
            Sample::Arrow(_) => 30,
            Sample::Card(_) => 22,
            Sample::Mark(_) => 14,
        }
    }
}

impl Entry {
    /// Where the text starts.
    pub(super) fn text_start(&self) -> i32 {
        self.x + self.sample.width() + NEXT
    }

    fn end(&self) -> i32 {
        self.text_start() + Pen::Small.width(self.text)
    }
}

/// The entries for a picture.
pub(super) fn legend(sheet: &Sheet<'_>, ways: &Ways) -> Vec<Entry> {
    let has = |class: &str| {
        let classed = |card: &Card| card.class.split(' ').any(|found| found == class);
        sheet.cards().any(classed)
    };
    let shaped = |shape: Shape| sheet.cards().any(|card| card.shape == shape);
    let wanted = |automatic: bool| ways.nets.iter().any(|net| net.automatic == automatic);
    let all = [
        (!ways.heard.is_empty(), Sample::Arrow("hears"), "hears of"),
        (wanted(false), Sample::Arrow("asks"), "asks a person"),
        (wanted(true), Sample::Arrow("does"), "does it alone"),
        (!ways.raised.is_empty(), Sample::Arrow("raises"), "raises"),
        (
            shaped(Shape::Clock),
            Sample::Mark(Shape::Clock),
            "time ran out",
        ),
        (shaped(Shape::Ring), Sample::Mark(Shape::Ring), "ends"),
        (
            has("pivotal"),
            Sample::Card("event pivotal"),
            "turning point",
        ),
        (has("planned"), Sample::Card("robot planned"), "planned"),
        (has("hotspot"), Sample::Card("hotspot"), "open question"),
    ];
    let mut x = LEFT;
    let mut entries = Vec::new();
    for (_, sample, text) in all.into_iter().filter(|(there, ..)| *there) {
        let entry = Entry { x, sample, text };
        x = entry.end() + APART;
        entries.push(entry);
    }
    entries
}

/// How wide a picture must be for its legend.
pub(super) fn width(entries: &[Entry]) -> i32 {
    entries.last().map_or(0, |last| last.end() + LEFT)
}
