//! `fait bus`: messages of other systems that cannot be read.

use crate::called::at;
use crate::kitchen::{OrderCooked, Running, history, kitchen};
use fait::app::AppBuilder;
use fait::bus::{
    BusError, CloudEvent, Delivery, Incoming, Inlet, Mark, Receive, Received, STRUCTURED,
};
use fait::event::Never;
use fait::store::BoxFuture;
use fait::test::message;
use insta::assert_snapshot;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the kitchen understands what it did not.
static REPAIRED: AtomicBool = AtomicBool::new(false);

struct Stove;

impl Receive for Stove {
    const SYSTEM: &'static str = "Stove";
    type Sends = Never;
    type Records = OrderCooked;
    fn receive(message: &CloudEvent) -> Received<Self> {
        if message.ty == "hot" && !REPAIRED.load(Ordering::Relaxed) {
            return Incoming::Unknown("`hot` is not known here".into());
        }
        match message.read() {
            Ok(cooked) => Incoming::Record(cooked),
            Err(e) => Incoming::Unknown(e.to_string()),
        }
    }
}

/// Four messages, and no more.
struct Line;

impl Inlet for Line {
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        Box::pin(async move {
            if after.is_some() {
                return std::future::pending().await;
            }
            let lay = |(ty, order, sequence): (&str, u64, u64)| {
                let mut event = message(ty, json!({"order": order}));
                event.subject = Some(order.to_string());
                Delivery {
                    mark: Mark {
                        history: "stove".into(),
                        sequence,
                    },
                    headers: vec![("content-type".into(), STRUCTURED.into())],
                    body: event.to_bytes(),
                }
            };
            let all = [
                ("hot", 21, 1),
                ("done", 21, 2),
                ("odd", 22, 3),
                ("done", 23, 4),
            ];
            let mut all = all.map(lay).to_vec();
            all[2].body = b"<odd/>".to_vec().into();
            Ok(all)
        })
    }
}

fn hearing(place: AppBuilder) -> AppBuilder {
    kitchen(place).hears::<Stove>("stove", Line)
}

/// Times are other ones in each run.
fn steady(text: &str) -> String {
    let word = |w: &str| match w.ends_with('Z') && w.contains('T') {
        true => w.replace(|c: char| c.is_ascii_digit(), "0"),
        false => w.to_string(),
    };
    let line = |l: &str| l.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn messages_that_cannot_be_read_are_listed_read_again_and_skipped() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    let running = Running::wired(folder.path(), hearing);
    let call = |words: &[&str]| at(&running.address, &[&["bus"], words].concat());
    let kept = || running.wait(running.app().unreadable(None)).unwrap();
    while kept().len() < 3 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_snapshot!("heard_unreadable", steady(&call(&["unreadable"])));
    let says =
        "stove keeps 2 messages that cannot be read, and 1 behind; fait bus unreadable stove";
    let status = call(&["status"]);
    assert!(status.contains(says), "{status}");
    assert_snapshot!("heard_nobody", call(&["unreadable", "stov"]));
    assert_snapshot!("heard_as_before", call(&["reread", "stove"]));
    REPAIRED.store(true, Ordering::Relaxed);
    assert_snapshot!("heard_again", call(&["reread", "stove", "hot"]));
    let odd = kept()[0].message.to_string();
    let words = ["skip", odd.as_str(), "--reason", "a test of theirs"];
    assert_snapshot!("heard_skipped", call(&words));
    assert_snapshot!("heard_gone", call(&words));
    assert_snapshot!("heard_all", call(&["unreadable"]));
    assert_snapshot!(
        "heard_continued",
        call(&["continue", "stove", "--after", "4"])
    );
}
