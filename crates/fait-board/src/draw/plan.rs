//! Where everything stands: sizes first, then places.

use std::collections::BTreeMap;

use super::card::{CARD_WIDTH, Card, PILE_GAP, pile_height};
use super::columns::Columns;
use super::legend;
use super::sheet::{Bar, LABEL_WIDTH, Rail, Sheet};
use super::strips::Strips;
use super::ways::Ways;
use crate::board::Board;
use crate::note::Kind;

/// Between two lanes.
pub(super) const LANE: i32 = 7;
/// Between a column and its nearest lane.
pub(super) const LANE_START: i32 = 13;
/// From the top of a reaction to the line of its process.
pub(super) const RAIL_LINE: i32 = 9;
/// From the top of a reaction to where it is reached by what it hears.
pub(super) const EAR: i32 = 21;

/// At the left of the picture.
const MARGIN: i32 = 10;
/// Above and below the cards of a row.
const ROW_EDGE: i32 = 10;
/// Above and below the cards of a strip.
const PANEL_EDGE: i32 = 10;
/// Between neighbouring columns at least.
const LEAST_GAP: i32 = 40;

/// The picture, ready to be painted.
pub(super) struct Plan<'b> {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) sheet: Sheet<'b>,
    pub(super) ways: Ways,
    pub(super) bands: Vec<Band>,
    pub(super) rows: Vec<Row>,
    /// The left edge of each column.
    pub(super) columns: Vec<i32>,
    /// The lowest track of the corridor.
    pub(super) corridor: i32,
    /// Where what feeds the views runs from column to column, just below the views.
    pub(super) feeds: i32,
    /// Between two chapters.
    pub(super) borders: Vec<i32>,
    /// The height at which the reactions of each strip start.
    pub(super) rails: Vec<i32>,
    /// The area of each strip.
    pub(super) panels: Vec<Panel>,
    pub(super) legend: Vec<legend::Entry>,
}

/// The area of a strip.
pub(super) struct Panel {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// A chapter or context over its columns.
pub(super) struct Band {
    pub(super) kind: Kind,
    /// Its index on the board.
    pub(super) index: usize,
    pub(super) x: i32,
    pub(super) width: i32,
}

/// A row of the table.
pub(super) struct Row {
    pub(super) y: i32,
    pub(super) height: i32,
    pub(super) class: &'static str,
    /// What kind of notes stand in it, in plain words and in words of the board.
    pub(super) names: (&'static str, &'static str),
}

/// The height of the bands: chapters, and contexts below them.
pub(super) const CHAPTER_BAND: (i32, i32) = (10, 26);
/// The height of the context bands.
pub(super) const CONTEXT_BAND: (i32, i32) = (42, 22);
const TABLE_TOP: i32 = 76;
const FOOT: i32 = 34;

impl<'b> Plan<'b> {
    pub(super) fn of(
        board: &'b Board,
        columns: &Columns,
        strips: &Strips<'b>,
        counts: &BTreeMap<String, u64>,
    ) -> Self {
        let sheet = Sheet::of(board, columns, strips, counts);
        let mut ways = Ways::of(board, &sheet, columns);
        ways.untangle(&sheet);
        Self::with(sheet, ways)
    }

    /// Gives everything its place.
    pub(super) fn with(sheet: Sheet<'b>, ways: Ways) -> Self {
        let mut plan = Self {
            width: 0,
            height: if is_banded(&sheet) { TABLE_TOP } else { MARGIN },
            sheet,
            ways,
            bands: Vec::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            corridor: 0,
            feeds: 0,
            borders: Vec::new(),
            rails: Vec::new(),
            panels: Vec::new(),
            legend: Vec::new(),
        };
        plan.place_columns();
        plan.place_table();
        plan.place_strips();
        plan.place_beside();
        plan.place_bands();
        plan.legend = legend::legend(&plan.sheet, &plan.ways);
        plan.height += if plan.legend.is_empty() { MARGIN } else { FOOT };
        plan.width = plan.width.max(legend::width(&plan.legend));
        plan
    }

    fn place_columns(&mut self) {
        let mut x = MARGIN + LABEL_WIDTH;
        for column in 0..self.sheet.columns.len() {
            let before = column
                .checked_sub(1)
                .map_or(0, |before| self.right_room(before));
            let gap = before + self.left_room(column);
            x += if column == 0 {
                gap.max(MARGIN)
            } else {
                gap.max(LEAST_GAP)
            };
            self.columns.push(x);
            x += CARD_WIDTH;
        }
        let last = self.sheet.columns.len().saturating_sub(1);
        self.width = x + self.right_room(last).max(2 * MARGIN);
    }

    /// What the lanes right of a column need.
    fn right_room(&self, column: usize) -> i32 {
        room(self.ways.right.get(column).map_or(0, Vec::len))
    }

    /// What the lanes left of a column need.
    fn left_room(&self, column: usize) -> i32 {
        let events = self.ways.left.get(column).map_or(0, Vec::len);
        room(events + self.ways.arrivals.get(column).copied().unwrap_or(0))
    }

