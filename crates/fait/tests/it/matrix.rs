//! Faults, row by row: what breaks, where, and what must hold afterwards. A bank's book and the
//! story of each sale are counted, not only states.

mod shop;
mod failing;

use failing::{Failing, When};
use fait::Clock;
use fait::app::{Act, App, Begin, RowsQuery, ViewAction};
use fait::event::{Event, NewEvent, Origin, Tag, Time, minutes, seconds};
use fait::process::{Class, Fact, InputRef, Status};
use fait::query::Query;
use fait::reexport::serde_json;
use fait::store::{Append, Durability, MAX_BATCH_EVENTS, Memory, Range, Store};
use shop::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// When a clock that is moved by hand begins.
const BEGIN: Time = Time(1_767_225_600_000);

fn memory() -> Arc<dyn Store> {
    Arc::new(Memory::default())
}

/// A log on disk, where much is found quickly; its acknowledgements need no sync here.
fn disk(folder: &Path) -> Arc<dyn Store> {
    let disk = fait_store::Disk::options().durability(Durability::Os);
    Arc::new(disk.open(folder).unwrap())
}

fn on(store: &Arc<dyn Store>, bank: &Bank) -> fait::app::AppBuilder {
    shop(App::on(store.clone()).clock(Clock::by_hand()), bank)
}

fn raw(sale: u64, version: u32, data: String) -> NewEvent {
    NewEvent {
        id: id("raw", sale, version),
        ty: SaleOpened::TYPE.into(),
        version,
        tags: vec![Tag::new("sale", sale)],
        data: data.into_bytes().into(),
        origin: Origin::default(),
    }
}

async fn append(store: &dyn Store, events: Vec<NewEvent>, at: Time) {
    let append = Append {
        events,
        conditions: vec![],
        command: None,
        recorded_at: at,
    };
    store.append(append).await.unwrap();
}

/// Sales that are recorded at once, in appends as large as they may be.
async fn open_all(store: &dyn Store, sales: std::ops::Range<u64>, at: Time) {
    let sales: Vec<u64> = sales.collect();
    for some in sales.chunks(MAX_BATCH_EVENTS) {
        let opened = some.iter().map(|n| raw(*n, 1, body(*n)));
        append(store, opened.collect(), at).await;
    }
}

fn body(sale: u64) -> String {
    format!("{{\"sale\":{sale}}}")
}

/// The commands that were settled; none of them twice.
async fn settled(store: &dyn Store) -> usize {
    let mut settled = BTreeSet::new();
    for event in all(store).await {
        if let Some(Fact::Settled(fact)) = Fact::read(&event).unwrap() {
            assert!(settled.insert(fact.command), "{} twice", fact.command);
        }
    }
    settled.len()
}

async fn state(app: &App, sale: u64) -> (Status, Sale) {
    let instance = app.instance("selling", &sale.to_string()).await;
    let instance = instance.unwrap().unwrap();
    let (_, state) = instance.state.unwrap();
    (instance.status, serde_json::from_value(state).unwrap())
}

#[tokio::test]
async fn f7_one_in_a_thousand_stumbles_and_the_next_program_finishes_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (store, bank) = (disk(folder.path()), Bank::default());
    let app = on(&store, &bank).process::<Torn>().build().unwrap();
    open_all(&*store, 0..1000, BEGIN).await;
    app.settle().await;
    assert_eq!(went(&*store, &WHOLE).await, 999);
    for number in 1..=3 {
        remarks(&app, TORN, number).await;
    }
    app.settle().await;
    let stuck = app.stuck(Some("selling"), 10).unwrap();
    assert_eq!(stuck.len(), 1);
    assert_eq!(stuck[0].instance.key, TORN.to_string());
    assert_eq!(stuck[0].backlog, 3);
    let Status::Parked {
        reason,
        input: InputRef::Event { position, ty, .. },
        class,
        ..
    } = &stuck[0].instance.status
    else {
        panic!("not parked at an event");
    };
    assert!(reason.contains("sale 500 tears it"), "{reason}");
    assert_eq!((*class, ty.as_str()), (Class::Defect, SaleOpened::TYPE));
    let stumbled = app.event_at(*position).await.unwrap().unwrap();
    assert_eq!(stumbled.tags, [Tag::new("sale", TORN)]);
    app.stop().await;

    let store = disk(folder.path());
    let app = on(&store, &bank).process::<Mended>().build().unwrap();
    app.settle().await;
    assert_eq!(
        app.parked().unwrap().len(),
        1,
        "a new program alone helps nobody"
    );
    let key = TORN.to_string();
    app.operate("selling", &key, &Act::Retry, "operator:max", "mended")
        .await
        .unwrap();
    app.settle().await;
    let (status, sale) = state(&app, TORN).await;
    assert_eq!(
        (status, sale.remarks, sale.mixed_up),
        (Status::Ended, 3, false)
    );
    assert_eq!(bank.book(), (1000, 1));
    assert_eq!(settled(&*store).await, 2000);
    let told = &story(&*store).await[&key];
    assert_eq!(told.first().unwrap(), SaleOpened::TYPE);
    assert_eq!(told.last().unwrap(), GoodsPacked::TYPE);
    assert_eq!(told.len(), 6, "three remarks besides: {told:?}");
}

