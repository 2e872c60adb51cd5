//! Another program goes on with the instances of the one before: with the latest definition, with
//! the one that they began with, or migrated; and it can be known before whether it can.

use crate::parcels::*;
use fait::app::{
    Act, App, AppBuilder, Bulk, BulkState, Filter, Finds, MAX_RATE, MigrateError, OperateError,
};
use fait::data;
use fait::event::minutes;
use fait::process::{Input, Outbox, Process};
use fait::query::Query;
use fait::reexport::serde_json::json;
use fait::store::Range;
use std::collections::BTreeMap;
use std::path::Path;

const EACH: usize = 100;

fn v1(folder: &Path, mail: &Mail) -> AppBuilder {
    office(App::in_folder(folder), mail).process::<Deliver>()
}

fn v2(folder: &Path, mail: &Mail) -> AppBuilder {
    office(App::in_folder(folder), mail).process::<DeliverPolitely>()
}

fn some(what: &str) -> Vec<String> {
    (0..EACH).map(|n| format!("{what}{n}")).collect()
}

/// Five times a hundred instances of the first definition: late with a letter that cannot go out,
/// late and written to, underway, torn and parked, and not heard of yet when the program stops.
async fn in_every_state(folder: &Path, mail: &Mail) {
    let app = v1(folder, mail).build().unwrap();
    for parcel in some("written") {
        send(&app, &parcel).await;
    }
    app.advance(minutes(61)).await;
    mail.shut(true);
    for parcel in some("waiting") {
        send(&app, &parcel).await;
    }
    app.advance(minutes(61)).await;
    for parcel in some("underway").into_iter().chain(some("torn")) {
        send(&app, &parcel).await;
    }
    app.settle().await;
    assert_eq!(app.parked().unwrap().len(), EACH);
    app.stop().await;
    drop(app);
    let app = office(App::in_folder(folder), mail).build().unwrap();
    for parcel in some("fresh") {
        send(&app, &parcel).await;
    }
    app.stop().await;
    mail.shut(false);
}

async fn steps_of(app: &App, key: &str) -> Vec<u32> {
    let tag = fait::process::instance_tag("deliver", key);
    let all = app
        .events(&Query::tags(vec![tag]), Range::after(0, 100))
        .await
        .unwrap();
    let facts = all
        .events
        .iter()
        .filter_map(|e| fait::process::Fact::read(e).unwrap());
    let step = |f| match f {
        fait::process::Fact::Stepped(step) => Some(step.definition),
        _ => None,
    };
    facts.filter_map(step).collect()
}

#[tokio::test]
async fn five_hundred_in_every_state_go_on_with_the_next_program_and_back() {
    let (temp, mail) = (tempfile::tempdir().unwrap(), Mail::default());
    let folder = temp.path();
    in_every_state(folder, &mail).await;
    let report = v2(folder, &mail).preflight(folder).unwrap();
    assert!(report.ok(), "{report}");
    let parked = [(Finds::Parked, EACH as u64)];
    let counts = report.counts.iter().filter(|(f, _)| **f == Finds::Parked);
    assert_eq!(counts.map(|(f, n)| (*f, *n)).collect::<Vec<_>>(), parked);
    assert!(
        report.counts[&Finds::Definition] >= 3 * EACH as u64,
        "{report}"
    );
    assert!(
        report.to_string().contains("can go on with all of them"),
        "{report}"
    );
    // The next program finishes the half of each kind, the one before the other half.
    let app = v2(folder, &mail).build().unwrap();
    app.settle().await;
    let half = |n: &usize| n.is_multiple_of(2);
    for what in ["written", "waiting", "underway", "fresh"] {
        for (_, parcel) in some(what).iter().enumerate().filter(|(n, _)| half(n)) {
            deliver(&app, parcel).await;
        }
    }
    app.settle().await;
    app.stop().await;
    drop(app);
    // Back to the program before. What began with the next one has a state that is newer than it:
    // that is told before, and only those wait.
    let report = v1(folder, &mail).preflight(folder).unwrap();
    assert_eq!(report.counts[&Finds::State], EACH as u64 / 2, "{report}");
    let app = v1(folder, &mail).build().unwrap();
    for what in ["written", "waiting", "underway", "fresh"] {
        for (_, parcel) in some(what).iter().enumerate().filter(|(n, _)| !half(n)) {
            deliver(&app, parcel).await;
        }
    }
    app.settle().await;
    app.stop().await;
    drop(app);
    // And forth again: they go on where they stopped.
    let app = v2(folder, &mail).build().unwrap();
    app.settle().await;
    for instance in app.parked().unwrap() {
        if instance.key.starts_with("fresh") {
            let (key, why) = (&instance.key, "the next program is back");
            app.resume("deliver", key, true, "op", why).await.unwrap();
        }
    }
    app.settle().await;
    for what in ["written", "waiting", "underway", "fresh"] {
        let late = ["written", "waiting"].contains(&what);
        for (n, parcel) in some(what).iter().enumerate() {
            let arrived = if half(&n) || what == "fresh" {
                "arrived, thank you"
            } else {
                "arrived"
            };
            let mut wanted = vec![arrived.to_string()];
            wanted.extend(late.then(|| "late".to_string()));
            assert_eq!(mail.to(parcel), wanted, "{parcel}");
        }
    }
    assert_eq!(app.parked().unwrap().len(), EACH, "and nothing else waits");
    app.stop().await;
}

