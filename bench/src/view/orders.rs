//! Orders of many lines, and what each comes to: the view that is measured.

use super::Work;
use crate::machine::resident_mib;
use crate::numbers::micros;
use crate::peer::{Fault, fault};
use fait::app::{App, AppBuilder, ViewAction};
use fait::decision::{Context, Decide, Model};
use fait::event::{Event, Meta, Never, NewEvent, Origin, Time};
use fait::projection::Projection;
use fait::store::{Append, Store};
use fait::{command, data, entity_ids, event};
use fait_store::Disk;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

entity_ids! { OrderId(number) => "order" }

/// A line was added to an order.
#[event(name = "LineAdded")]
pub(crate) struct Line {
    /// Which order
    #[tag]
    pub(crate) order: OrderId,
    /// What
    pub(crate) dish: String,
    /// How many
    pub(crate) portions: u32,
    /// What one costs
    pub(crate) cents: u32,
    /// What the guest said
    pub(crate) remark: String,
}

impl Line {
    /// Line n of a history over so many orders, in no order.
    pub(super) fn nth(n: usize, keys: usize) -> Line {
        let mixed = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        Line {
            order: OrderId::from(mixed % keys as u64),
            dish: ["soup", "pasta", "salad", "tiramisu"][n % 4].into(),
            portions: (n % 5) as u32 + 1,
            cents: (n % 97) as u32 * 10 + 350,
            remark: "without onions, please".into(),
        }
    }
}

/// What an order comes to.
#[data]
#[derive(Default)]
pub(crate) struct Total {
    /// Lines
    pub(crate) lines: u32,
    /// Portions
    pub(crate) portions: u32,
    /// Cents
    pub(crate) cents: u64,
}

impl Total {
    pub(super) fn add(&mut self, line: &Line) {
        self.lines += 1;
        self.portions += line.portions;
        self.cents += u64::from(line.cents) * u64::from(line.portions);
    }
}

/// The view.
#[derive(Debug)]
pub(crate) struct Totals;

impl Projection for Totals {
    const NAME: &'static str = "totals";
    type Key = OrderId;
    type Events = Line;
    type Row = Total;
    fn project(row: &mut Option<Total>, _: &OrderId, line: Line, _: &Meta) {
        row.get_or_insert_default().add(&line);
    }
}

/// Add a line
#[command]
pub(crate) struct AddLine {
    /// Which order
    pub(crate) order: OrderId,
}

/// How many lines an order has.
#[derive(Default)]
pub(crate) struct Lines(u32);

impl Model for Lines {
    type Key = OrderId;
    type Events = Line;
    fn evolve(&mut self, _: Line) {
        self.0 += 1;
    }
}

impl Decide for AddLine {
    type Model = Lines;
    type Emits = Line;
    type Refusal = Never;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, lines: &Lines, _: &Context) -> Result<Vec<Line>, Never> {
        let mut line = Line::nth(lines.0 as usize, 1);
        line.order = self.order;
        Ok(vec![line])
    }
}

fn wired(place: AppBuilder) -> AppBuilder {
    place.task::<AddLine>().projection::<Totals>()
}

fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

fn appended(lines: impl Iterator<Item = Line>) -> Result<Append, Fault> {
    let event = |line: Line| {
        Ok(NewEvent {
            id: Uuid::now_v7(),
            ty: Line::TYPE.into(),
            version: Line::VERSION,
            tags: Event::tags(&line),
            data: serde_json::to_vec(&line)?.into(),
            origin: Origin::default(),
        })
    };
    let events: Result<Vec<NewEvent>, Fault> = lines.map(event).collect();
    Ok(Append {
        events: events?,
        conditions: vec![],
        command: None,
        recorded_at: Time::default(),
    })
}

/// Puts the events into a log.
pub(super) fn load(folder: &Path, events: usize, keys: usize) -> Result<(), Fault> {
    let all: Vec<usize> = (0..events).collect();
    runtime()?.block_on(async {
        let disk = Disk::open(folder)?;
        for some in all.chunks(1_000) {
            disk.append(appended(some.iter().map(|n| Line::nth(*n, keys)))?)
                .await?;
        }
        disk.close().await;
        Ok(())
    })
}

/// What a rebuild took.
pub(super) struct Rebuilt {
    pub(super) seconds: f64,
    pub(super) catch_up: f64,
    pub(super) mib: f64,
    pub(super) rows: Vec<(String, Total)>,
}

