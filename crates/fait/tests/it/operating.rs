//! What operators do: each action by name, on instances that stand as they should and on others.

use crate::workshop::*;
use fait::app::{Act, App, OperateError};
use fait::event::{Event, minutes};
use fait::process::{Class, Fact, InputRef, Outcome, Parked, Status, instance_tag, types};
use fait::query::Query;
use fait::reexport::serde_json::json;
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Range, Store};

const MAX: &str = "operator:max";

async fn act(app: &App, key: &str, act: Act) -> Result<(), OperateError> {
    let done = app.operate("repair", key, &act, MAX, "because").await;
    app.settle().await;
    done.map(drop)
}

async fn status(app: &App, key: &str) -> Status {
    app.instance("repair", key).await.unwrap().unwrap().status
}

async fn is_parked(app: &App, key: &str) -> bool {
    matches!(status(app, key).await, Status::Parked { .. })
}

async fn only_open(app: &App, key: &str) -> Uuid {
    let instance = app.instance("repair", key).await.unwrap().unwrap();
    let open: Vec<Uuid> = instance.open.into_keys().collect();
    assert_eq!(open.len(), 1, "one command is open");
    open[0]
}

async fn count(app: &App, ty: &str) -> usize {
    let query = Query::types(&[ty]);
    let slice = app.events(&query, Range::after(0, 1000)).await;
    slice.unwrap().events.len()
}

fn mend(job: &str) {
    MENDED.lock().unwrap().insert(job.into());
}

#[tokio::test]
async fn retry_takes_the_input_in_again_and_then_what_waited_in_order() {
    let (_, app) = open();
    bring(&app, "bad-1", "saw").await;
    bring(&app, "good-1", "saw").await;
    for n in 1..=3 {
        note(&app, "bad-1", n).await;
    }
    let stuck = app.stuck(Some("repair"), 10).unwrap();
    assert_eq!(stuck.len(), 1, "the other one goes on");
    assert_eq!(
        (stuck[0].instance.key.as_str(), stuck[0].backlog),
        ("bad-1", 3)
    );
    assert_eq!(heard(&app, "good-1").await, ["came", "done"]);
    act(&app, "bad-1", Act::Retry).await.unwrap();
    assert!(is_parked(&app, "bad-1").await, "it stumbles again");
    mend("bad-1");
    act(&app, "bad-1", Act::Retry).await.unwrap();
    let all = heard(&app, "bad-1").await;
    assert_eq!(all, ["came", "note 1", "note 2", "note 3", "done"]);
}

#[tokio::test]
async fn skip_goes_on_behind_the_input_and_is_recorded_with_who_and_why() {
    let (_, app) = open();
    bring(&app, "bad-2", "saw").await;
    act(&app, "bad-2", Act::Skip).await.unwrap();
    assert!(!is_parked(&app, "bad-2").await);
    let query = Query::types(&[types::RESUMED]);
    let slice = app.events(&query, Range::newest(1)).await;
    let event = slice.unwrap().events.pop().unwrap();
    assert_eq!(event.meta.origin.actor.as_deref(), Some(MAX));
    let Fact::Resumed(resumed) = Fact::read(&event).unwrap().unwrap() else {
        panic!("not resumed")
    };
    assert_eq!((resumed.retry, resumed.reason.as_str()), (false, "because"));
}

#[tokio::test]
async fn the_same_by_the_same_changes_nothing_and_by_another_is_told() {
    let (_, app) = open();
    bring(&app, "bad-3", "saw").await;
    act(&app, "bad-3", Act::Skip).await.unwrap();
    let head = app.head().await.unwrap();
    let again = app.operate("repair", "bad-3", &Act::Skip, MAX, "because");
    assert!(again.await.unwrap().repeated);
    assert_eq!(app.head().await.unwrap(), head);
    let other = app.operate("repair", "bad-3", &Act::Skip, "operator:eve", "because");
    // It was not begun by what was skipped, so that it waits for its first input.
    assert!(matches!(other.await, Err(OperateError::NotParked { .. })));
}

#[tokio::test]
async fn a_skipped_command_is_heard_as_skipped_and_not_carried_out() {
    let (_, app) = open();
    bring(&app, "part-1", "part").await;
    let command = only_open(&app, "part-1").await;
    act(&app, "part-1", Act::SkipCommand { command })
        .await
        .unwrap();
    assert_eq!(heard(&app, "part-1").await, ["came", "skipped: because"]);
    let other = Act::SkipCommand {
        command: Uuid::from_u128(7),
    };
    let e = act(&app, "part-1", other).await.unwrap_err();
    assert!(e.to_string().ends_with("open are: none"), "{e}");
}

