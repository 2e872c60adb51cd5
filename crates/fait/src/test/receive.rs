//! What another system's messages are here, message by message.

use super::{BEGIN, shown};
use crate::bus::{CloudEvent, Data, Incoming, Published, Receive, Received, STRUCTURED};
use fait_core::command::CommandSet;
use fait_core::event::EventSet;
use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A [`Receive`] under test: first a message, then what it is here.
pub struct ReceiveTest<R: Receive> {
    last: Option<(String, Received<R>)>,
}

impl<R: Receive> std::fmt::Debug for ReceiveTest<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceiveTest").finish_non_exhaustive()
    }
}

/// Nothing has come yet.
#[must_use]
pub fn receive<R: Receive>() -> ReceiveTest<R> {
    ReceiveTest { last: None }
}

/// A message as an example: of this type, with this data. The same words give the same id. Its
/// other attributes can be set as the test wants them.
///
/// # Panics
/// The data cannot be written as JSON.
#[track_caller]
pub fn message(ty: &str, data: impl Serialize) -> CloudEvent {
    let data = match serde_json::to_value(data) {
        Ok(data) => data,
        Err(e) => panic!("the data of `{ty}` cannot be written: {e}"),
    };
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{ty} {data}").as_bytes());
    CloudEvent {
        id: id.to_string(),
        source: "urn:fait:example".into(),
        ty: ty.into(),
        subject: None,
        time: Some(BEGIN.to_string()),
        datacontenttype: Some("application/json".into()),
        dataschema: None,
        extensions: BTreeMap::new(),
        data: Data::Json(data),
    }
}

/// The message that another system makes of this, where its type is at hand.
///
/// # Panics
/// It cannot be written as JSON.
#[track_caller]
pub fn message_of<P: Published>(published: &P) -> CloudEvent {
    let ty = crate::bus::cloud_type(P::NAME, P::VERSION);
    CloudEvent {
        subject: published.subject(),
        ..message(&ty, published)
    }
}

impl<R: Receive> ReceiveTest<R> {
    /// This message comes, as it would from a bus.
    ///
    /// # Panics
    /// It is no CloudEvent.
    #[must_use]
    #[track_caller]
    pub fn given(mut self, message: CloudEvent) -> Self {
        let headers = [("content-type".to_string(), STRUCTURED.to_string())];
        match CloudEvent::read_message(&headers, &message.to_bytes()) {
            Ok(came) => self.last = Some((came.ty.clone(), R::receive(&came))),
            Err(e) => panic!("no bus carries this: {e}"),
        }
        self
    }

    /// It is this command here.
    ///
    /// # Panics
    /// It is something else.
    #[track_caller]
    pub fn then_sends(self, command: impl Into<R::Sends>) -> Self {
        let command: R::Sends = command.into();
        let (ty, got) = self.last();
        assert!(
            matches!(got, Incoming::Command(c) if *c == command),
            "`{ty}` is something else here\nwanted:\n  {}\ngot:\n{}",
            asked(&command),
            said::<R>(got)
        );
        self
    }

    /// It is this event here.
    ///
    /// # Panics
    /// It is something else.
    #[track_caller]
    pub fn then_records(self, event: impl Into<R::Records>) -> Self {
        let wanted = recorded::<R>(&event.into());
        let (ty, got) = self.last();
        let got = said::<R>(got);
        assert!(
            got == wanted,
            "`{ty}` is something else here\nwanted:\n{wanted}\ngot:\n{got}"
        );
        self
    }

    /// It is none of this system's business.
    ///
    /// # Panics
    /// It is something.
    #[track_caller]
    pub fn then_ignores(self) -> Self {
        let (ty, got) = self.last();
        let ignored = matches!(got, Incoming::Ignore);
        assert!(ignored, "`{ty}` is not ignored\ngot:\n{}", said::<R>(got));
        self
    }

    /// It is not understood: kept, until somebody has it read again.
    ///
    /// # Panics
    /// It is understood.
    #[track_caller]
    pub fn then_unknown(self) -> Self {
        let (ty, got) = self.last();
        let unknown = matches!(got, Incoming::Unknown(_));
        assert!(unknown, "`{ty}` is understood\ngot:\n{}", said::<R>(got));
        self
    }

    #[track_caller]
    fn last(&self) -> (&str, &Received<R>) {
        match &self.last {
            Some((ty, got)) => (ty, got),
            None => panic!("no message has come: say `.given(…)` first"),
        }
    }
}

/// What a message is, as a person compares it.
fn said<R: Receive>(got: &Received<R>) -> String {
    match got {
        Incoming::Command(command) => format!("  {}", asked(command)),
        Incoming::Record(event) => recorded::<R>(event),
        Incoming::Ignore => "  ignored".into(),
        Incoming::Unknown(why) => format!("  unknown: {why}"),
    }
}

fn asked<C: CommandSet>(command: &C) -> String {
    match command.encode() {
        Ok((name, body)) => format!("command {name} {body}"),
        Err(e) => format!("a command that cannot be written: {e}"),
    }
}

fn recorded<R: Receive>(event: &R::Records) -> String {
    match event.encode() {
        Ok(draft) => shown(&[draft]),
        Err(e) => format!("  {e}"),
    }
}