/// The view is made for the first time, and then once more beside that.
pub(super) fn rebuild(folder: &Path, events: usize) -> Result<Rebuilt, Fault> {
    for file in ["views.db", "views.db-wal", "views.db-shm"] {
        std::fs::remove_file(folder.join(file)).ok();
    }
    runtime()?.block_on(async {
        let begun = Instant::now();
        let app = wired(App::in_folder(folder)).build()?;
        while app.view_status("totals").await?.position < events as u64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let catch_up = begun.elapsed().as_secs_f64();
        let before = resident_mib();
        let mut most = before;
        let begun = Instant::now();
        app.act_on_view("totals", ViewAction::Rebuild { hold: false })
            .await?;
        while app.view_status("totals").await?.rebuilds_finished == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            most = most.max(resident_mib());
        }
        let seconds = begun.elapsed().as_secs_f64();
        let rows = rows(&app).await?;
        app.stop().await;
        Ok(Rebuilt {
            seconds,
            catch_up,
            mib: most - before,
            rows,
        })
    })
}

async fn rows(app: &App) -> Result<Vec<(String, Total)>, Fault> {
    let (mut rows, mut view) = (vec![], app.view::<Totals>().limit(1_000));
    loop {
        let some = view.rows().await?;
        rows.extend(some.rows.into_iter().map(|r| (r.key, r.row)));
        match some.next {
            Some(next) => view = view.after(next),
            None => return Ok(rows),
        }
    }
}

/// How long it takes from an event that is acknowledged to the view that shows it, in
/// microseconds, while 5 events come every millisecond; and how many really came a second.
pub(super) fn lag(folder: &Path, seconds: u64) -> Result<(Vec<f64>, f64), Fault> {
    runtime()?.block_on(async {
        std::fs::create_dir_all(folder)?;
        let disk = Arc::new(Disk::open(folder)?);
        let app = wired(App::on(disk.clone()))
            .views_in(folder.join("views.db"))
            .build()?;
        let begun = Instant::now();
        let (mut looks, mut count) = (vec![], 0_usize);
        for tick in 0..seconds * 1_000 {
            let due = begun + Duration::from_millis(tick);
            tokio::time::sleep_until(due.into()).await;
            let lines = (0..5).map(|n| Line::nth(count + n, 10_000));
            let done = disk.append(appended(lines)?).await?;
            let acknowledged = Instant::now();
            count += 5;
            if tick % 4 == 0 {
                let app = app.clone();
                looks.push(tokio::spawn(async move {
                    let most = Duration::from_secs(5);
                    let shown = app.wait_for_view("totals", done.last, most).await;
                    shown.map(|shown| shown.then(|| micros(acknowledged.elapsed())))
                }));
            }
        }
        let rate = count as f64 / begun.elapsed().as_secs_f64();
        let mut lags = vec![];
        for look in looks {
            let lag = look.await??;
            lags.push(lag.ok_or_else(|| fault("a view did not show an event within 5 s"))?);
        }
        app.stop().await;
        Ok((lags, rate))
    })
}

/// Commands and reads a second, from eight who send and two who read, first alone and then while
/// the view is rebuilt again and again.
pub(super) fn work(folder: &Path, seconds: u64) -> Result<(Work, Work), Fault> {
    runtime()?.block_on(async {
        let app = wired(App::in_folder(folder)).build()?;
        app.settle().await;
        busy(&app, 1).await?;
        let alone = busy(&app, seconds).await?;
        let stop = Arc::new(AtomicBool::new(false));
        let rebuilds = tokio::spawn({
            let (app, stop) = (app.clone(), stop.clone());
            async move {
                while !stop.load(Ordering::Relaxed) {
                    let again = ViewAction::Rebuild { hold: false };
                    app.act_on_view("totals", again).await?;
                    while app.view_status("totals").await?.rebuild.is_some() {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                }
                Ok::<(), Fault>(())
            }
        });
        let beside = busy(&app, seconds).await?;
        stop.store(true, Ordering::Relaxed);
        rebuilds.await??;
        app.stop().await;
        Ok((alone, beside))
    })
}

async fn busy(app: &App, seconds: u64) -> Result<Work, Fault> {
    let (sent, read) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let until = begun + Duration::from_secs(seconds);
    let mut all = vec![];
    for n in 0..8_u64 {
        let (app, sent) = (app.clone(), sent.clone());
        all.push(tokio::spawn(async move {
            while Instant::now() < until {
                let order = OrderId::from(1_000_000 + n);
                app.send(AddLine { order }).await?;
                sent.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), Fault>(())
        }));
    }
    for n in 0..2_u64 {
        let (app, read) = (app.clone(), read.clone());
        all.push(tokio::spawn(async move {
            let mut order = n;
            while Instant::now() < until {
                app.view::<Totals>()
                    .get(&OrderId::from(order % 10_000))
                    .await?;
                read.fetch_add(1, Ordering::Relaxed);
                order += 7;
                // What reads for a person does something else in between.
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            Ok(())
        }));
    }
    for one in all {
        one.await??;
    }
    let took = begun.elapsed().as_secs_f64();
    Ok(Work {
        commands_per_s: sent.load(Ordering::Relaxed) as f64 / took,
        reads_per_s: read.load(Ordering::Relaxed) as f64 / took,
    })
}
