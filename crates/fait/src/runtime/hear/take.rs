//! Recording what a message is here: one append with what came of it.

use super::kept::{Kept, changes};
use super::message::{InHand, Understood};
use super::{Hearing, Trouble};
use crate::bus::{Delivery, Incoming};
use crate::runtime::compose::shortened;
use crate::runtime::decide::{Done, Execution, SendError, fingerprint};
use crate::runtime::flaw::{Flaw, flaw};
use crate::runtime::note::{Came, Note};
use crate::runtime::{Core, count_appended};
use fait_core::bus::Asked;
use fait_core::bus::fact::{Became, MAX_RAW_BYTES, RECEIVED};
use fait_core::event::{Draft, NewEvent, Position, panic_text};
use fait_core::query::Query;
use fait_core::store::{Append, AppendCondition, AppendError};
use futures_util::FutureExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tracing::Instrument;

/// Most messages that one receiver keeps because they cannot be read, or wait behind one.
pub const MAX_KEPT_MESSAGES: usize = 10_000;

/// What became of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    /// It is recorded as what it became.
    Became(Became),
    /// It is none of this system's business.
    Ignored,
    /// It had been recorded before.
    Known,
    /// It cannot be read, and is kept.
    Unreadable(String),
    /// It waits behind one that cannot be read.
    Waiting,
}

impl Fate {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Fate::Became(became) => became.name(),
            Fate::Ignored => "ignored",
            Fate::Known => "known",
            Fate::Unreadable(_) => "unreadable",
            Fate::Waiting => "waiting",
        }
    }
}

/// What became of an append.
enum Put {
    /// Nothing is to be recorded.
    Nothing,
    /// The fact stands there.
    There(Position),
    /// All that is recorded of the message was recorded by somebody else meanwhile.
    Known,
    /// Something was kept or ended meanwhile.
    Moved,
    /// It can never be recorded.
    Never(String),
}

impl Core {
    /// Records what came in; with the fact that says so, if there is one.
    pub(super) async fn take_in(
        &self,
        h: &Hearing,
        kept: &mut Kept,
        delivery: &Delivery,
    ) -> Result<(Fate, Option<Position>), Trouble> {
        self.look_at_kept(&h.name, kept).await?;
        let in_hand = InHand {
            headers: &delivery.headers,
            body: &delivery.body,
            mark: &delivery.mark,
            kept: None,
        };
        self.take_message(h, kept, &in_hand).await
    }

    /// Records what a message in hand is here.
    pub(super) async fn take_message(
        &self,
        h: &Hearing,
        kept: &mut Kept,
        m: &InHand<'_>,
    ) -> Result<(Fate, Option<Position>), Trouble> {
        let u = h.understand(m);
        let span = u.span(&h.name);
        self.take_understood(h, kept, m, u).instrument(span).await
    }

    async fn take_understood(
        &self,
        h: &Hearing,
        kept: &mut Kept,
        m: &InHand<'_>,
        mut u: Understood,
    ) -> Result<(Fate, Option<Position>), Trouble> {
        loop {
            let again = flaw(Flaw::HeardAgain);
            if m.kept.is_none() && !again && self.store.last(&u.recorded()).await? > 0 {
                return Ok((Fate::Known, None));
            }
            let (put, fate) = self.put(h, kept, m, &u).await?;
            if !matches!(put, Put::Nothing) {
                self.look_at_kept(&h.name, kept).await?;
            }
            match put {
                Put::Nothing => return Ok((fate, None)),
                Put::There(at) => return Ok((fate, Some(at))),
                // It came by another way, which is looked at again.
                Put::Known if m.kept.is_some_and(|k| kept.get(k.message) == Some(k)) => {}
                Put::Known => return Ok((Fate::Known, None)),
                Put::Moved => {}
                Put::Never(why) => u.here = Err(shortened(why)),
            }
        }
    }

    async fn put(
        &self,
        h: &Hearing,
        kept: &Kept,
        m: &InHand<'_>,
        u: &Understood,
    ) -> Result<(Put, Fate), Trouble> {
        let system = &h.def.system;
        let fact = |became: Became| (u.became(became.clone()).draft(), Fate::Became(became));
        let known = match m.kept {
            Some(_) => self.store.last(&u.elsewhere()).await? > 0,
            None => false,
        };
        let recorded = if known { u.kept() } else { u.recorded() };
        let under = conditions(h, kept, m, recorded);
        let (drafts, fate) = match (&u.here, m.kept) {
            _ if known => {
                let (draft, fate) = fact(Became::Known);
                (vec![draft], fate)
            }
            (Ok(Incoming::Ignore), None) => return Ok((Put::Nothing, Fate::Ignored)),
            (Ok(Incoming::Ignore), Some(_)) => {
                let (draft, fate) = fact(Became::Ignored);
                (vec![draft], fate)
            }
            (_, None) if kept.blocks(u.lane().as_ref(), Position::MAX) => {
                (may_keep(h, kept, m)?.keep(u, None), Fate::Waiting)
            }
            (Err(why), Some(before)) if before.reason.is_some() => {
                return Ok((Put::Nothing, Fate::Unreadable(why.clone())));
            }
            (Err(why), _) => {
                let drafts = may_keep(h, kept, m)?.keep(u, Some(why.clone()));
                (drafts, Fate::Unreadable(why.clone()))
            }
            (Ok(Incoming::Command(asked)), _) => return self.ask(h, u, asked, under).await,
            (Ok(Incoming::Record(draft)), _) => {
                let event = draft.clone().with(self.clock.id(), u.origin(system));
                let became = Became::Recorded {
                    event: event.id,
                    ty: event.ty.clone(),
                };
                let (draft, fate) = fact(became);
                let fact = draft.with(self.clock.id(), u.origin(system));
                return Ok((self.append_heard(vec![event, fact], under).await?, fate));
            }
            (Ok(Incoming::Unknown(_)), _) => return Ok((Put::Moved, Fate::Ignored)),
        };
        let origin = u.origin(system);
        let event = |draft: Draft| draft.with(self.clock.id(), origin.clone());
        let events = drafts.into_iter().map(event).collect();
        match self.append_heard(events, under).await? {
            Put::Never(why) => Err(Trouble::Stop(format!("{}: {why}", m.place()))),
            put => Ok((put, fate)),
        }
    }