#[tokio::test]
async fn an_amended_command_replaces_the_one_that_was_refused() {
    let (_, app) = open();
    bring(&app, "nail", "hammer").await;
    let Status::Parked { class, input, .. } = status(&app, "nail").await else {
        panic!("not parked")
    };
    assert_eq!(class, Class::Unhandled);
    let InputRef::Event { position, .. } = input else {
        panic!("not at an event")
    };
    let event = app.event_at(position).await.unwrap().unwrap();
    let Some(Fact::Settled(old)) = Fact::read(&event).unwrap() else {
        panic!("not settled")
    };
    let amend = |body| Act::Amend {
        command: old.command,
        body,
    };
    let e = act(&app, "nail", amend(json!({"job": "nail", "tol": "saw"}))).await;
    assert!(matches!(e, Err(OperateError::Input(_))), "{e:?}");
    assert!(is_parked(&app, "nail").await, "nothing was changed");
    let right = amend(json!({"job": "nail", "tool": "glue"}));
    act(&app, "nail", right.clone()).await.unwrap();
    assert_eq!(heard(&app, "nail").await, ["came", "done"]);
    assert_eq!(count(&app, JobFixed::TYPE).await, 1);
    let again = app.operate("repair", "nail", &right, MAX, "because").await;
    assert!(again.unwrap().repeated);
    assert_eq!(count(&app, types::OPERATED).await, 1);
    let kept = app.event_at(position).await.unwrap().unwrap();
    assert_eq!(kept.data, event.data, "the old one stays in the log");
}

#[tokio::test]
async fn an_open_command_is_amended_and_keeps_its_target() {
    let (_, app) = open();
    bring(&app, "part-2", "part").await;
    let old = only_open(&app, "part-2").await;
    let amend = Act::Amend {
        command: old,
        body: json!({"job": "part-22"}),
    };
    act(&app, "part-2", amend).await.unwrap();
    let new = only_open(&app, "part-2").await;
    assert_ne!(new, old);
    let instance = app.instance("repair", "part-2").await.unwrap().unwrap();
    let issued = &instance.open[&new].issued;
    assert_eq!(issued.to, fait::process::Target::System("Supplier".into()));
    assert_eq!(issued.body, json!({"job": "part-22"}));
    act(&app, "part-2", Act::SkipCommand { command: new })
        .await
        .unwrap();
    assert_eq!(heard(&app, "part-2").await, ["came", "skipped: because"]);
}

/// Parks an instance because nobody knows whether a command arrived.
async fn make_uncertain(store: &dyn Store, app: &App, key: &str, command: Uuid) {
    let instance = app.instance("repair", key).await.unwrap().unwrap();
    let parked = Fact::Parked(Parked {
        process: "repair".into(),
        key: key.into(),
        input: InputRef::Command {
            id: command,
            name: "OrderPart".into(),
        },
        class: Class::Uncertain,
        reason: "nobody knows whether it was ordered".into(),
        attempts: 1,
        seen: 0,
    });
    let draft = parked.draft(&instance.about);
    let event = draft.with(Uuid::now_v7(), Default::default());
    let append = Append {
        events: vec![event],
        conditions: vec![],
        command: None,
        recorded_at: app.clock().now(),
    };
    store.append(append).await.unwrap();
    app.settle().await;
    assert!(is_parked(app, key).await);
}

#[tokio::test]
async fn what_is_uncertain_is_settled_by_hand_behind_what_waited() {
    let (store, app) = open();
    for (key, outcome, last) in [
        ("part-3", Outcome::Accepted, "done"),
        (
            "part-4",
            Outcome::Failed {
                error: "sold out".into(),
            },
            "failed: sold out",
        ),
    ] {
        bring(&app, key, "part").await;
        let command = only_open(&app, key).await;
        make_uncertain(&*store, &app, key, command).await;
        note(&app, key, 5).await;
        act(&app, key, Act::Settle { command, outcome })
            .await
            .unwrap();
        assert!(!is_parked(&app, key).await);
        assert_eq!(heard(&app, key).await, ["came", "note 5", last]);
    }
    let query = Query::types(&[types::SETTLED]);
    let slice = app.events(&query, Range::newest(1)).await;
    let event = slice.unwrap().events.pop().unwrap();
    let Fact::Settled(settled) = Fact::read(&event).unwrap().unwrap() else {
        panic!("not settled")
    };
    assert_eq!(settled.by_hand.as_deref(), Some("because"));
}