    pub(super) fn x(&self, column: usize) -> i32 {
        self.columns.get(column).copied().unwrap_or(0)
    }

    fn place_table(&mut self) {
        let who = ("who", ("Who", "actor"));
        self.place_row(who, |cells| &mut cells.who);
        self.place_row(("sees", ("Sees", "information")), |cells| &mut cells.sees);
        self.feeds = self.height - ROW_EDGE / 2;
        let tracks = i32::try_from(self.ways.tracks).unwrap_or(i32::MAX / LANE);
        if tracks > 0 {
            let height = tracks.saturating_mul(LANE) + 26;
            self.row("corridor", ("", ""), height);
            self.corridor = self.height - 20;
        }
        self.even_tasks();
        self.place_row(("does", ("Does", "task")), |cells| &mut cells.does);
        self.place_bars();
        self.place_row(("happened", ("Happened", "event")), |cells| {
            &mut cells.happened
        });
    }

    /// Tasks are all as high as the highest, so that the row is calm.
    fn even_tasks(&mut self) {
        let tasks = || {
            self.sheet
                .columns
                .iter()
                .flat_map(|cells| cells.does.first())
        };
        let tallest = tasks().map(|card| card.height).max().unwrap_or(0);
        for card in self
            .sheet
            .columns
            .iter_mut()
            .flat_map(|cells| cells.does.first_mut())
        {
            card.height = tallest;
        }
    }

    fn row(&mut self, class: &'static str, names: (&'static str, &'static str), height: i32) {
        self.rows.push(Row {
            y: self.height,
            height,
            class,
            names,
        });
        self.height += height;
    }

