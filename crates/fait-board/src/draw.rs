//! The picture of a board: one self-contained SVG.
//!
//! Columns are tasks in the order of the file, rows are kinds of notes, and below them each
//! process and policy has a strip. `columns` and `strips` decide what stands in which column,
//! `sheet` makes the cards, `ways` finds lanes that touch no card, `lanes` puts them into an order
//! with few crossings, `plan` gives everything its place, and `paint` writes the SVG.

mod text;
mod svg;
mod card;
mod cards;
mod columns;
mod strips;
mod sheet;
mod lanes;
mod ways;
mod legend;
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
    /// In which colours; it matters only for a picture that carries its style.
    pub colours: Colours,
    /// Makes every note a link: where its address begins. The id of the note follows, without its
    /// `note-`, and then `#` with the whole id.
    pub links: Option<String>,
}

/// In which colours a picture is shown on a screen. On paper it is always light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// As the reader's system prefers it.
    #[default]
    Preferred,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Default for DrawOptions {
    fn default() -> Self {
        Self {
            embed_style: true,
            counts: BTreeMap::new(),
            chapter: None,
            colours: Colours::Preferred,
            links: None,
        }
    }
}

/// The board as one SVG element, without any inline style.
///
/// A picture that carries its style is one image with a title and a description. One without is
/// part of a page: a group, whose parts the page can make reachable one by one.
///
/// # What a page can rely on
///
/// **Notes.** Every note is a group `g.note.<kind>` with a `<title>` that tells it, and with
///
/// - `data-kind` and `data-name`: what it is, and its name on the board;
/// - `data-note`: the id of the note, [`note_id`](crate::name::note_id): the same on every card
///   of it, for a view is drawn above each task that sees it;
/// - `id`: the same, with `-2`, `-3`, … behind it where the note is drawn again.
///
/// With [`DrawOptions::links`] an element `a` stands around the group.
///
/// Notes also have the classes `planned`, `pivotal` and `elsewhere` (a context that runs
/// elsewhere). A group `g.note.robot` says that no person does a task, and stands for no note.
///
/// **Parts.** A reaction is a group `g.reaction` (with `timer` where it waits for time to run
/// out) with the id `reaction-<process>-<number>`, counted from 1; where a process ends is a
/// group `g.end`. Both have `data-of`, the id of their process or policy.
///
/// **Arrows.** Every arrow is one `path.arrow` with `data-from` and `data-to`, ids of notes as
/// in `data-note`, and, where it starts or ends at a reaction, `data-via` with its id:
///
/// | class | from | to |
/// |---|---|---|
/// | `down` | task, or model | model, or the first event that the task raises |
/// | `hears` | event | process or policy |
/// | `asks` | process or policy | task that it asks a person to do |
/// | `does` | process or policy | task that it does by itself |
/// | `raises` | process or policy | event |
/// | `feeds` | event | view; drawn, but seen only with the class `shown` |
/// | `rail` | process | the same process: the line of its state |
///
/// An arrow leads to one of the cards of a note that is drawn several times.
///
/// **Classes for the page to set.** `shown` on an arrow makes it heavier, and visible if it is a
/// `feeds`; `selected` on a note or part gives it a heavy edge, and `shown` on one a lighter
/// form of that; `picked` on the `svg` element pales all arrows that are not `shown`. Nothing
/// else about the picture changes, so a page can select, highlight and hover with classes alone.
///
/// # Limits
///
/// Time and size grow with the number of arrows; a board of 20,000 lines takes seconds without
/// optimisation, and its picture some megabytes. Where more than 300 tasks are asked for, or more
/// than 300 lanes lie beside one column, their order is that of the board: it is not searched
/// for, and arrows cross more often than they must.
#[must_use]
pub fn draw(board: &Board, options: &DrawOptions) -> String {
    let mut columns = columns::Columns::of(board, options.chapter.as_deref());
    let strips = strips::Strips::of(board, &mut columns);
    let plan = plan::Plan::of(board, &columns, &strips, &options.counts);
    let style = options.embed_style.then(|| options.colours.style());
    paint::paint(board, &plan, style.as_deref(), options.links.as_deref())
}

/// The style of the picture: light, dark where the reader prefers it, and light on paper.
/// All its rules are below the class `fait-board`.
#[must_use]
pub fn style() -> &'static str {
    concat!(
        include_str!("draw/light.css"),
        "@media print{.fait-board{print-color-adjust:exact}}\n",
        "@media screen and (prefers-color-scheme:dark){\n",
        include_str!("draw/dark.css"),
        "}\n"
    )
}

/// The style of the picture in one look, for programs that know no media queries.
#[must_use]
pub fn plain_style(dark: bool) -> String {
    let dark = if dark {
        include_str!("draw/dark.css")
    } else {
        ""
    };
    format!("{}{dark}", include_str!("draw/light.css"))
}

impl Colours {
    /// The style that a picture carries: on paper it is light and fits one page.
    fn style(self) -> String {
        let print = include_str!("draw/print.css");
        match self {
            Colours::Preferred => format!("{}{print}", style()),
            Colours::Light => format!("{}{EXACT}{print}", plain_style(false)),
            Colours::Dark => format!(
                "{}{EXACT}{print}@media screen{{\n{}}}\n",
                plain_style(false),
                include_str!("draw/dark.css")
            ),
        }
    }
}

/// Paper gets the colours of the notes, although browsers would save the ink.
const EXACT: &str = "@media print{.fait-board{print-color-adjust:exact}}\n";

#[cfg(test)]
mod tests;
