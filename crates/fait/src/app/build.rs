//! Wiring a system together, with checks before anything runs.

use super::system::adapter;
use super::{App, System};
use crate::clock::Clock;
use crate::runtime::begin::Begin;
use crate::runtime::bus::outlet::Relay;
use crate::runtime::bus::publication::Publications;
use crate::runtime::db::Db;
use crate::runtime::dispatch::Dispatch;
use crate::runtime::dispatch::system::Adapter;
use crate::runtime::hear::Hearing;
use crate::runtime::index::Recent;
use crate::runtime::models::{MAX_MODELS, Models};
use crate::runtime::snapshots::Shelf;
use crate::runtime::step::Runner;
use crate::runtime::view::{Sizes, ViewState};
use crate::runtime::{Core, Feed, Pulse};
use crate::sql::{SqlDef, SqlProjection};
use fait_core::bus::PublishDef;
use fait_core::decision::{CommandDef, Decide};
use fait_core::event::{Event, EventDef, RESERVED_PREFIX};
use fait_core::process::{Policy, Process, ProcessDef};
use fait_core::projection::{Projection, ProjectionDef};
use fait_core::query::Query;
use fait_core::store::{Memory, Range, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A system that cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Two things of one name, or something that nothing can come of.
    #[error("{0}")]
    Wiring(String),
    /// The folder cannot be used.
    #[error(transparent)]
    Folder(#[from] fait_store::OpenError),
    /// The store or the views cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no tokio runtime here.
    #[error("a system runs on tokio: build it inside a tokio runtime")]
    NoRuntime,
}

/// A system being wired together.
#[derive(Default)]
pub struct AppBuilder {
    pub(super) name: String,
    store: Option<Arc<dyn Store>>,
    folder: Option<PathBuf>,
    views_file: Option<PathBuf>,
    clock: Option<Clock>,
    models_in_memory: Option<usize>,
    view_threads: Option<usize>,
    view_sizes: Sizes,
    hold_switches: bool,
    pub(super) commands: Vec<CommandDef>,
    pub(super) views: Vec<ProjectionDef>,
    pub(super) processes: Vec<ProcessDef>,
    pub(super) older: Vec<ProcessDef>,
    begins: Vec<(String, Begin)>,
    pub(super) received: Vec<(EventDef, String)>,
    pub(super) retired: Vec<(String, String)>,
    pub(super) unrecorded: BTreeSet<String>,
    pub(super) reads: Vec<EventDef>,
    systems: Vec<(String, Adapter)>,
    pub(super) hears: Vec<Hearing>,
    pub(super) publications: Vec<PublishDef>,
    pub(super) outlets: Vec<Relay>,
    pub(super) source: Option<String>,
}

impl std::fmt::Debug for AppBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppBuilder")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl App {
    /// A system in a folder of its own: log and views. The folder is made when it is not there.
    pub fn in_folder(path: impl AsRef<Path>) -> AppBuilder {
        AppBuilder {
            folder: Some(path.as_ref().into()),
            ..AppBuilder::default()
        }
    }

    /// A system in memory: for tests and for trying things.
    pub fn in_memory() -> AppBuilder {
        App::on(Memory::default())
    }

    /// A system on the store and with the clock of another that has stopped, for one in memory
    /// whose definitions have changed. A store that was closed with its system cannot be used so.
    pub fn instead_of(other: &App) -> AppBuilder {
        AppBuilder {
            store: Some(other.core.store.clone()),
            clock: Some(other.core.clock.clone()),
            ..AppBuilder::default()
        }
    }

    /// A system on a store, with its views in memory unless [`AppBuilder::views_in`] says where.
    pub fn on(store: impl Store) -> AppBuilder {
        AppBuilder {
            store: Some(Arc::new(store)),
            ..AppBuilder::default()
        }
    }
}

impl AppBuilder {
    /// The system's name, for pages and the manifest.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The clock; the machine's by default.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The SQLite file of the views.
    #[must_use]
    pub fn views_in(mut self, file: impl AsRef<Path>) -> Self {
        self.views_file = Some(file.as_ref().into());
        self
    }

