//! Processes send mail to a real SMTP sink that fails in every way: through the whole runtime,
//! with a ledger at the sink that says which mails came how often.

mod sink;

use fait::app::{App, Uncertain};
use fait::event::{Never, minutes};
use fait::process::{Input, Outbox, Process};
use fait::reexport::serde_json;
use fait::reexport::uuid::Uuid;
use fait::store::Memory;
use fait::{Clock, command, data, entity_ids, event};
use fait_smtp::{Mail, Smtp, Tls};
use sink::{Does, Sink};
use std::sync::Arc;
use std::time::Duration;

entity_ids! { GuestId(text) => "guest" }

#[event]
struct GuestInvited {
    #[tag]
    guest: GuestId,
}

/// Send invitation
#[command(to = "Mail")]
struct SendInvitation {
    guest: GuestId,
}

#[data]
#[derive(Default)]
enum Inviting {
    #[default]
    New,
    Sending,
    Sent,
    Failed(String),
}

impl Process for Inviting {
    const NAME: &'static str = "inviting";
    type Key = GuestId;
    type Events = GuestInvited;
    type Timer = ();
    type Sends = SendInvitation;
    type Raises = Never;
    fn react(self, guest: &GuestId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match input {
            Input::Event(_) => {
                out.send(SendInvitation {
                    guest: guest.clone(),
                });
                Inviting::Sending
            }
            Input::Done { .. } => Inviting::Sent,
            Input::Failed { error, .. } => Inviting::Failed(error),
            other => out.unhandled(self, other),
        }
    }
}

fn relay(sink: &Sink, on_uncertain: Uncertain) -> Smtp {
    Smtp::by("127.0.0.1", Tls::None, on_uncertain, |told| {
        let guest = told.body["guest"].as_str().unwrap_or_default();
        if guest == "nobody" {
            return Err("nobody has no address".into());
        }
        Ok(Mail {
            from: "The Inn <inn@example.org>".into(),
            to: vec![format!("{guest}@example.org")],
            subject: "Grüße".into(),
            text: "Come on Friday.\n.\nYours".into(),
            html: (guest == "html").then(|| "<p>Come on Friday.</p>".into()),
        })
    })
    .port(sink.port)
    .within(Duration::from_millis(300))
}

fn inviting(store: &Arc<Memory>, smtp: Smtp) -> App {
    App::on(store.clone())
        .clock(Clock::by_hand())
        .tells::<SendInvitation>()
        .receives::<GuestInvited>("Desk")
        .system("Mail", smtp)
        .process::<Inviting>()
        .build()
        .unwrap()
}

async fn invite(app: &App, guest: &str) {
    let invited = GuestInvited {
        guest: GuestId(guest.into()),
    };
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, guest.as_bytes());
    app.receive(invited, id, None).await.unwrap();
}

async fn state(app: &App, guest: &str) -> Inviting {
    let instance = app.instance("inviting", guest).await.unwrap().unwrap();
    serde_json::from_value(instance.state.unwrap().1).unwrap()
}

#[tokio::test]
async fn a_command_is_a_mail_with_its_id() {
    let sink = Sink::start(&[]).await;
    let app = inviting(&Arc::default(), relay(&sink, Uncertain::Park));
    invite(&app, "ann").await;
    invite(&app, "html").await;
    app.settle().await;
    assert_eq!(state(&app, "ann").await, Inviting::Sent);
    let mails = sink.mails();
    let find = |to: &str| mails.iter().find(|m| m.to == [to]).unwrap();
    let ann = find("ann@example.org");
    assert_eq!(ann.from, "inn@example.org");
    let id = ann.header("Message-ID");
    let (command, domain) = id.trim_matches(['<', '>']).split_once('@').unwrap();
    assert_eq!(domain, "example.org");
    assert!(command.parse::<Uuid>().is_ok(), "{id}");
    assert_eq!(ann.header("Date"), "Thu, 01 Jan 2026 00:00:00 +0000");
    assert_eq!(ann.header("From"), "\"The Inn\" <inn@example.org>");
    assert!(
        ann.text.ends_with("Come on Friday.\r\n.\r\nYours\r\n"),
        "{}",
        ann.text
    );
    let html = find("html@example.org");
    assert!(
        html.header("Content-Type")
            .starts_with("multipart/alternative")
    );
    assert!(html.text.contains("<p>Come on Friday.</p>"));
}