#[tokio::test]
async fn skipping_what_is_uncertain_goes_on_too() {
    let (store, app) = open();
    bring(&app, "part-5", "part").await;
    let command = only_open(&app, "part-5").await;
    make_uncertain(&*store, &app, "part-5", command).await;
    act(&app, "part-5", Act::SkipCommand { command })
        .await
        .unwrap();
    assert_eq!(heard(&app, "part-5").await, ["came", "skipped: because"]);
}

#[tokio::test]
async fn cancel_takes_back_what_is_open_and_lets_the_process_clear_up() {
    let (_, app) = open();
    bring(&app, "chair", "glue").await;
    bring(&app, "part-6", "part").await;
    bring(&app, "bad-4", "saw").await;
    note(&app, "bad-4", 1).await;
    for key in ["chair", "part-6", "bad-4"] {
        act(&app, key, Act::Cancel).await.unwrap();
        assert_eq!(status(&app, key).await, Status::Ended);
    }
    let last = "cancelled by operator:max: because";
    assert_eq!(heard(&app, "chair").await, ["came", "done", last]);
    assert_eq!(count(&app, JobUnfixed::TYPE).await, 1, "it cleared up");
    assert_eq!(
        heard(&app, "bad-4").await,
        [last],
        "what waited is not heard"
    );
    assert!(app.waiting(10).unwrap().is_empty());
    app.advance(minutes(90)).await;
    assert_eq!(heard(&app, "chair").await.len(), 3, "no deadline comes");
    let late = app.operate("repair", "chair", &Act::Cancel, "operator:eve", "x");
    assert!(matches!(late.await, Err(OperateError::Ended { .. })));
}

#[tokio::test]
async fn complete_ends_it_as_it_is() {
    let (_, app) = open();
    bring(&app, "part-7", "part").await;
    act(&app, "part-7", Act::Complete).await.unwrap();
    assert_eq!(status(&app, "part-7").await, Status::Ended);
    assert_eq!(heard(&app, "part-7").await, ["came"]);
    assert!(app.waiting(10).unwrap().is_empty());
    note(&app, "part-7", 1).await;
    let instance = app.instance("repair", "part-7").await.unwrap().unwrap();
    assert_eq!(instance.late, 1);
}

#[tokio::test]
async fn a_deadline_is_postponed_or_fired() {
    let (_, app) = open();
    bring(&app, "one", "glue").await;
    bring(&app, "two", "glue").await;
    let to = app.clock().now() + minutes(120);
    let deadline = String::from("Slow");
    let postpone = Act::Postpone {
        deadline: deadline.clone(),
        to,
    };
    act(&app, "one", postpone).await.unwrap();
    let fire = Act::Fire { deadline };
    act(&app, "two", fire.clone()).await.unwrap();
    assert_eq!(heard(&app, "two").await, ["came", "done", "slow"]);
    act(&app, "two", fire).await.unwrap();
    assert_eq!(heard(&app, "two").await.len(), 3, "fired once");
    app.advance(minutes(61)).await;
    assert_eq!(heard(&app, "one").await.len(), 2, "not yet");
    app.advance(minutes(60)).await;
    assert_eq!(heard(&app, "one").await, ["came", "done", "slow"]);
    let none = Act::Fire {
        deadline: "Fast".into(),
    };
    let e = act(&app, "one", none).await.unwrap_err();
    assert!(matches!(e, OperateError::NoDeadline { .. }), "{e}");
}

#[tokio::test]
async fn compensation_is_shown_first_and_then_sends_the_inverse_commands() {
    let (_, app) = open();
    bring(&app, "shelf", "glue").await;
    let plan = app.compensation("repair", "shelf").await.unwrap();
    assert_eq!(count(&app, types::OPERATED).await, 0, "a plan does nothing");
    let inverse = plan.done[0].inverse.clone().unwrap();
    assert_eq!(inverse, ("UnfixJob".into(), json!({"job": "shelf"})));
    act(&app, "shelf", Act::Compensate).await.unwrap();
    assert_eq!(count(&app, JobUnfixed::TYPE).await, 1);
    assert_eq!(status(&app, "shelf").await, Status::Ended);
    act(&app, "shelf", Act::Compensate).await.unwrap();
    assert_eq!(count(&app, JobUnfixed::TYPE).await, 1, "once");
    // An inverse that is refused waits for a person.
    bring(&app, "glued", "glue").await;
    act(&app, "glued", Act::Compensate).await.unwrap();
    let Status::Parked { reason, .. } = status(&app, "glued").await else {
        panic!("not parked")
    };
    assert!(
        reason.contains("it cannot be taken apart again"),
        "{reason}"
    );
}