#[tokio::test]
async fn instances_go_on_with_the_definition_that_they_began_with_while_it_is_wired() {
    let (temp, mail) = (tempfile::tempdir().unwrap(), Mail::default());
    let folder = temp.path();
    let app = v1(folder, &mail).build().unwrap();
    send(&app, "old").await;
    send(&app, "left").await;
    app.settle().await;
    app.stop().await;
    let app = v2(folder, &mail).also::<Deliver>().build().unwrap();
    send(&app, "new").await;
    app.settle().await;
    for parcel in ["old", "new"] {
        deliver(&app, parcel).await;
    }
    app.settle().await;
    assert_eq!(mail.to("old"), ["arrived"]);
    assert_eq!(mail.to("new"), ["arrived, thank you"]);
    assert_eq!(steps_of(&app, "old").await, [1, 1, 1]);
    assert!(steps_of(&app, "new").await.iter().all(|d| *d == 2));
    app.stop().await;
    // Without it, what is left goes on with the latest.
    let app = v2(folder, &mail).build().unwrap();
    deliver(&app, "left").await;
    app.settle().await;
    assert_eq!(mail.to("left"), ["arrived, thank you"]);
    app.stop().await;
}

#[tokio::test]
async fn one_instance_is_migrated_when_the_latest_definition_agrees() {
    let (temp, mail) = (tempfile::tempdir().unwrap(), Mail::default());
    let folder = temp.path();
    let app = v1(folder, &mail).build().unwrap();
    send(&app, "late").await;
    app.advance(minutes(61)).await;
    send(&app, "old").await;
    app.settle().await;
    app.stop().await;
    let app = v2(folder, &mail).also::<Deliver>().build().unwrap();
    let migrate = async |key: &str, dry| app.migrate("deliver", key, "op", "why not", dry).await;
    let looked = migrate("old", true).await.unwrap();
    assert_eq!((looked.from, looked.to, looked.recorded), (1, 2, false));
    assert_eq!(looked.before, json!("Underway"));
    assert_eq!(looked.after, json!({"begun": true, "late": false}));
    let instance = app.instance("deliver", "old").await.unwrap().unwrap();
    assert_eq!(instance.definition, 1, "a dry run changes nothing");
    let e = migrate("late", false).await.unwrap_err().to_string();
    assert_eq!(e, "it cannot go on with definition 2: it is late already");
    assert!(migrate("old", false).await.unwrap().recorded);
    let again = migrate("old", false).await.unwrap_err();
    assert!(matches!(again, MigrateError::Conflict(_)), "{again}");
    let nobody = migrate("nobody", false).await.unwrap_err();
    assert!(matches!(nobody, MigrateError::Unknown(_)), "{nobody}");
    for parcel in ["old", "late"] {
        deliver(&app, parcel).await;
    }
    app.settle().await;
    assert_eq!(mail.to("old"), ["arrived, thank you"]);
    assert_eq!(mail.to("late"), ["arrived", "late"]);
    app.stop().await;
}