    /// A row of the table; one without any card is left out.
    fn place_row(
        &mut self,
        (class, names): (&'static str, (&'static str, &'static str)),
        cell: impl Fn(&mut super::sheet::Cells) -> &mut Vec<Card>,
    ) {
        let top = self.height + ROW_EDGE;
        let mut tallest = 0;
        for (cells, x) in self.sheet.columns.iter_mut().zip(&self.columns) {
            let cards = cell(cells);
            tallest = tallest.max(pile_height(cards.iter()));
            pile(cards, *x, top);
        }
        if tallest > 0 {
            self.row(class, names, tallest + 2 * ROW_EDGE);
        }
    }

    fn place_bars(&mut self) {
        let top = self.height + ROW_EDGE;
        let mut tallest = 0;
        for Bar { first, last, cards } in &mut self.sheet.bars {
            let x = self.columns.get(*first).copied().unwrap_or(0);
            let end = self.columns.get(*last).copied().unwrap_or(x) + CARD_WIDTH;
            tallest = tallest.max(pile_height(cards.iter()));
            pile(cards, x, top);
            if let Some(bar) = cards.first_mut() {
                bar.width = end - x;
            }
        }
        if tallest > 0 {
            self.row("decides", ("Decides", "model"), tallest + 2 * ROW_EDGE);
        }
    }

    /// Each strip stands as high as the strips before it over the same columns let it, or a long
    /// story would be a staircase of strips with nothing to their left and right.
    fn place_strips(&mut self) {
        let spans = self.strip_spans();
        let start = self.height;
        self.rails = vec![0; spans.len()];
        let mut free = vec![start; self.columns.len()];
        for (number, (first, last)) in spans.into_iter().enumerate() {
            let over = free.get(first..=last).unwrap_or_default();
            let top = over.iter().copied().max().unwrap_or(start) + ROW_EDGE;
            let bottom = self.place_strip(number, top);
            if let Some(over) = free.get_mut(first..=last) {
                over.fill(bottom);
            }
        }
        let bottom = free.into_iter().max().unwrap_or(start);
        if !self.rails.is_empty() {
            let names = ("Then", "process, policy");
            self.row("strips", names, bottom + ROW_EDGE - start);
        }
    }

    /// The columns over which each strip has cards, or lines to what it hears.
    fn strip_spans(&self) -> Vec<(usize, usize)> {
        let rails = self.sheet.rails.iter().map(Rail::columns);
        let mut spans: Vec<(usize, usize)> = rails.collect();
        for heard in &self.ways.heard {
            if let Some((first, last)) = spans.get_mut(heard.by.0) {
                (*first, *last) = (heard.home.min(*first), heard.home.max(*last));
            }
        }
        spans
    }

    /// A strip from top to bottom: its name, the lines that cross it, its reactions. Gives where
    /// it ends.
    fn place_strip(&mut self, number: usize, top: i32) -> i32 {
        let crossings = self.ways.crossings.get(number).copied().unwrap_or(0);
        let Some(rail) = self.sheet.rails.get_mut(number) else {
            return top;
        };
        let (first, last) = rail.columns();
        let columns = self.columns.get(first..=last).unwrap_or_default();
        let named = place_names(&mut rail.label, columns, top + PANEL_EDGE);
        let lanes = i32::try_from(crossings).unwrap_or(0) * LANE;
        let cards = named + PILE_GAP + if lanes > 0 { lanes + 4 } else { 0 };
        let bottom = place_rail(rail, &self.columns, cards).max(named) + PANEL_EDGE;
        if let Some(place) = self.rails.get_mut(number) {
            *place = cards;
        }
        let x = self.x(first) - MARGIN;
        self.panels.push(Panel {
            x,
            y: top,
            width: self.x(last) + CARD_WIDTH + MARGIN - x,
            height: bottom - top,
        });
        bottom
    }

    fn place_beside(&mut self) {
        if self.sheet.beside.is_empty() {
            return;
        }
        let mut y = self.height + ROW_EDGE;
        let each = self.columns.len().max(1);
        for cards in self.sheet.beside.chunks_mut(each) {
            let tallest = cards.iter().map(|card| card.height).max().unwrap_or(0);
            for (card, x) in cards.iter_mut().zip(&self.columns) {
                (card.x, card.y) = (*x, y);
            }
            y += tallest + PILE_GAP;
        }
        let height = y - PILE_GAP + ROW_EDGE - self.height;
        self.row("beside", ("Beside", "not in the story"), height);
    }

    fn place_bands(&mut self) {
        let spans = |part: fn(&super::sheet::Cells) -> Option<usize>| {
            let mut bands: Vec<(Option<usize>, usize, usize)> = Vec::new();
            for (place, cells) in self.sheet.columns.iter().enumerate() {
                match bands.last_mut() {
                    Some((found, _, last)) if *found == part(cells) => *last = place,
                    _ => bands.push((part(cells), place, place)),
                }
            }
            bands
        };
        let chapters = spans(|cells| cells.chapter);
        let contexts = spans(|cells| cells.context);
        for (_, first, _) in chapters.iter().skip(1) {
            let before = self.x(first.saturating_sub(1)) + CARD_WIDTH;
            let lanes = self.right_room(first.saturating_sub(1));
            let free = self.x(*first) - self.left_room(*first) - before - lanes;
            self.borders.push(before + lanes + free / 2);
        }
        let kinds = [(Kind::Chapter, chapters), (Kind::Context, contexts)];
        for (kind, spans) in kinds {
            for (index, first, last) in spans {
                let Some(index) = index else { continue };
                let x = self.x(first) - MARGIN;
                let width = self.x(last) + CARD_WIDTH + MARGIN - x;
                self.bands.push(Band {
                    kind,
                    index,
                    x,
                    width,
                });
            }
        }
    }
}

/// Whether there is any chapter or context above the columns.
fn is_banded(sheet: &Sheet<'_>) -> bool {
    sheet
        .columns
        .iter()
        .any(|cells| cells.chapter.is_some() || cells.context.is_some())
}

/// The room that a number of lanes needs beside a column.
fn room(lanes: usize) -> i32 {
    match i32::try_from(lanes) {
        Ok(0) => 10,
        Ok(lanes) => LANE_START + lanes.min(10_000) * LANE,
        Err(_) => LANE_START,
    }
}

/// Puts cards below each other.
fn pile(cards: &mut [Card], x: i32, mut y: i32) {
    for card in cards {
        (card.x, card.y) = (x + card.indent, y);
        y += card.height + PILE_GAP;
    }
}

/// Puts the name of a strip into its first column and its questions into the next, all of them
/// into one pile where it has no other; gives where the lowest ends.
fn place_names(label: &mut [Card], columns: &[i32], top: i32) -> i32 {
    let (x, others) = columns.split_first().map_or((0, columns), |(x, o)| (*x, o));
    let (name, questions) = label.split_at_mut(label.len().min(1));
    let below = match others.first() {
        Some(beside) => {
            pile(questions, *beside, top);
            top
        }
        None => {
            let below = top + pile_height(name.iter()) + PILE_GAP;
            pile(questions, x, below);
            below
        }
    };
    pile(name, x, top);
    let all = name.iter().chain(questions.iter());
    all.map(Card::bottom).max().unwrap_or(below)
}

/// Puts the reactions of a strip below each other in their columns, what it hears above what it
/// waits for; gives where the lowest ends.
fn place_rail(rail: &mut Rail<'_>, columns: &[i32], top: i32) -> i32 {
    let mut free = vec![top; columns.len()];
    let mut order: Vec<usize> = (0..rail.stands.len()).collect();
    let waits = |number: &usize| {
        rail.stands
            .get(*number)
            .is_some_and(|stand| stand.reaction.trigger.waits())
    };
    order.sort_by_key(waits);
    let mut below = top;
    for number in order {
        let Some(stand) = rail.stands.get_mut(number) else {
            continue;
        };
        let Some(y) = free.get_mut(stand.column) else {
            continue;
        };
        stand.card.x = columns.get(stand.column).copied().unwrap_or(0);
        stand.card.y = *y;
        *y += stand.card.height + PILE_GAP;
        below = below.max(stand.card.bottom());
    }
    if let Some((column, cards)) = &mut rail.ends {
        pile(cards, columns.get(*column).copied().unwrap_or(0), top);
        below = below.max(cards.last().map_or(top, Card::bottom));
    }
    below
}