    /// How many models are kept in memory between decisions; [`MAX_MODELS`] by default. With 0,
    /// each decision folds its model again.
    #[must_use]
    pub fn models_in_memory(mut self, most: usize) -> Self {
        self.models_in_memory = Some(most);
        self
    }

    /// How many threads fold a view at the same time when it has much to take in; as many as the
    /// machine runs at once by default. With 1, nothing runs beside the runtime.
    #[must_use]
    pub fn view_threads(mut self, threads: usize) -> Self {
        self.view_threads = Some(threads.max(1));
        self
    }

    /// How much of a view is done at once; for the tests of this crate.
    #[doc(hidden)]
    #[must_use]
    pub fn view_sizes(mut self, sizes: Sizes) -> Self {
        self.view_sizes = sizes;
        self
    }

    /// A view that this program makes anew, since its code changed, does not take the place of the
    /// old one when it is ready: it waits, so that one can look at the difference, for
    /// [`ViewAction::Switch`](super::ViewAction::Switch). Until then the old one is read, and does
    /// not follow.
    #[must_use]
    pub fn hold_switches(mut self) -> Self {
        self.hold_switches = true;
        self
    }

    /// A task: a command with its decision.
    #[must_use]
    pub fn task<C: Decide>(self) -> Self {
        self.command(CommandDef::of::<C>())
    }

    /// A command as data, for systems that are made at run time.
    #[must_use]
    pub fn command(mut self, def: CommandDef) -> Self {
        self.commands.push(def);
        self
    }

    /// A command that an outside system carries out.
    #[must_use]
    pub fn tells<C: fait_core::command::Command>(self) -> Self {
        self.command(CommandDef::told::<C>())
    }

    /// A view.
    #[must_use]
    pub fn projection<P: Projection>(self) -> Self {
        self.view(ProjectionDef::of::<P>())
    }

    /// A view that writes SQL itself.
    #[must_use]
    pub fn sql_projection<P: SqlProjection>(self) -> Self {
        self.view(SqlDef::of::<P>())
    }

    /// A view as data.
    #[must_use]
    pub fn view(mut self, def: ProjectionDef) -> Self {
        self.views.push(def);
        self
    }

    /// A process.
    #[must_use]
    pub fn process<P: Process>(self) -> Self {
        self.reacting(ProcessDef::of::<P>())
    }

    /// An older definition of a process that is wired: a type with the same name, and a
    /// [`DEFINITION`](Process::DEFINITION) of its own. Instances that began with it go on with it
    /// to their end; new ones begin with the one that is wired as [`process`](Self::process).
    /// Without it, all go on with that one.
    #[must_use]
    pub fn also<P: Process>(self) -> Self {
        self.also_reacting(ProcessDef::of::<P>())
    }

    /// An older definition of a process as data; see [`also`](Self::also).
    #[must_use]
    pub fn also_reacting(mut self, def: ProcessDef) -> Self {
        self.older.push(def);
        self
    }

    /// Where a process, policy or publication begins if it is new in a system that has a history;
    /// with [`Begin::FromNow`] when nothing is said. It is recorded at its first start and holds
    /// from then on: saying something else later changes nothing.
    #[must_use]
    pub fn begins(mut self, process: &str, begin: Begin) -> Self {
        self.begins.push((process.into(), begin));
        self
    }

    /// A policy.
    #[must_use]
    pub fn policy<P: Policy>(self) -> Self {
        self.reacting(ProcessDef::of_policy::<P>())
    }

    /// A process or policy as data.
    #[must_use]
    pub fn reacting(mut self, def: ProcessDef) -> Self {
        self.processes.push(def);
        self
    }

    /// An event that an outside system sends.
    #[must_use]
    pub fn receives<E: Event>(mut self, system: &str) -> Self {
        self.received.push((EventDef::of::<E>(), system.into()));
        self
    }

    /// How an outside system is reached.
    #[must_use]
    pub fn system(mut self, name: &str, system: impl System) -> Self {
        self.systems.push((name.into(), adapter(system)));
        self
    }