#[tokio::test]
async fn operators_migrate_one_instance_or_all_that_are_older() {
    let (temp, mail) = (tempfile::tempdir().unwrap(), Mail::default());
    let folder = temp.path();
    let app = v1(folder, &mail).build().unwrap();
    send(&app, "late").await;
    app.advance(minutes(61)).await;
    for parcel in ["old0", "old1", "old2", "torn"] {
        send(&app, parcel).await;
    }
    app.settle().await;
    app.stop().await;
    let app = v2(folder, &mail).also::<Deliver>().build().unwrap();
    send(&app, "new").await;
    app.settle().await;
    let migrate = async |by| {
        let why = "the letters are kinder";
        app.operate("deliver", "old0", &Act::Migrate, by, why).await
    };
    assert!(!migrate("operator:max").await.unwrap().repeated);
    assert!(migrate("operator:max").await.unwrap().repeated);
    let other = migrate("operator:eve").await.unwrap_err();
    let already = matches!(other, OperateError::Migrate(MigrateError::Conflict(_)));
    assert!(already && other.is_conflict(), "{other}");
    let unsaid = app.migrate("deliver", "old1", "operator:max", " ", false);
    let unsaid = unsaid.await.unwrap_err();
    assert!(matches!(unsaid, MigrateError::Unsaid(_)), "{unsaid}");
    app.settle().await;
    // What has not begun begins with the latest anyway, and what is new has it.
    let filter = Filter {
        process: "deliver".into(),
        ..Filter::default()
    };
    let preview = app.bulk_preview(&filter, &Act::Migrate).unwrap();
    let keys: Vec<&str> = preview.sample.iter().map(|p| p.key.as_str()).collect();
    assert_eq!((preview.count, keys), (3, vec!["late", "old1", "old2"]));
    let all = Bulk {
        filter,
        act: Act::Migrate,
        by: "operator:max".into(),
        reason: "all of them".into(),
        rate: MAX_RATE,
    };
    app.bulk_run(all).unwrap();
    let progress = loop {
        let progress = app.bulk_progress("deliver").unwrap();
        if progress.state != BulkState::Running {
            break progress;
        }
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    };
    assert_eq!((progress.done, progress.failed), (2, 1), "{progress:?}");
    let failed = (&*progress.failures[0].key, &*progress.failures[0].why);
    let why = "it cannot go on with definition 2: it is late already";
    assert_eq!(failed, ("late", why));
    for parcel in ["old0", "old1", "old2", "late"] {
        deliver(&app, parcel).await;
    }
    app.settle().await;
    for parcel in ["old0", "old1", "old2"] {
        assert_eq!(mail.to(parcel), ["arrived, thank you"]);
    }
    assert_eq!(mail.to("late"), ["arrived", "late"]);
    app.stop().await;
}

/// Everything has another name than in the first definition.
#[data]
#[derive(Default)]
pub(crate) enum Renamed {
    #[default]
    Idle,
    Labelling,
    OnItsWay,
    Done,
}

#[data]
pub(crate) enum Alarm {
    Overdue,
}

impl Process for Renamed {
    const NAME: &'static str = "deliver";
    type Key = ParcelId;
    type Events = Way;
    type Timer = Alarm;
    type Sends = LabelParcel;
    type Raises = fait::event::Never;
    fn react(self, _: &ParcelId, _: Input<Self>, _: &mut Outbox<Self>) -> Self {
        panic!("looking takes no step")
    }
}

