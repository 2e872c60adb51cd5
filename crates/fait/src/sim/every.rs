//! Every crash: a scenario is played once without trouble, then with a crash at every operation,
//! then at every pair of operations, then with seeded faults; all must end alike.

use super::ending::Ending;
use super::laws::{Broken, Law, broken_by};
use super::place::{Operation, Place};
use super::plan::{Crash, Plan, Side};
use super::run::{RunError, log_of, rebuild, run};
use super::show;
use super::world::World;
use crate::app::AppBuilder;
use std::fmt::{self, Debug, Display};

/// What to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Most pairs of crashes. Where there are more, so many are taken by chance.
    pub pairs: usize,
    /// How many runs with seeded faults and no crash.
    pub faulty: u64,
    /// How many runs with seeded faults and two crashes by chance, half of them with a database
    /// that survives, and some with two programs at once.
    pub mixed: u64,
    /// Where chance begins.
    pub seed: u64,
    /// Of how many runs of pairs one is rebuilt from its log; all other runs are.
    pub rebuild_one_in: usize,
}

impl Default for Extent {
    fn default() -> Self {
        Extent::some()
    }
}

impl Extent {
    /// Each crash, and some of everything else: for each run of the tests.
    pub fn some() -> Extent {
        Extent {
            pairs: 100,
            faulty: 30,
            mixed: 30,
            seed: 1,
            rebuild_one_in: 4,
        }
    }

    /// Each crash, each pair, and many seeds.
    pub fn all() -> Extent {
        Extent {
            pairs: usize::MAX,
            faulty: 1000,
            mixed: 1000,
            ..Extent::some()
        }
    }
}

/// How much was tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Operations of the run without trouble.
    pub operations: u64,
    /// Runs with one crash.
    pub singles: u64,
    /// Runs with two crashes.
    pub pairs: u64,
    /// Pairs that there are; as many as `pairs` when all were tried.
    pub all_pairs: u64,
    /// Crashes that were not tried because they leave what another one leaves.
    pub equal: u64,
    /// Runs with seeded faults.
    pub faulty: u64,
    /// Runs after which everything was made anew from the log.
    pub rebuilt: u64,
}

impl Report {
    /// All schedules that were tried.
    pub fn schedules(&self) -> u64 {
        1 + self.singles + self.pairs + self.faulty
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} schedules over {} operations: {} with one crash, {} of {} with two, {} with seeded \
             faults; {} equal ones left out, {} rebuilt; 0 wrong",
            self.schedules(),
            self.operations,
            self.singles,
            self.pairs,
            self.all_pairs,
            self.faulty,
            self.equal,
            self.rebuilt
        )
    }
}

/// A schedule that went wrong, with all that is needed to see why.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was to go wrong; played again, it goes the same way.
    pub plan: Plan,
    /// How many schedules were tried before it, itself included.
    pub schedules: u64,
    /// What is wrong, as text: laws that were broken, the difference of the outcomes.
    pub why: String,
    /// Every operation.
    pub trail: Vec<Operation>,
    /// The log as text.
    pub log: String,
}

impl std::error::Error for Failure {}

impl Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.schedules;
        writeln!(f, "schedule {n} goes wrong: {}\n{}", self.plan, self.why)?;
        writeln!(f, "operations:")?;
        for operation in &self.trail {
            writeln!(f, "  {operation}")?;
        }
        write!(f, "log:\n{}", self.log)
    }
}

/// A system with a scenario and a way to see how it ended.
///
/// `system` wires it in a [`Place`], and is asked again for each life. `scenario` is what happens
/// around it. `outcome` is what must be the same whatever goes wrong; it is given the place, so
/// that it can look at the other systems there.
pub struct Every<A, S, O> {
    system: A,
    scenario: S,
    outcome: O,
    extent: Extent,
}

impl<A, S, O> Debug for Every<A, S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Every")
            .field("extent", &self.extent)
            .finish_non_exhaustive()
    }
}

/// What is done in one world: other systems are made for each run by `outside`, so that no run
/// sees the ledgers of another.
pub fn every_crash<A, S, O, W, T>(system: A, scenario: S, outcome: O) -> Every<A, S, O>
where
    A: Fn(&Place, &W) -> AppBuilder,
    S: AsyncFn(&World, &W),
    O: Fn(&Ending, &W) -> T,
    W: Default,
    T: PartialEq + Debug,
{
    Every {
        system,
        scenario,
        outcome,
        extent: Extent::default(),
    }
}

/// What the tries have in common.
struct Trying<T> {
    expected: T,
    report: Report,
}

impl<A, S, O> Every<A, S, O> {
    /// Tries more or less.
    #[must_use]
    pub fn extent(mut self, extent: Extent) -> Self {
        self.extent = extent;
        self
    }

