//! Checks what many threads did to one store at once, from what each saw.
//!
//! Positions are the store's own claim of an order, so nothing has to be searched: the order only
//! has to agree with what everybody saw, and with who was answered before who asked.

use fait_core::event::{NewEvent, Position};
use fait_core::query::Query;
use fait_core::store::{Append, AppendError, Appended};
use uuid::Uuid;

/// What somebody did, and what came of it.
#[derive(Clone, Debug)]
pub(super) enum Did {
    Append(Append, Result<Appended, AppendError>),
    /// Read all that a query selects: the positions and ids, and the head of the snapshot.
    Read(Query, Vec<(Position, Uuid)>, Position),
}

/// One operation. The numbers count what began and what ended, over all threads: one that ended
/// before another began has the smaller number.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) begun: u64,
    pub(super) ended: u64,
    pub(super) did: Did,
}

/// An event, and the call that appended it.
struct Placed<'a> {
    event: &'a NewEvent,
    call: &'a Call,
}

/// The whole log as the receipts tell it.
struct Log<'a>(Vec<Placed<'a>>);

/// Checks a history that began with an empty store and was written by nobody else.
///
/// # Errors
/// What cannot be.
pub(super) fn check(history: &[Call]) -> Result<(), String> {
    let log = Log::of(history)?;
    log.real_time()?;
    for call in history {
        match &call.did {
            Did::Append(append, Ok(receipt)) if !receipt.repeated => {
                log.accepted(append, receipt.first)?;
            }
            Did::Append(
                append,
                Err(AppendError::Conflict {
                    condition,
                    position,
                }),
            ) => {
                log.conflict(call, append, *condition, *position)?;
            }
            Did::Append(..) => {}
            Did::Read(query, found, head) => log.read(call, query, found, *head)?,
        }
    }
    Ok(())
}

impl<'a> Log<'a> {
    /// Every position has one event; batches stand together.
    fn of(history: &'a [Call]) -> Result<Log<'a>, String> {
        let mut receipts: Vec<_> = history
            .iter()
            .filter_map(|call| match &call.did {
                Did::Append(append, Ok(receipt)) if !receipt.repeated => {
                    Some((receipt, append, call))
                }
                _ => None,
            })
            .collect();
        receipts.sort_by_key(|(receipt, _, _)| receipt.first);
        let mut log = vec![];
        for (receipt, append, call) in receipts {
            let expected = log.len() as Position + 1;
            let Appended { first, last, .. } = *receipt;
            if first != expected {
                return Err(format!(
                    "position {expected} was given to nobody, or {first} twice"
                ));
            }
            if last - first + 1 != append.events.len() as Position {
                return Err(format!("the batch at {first} ends at {last}"));
            }
            log.extend(append.events.iter().map(|event| Placed { event, call }));
        }
        Ok(Log(log))
    }

    /// Who was answered before another asked stands before it.
    fn real_time(&self) -> Result<(), String> {
        let mut earliest_end = u64::MAX;
        for (n, placed) in self.0.iter().enumerate().rev() {
            if placed.call.begun > earliest_end {
                let position = n + 1;
                return Err(format!(
                    "an event behind position {position} was acknowledged before the append of \
                     {position} began"
                ));
            }
            earliest_end = earliest_end.min(placed.call.ended);
        }
        Ok(())
    }

    /// Nothing stands between what a condition looked behind and the append.
    fn accepted(&self, append: &Append, first: Position) -> Result<(), String> {
        for condition in &append.conditions {
            let between = condition.after as usize..first as usize - 1;
            let query = &condition.fail_if_events_match;
            let hit = between.clone().find(|n| self.matches(query, *n));
            if let Some(hit) = hit {
                return Err(format!(
                    "the append at {first} was accepted, though position {} matches its condition",
                    hit + 1
                ));
            }
        }
        Ok(())
    }

    /// What a conflict names is there, matches, and had been sent before the answer.
    fn conflict(
        &self,
        call: &Call,
        append: &Append,
        condition: usize,
        position: Position,
    ) -> Result<(), String> {
        let there = (position as usize)
            .checked_sub(1)
            .filter(|n| *n < self.0.len());
        let cause = there.zip(append.conditions.get(condition));
        let sound = cause.is_some_and(|(n, c)| {
            position > c.after
                && self.matches(&c.fail_if_events_match, n)
                && self.0[n].call.begun < call.ended
        });
        match sound {
            true => Ok(()),
            false => Err(format!("a conflict with position {position} has no cause")),
        }
    }

    /// A read is the log up to a head, and the head fits what was acknowledged and what was sent.
    fn read(
        &self,
        call: &Call,
        query: &Query,
        found: &[(Position, Uuid)],
        head: Position,
    ) -> Result<(), String> {
        let seen = self.0.get(..head as usize);
        let Some(seen) = seen else {
            return Err(format!("a read ends at {head}, behind the end of the log"));
        };
        let matching = (0..seen.len()).filter(|n| self.matches(query, *n));
        let matching = matching.map(|n| (n as Position + 1, self.0[n].event.id));
        if !matching.eq(found.iter().copied()) {
            return Err(format!(
                "a read up to {head} is not what the log has up to there"
            ));
        }
        if let Some(missed) = self.0[seen.len()..]
            .iter()
            .position(|p| p.call.ended < call.begun)
        {
            let position = seen.len() + missed + 1;
            return Err(format!(
                "a read up to {head} misses position {position}, acknowledged before it began"
            ));
        }
        if seen.iter().any(|p| p.call.begun > call.ended) {
            return Err(format!(
                "a read up to {head} has what was sent after its answer"
            ));
        }
        Ok(())
    }

    fn matches(&self, query: &Query, n: usize) -> bool {
        self.0
            .get(n)
            .is_some_and(|p| query.matches(&p.event.ty, &p.event.tags))
    }
}