#[tokio::test]
async fn what_was_renamed_is_found_before_it_stops_anything() {
    let (temp, mail) = (tempfile::tempdir().unwrap(), Mail::default());
    let folder = temp.path();
    let app = v1(folder, &mail).build().unwrap();
    mail.shut(true);
    send(&app, "late").await;
    app.advance(minutes(61)).await;
    send(&app, "old").await;
    app.settle().await;
    // While it runs, a copy of the folder is looked at.
    let renamed = || office(App::in_memory(), &mail).process::<Renamed>();
    let report = renamed().preflight(folder).unwrap();
    assert!(report.copied && !report.ok());
    app.stop().await;
    drop(app);
    let report = renamed().preflight(folder).unwrap();
    assert!(!report.copied && !report.ok());
    let found: BTreeMap<(&str, Finds), &str> = report
        .findings
        .iter()
        .map(|f| ((f.key.as_str(), f.finds), f.what.as_str()))
        .collect();
    assert!(found[&("late", Finds::State)].contains("Late"), "{report}");
    assert!(found[&("late", Finds::Command)].contains("does not send `WriteSender`"));
    assert!(
        found[&("old", Finds::State)].contains("Underway"),
        "{report}"
    );
    assert!(
        found[&("old", Finds::Deadline)].contains("Late"),
        "{report}"
    );
    assert_eq!(found.len(), 4, "{report}");
    // A program that has lost the process, and the way to tell the mail.
    let bare = App::in_memory().task::<SendParcel>();
    let report = bare.preflight(folder).unwrap();
    assert_eq!(report.counts, [(Finds::ProcessGone, 2)].into());
    let written = fait::reexport::serde_json::to_value(&report).unwrap();
    assert_eq!(
        fait::reexport::serde_json::from_value::<fait::app::Preflight>(written).unwrap(),
        report
    );
}

#[tokio::test]
async fn a_shadow_run_finds_what_is_decided_otherwise_and_is_quiet_about_the_rest() {
    let (temp, mail) = (tempfile::tempdir().unwrap(), Mail::default());
    let folder = temp.path();
    let app = v1(folder, &mail).build().unwrap();
    for parcel in ["late", "fine"] {
        send(&app, parcel).await;
        app.settle().await;
        if parcel == "late" {
            app.advance(minutes(61)).await;
        }
        deliver(&app, parcel).await;
    }
    app.settle().await;
    let head = app.head().await.unwrap();
    app.stop().await;
    drop(app);
    let same = v1(folder, &mail).shadow(folder, "deliver", 10).unwrap();
    assert!(same.ok(), "{same}");
    assert_eq!(
        (same.instances, same.steps, same.skipped),
        (2, 7, 0),
        "{same}"
    );
    let letters = mail.letters();
    let other = v2(folder, &mail).shadow(folder, "deliver", 10).unwrap();
    assert!(!other.ok());
    assert_eq!((other.instances, other.differing), (2, 2));
    let text = other.to_string();
    assert!(text.contains("late, sorry"), "{text}");
    assert!(text.contains("arrived, thank you"), "{text}");
    assert_eq!(mail.letters(), letters, "nothing is sent");
    let one = v1(folder, &mail).shadow(folder, "deliver", 1).unwrap();
    assert_eq!(one.instances, 1);
    assert!(v1(folder, &mail).shadow(folder, "nobody", 1).is_err());
    let app = v1(folder, &mail).build().unwrap();
    assert_eq!(app.head().await.unwrap(), head, "nothing is recorded");
    app.stop().await;
}

#[tokio::test]
async fn definitions_that_do_not_go_together_are_not_wired() {
    let mail = Mail::default();
    let place = || office(App::in_memory(), &mail);
    let why = |app: AppBuilder| app.build().unwrap_err().to_string();
    assert!(why(place().also::<Deliver>()).contains("the process is not"));
    let twice = place().process::<Deliver>().also::<Deliver>();
    assert!(why(twice).contains("definition 1 of process `deliver` is wired twice"));
    let newer = place().process::<Deliver>().also::<DeliverPolitely>();
    assert!(why(newer).contains("definition 2 of process `deliver` is newer than 1"));
    let begins = place().begins("deliver", fait::app::Begin::Adopt);
    assert!(why(begins).contains("not wired"));
    let policy = place()
        .policy::<Confirm>()
        .begins("confirm", fait::app::Begin::Adopt);
    assert!(why(policy).contains("no state to adopt"));
}