    /// Plays one schedule; gives how it ended and its outcome.
    ///
    /// # Errors
    /// The system does not start, or is stuck.
    pub fn play<W, T>(&self, plan: &Plan) -> Result<(Ending, T), RunError>
    where
        A: Fn(&Place, &W) -> AppBuilder,
        S: AsyncFn(&World, &W),
        O: Fn(&Ending, &W) -> T,
        W: Default,
    {
        self.play_in::<W, T>(&Place::new(plan.clone()))
    }

    fn play_in<W, T>(&self, place: &Place) -> Result<(Ending, T), RunError>
    where
        A: Fn(&Place, &W) -> AppBuilder,
        S: AsyncFn(&World, &W),
        O: Fn(&Ending, &W) -> T,
        W: Default,
    {
        let outside = W::default();
        let ending = run(
            place,
            |place| (self.system)(place, &outside),
            async |world: &World| (self.scenario)(world, &outside).await,
        )?;
        let outcome = (self.outcome)(&ending, &outside);
        Ok((ending, outcome))
    }

    /// Tries everything.
    ///
    /// # Errors
    /// The first schedule that ends otherwise than the one without trouble, or breaks a law.
    pub fn check<W, T>(&self) -> Result<Report, Box<Failure>>
    where
        A: Fn(&Place, &W) -> AppBuilder,
        S: AsyncFn(&World, &W),
        O: Fn(&Ending, &W) -> T,
        W: Default,
        T: PartialEq + Debug,
    {
        let calm = Plan::calm();
        let place = Place::new(calm.clone());
        let (ending, expected) = match self.play_in::<W, T>(&place) {
            Ok(played) => played,
            Err(e) => return Err(no_ending(&place, 1, &e)),
        };
        let mut trying = Trying {
            expected,
            report: Report {
                operations: ending.trail.len() as u64,
                ..Report::default()
            },
        };
        self.judge::<W>(&calm, &ending, true, &mut trying.report)?;
        self.crashes(&ending.trail, &mut trying)?;
        self.faults(&mut trying)?;
        Ok(trying.report)
    }

    /// Each crash, and each pair.
    fn crashes<W, T>(&self, trail: &[Operation], t: &mut Trying<T>) -> Result<(), Box<Failure>>
    where
        A: Fn(&Place, &W) -> AppBuilder,
        S: AsyncFn(&World, &W),
        O: Fn(&Ending, &W) -> T,
        W: Default,
        T: PartialEq + Debug,
    {
        let mut pairs = vec![];
        let (first, equal) = places_to_crash(trail);
        t.report.equal += equal;
        for crash in first {
            let plan = Plan::crashing(&[crash]);
            t.report.singles += 1;
            let ending = self.attempt::<W, T>(&plan, true, t)?;
            let second: Vec<Operation> = ending.trail.into_iter().filter(|o| o.life == 2).collect();
            let (second, equal) = places_to_crash(&second);
            t.report.equal += equal;
            pairs.extend(second.into_iter().map(|second| [crash, second]));
        }
        t.report.all_pairs = pairs.len() as u64;
        if pairs.len() > self.extent.pairs {
            super::Chance::of(self.extent.seed).shuffle(&mut pairs);
            pairs.truncate(self.extent.pairs);
        }
        for (n, pair) in pairs.iter().enumerate() {
            t.report.pairs += 1;
            let rebuilt = n.is_multiple_of(self.extent.rebuild_one_in.max(1));
            self.attempt::<W, T>(&Plan::crashing(pair), rebuilt, t)?;
        }
        Ok(())
    }

    /// Seeded faults, without crashes and with some.
    fn faults<W, T>(&self, t: &mut Trying<T>) -> Result<(), Box<Failure>>
    where
        A: Fn(&Place, &W) -> AppBuilder,
        S: AsyncFn(&World, &W),
        O: Fn(&Ending, &W) -> T,
        W: Default,
        T: PartialEq + Debug,
    {
        let Extent {
            faulty,
            mixed,
            seed,
            ..
        } = self.extent;
        for n in 0..faulty {
            t.report.faulty += 1;
            let plan = Plan {
                workers: if n % 4 == 3 { 2 } else { 1 },
                ..Plan::faulty(seed.wrapping_add(n))
            };
            self.attempt::<W, T>(&plan, true, t)?;
        }
        for n in 0..mixed {
            t.report.faulty += 1;
            let plan = mixed_plan(seed.wrapping_add(n), t.report.operations);
            self.attempt::<W, T>(&plan, true, t)?;
        }
        Ok(())
    }