#[tokio::test]
async fn what_has_no_inverse_is_named() {
    let (_, app) = open();
    bring(&app, "part-8", "part").await;
    let command = only_open(&app, "part-8").await;
    let outcome = Outcome::Accepted;
    act(&app, "part-8", Act::Settle { command, outcome })
        .await
        .unwrap();
    let plan = app.compensation("repair", "part-8").await.unwrap();
    assert_eq!(plan.done[0].why_not.as_deref(), Some("nothing undoes it"));
    let e = act(&app, "part-8", Act::Compensate).await.unwrap_err();
    assert!(matches!(e, OperateError::NothingToUndo { .. }), "{e}");
}

#[tokio::test]
async fn who_why_and_what_must_be_right() {
    let (_, app) = open();
    bring(&app, "lamp", "glue").await;
    let said = |process: &'static str, key: &'static str, by: &'static str, why: &'static str| {
        let app = app.clone();
        async move {
            let done = app.operate(process, key, &Act::Cancel, by, why).await;
            done.unwrap_err().to_string()
        }
    };
    assert!(
        said("repair", "lamp", " ", "x")
            .await
            .starts_with("say who")
    );
    assert!(
        said("repair", "lamp", MAX, " ")
            .await
            .starts_with("say why")
    );
    let near = said("repairs", "lamp", MAX, "x").await;
    assert!(near.ends_with("did you mean `repair`?"), "{near}");
    let none = said("repair", "lump", MAX, "x").await;
    assert!(none.contains("has no instance `lump`"), "{none}");
    let head = app.head().await.unwrap();
    let e = act(&app, "lamp", Act::Retry).await.unwrap_err();
    assert!(matches!(e, OperateError::NotParked { .. }), "{e}");
    assert_eq!(app.head().await.unwrap(), head);
}

#[tokio::test]
async fn two_operators_at_once_are_one_after_the_other() {
    let (_, app) = open();
    bring(&app, "bad-5", "saw").await;
    let (skip, cancel) = (Act::Skip, Act::Cancel);
    let one = app.operate("repair", "bad-5", &skip, "operator:a", "x");
    let two = app.operate("repair", "bad-5", &cancel, "operator:b", "y");
    let (one, two) = tokio::join!(one, two);
    app.settle().await;
    assert!(two.is_ok(), "it can be cancelled either way: {two:?}");
    assert!(one.is_ok() || one.is_err_and(|e| e.is_conflict()));
    assert_eq!(status(&app, "bad-5").await, Status::Ended);
}

#[tokio::test]
async fn a_task_is_handed_back_and_declined() {
    let (_, app) = open();
    bring(&app, "vase", "eye").await;
    let task = app.inbox("Inspector", 10).unwrap()[0].open.issued.id;
    app.claim(task, "inspector:ida", minutes(15)).await.unwrap();
    let other = app.hand_back(task, "inspector:joe").await.unwrap_err();
    assert!(
        other.to_string().starts_with("inspector:ida has it"),
        "{other}"
    );
    let other = app.decline(task, "inspector:joe", "no").await.unwrap_err();
    assert!(
        other.to_string().starts_with("inspector:ida has it"),
        "{other}"
    );
    app.hand_back(task, "inspector:ida").await.unwrap();
    app.settle().await;
    assert_eq!(app.inbox("Inspector", 10).unwrap()[0].open.claim, None);
    let head = app.head().await.unwrap();
    app.hand_back(task, "inspector:ida").await.unwrap();
    assert_eq!(app.head().await.unwrap(), head, "it was back already");
    assert!(app.decline(task, "inspector:joe", " ").await.is_err());
    app.decline(task, "inspector:joe", "I am blind")
        .await
        .unwrap();
    app.decline(task, "inspector:joe", "I am blind")
        .await
        .unwrap();
    app.settle().await;
    assert!(app.inbox("Inspector", 10).unwrap().is_empty());
    assert_eq!(heard(&app, "vase").await, ["came", "Declined: I am blind"]);
    let gone = app.is_asked(task).await.unwrap_err().to_string();
    assert!(
        gone.starts_with("it was declined by inspector:joe at"),
        "{gone}"
    );
    let tag = instance_tag("repair", "vase");
    let all = app
        .events(&Query::tags(vec![tag]), Range::after(0, 100))
        .await;
    let settled = all
        .unwrap()
        .events
        .into_iter()
        .filter(|e| e.ty == types::SETTLED);
    assert_eq!(settled.count(), 1);
}