#[tokio::test]
async fn a_relay_that_is_busy_gets_it_later() {
    let faults = [
        Does::Greets(421),
        Does::Rcpt(450),
        Does::Taken(451),
        Does::NoGreeting,
    ];
    let sink = Sink::start(&faults).await;
    let app = inviting(&Arc::default(), relay(&sink, Uncertain::Park));
    invite(&app, "ann").await;
    app.advance(minutes(10)).await;
    assert_eq!(state(&app, "ann").await, Inviting::Sent);
    assert_eq!((sink.mails().len(), sink.talks()), (1, 5));
}

#[tokio::test]
async fn what_is_refused_for_good_is_heard_at_once() {
    let sink = Sink::start(&[Does::Rcpt(550), Does::Taken(554)]).await;
    let app = inviting(&Arc::default(), relay(&sink, Uncertain::Park));
    for (guest, why) in [
        ("ann", "550"),
        ("bob", "554"),
        ("nobody", "has no address"),
        ("a b", "is not an address"),
    ] {
        invite(&app, guest).await;
        app.settle().await;
        let Inviting::Failed(error) = state(&app, guest).await else {
            panic!("{guest}: {why} is no failure");
        };
        assert!(error.contains(why), "{error}");
    }
    assert_eq!((sink.mails().len(), sink.talks()), (0, 2));
}

#[tokio::test]
async fn nobody_knows_whether_a_mail_went_out_and_one_that_may_come_twice_does() {
    for fault in [Does::TakesAndDrops, Does::TakesAndHangs] {
        let sink = Sink::start(&[fault]).await;
        let app = inviting(&Arc::default(), relay(&sink, Uncertain::Retry));
        invite(&app, "ann").await;
        app.advance(minutes(1)).await;
        assert_eq!(state(&app, "ann").await, Inviting::Sent);
        let mails = sink.mails();
        assert_eq!(mails.len(), 2, "{fault:?}");
        assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    }
}

#[tokio::test]
async fn one_that_must_not_come_twice_waits_for_a_person() {
    for fault in [Does::TakesAndDrops, Does::TakesAndHangs] {
        let sink = Sink::start(&[fault]).await;
        let app = inviting(&Arc::default(), relay(&sink, Uncertain::Park));
        invite(&app, "ann").await;
        app.advance(minutes(60)).await;
        assert_eq!(app.parked().unwrap().len(), 1, "{fault:?}");
        assert_eq!(sink.mails().len(), 1);
    }
}

#[test]
fn a_crash_in_the_middle_sends_no_second_mail_unasked() {
    for (on_uncertain, least, most) in [(Uncertain::Park, 1, 1), (Uncertain::Retry, 2, 2)] {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let sink = runtime.block_on(Sink::start(&[Does::TakesAndHangs]));
        let store = Arc::<Memory>::default();
        let first = tokio::runtime::Runtime::new().unwrap();
        first.block_on(async {
            let smtp = relay(&sink, on_uncertain).within(Duration::from_secs(20));
            let app = inviting(&store, smtp);
            invite(&app, "ann").await;
            sink.taken().await;
        });
        first.shutdown_background();
        runtime.block_on(async {
            let app = inviting(&store, relay(&sink, on_uncertain));
            app.advance(minutes(1)).await;
            let n = sink.mails().len();
            assert!((least..=most).contains(&n), "{n} mails");
            let parked = app.parked().unwrap().len();
            assert_eq!(parked, usize::from(on_uncertain == Uncertain::Park));
        });
    }
}

#[test]
fn a_password_is_not_sent_in_the_open() {
    let by = |tls| Smtp::by("localhost", tls, Uncertain::Park, |_| Err(String::new()));
    let open = by(Tls::None).credentials("inn", "secret");
    assert_eq!(
        open.unwrap_err().to_string(),
        "a password is not sent without TLS"
    );
    let smtp = by(Tls::Upgraded).credentials("inn", "secret").unwrap();
    assert!(!format!("{smtp:?}").contains("secret"));
}

#[tokio::test]
async fn without_the_tls_that_is_asked_for_nothing_is_sent() {
    let sink = Sink::start(&[]).await;
    let smtp = Smtp::by("127.0.0.1", Tls::Upgraded, Uncertain::Park, |_| {
        Ok(Mail {
            from: "inn@example.org".into(),
            to: vec!["ann@example.org".into()],
            subject: String::new(),
            text: String::new(),
            html: None,
        })
    });
    let app = inviting(&Arc::default(), smtp.port(sink.port));
    invite(&app, "ann").await;
    app.settle().await;
    assert_eq!(state(&app, "ann").await, Inviting::Sending);
    assert!(sink.mails().is_empty());
    let status = app.systems().unwrap().remove(0);
    let (_, error) = status.last_error.unwrap();
    assert!(error.contains("STARTTLS"), "{error}");
}