    async fn append_heard(
        &self,
        events: Vec<NewEvent>,
        conditions: Vec<AppendCondition>,
    ) -> Result<Put, Trouble> {
        let n = events.len();
        let fact = events.iter().position(|e| e.ty == RECEIVED).unwrap_or(0);
        let append = Append {
            events,
            conditions,
            command: None,
            recorded_at: self.clock.now(),
        };
        match self.store.append(append).await {
            Ok(done) => {
                count_appended(n);
                Ok(Put::There(done.first + fact as Position))
            }
            Err(AppendError::Conflict { condition: 0, .. }) => Ok(Put::Known),
            Err(AppendError::Conflict { .. }) => Ok(Put::Moved),
            Err(AppendError::Invalid(why)) => Ok(Put::Never(why)),
            Err(other) => Err(Trouble::Later(other.to_string())),
        }
    }

    /// Decides the command that a message became, once.
    async fn ask(
        &self,
        h: &Hearing,
        u: &Understood,
        asked: &Asked,
        conditions: Vec<AppendCondition>,
    ) -> Result<(Put, Fate), Trouble> {
        let never = |why: String| {
            let why = format!("it became the command `{}`: {why}", asked.name);
            Ok((Put::Never(why), Fate::Ignored))
        };
        let def = self.commands.get(&asked.name);
        let Some(begin) = def.and_then(|d| d.begin.as_ref()) else {
            return never("this program has no decision for it".into());
        };
        let begun = catch_unwind(AssertUnwindSafe(|| begin(&asked.body)));
        let begun = begun.map_err(|panic| panic_text(&*panic));
        let deciding = match begun.and_then(|b| b.map_err(|e| e.to_string())) {
            Ok(deciding) => deciding,
            Err(why) => return never(why),
        };
        let (recorded, noted) = (conditions.first().cloned(), u.noted(asked));
        let execution = Execution {
            deciding,
            name: &asked.name,
            body: &asked.body,
            fingerprint: fingerprint(&asked.name, &asked.body),
            env: u.envelope(&h.def.system),
            answer: None,
            note: Some(Note {
                conditions,
                write: Box::new(move |came| noted(came).draft()),
            }),
        };
        let executed = AssertUnwindSafe(self.execute_noted(execution))
            .catch_unwind()
            .await;
        let done = executed.unwrap_or_else(|panic| Err(SendError::Defect(panic_text(&*panic))));
        let noted = u.noted(asked);
        let fate = |came: Came<'_>| Fate::Became(noted(came).became);
        match done {
            Ok(Done::Accepted(receipt)) if receipt.repeated => Ok((Put::Known, Fate::Known)),
            Ok(Done::Accepted(receipt)) => Ok((Put::There(receipt.position), fate(Came::Accepted))),
            Ok(Done::Refused(refused, at)) => Ok((Put::There(at), fate(Came::Refused(&refused)))),
            Ok(Done::Unmet(0)) => Ok((Put::Known, Fate::Known)),
            Ok(Done::Unmet(_)) => Ok((Put::Moved, Fate::Known)),
            Err(SendError::Reused(id)) => match recorded {
                Some(c) if self.store.last(&c.fail_if_events_match).await? > c.after => {
                    Ok((Put::Known, Fate::Known))
                }
                _ => never(SendError::Reused(id).to_string()),
            },
            Err(e @ (SendError::Conflict | SendError::Store(_))) => {
                Err(Trouble::Later(e.to_string()))
            }
            Err(e) => never(e.to_string()),
        }
    }
}

/// Nothing was recorded of the message behind what is known of it, and nothing was kept or ended
/// since that was looked at.
fn conditions(h: &Hearing, kept: &Kept, m: &InHand<'_>, recorded: Query) -> Vec<AppendCondition> {
    if flaw(Flaw::HeardAgain) {
        return vec![];
    }
    vec![
        AppendCondition {
            fail_if_events_match: recorded,
            after: m.kept.map_or(0, |k| k.fact),
        },
        AppendCondition {
            fail_if_events_match: changes(&h.name),
            after: kept.upto,
        },
    ]
}

/// Whether there is room to keep a message.
fn may_keep<'a, 'b>(
    h: &Hearing,
    kept: &Kept,
    m: &'a InHand<'b>,
) -> Result<&'a InHand<'b>, Trouble> {
    let (name, bytes) = (&h.name, m.bytes());
    if bytes > MAX_RAW_BYTES {
        return Err(Trouble::Stop(format!(
            "{} cannot be read and has {bytes} bytes; at most {MAX_RAW_BYTES} are kept. \
             `fait bus continue {name} --after {}` goes on behind it",
            m.place(),
            m.mark.sequence
        )));
    }
    if m.kept.is_none() && kept.len() >= MAX_KEPT_MESSAGES {
        return Err(Trouble::Stop(format!(
            "{MAX_KEPT_MESSAGES} messages are kept because they cannot be read, or wait behind \
             one: see `fait bus unreadable {name}`, and have them read again or skip them"
        )));
    }
    Ok(m)
}
