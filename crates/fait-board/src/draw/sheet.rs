//! Every card of the picture, sorted into piles: cells of the table and strips below it.

use std::collections::BTreeMap;

use super::card::{Card, Shape};
use super::cards;
use super::columns::{Column, Columns};
use super::strips::{Strip, Strips};
use super::svg::Ids;
use super::text::Pen;
use crate::board::Board;
use crate::name::{kebab_name, note_id};
use crate::note::Kind;
use crate::notes::Reaction;

/// The width of the labels at the left.
pub(super) const LABEL_WIDTH: i32 = 108;

/// All cards.
pub(super) struct Sheet<'b> {
    pub(super) columns: Vec<Cells>,
    pub(super) bars: Vec<Bar>,
    pub(super) rails: Vec<Rail<'b>>,
    /// What stands beside the story.
    pub(super) beside: Vec<Card>,
}

/// The cells of one column.
#[derive(Default)]
pub(super) struct Cells {
    pub(super) chapter: Option<usize>,
    pub(super) context: Option<usize>,
    pub(super) who: Vec<Card>,
    pub(super) sees: Vec<Card>,
    /// Which card is which view: index in `sees`, index on the board.
    pub(super) views: Vec<(usize, usize)>,
    /// The task, with its questions below it.
    pub(super) does: Vec<Card>,
    /// The events, with their questions below them.
    pub(super) happened: Vec<Card>,
    /// Which card is which event: index in `happened`, index on the board.
    pub(super) events: Vec<(usize, usize)>,
    /// How many of the events the task raises; the others come from reactions.
    pub(super) raises: usize,
}

/// A model over all neighbouring columns that it serves.
pub(super) struct Bar {
    pub(super) first: usize,
    pub(super) last: usize,
    /// The model, with its questions below it.
    pub(super) cards: Vec<Card>,
}

/// The strip of a process or policy.
pub(super) struct Rail<'b> {
    pub(super) kind: Kind,
    /// Its name, with its questions below it.
    pub(super) label: Vec<Card>,
    pub(super) stands: Vec<Stand<'b>>,
    /// Where it ends: the column, and a card for each way to end.
    pub(super) ends: Option<(usize, Vec<Card>)>,
}

/// A reaction in its column.
pub(super) struct Stand<'b> {
    pub(super) reaction: &'b Reaction,
    pub(super) column: usize,
    pub(super) card: Card,
    /// The line of the card at which each step is written.
    pub(super) steps: Vec<usize>,
}

impl<'b> Sheet<'b> {
    pub(super) fn of(
        board: &'b Board,
        columns: &Columns,
        strips: &Strips<'b>,
        counts: &BTreeMap<String, u64>,
    ) -> Self {
        let mut rails: Vec<Rail<'b>> = strips.list.iter().map(Rail::of).collect();
        own_ids(&mut rails);
        let mut cells: Vec<Cells> = columns
            .list
            .iter()
            .map(|column| Cells::of(board, column, counts))
            .collect();
        let furthest = rails.iter().map(|rail| rail.columns().1).max().unwrap_or(0);
        while cells.len() <= furthest {
            let (chapter, context) = cells
                .last()
                .map_or((None, None), |last| (last.chapter, last.context));
            cells.push(Cells {
                chapter,
                context,
                ..Cells::default()
            });
        }
        let beside = if columns.whole {
            cards::beside(board)
        } else {
            Vec::new()
        };
        Self {
            columns: cells,
            bars: bars(board, columns),
            rails,
            beside,
        }
    }
}

impl Sheet<'_> {
    /// All cards, column by column, then strip by strip: the order in which they are read.
    pub(super) fn cards(&self) -> impl Iterator<Item = &Card> {
        let mut bars = self.bars.iter().peekable();
        let columns = self
            .columns
            .iter()
            .enumerate()
            .flat_map(move |(place, cells)| {
                let bar = bars.next_if(|bar| bar.first == place);
                let above = cells.who.iter().chain(&cells.sees).chain(&cells.does);
                let decides = bar.into_iter().flat_map(|bar| &bar.cards);
                above.chain(decides).chain(&cells.happened)
            });
        let strips = self.rails.iter().flat_map(|rail| {
            let stands = rail.stands.iter().map(|stand| &stand.card);
            let ends = rail.ends.iter().flat_map(|(_, cards)| cards);
            rail.label.iter().chain(stands).chain(ends)
        });
        columns.chain(strips).chain(&self.beside)
    }
}