#[tokio::test]
async fn f7_what_cannot_be_read_and_what_is_of_a_later_version_park_their_instance_only() {
    let (store, bank) = (memory(), Bank::default());
    let app = on(&store, &bank).process::<Mended>().build().unwrap();
    let torn = raw(7, 1, "{\"sale\":".into());
    let later = raw(8, 9, body(8));
    append(&*store, vec![torn, later], BEGIN).await;
    open_all(&*store, 100..150, BEGIN).await;
    app.settle().await;
    assert_eq!(went(&*store, &WHOLE).await, 50);
    let parked = app.parked().unwrap();
    let keys: BTreeSet<&str> = parked.iter().map(|p| p.key.as_str()).collect();
    assert_eq!(keys, ["7", "8"].into());
    for instance in parked {
        let Status::Parked { class, reason, .. } = instance.status else {
            panic!("not parked");
        };
        assert_eq!(class, Class::Defect);
        assert!(reason.contains(SaleOpened::TYPE), "{reason}");
        let skip = app.operate("selling", &instance.key, &Act::Skip, "op", "unreadable");
        skip.await.unwrap();
        app.settle().await;
    }
    assert!(app.parked().unwrap().is_empty());
    assert_eq!(bank.book(), (50, 1));
}

#[tokio::test]
async fn f9_an_answer_before_the_deadline_wins_though_the_program_was_away() {
    let (store, bank) = (memory(), Bank::silent());
    let app = on(&store, &bank).process::<Mended>().build().unwrap();
    open_all(&*store, 0..20, BEGIN).await;
    app.settle().await;
    app.stop().await;
    // Others write on: half are paid a second before the time is over, one is a second late.
    let due = BEGIN + minutes(30);
    let paid = |sale: u64| NewEvent {
        ty: SalePaid::TYPE.into(),
        id: id("paid", sale, 0),
        ..raw(sale, 1, body(sale))
    };
    let in_time = (0..10).map(paid).collect();
    append(&*store, in_time, due - seconds(1)).await;
    append(&*store, vec![paid(10)], due + seconds(1)).await;
    open_all(&*store, 20..21, due + minutes(120)).await;

    let app = on(&store, &bank).process::<Mended>().build().unwrap();
    assert!(app.clock().now() >= due + minutes(120));
    app.settle().await;
    // What stands in the log when the program looks is taken first, also what was a second late.
    assert_eq!(went(&*store, &WHOLE).await, 11);
    let lapsed = [SaleOpened::TYPE, SaleLapsed::TYPE];
    assert_eq!(went(&*store, &lapsed).await, 9);
    assert_eq!(settled(&*store).await, 21 + 11);
    assert_eq!(bank.book(), (21, 1));
}

