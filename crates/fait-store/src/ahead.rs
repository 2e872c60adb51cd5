//! Goes through a long piece of the log with a second thread that reads ahead: while one looks at
//! events, the other copies the next ones from the operating system.

use crate::format::EventView;
use crate::read::{self, EventRef, Wanted, each_view, pieces, read_into};
use crate::shared::Shared;
use crate::stretch::{Span, Stretch};
use fait_core::event::Position;
use fait_core::query::Query;
use fait_core::store::{Range, StoreError};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

/// Fewer events than this are not worth a thread.
const WORTH_A_THREAD: u64 = 50_000;
/// So much is read at once.
const PIECE_BYTES: u32 = 256 << 10;
/// Pieces that wait to be looked at.
const WAITING: usize = 6;
/// Events whose places are looked up at once.
const EVENTS: u32 = 8192;

/// Some events, read.
struct Piece {
    stretch: Arc<Stretch>,
    spans: Vec<Span>,
    bytes: Vec<u8>,
}

/// Shows what a query selects, as [`read::scan`] does, with a second thread where that is worth it.
pub(crate) fn scan(
    shared: &Shared,
    query: &Query,
    range: Range,
    mut each: impl FnMut(&EventRef<'_>) -> ControlFlow<()>,
) -> Result<Position, StoreError> {
    let head = shared.head();
    let mut wanted = Wanted::of(query, range, head);
    let many = wanted.high.saturating_sub(wanted.low);
    if !wanted.every || wanted.backwards || many.min(wanted.left as u64) < WORTH_A_THREAD {
        return read::scan(shared, query, range, each);
    }
    every(shared, wanted.low, wanted.high, |view, stretch, at| {
        let data = view.data().ok_or_else(|| stretch.segment.damaged(at))?;
        wanted.left -= 1;
        let flow = each(&EventRef { view, data });
        let enough = wanted.left == 0;
        Ok(if enough { ControlFlow::Break(()) } else { flow })
    })?;
    Ok(head)
}

/// Shows every event from `low` to `high`, both included, in their order, until `each` breaks off.
fn every(
    shared: &Shared,
    low: Position,
    high: Position,
    mut each: impl FnMut(&EventView<'_>, &Stretch, u32) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    thread::scope(|scope| {
        let (pieces, read) = sync_channel(WAITING);
        let (give_back, used) = channel::<Vec<u8>>();
        let reading = move || {
            if let Err(e) = read_all(shared, low, high, &pieces, &used) {
                // Whoever broke off wants no error either.
                let _ = pieces.send(Err(e));
            }
        };
        let started = thread::Builder::new().spawn_scoped(scope, reading);
        started.map_err(|e| {
            StoreError::new(format_args!("cannot start a thread to read ahead: {e}"))
        })?;
        for piece in read {
            let piece: Piece = piece?;
            let Piece {
                stretch,
                spans,
                bytes,
            } = piece;
            let look = |view: &EventView<'_>| each(view, &stretch, spans[0].from);
            if each_view(&stretch, &spans, &bytes, look)?.is_break() {
                break;
            }
            // The reader has ended when it does not want it.
            let _ = give_back.send(bytes);
        }
        Ok(())
    })
}

/// The thread that reads. It ends when nobody takes its pieces any more.
fn read_all(
    shared: &Shared,
    low: Position,
    high: Position,
    out: &SyncSender<Result<Piece, StoreError>>,
    used: &Receiver<Vec<u8>>,
) -> Result<(), StoreError> {
    for stretch in shared.stretches().iter() {
        let Some(window) = stretch.window(low, high, false) else {
            continue;
        };
        let mut from = window.low;
        loop {
            let to = window.high.min(from.saturating_add(EVENTS - 1));
            let ordinals: Vec<u32> = (from..=to).collect();
            for spans in pieces(stretch, &ordinals, PIECE_BYTES)? {
                let mut bytes = used.try_recv().unwrap_or_default();
                read_into(stretch, &spans, &mut bytes)?;
                let piece = Piece {
                    stretch: stretch.clone(),
                    spans,
                    bytes,
                };
                if out.send(Ok(piece)).is_err() {
                    return Ok(());
                }
            }
            if to == window.high {
                break;
            }
            from = to + 1;
        }
    }
    Ok(())
}
