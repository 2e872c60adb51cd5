//! What a planted bug does that takes more than a word; see [`flaw`](super::flaw).

use super::Core;
use super::compose::Prepared;
use super::decide::{Envelope, Execution, fingerprint};
use fait_core::event::NewEvent;
use fait_core::process::{Fact, Target};

impl Core {
    /// Carries out what a step sends, then forgets that it was to be sent.
    pub(super) async fn send_first(&self, prepared: &mut Prepared) {
        let Fact::Stepped(step) = &mut prepared.fact else {
            return;
        };
        let (now, later) = std::mem::take(&mut step.issued)
            .into_iter()
            .partition(|issued| issued.to == Target::Here);
        step.issued = later;
        if let Some(NewEvent { data, origin, .. }) = prepared.events.first_mut() {
            *data = serde_json::to_vec(&step).unwrap_or_default().into();
            for issued in now {
                let def = self.commands.get(&issued.name);
                let Some(begin) = def.and_then(|d| d.begin.as_ref()) else {
                    continue;
                };
                let Ok(deciding) = begin(&issued.body) else {
                    continue;
                };
                let env = Envelope {
                    actor: origin.actor.clone(),
                    correlation: Some(origin.correlation),
                    causation: origin.causation,
                    ..Envelope::default()
                };
                let execution = Execution {
                    deciding,
                    name: &issued.name,
                    body: &issued.body,
                    fingerprint: fingerprint(&issued.name, &issued.body),
                    env,
                    answer: None,
                    note: None,
                };
                // What became of it nobody hears: that is the bug.
                let _ = self.execute(execution).await;
            }
        }
    }
}