    fn attempt<W, T>(
        &self,
        plan: &Plan,
        rebuilt: bool,
        t: &mut Trying<T>,
    ) -> Result<Ending, Box<Failure>>
    where
        A: Fn(&Place, &W) -> AppBuilder,
        S: AsyncFn(&World, &W),
        O: Fn(&Ending, &W) -> T,
        W: Default,
        T: PartialEq + Debug,
    {
        let schedules = t.report.schedules();
        let place = Place::new(plan.clone());
        let (ending, outcome) = match self.play_in::<W, T>(&place) {
            Ok(played) => played,
            Err(e) => return Err(no_ending(&place, schedules, &e)),
        };
        if outcome != t.expected {
            let (expected, found) = (format!("{:#?}", t.expected), format!("{outcome:#?}"));
            let difference = show::difference(&expected, &found);
            let why = format!("the outcome is another one:\n{difference}");
            return Err(failure(plan, schedules, why, &ending));
        }
        self.judge::<W>(plan, &ending, rebuilt, &mut t.report)?;
        Ok(ending)
    }

    /// Holds the log against the laws.
    fn judge<W>(
        &self,
        plan: &Plan,
        ending: &Ending,
        rebuilt: bool,
        report: &mut Report,
    ) -> Result<(), Box<Failure>>
    where
        A: Fn(&Place, &W) -> AppBuilder,
        W: Default,
    {
        let mut found = broken_by(&ending.log);
        if rebuilt && found.is_empty() {
            report.rebuilt += 1;
            found = broken_by_rebuild(ending, |place| (self.system)(place, &W::default()));
        }
        if found.is_empty() {
            return Ok(());
        }
        let found: Vec<String> = found.iter().map(Broken::to_string).collect();
        let schedules = report.schedules();
        Err(failure(plan, schedules, found.join("\n"), ending))
    }
}

/// Where to crash: before and after each operation. A crash before an operation leaves what a
/// crash after the one before it leaves, unless the world outside heard an answer or time went by
/// in between; then it is left out. All that is in memory is gone either way.
pub(super) fn places_to_crash(trail: &[Operation]) -> (Vec<Crash>, u64) {
    let mut all = vec![];
    let mut equal = 0;
    let mut known = None;
    for operation in trail {
        let at = operation.number;
        if known == Some(operation.known) {
            equal += 1;
        } else {
            let side = Side::Before;
            all.push(Crash { at, side });
        }
        let side = Side::After;
        all.push(Crash { at, side });
        known = Some(operation.known);
    }
    (all, equal)
}

/// Some of everything, by a seed.
pub(super) fn mixed_plan(seed: u64, operations: u64) -> Plan {
    let mut chance = super::Chance::of(seed ^ 0x5eed);
    let mut crash = || Crash {
        at: 1 + chance.below(operations.max(1)),
        side: if chance.one_in(2) {
            Side::Before
        } else {
            Side::After
        },
    };
    let crashes = vec![crash(), crash()];
    let workers = if chance.one_in(3) { 2 } else { 1 };
    Plan {
        crashes,
        // Two programs have a database each, and it goes with them.
        database_survives: workers == 1 && chance.one_in(2),
        workers,
        ..Plan::faulty(seed)
    }
}

/// L1 and L2: everything is made anew from the log; nothing may be issued, all must be the same.
pub fn broken_by_rebuild(ending: &Ending, system: impl Fn(&Place) -> AppBuilder) -> Vec<Broken> {
    let one = |law, why: String| Broken {
        law,
        position: 0,
        why,
    };
    let anew = match rebuild(&ending.log, system) {
        Ok(anew) => anew,
        Err(e) => return vec![one(Law::RebuildIsSilent, e.to_string())],
    };
    let mut found = vec![];
    if !anew.trail.is_empty() {
        let said: Vec<String> = anew.trail.iter().map(Operation::to_string).collect();
        found.push(one(Law::RebuildIsSilent, said.join("; ")));
    }
    if anew.database != ending.database {
        let live = ending.database.join("\n");
        let difference = show::difference(&live, &anew.database.join("\n"));
        found.push(one(Law::RebuildIsEqual, difference));
    }
    found
}

/// A run that has no ending, with what there is of it.
fn no_ending(place: &Place, schedules: u64, error: &RunError) -> Box<Failure> {
    let ending = Ending {
        log: log_of(place),
        trail: place.trail(),
        database: vec![],
    };
    let broken = broken_by(&ending.log);
    let why: Vec<String> = std::iter::once(error.to_string())
        .chain(broken.iter().map(Broken::to_string))
        .collect();
    failure(place.plan(), schedules, why.join("\n"), &ending)
}

fn failure(plan: &Plan, schedules: u64, why: String, ending: &Ending) -> Box<Failure> {
    Box::new(Failure {
        plan: plan.clone(),
        schedules,
        why,
        trail: ending.trail.clone(),
        log: ending.text(),
    })
}
