//! A workshop whose repairs go wrong in every way that needs an operator.

use fait::app::{App, AppBuilder, System, TellError, Told, Uncertain};
use fait::decision::{Context, Decide, Model};
use fait::event::{Never, minutes};
use fait::process::{Input, Outbox, Outcome, Process};
use fait::store::{BoxFuture, Memory};
use fait::{Clock, CommandSet, EventSet, Refusal, command, data, entity_ids, event};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

entity_ids! { JobId(text) => "job" }

/// Jobs over which the process stumbles no more: the program was mended.
pub(crate) static MENDED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Whether odd things are understood by now.
pub(crate) static ODD: Mutex<bool> = Mutex::new(false);

/// Something is to be repaired.
#[event]
pub(crate) struct JobCame {
    #[tag]
    pub(crate) job: JobId,
    pub(crate) tool: String,
}

/// Somebody said something about it.
#[event]
pub(crate) struct JobNoted {
    #[tag]
    pub(crate) job: JobId,
    pub(crate) n: u32,
}

#[event]
pub(crate) struct JobFixed {
    #[tag]
    pub(crate) job: JobId,
    pub(crate) tool: String,
}

#[event]
pub(crate) struct JobUnfixed {
    #[tag]
    pub(crate) job: JobId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum JobHistory {
    Came(JobCame),
    Fixed(JobFixed),
    Unfixed(JobUnfixed),
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    Came(JobCame),
    Noted(JobNoted),
}

#[derive(Default)]
pub(crate) struct Job {
    fixed: bool,
}

impl Model for Job {
    type Key = JobId;
    type Events = JobHistory;
    fn evolve(&mut self, event: JobHistory) {
        match event {
            JobHistory::Came(_) => {}
            JobHistory::Fixed(_) => self.fixed = true,
            JobHistory::Unfixed(_) => self.fixed = false,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Refusal)]
pub(crate) enum No {
    #[refused("a hammer fixes nothing")]
    Hammer,
    #[refused("it cannot be taken apart again")]
    Glued,
}

/// Bring a job
#[command(by = "Customer", starts)]
pub(crate) struct BringJob {
    pub(crate) job: JobId,
    pub(crate) tool: String,
}

impl Decide for BringJob {
    type Model = Job;
    type Emits = JobCame;
    type Refusal = Never;
    fn boundary(&self) -> JobId {
        self.job.clone()
    }
    fn decide(&self, _: &Job, _: &Context) -> Result<Vec<JobCame>, Never> {
        let BringJob { job, tool } = self.clone();
        Ok(vec![JobCame { job, tool }])
    }
}

/// Note something
#[command(by = "Customer")]
pub(crate) struct NoteJob {
    pub(crate) job: JobId,
    pub(crate) n: u32,
}

impl Decide for NoteJob {
    type Model = Job;
    type Emits = JobNoted;
    type Refusal = Never;
    fn boundary(&self) -> JobId {
        self.job.clone()
    }
    fn decide(&self, _: &Job, _: &Context) -> Result<Vec<JobNoted>, Never> {
        let NoteJob { job, n } = self.clone();
        Ok(vec![JobNoted { job, n }])
    }
}

/// Fix it
#[command(undone_by = "UnfixJob")]
pub(crate) struct FixJob {
    pub(crate) job: JobId,
    pub(crate) tool: String,
}

impl Decide for FixJob {
    type Model = Job;
    type Emits = JobFixed;
    type Refusal = No;
    fn boundary(&self) -> JobId {
        self.job.clone()
    }
    fn decide(&self, _: &Job, _: &Context) -> Result<Vec<JobFixed>, No> {
        let FixJob { job, tool } = self.clone();
        match tool.as_str() {
            "hammer" => Err(No::Hammer),
            _ => Ok(vec![JobFixed { job, tool }]),
        }
    }
}

/// Take it apart again
#[command]
pub(crate) struct UnfixJob {
    pub(crate) job: JobId,
}

impl Decide for UnfixJob {
    type Model = Job;
    type Emits = JobUnfixed;
    type Refusal = No;
    fn boundary(&self) -> JobId {
        self.job.clone()
    }
    fn decide(&self, job: &Job, _: &Context) -> Result<Vec<JobUnfixed>, No> {
        match job.fixed && !self.job.0.starts_with("glued") {
            true => Ok(vec![JobUnfixed {
                job: self.job.clone(),
            }]),
            false => Err(No::Glued),
        }
    }
}

/// Order a part
#[command(to = "Supplier")]
pub(crate) struct OrderPart {
    pub(crate) job: JobId,
}

/// Look it over
#[command(by = "Inspector")]
pub(crate) struct InspectJob {
    pub(crate) job: JobId,
    /// What did you see?
    pub(crate) words: String,
}

impl Decide for InspectJob {
    type Model = Job;
    type Emits = JobNoted;
    type Refusal = Never;
    fn boundary(&self) -> JobId {
        self.job.clone()
    }
    fn decide(&self, _: &Job, _: &Context) -> Result<Vec<JobNoted>, Never> {
        let job = self.job.clone();
        Ok(vec![JobNoted { job, n: 100 }])
    }
}

#[derive(CommandSet, Clone, Debug, PartialEq)]
pub(crate) enum Sends {
    Fix(FixJob),
    Order(OrderPart),
    Inspect(InspectJob),
    Unfix(UnfixJob),
}

#[data]
pub(crate) enum Wake {
    Slow,
}

/// What it heard, in order.
#[data]
#[derive(Default)]
pub(crate) struct Repair {
    pub(crate) heard: Vec<String>,
}

impl Repair {
    fn begin(&self, e: &JobCame, out: &mut Outbox<Self>) {
        let JobCame { job, tool } = e.clone();
        let id = job.0.clone();
        let mended = MENDED.lock().unwrap().contains(&id);
        assert!(!id.starts_with("bad") || mended, "no rule for {id}");
        if id.starts_with("odd") && !*ODD.lock().unwrap() {
            out.park("nobody knows what this is");
        }
        match tool.as_str() {
            "part" => {
                out.send(OrderPart { job });
            }
            "eye" => {
                out.ask::<InspectJob>("Inspector");
            }
            _ => {
                out.send(FixJob { job, tool });
            }
        }
        out.wake_after(minutes(60), Wake::Slow);
    }
}

impl Process for Repair {
    const NAME: &'static str = "repair";
    type Key = JobId;
    type Events = Heard;
    type Timer = Wake;
    type Sends = Sends;
    type Raises = Never;
    fn react(mut self, job: &JobId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        let line = match input {
            Input::Event(Heard::Came(e)) => {
                self.begin(&e, out);
                "came".into()
            }
            Input::Event(Heard::Noted(e)) => format!("note {}", e.n),
            Input::Timer(Wake::Slow) => "slow".into(),
            Input::Skipped { reason, .. } => format!("skipped: {reason}"),
            Input::Failed { error, .. } => format!("failed: {error}"),
            Input::Done { .. } => "done".into(),
            Input::Asked {
                outcome: Outcome::Refused { code, reason },
                ..
            } => format!("{code}: {reason}"),
            Input::Cancelled { by, reason } => {
                if self.heard.contains(&"done".into()) {
                    out.send(UnfixJob { job: job.clone() });
                }
                format!("cancelled by {by}: {reason}")
            }
            other => return out.unhandled(self, other),
        };
        self.heard.push(line);
        self
    }
}

/// A supplier that never answers.
struct Silent;

impl System for Silent {
    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }

    fn tell(&self, _: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async { Err(TellError::later("nobody is there")) })
    }
}

pub(crate) fn open() -> (Arc<Memory>, App) {
    let store = Arc::new(Memory::default());
    let app = wired(App::on(store.clone()));
    (store, app)
}

pub(crate) fn wired(place: AppBuilder) -> App {
    place
        .name("Workshop")
        .clock(Clock::by_hand())
        .task::<BringJob>()
        .task::<NoteJob>()
        .task::<FixJob>()
        .task::<UnfixJob>()
        .task::<InspectJob>()
        .tells::<OrderPart>()
        .system("Supplier", Silent)
        .process::<Repair>()
        .build()
        .unwrap()
}

pub(crate) async fn bring(app: &App, job: &str, tool: &str) {
    let (job, tool) = (JobId(job.into()), tool.to_string());
    app.send(BringJob { job, tool })
        .by("customer:cy")
        .await
        .unwrap();
    app.settle().await;
}

pub(crate) async fn note(app: &App, job: &str, n: u32) {
    let job = JobId(job.into());
    app.send(NoteJob { job, n })
        .by("customer:cy")
        .await
        .unwrap();
    app.settle().await;
}

/// What an instance has heard.
pub(crate) async fn heard(app: &App, job: &str) -> Vec<String> {
    let instance = app.instance("repair", job).await.unwrap().unwrap();
    let state = instance.state.map(|(_, state)| state["heard"].clone());
    fait::reexport::serde_json::from_value(state.unwrap_or_default()).unwrap_or_default()
}