impl Cells {
    fn of(board: &Board, column: &Column, counts: &BTreeMap<String, u64>) -> Self {
        let mut cells = Self {
            chapter: column.chapter,
            context: column.context,
            ..Self::default()
        };
        cells.who.extend(
            column
                .doers
                .iter()
                .filter_map(|doer| cards::doer(board, *doer)),
        );
        for index in &column.views {
            cells.views.push((cells.sees.len(), *index));
            cells.sees.extend(cards::view(board, *index));
            let notes = board.views.get(*index).map(|view| &view.note);
            cells
                .sees
                .extend(notes.into_iter().flat_map(cards::questions));
        }
        if let Some(index) = column.task {
            cells.does.extend(cards::task(board, index));
            let notes = board.tasks.get(index).map(|task| &task.note);
            cells
                .does
                .extend(notes.into_iter().flat_map(cards::indented_questions));
        }
        cells.raises = column.raises;
        for happening in &column.events {
            cells.events.push((cells.happened.len(), happening.event));
            cells
                .happened
                .extend(cards::event(board, happening, counts));
            let notes = board.events.get(happening.event).map(|event| &event.note);
            cells
                .happened
                .extend(notes.into_iter().flat_map(cards::questions));
        }
        cells
    }

    /// The card of an event.
    pub(super) fn event(&self, event: usize) -> Option<&Card> {
        let (place, _) = self.events.iter().find(|(_, found)| *found == event)?;
        self.happened.get(*place)
    }

    /// The first event that the task raises.
    pub(super) fn raised(&self) -> Option<&Card> {
        self.happened.first().filter(|_| self.raises > 0)
    }

    /// The card of a view.
    pub(super) fn view(&self, view: usize) -> Option<&Card> {
        let (place, _) = self.views.iter().find(|(_, found)| *found == view)?;
        self.sees.get(*place)
    }
}

fn bars(board: &Board, columns: &Columns) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    let mut before = None;
    for (place, column) in columns.list.iter().enumerate() {
        match (column.model, bars.last_mut()) {
            (Some(model), Some(bar)) if before == Some(model) => bar.last = place,
            (Some(model), _) => {
                let mut cards: Vec<Card> = cards::model(board, model).into_iter().collect();
                let note = board.models.get(model).map(|model| &model.note);
                cards.extend(note.into_iter().flat_map(cards::indented_questions));
                bars.push(Bar {
                    first: place,
                    last: place,
                    cards,
                });
            }
            (None, _) => {}
        }
        before = column.model;
    }
    bars
}

impl<'b> Rail<'b> {
    fn of(strip: &Strip<'b>) -> Self {
        let name = &strip.note.name.text;
        let kind = strip.kind.keyword();
        let per: Vec<_> = strip.one_per.iter().map(|word| word.text()).collect();
        let sub = match per.as_slice() {
            [] => kind.to_owned(),
            words => format!("{kind}, one per {}", words.join(" and ")),
        };
        let label = format!("{kind}: {name}");
        let head = Card::of_note(strip.kind, strip.note, Shape::Paper, label);
        let head = head.write(Pen::Name, name).write(Pen::Small, &sub);
        let mut pile = vec![head];
        pile.extend(cards::questions(strip.note));
        let of = note_id(strip.kind, name);
        let own = kebab_name(name);
        let numbered = strip.stands.iter().enumerate();
        let stands = numbered.map(|(number, (reaction, column))| {
            let (mut card, steps) = cards::reaction(name, reaction);
            card.id = format!("reaction-{own}-{}", number + 1);
            card.of.clone_from(&of);
            Stand {
                reaction,
                column: *column,
                card,
                steps,
            }
        });
        let ends = strip.end.map(|column| {
            let ways = [
                ("ends on", strip.ends_on),
                ("gives up on", strip.gives_up_on),
            ];
            let ways = ways.iter().filter(|(_, events)| !events.is_empty());
            (
                column,
                ways.map(|(how, events)| {
                    let mut card = cards::end(name, how, events);
                    card.id = format!("end-{own}");
                    card.of.clone_from(&of);
                    card
                })
                .collect(),
            )
        });
        Self {
            kind: strip.kind,
            label: pile,
            stands: stands.collect(),
            ends,
        }
    }

    /// The first and the last column in which it has a card.
    pub(super) fn columns(&self) -> (usize, usize) {
        let stands = self.stands.iter().map(|stand| stand.column);
        let all = stands.chain(self.ends.iter().map(|(column, _)| *column));
        all.fold(None, |span: Option<(usize, usize)>, column| {
            let (first, last) = span.unwrap_or((column, column));
            Some((first.min(column), last.max(column)))
        })
        .unwrap_or((0, 0))
    }
}

/// Two processes may have one name; their cards have different ids all the same.
fn own_ids(rails: &mut [Rail<'_>]) {
    let mut taken = Ids::default();
    for rail in rails {
        let stands = rail.stands.iter_mut().map(|stand| &mut stand.card);
        let ends = rail.ends.iter_mut().flat_map(|(_, cards)| cards);
        for card in stands.chain(ends) {
            card.id = taken.own(std::mem::take(&mut card.id));
        }
    }
}