    /// The same system beside the world, for trying what it does: in memory, with a clock that is
    /// moved by hand, and with other systems that take what they are told and say nothing.
    #[cfg(feature = "board")]
    pub(crate) fn apart(mut self) -> Self {
        let told = self.commands.iter().filter_map(|c| c.page.to.clone());
        let mut names: BTreeSet<String> = told.collect();
        names.extend(self.systems.into_iter().map(|(name, _)| name));
        let silent = |name| (name, adapter(super::system::Silent));
        self.systems = names.into_iter().map(silent).collect();
        self.store = Some(Arc::new(Memory::default()));
        (self.folder, self.views_file) = (None, None);
        self.hears.clear();
        self.outlets.clear();
        self.clock(Clock::by_hand())
    }

    /// Starts the system. Views and processes catch up in the background.
    ///
    /// # Errors
    /// Something is wired wrongly, or the folder cannot be used; the message says what to do.
    pub fn build(self) -> Result<App, BuildError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        self.check()?;
        let codes = self.event_codes();
        let (store, views_file) = self.open_store()?;
        let source = self.source_of(store.id());
        let db = Arc::new(Db::open(views_file.as_deref(), store.id())?);
        let tasks = TaskTracker::new();
        let models = Models::new(self.models_in_memory.unwrap_or(MAX_MODELS));
        let (id, handle) = (store.id(), runtime.clone());
        let shelf = Shelf::new(models, db.clone(), id, tasks.clone(), handle);
        let views = self
            .views
            .into_iter()
            .map(|d| (d.name.clone(), Arc::new(ViewState::new(d))));
        let begins: BTreeMap<String, Begin> = self.begins.into_iter().collect();
        let clock = self.clock.unwrap_or_else(Clock::machine);
        let systems: BTreeMap<String, Adapter> = self.systems.into_iter().collect();
        let dispatch = Dispatch::new(&systems, clock.now());
        let core = Arc::new(Core {
            name: self.name,
            clock,
            db,
            turns: Arc::default(),
            shelf,
            commands: self
                .commands
                .into_iter()
                .map(|d| (d.name.clone(), d))
                .collect(),
            views: views.collect(),
            processes: runners(self.processes, &self.older),
            received: self
                .received
                .into_iter()
                .map(|r| (r.0.name.clone(), r))
                .collect(),
            retired: self.retired.into_iter().collect(),
            unrecorded: self.unrecorded,
            dispatch,
            systems,
            hearings: named(self.hears),
            publications: Publications::new(self.publications),
            outlets: self.outlets.into_iter().map(Arc::new).collect(),
            source,
            index: Feed::default(),
            recent: Recent::default(),
            pulse: Pulse::default(),
            flows: Default::default(),
            bulks: Default::default(),
            readers: Arc::default(),
            codes,
            view_threads: self.view_threads.unwrap_or_else(cores),
            sizes: self.view_sizes,
            hold_switches: self.hold_switches,
            stop: CancellationToken::new(),
            tasks,
            store,
        });
        start(&core, &runtime, &begins)?;
        Ok(App { core })
    }

    fn open_store(&self) -> Result<(Arc<dyn Store>, Option<PathBuf>), BuildError> {
        if let Some(folder) = &self.folder {
            let store = fait_store::Disk::open(folder)?;
            let views = self
                .views_file
                .clone()
                .unwrap_or_else(|| folder.join("views.db"));
            return Ok((Arc::new(store), Some(views)));
        }
        let store = self
            .store
            .clone()
            .unwrap_or_else(|| Arc::new(Memory::default()));
        Ok((store, self.views_file.clone()))
    }

    /// What can be known to be wrong before anything runs.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        let wrong = |message: String| Err(BuildError::Wiring(message));
        unique("task", self.commands.iter().map(|c| c.name.as_str()))?;
        unique("view", self.views.iter().map(|v| v.name.as_str()))?;
        super::check::views(&self.views)?;
        unique("process", self.processes.iter().map(|p| p.name.as_str()))?;
        unique("system", self.systems.iter().map(|(name, _)| name.as_str()))?;
        let known: BTreeSet<&str> = self.commands.iter().map(|c| c.name.as_str()).collect();
        self.check_definitions()?;
        for p in self.processes.iter().chain(&self.older) {
            if let Some(problem) = p.problems.first() {
                return wrong(format!("process `{}`: {problem}", p.name));
            }
            if let Some(missing) = p.sends.iter().find(|s| !known.contains(s.as_str())) {
                let name = &p.name;
                return wrong(format!(
                    "process `{name}` sends `{missing}`, which is not wired: \
                     add `.task::<{missing}>()` or `.tells::<{missing}>()`"
                ));
            }
            self.check_told(p)?;
        }
        let mut events: BTreeMap<&str, &EventDef> = BTreeMap::new();
        let defs = self.commands.iter().flat_map(|c| &c.emits);
        let defs = defs.chain(
            self.processes
                .iter()
                .chain(&self.older)
                .flat_map(|p| &p.raises),
        );
        for def in defs.chain(self.received.iter().map(|(def, _)| def)) {
            if def.name.starts_with(RESERVED_PREFIX) {
                return wrong(format!(
                    "event `{}` starts with `{RESERVED_PREFIX}`",
                    def.name
                ));
            }
            if events
                .insert(&def.name, def)
                .is_some_and(|other| other != def)
            {
                return wrong(format!("two different events are stored as `{}`", def.name));
            }
        }
        self.check_published()?;
        self.check_outlets()?;
        self.check_past()?;
        self.check_hears()?;
        self.commands.iter().try_for_each(|c| self.check_page(c))
    }

    /// Older definitions and beginnings are of processes that are there.
    fn check_definitions(&self) -> Result<(), BuildError> {
        let wrong = |message: String| Err(BuildError::Wiring(message));
        let latest = |name: &str| self.processes.iter().find(|p| p.name == name);
        for (n, old) in self.older.iter().enumerate() {
            let (name, definition) = (&old.name, old.definition);
            let Some(main) = latest(name) else {
                return wrong(format!(
                    "an older definition of `{name}` is wired, and the process is not: \
                     add `.process::<…>()` with its latest definition"
                ));
            };
            let same = |o: &ProcessDef| o.name == *name && o.definition == definition;
            if definition == main.definition || self.older[..n].iter().any(same) {
                return wrong(format!(
                    "definition {definition} of process `{name}` is wired twice"
                ));
            }
            if definition > main.definition {
                return wrong(format!(
                    "definition {definition} of process `{name}` is newer than {}, beside which \
                     it is wired: wire the latest with `.process::<…>()`",
                    main.definition
                ));
            }
        }
        unique(
            "where it begins, of process",
            self.begins.iter().map(|(n, _)| n.as_str()),
        )?;
        for (name, begin) in &self.begins {
            let published = self.publications.iter().any(|p| p.name == *name);
            match latest(name) {
                None if published && *begin == Begin::Adopt => {
                    return wrong(format!(
                        "`{name}` is a publication: it has no state to adopt"
                    ));
                }
                None if published => {}
                None => return wrong(format!("process `{name}` begins, and is not wired")),
                Some(p) if p.policy && *begin == Begin::Adopt => {
                    return wrong(format!("`{name}` is a policy: it has no state to adopt"));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// A system that a process tells must be reached.
    fn check_told(&self, p: &ProcessDef) -> Result<(), BuildError> {
        let told = |c: &&CommandDef| c.page.by.is_empty() && p.sends.contains(&c.name);
        for c in self.commands.iter().filter(told) {
            let Some(to) = &c.page.to else { continue };
            if !self.systems.iter().any(|(name, _)| name == to) {
                let (process, name) = (&p.name, &c.name);
                return Err(BuildError::Wiring(format!(
                    "process `{process}` sends `{name}` to `{to}`, which nothing reaches: \
                     add `.system(\"{to}\", …)`"
                )));
            }
        }
        Ok(())
    }

    /// What a task's page names must be there.
    fn check_page(&self, c: &CommandDef) -> Result<(), BuildError> {
        let (name, page) = (&c.name, &c.page);
        let wrong = |message: String| Err(BuildError::Wiring(message));
        if c.begin.is_none() && page.to.is_none() {
            return wrong(format!("`{name}` has no decision and is told to no system"));
        }
        if let Some(back) = &page.undone_by
            && !self.commands.iter().any(|c| c.name == *back)
        {
            return wrong(format!(
                "`{name}` is undone by `{back}`, which is not wired"
            ));
        }
        let view = match &page.sees {
            None => None,
            Some(sees) => match self.views.iter().find(|v| v.name == *sees) {
                Some(view) => Some(view),
                None => return wrong(format!("`{name}` sees view `{sees}`, which is not wired")),
            },
        };
        let known = |word: &str| {
            c.fields.iter().any(|f| f.name == word)
                || view.is_some_and(|v| v.row["properties"].get(word).is_some())
        };
        let about = page.about.as_deref().unwrap_or_default();
        let words = about.split('{').skip(1).filter_map(|w| w.split_once('}'));
        match words.map(|(word, _)| word).find(|w| !known(w)) {
            None => Ok(()),
            Some(word) => wrong(format!(
                "`{name}` is about `{{{word}}}`, which neither its fields nor its view have"
            )),
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

pub(super) fn unique<'a>(
    what: &str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), BuildError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(BuildError::Wiring(format!(
                "{what} `{name}` is wired twice"
            )));
        }
    }
    Ok(())
}

fn named(hears: Vec<Hearing>) -> BTreeMap<String, Arc<Hearing>> {
    let named = |h: Hearing| (h.name.clone(), Arc::new(h));
    hears.into_iter().map(named).collect()
}

/// Processes with their older definitions.
pub(super) fn runners(
    latest: Vec<ProcessDef>,
    older: &[ProcessDef],
) -> BTreeMap<String, Arc<Runner>> {
    let runner = |def: ProcessDef| {
        let also: Vec<ProcessDef> = older
            .iter()
            .filter(|o| o.name == def.name)
            .cloned()
            .collect();
        (def.name.clone(), Arc::new(Runner::new(def, also)))
    };
    latest.into_iter().map(runner).collect()
}

fn start(
    core: &Arc<Core>,
    runtime: &tokio::runtime::Handle,
    begins: &BTreeMap<String, Begin>,
) -> Result<(), BuildError> {
    // The store answers these at once, without waiting for anything that runs on this thread.
    let (head, last) = futures_util::FutureExt::now_or_never(async {
        let head = core.store.head().await?;
        let last = core.store.read(&Query::all(), Range::newest(1)).await?;
        Ok::<_, StoreError>((head, last.events.into_iter().next()))
    })
    .unwrap_or_else(|| Err(StoreError::new("the store does not answer")))?;
    if let Some(last) = last {
        let last = last.meta.recorded_at;
        core.clock.not_before(last);
        let now = core.clock.now();
        if now < last {
            tracing::warn!(
                %last, %now,
                "the log's last time lies ahead of the clock, as after a play with a faster one: \
                 recorded times stand still, and deadlines wait, until the clock has come so far"
            );
        }
    }
    core.clock.goes_on_behind(head);
    core.dispatch.begins(core.clock.now());
    core.db.check_head(head)?;
    core.open_index()?;
    let begun = core.begin_processes(begins)?;
    core.begin_publications(begins)?;
    for view in core.views.values().filter(|v| !v.is_live()) {
        core.prepare_view(view)?;
        core.tasks
            .spawn_on(core.clone().run_view(view.clone()), runtime);
    }
    for process in core.processes.values() {
        let begun = begun.get(&process.def.name).copied().unwrap_or_default();
        core.open_runner(process, begun)?;
        core.tasks
            .spawn_on(core.clone().run_process(process.clone()), runtime);
    }
    for hearing in core.hearings.values() {
        core.tasks
            .spawn_on(core.clone().run_hearing(hearing.clone()), runtime);
    }
    core.tasks.spawn_on(core.clone().run_publisher(), runtime);
    for outlet in &core.outlets {
        core.tasks
            .spawn_on(core.clone().run_relay(outlet.clone()), runtime);
    }
    core.tasks.spawn_on(core.clone().run_index(), runtime);
    core.tasks.spawn_on(core.clone().run_dispatch(), runtime);
    core.tasks.spawn_on(core.clone().run_expiry(), runtime);
    Ok(())
}