/// Waits until so many sales have ended, all commands being settled, and looks that each of them
/// went as it should.
async fn all_whole(app: &App, store: &dyn Store, sales: u64) {
    let all = async {
        while ended(app).await < sales {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(30), all).await;
    let told = story(store).await;
    assert!(all.is_ok(), "{} of {sales}: {told:?}", ended(app).await);
    assert_eq!(story(store).await.len() as u64, sales);
    assert_eq!(went(store, &WHOLE).await as u64, sales);
    assert_eq!(settled(store).await as u64, 2 * sales);
    assert!(app.parked().unwrap().is_empty());
}

async fn ended(app: &App) -> u64 {
    app.processes().await.unwrap()[0].instances.ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_two_workers_do_what_one_does_and_nothing_twice() {
    const SALES: u64 = 200;
    let (store, bank) = (Arc::new(Memory::default()), Bank::default());
    let worker = || {
        let place = App::on(store.clone()).clock(Clock::machine());
        shop(place, &bank).process::<Mended>().build().unwrap()
    };
    let two = [worker(), worker()];
    for sale in 0..SALES {
        opens(&two[sale as usize % 2], sale).await;
    }
    for app in &two {
        all_whole(app, &*store, SALES).await;
    }
    // Both may tell the bank, with the same id; it is one charge.
    assert_eq!(bank.book().0 as u64, SALES);
}

#[tokio::test]
async fn f14_an_append_that_fails_leaves_no_half_step_and_nothing_twice() {
    const SALES: u64 = 12;
    for when in [When::Before, When::After, When::Both] {
        for every in [3, 7] {
            let (store, bank) = (Arc::new(Memory::default()), Bank::default());
            let failing = Failing::new(&store, when, every);
            let place = App::on(failing.clone()).clock(Clock::paced(60.0));
            let app = shop(place, &bank).process::<Mended>().build().unwrap();
            for sale in 0..SALES {
                opens(&app, sale).await;
            }
            all_whole(&app, &*store, SALES).await;
            assert!(failing.failed() >= SALES / every, "nothing failed");
            assert_eq!(bank.book().0 as u64, SALES);
            app.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_rebuilding_everything_under_load_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bank = Bank::default();
    // A system that stops closes its store: each has its own.
    let open = || {
        let store = disk(folder.path());
        let place = App::on(store.clone()).clock(Clock::machine());
        let app = shop(place, &bank).process::<Mended>().build().unwrap();
        (store, app)
    };
    let (store, app) = open();
    open_all(&*store, 0..300, BEGIN).await;
    all_whole(&app, &*store, 300).await;
    app.stop().await;
    drop((store, app));
    assert_eq!(bank.book(), (300, 1));

    // Its index and its views are lost; they are made again while sales go on.
    let (store, app) = open();
    let traffic = tokio::spawn({
        let app = app.clone();
        async move {
            for sale in 300..400 {
                opens(&app, sale).await;
            }
        }
    });
    for _ in 0..3 {
        app.act_on_view("shelf", ViewAction::Rebuild { hold: false })
            .await
            .unwrap();
        while app.view_status("shelf").await.unwrap().rebuild.is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    traffic.await.unwrap();
    all_whole(&app, &*store, 400).await;
    app.settle().await;
    assert_eq!(bank.book(), (400, 1), "each card was charged once");
    let live = looks(&app).await;
    let head = app.head().await.unwrap();
    app.stop().await;
    drop((store, app));

    let (_store, app) = open();
    app.settle().await;
    assert_eq!(looks(&app).await, live, "what was live is what is rebuilt");
    assert_eq!(app.head().await.unwrap(), head, "a rebuild records nothing");
    assert_eq!(bank.book(), (400, 1), "a rebuild sends nothing");
}

/// All that can be seen of instances and of views.
async fn looks(app: &App) -> (Vec<String>, Vec<String>) {
    let instances = app.instances(None, None, 10_000).unwrap();
    let mut instances: Vec<String> = instances.iter().map(|i| format!("{i:?}")).collect();
    instances.sort();
    let (mut rows, mut query) = (vec![], RowsQuery::default().limit(1000));
    loop {
        let page = app.view_rows("shelf", &query).await.unwrap();
        rows.extend(page.rows.iter().map(|row| format!("{row:?}")));
        match page.next {
            Some(next) => query = query.after(next),
            None => break,
        }
    }
    (instances, rows)
}

/// How many there are of what there are many of: 5,000, or as the environment says.
fn many() -> u64 {
    let many = std::env::var("FAIT_MANY").ok();
    many.map_or(5_000, |n| n.parse().expect("FAIT_MANY is a number"))
}

/// From here on the log is on disk, and memory is looked at.
const VERY_MANY: u64 = 100_000;

/// Memory of this program, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[tokio::test]
async fn f21_many_deadlines_at_one_instant_are_all_reached_once() {
    let many = many();
    let folder = tempfile::tempdir().unwrap();
    let store = disk(folder.path());
    open_all(&*store, CASH..CASH + many, BEGIN).await;
    let bank = Bank::silent();
    let place = App::on(store.clone()).views_in(folder.path().join("views.sqlite"));
    let app = shop(place.clock(Clock::by_hand()), &bank)
        .process::<Mended>()
        .begins("selling", Begin::FromStart);
    let app = app.build().unwrap();
    app.settle().await;
    assert_eq!(app.processes().await.unwrap()[0].instances.running, many);
    let before = resident();
    app.advance(minutes(30)).await;
    let grown = resident().saturating_sub(before);
    if many > VERY_MANY {
        assert!(grown < 512 << 20, "{} MiB more", grown >> 20);
    }
    assert_eq!(count(&*store, SaleLapsed::TYPE).await, many);
    assert_eq!(ended(&app).await, many);
    app.advance(minutes(600)).await;
    assert_eq!(
        count(&*store, SaleLapsed::TYPE).await,
        many,
        "each comes once"
    );
}

/// How many events of a type there are, page by page.
async fn count(store: &dyn Store, ty: &str) -> u64 {
    let query = Query::types(&[ty]);
    let (mut count, mut at) = (0, 0);
    loop {
        let slice = store.read(&query, Range::after(at, 1000)).await.unwrap();
        let Some(last) = slice.events.last() else {
            return count;
        };
        (count, at) = (count + slice.events.len() as u64, last.meta.position);
    }
}

#[tokio::test]
async fn f21_one_instance_hears_very_much() {
    let many = u32::try_from(many()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (store, bank) = (disk(folder.path()), Bank::silent());
    let app = on(&store, &bank).process::<Mended>().build().unwrap();
    open_all(&*store, 0..1, BEGIN).await;
    let remark = |number| NewEvent {
        ty: RemarkMade::TYPE.into(),
        id: id("remark", 0, number),
        ..raw(0, 1, format!("{{\"sale\":0,\"number\":{number}}}"))
    };
    let all: Vec<u32> = (1..=many).collect();
    for some in all.chunks(MAX_BATCH_EVENTS) {
        append(&*store, some.iter().copied().map(remark).collect(), BEGIN).await;
    }
    app.settle().await;
    let (status, sale) = state(&app, 0).await;
    assert_eq!(
        (status, sale.remarks, sale.mixed_up),
        (Status::Running, many, false)
    );
    app.advance(minutes(31)).await;
    assert_eq!(state(&app, 0).await.0, Status::Ended);
}
