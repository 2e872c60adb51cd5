//! Every crash of either system: a scenario is played once without trouble, then with a crash at
//! every operation of both, then at pairs of operations, then with seeded faults.

use super::run::run;
use super::side::Side;
use super::way::Ways;
use super::world::World;
use crate::app::AppBuilder;
use crate::sim::Chance;
use crate::sim::ending::Ending;
use crate::sim::every::{Extent, Report, broken_by_rebuild, mixed_plan, places_to_crash};
use crate::sim::laws::broken_beside;
use crate::sim::place::Operation;
use crate::sim::plan::{Crash, Plan};
use crate::sim::run::{RunError, log_of};
use crate::sim::show;
use std::fmt::{self, Debug, Display};
use std::sync::Arc;

/// What the systems are called in texts.
const NAMES: [&str; 2] = ["first", "second"];

/// A schedule that went wrong, with all that is needed to see why.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// What was to go wrong in each; played again, it goes the same way.
    pub plans: [Plan; 2],
    /// How many schedules were tried before it, itself included.
    pub schedules: u64,
    /// What is wrong, as text: laws that were broken, the difference of the outcomes.
    pub why: String,
    /// Every operation of each.
    pub trails: [Vec<Operation>; 2],
    /// The logs as text.
    pub logs: [String; 2],
}

impl std::error::Error for Failure {}

impl Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "schedule {} goes wrong:", self.schedules)?;
        for (name, plan) in NAMES.iter().zip(&self.plans) {
            writeln!(f, "  {name}: {plan}")?;
        }
        writeln!(f, "{}\noperations:", self.why)?;
        let named = |n: usize| self.trails[n].iter().map(move |o| (o.order, NAMES[n], o));
        let mut all: Vec<_> = named(0).chain(named(1)).collect();
        all.sort_by_key(|(order, ..)| *order);
        for (_, name, operation) in all {
            writeln!(f, "  {name}: {operation}")?;
        }
        for (name, log) in NAMES.iter().zip(&self.logs) {
            writeln!(f, "log of the {name}:\n{log}")?;
        }
        Ok(())
    }
}

/// Two systems with a scenario and a way to see how it ended.
///
/// `first` and `second` wire them, and are asked again for each life. `scenario` is what happens
/// around them. `outcome` is what must be the same whatever goes wrong.
pub struct Every<A, B, S, O> {
    first: A,
    second: B,
    scenario: S,
    outcome: O,
    extent: Extent,
}

impl<A, B, S, O> Debug for Every<A, B, S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Every")
            .field("extent", &self.extent)
            .finish_non_exhaustive()
    }
}

/// Two systems in one world: what else there is in it, such as further systems with ledgers, is
/// made for each run.
pub fn every_crash<A, B, S, O, W, T>(
    first: A,
    second: B,
    scenario: S,
    outcome: O,
) -> Every<A, B, S, O>
where
    A: Fn(&Side, &W) -> AppBuilder,
    B: Fn(&Side, &W) -> AppBuilder,
    S: AsyncFn(&World, &W),
    O: Fn(&[Ending; 2], &W) -> T,
    W: Default,
    T: PartialEq + Debug,
{
    Every {
        first,
        second,
        scenario,
        outcome,
        extent: Extent::default(),
    }
}

/// A run: how it ended and its outcome; or why it did not, with what there is of it.
type Played<T> = Result<([Ending; 2], T), Box<(RunError, [Ending; 2])>>;

impl<A, B, S, O> Every<A, B, S, O> {
    /// Tries more or less.
    #[must_use]
    pub fn extent(mut self, extent: Extent) -> Self {
        self.extent = extent;
        self
    }

    /// Plays one schedule; gives how it ended and its outcome.
    ///
    /// # Errors
    /// A system does not start, or is stuck.
    pub fn play<W, T>(&self, plans: &[Plan; 2]) -> Result<([Ending; 2], T), RunError>
    where
        A: Fn(&Side, &W) -> AppBuilder,
        B: Fn(&Side, &W) -> AppBuilder,
        S: AsyncFn(&World, &W),
        O: Fn(&[Ending; 2], &W) -> T,
        W: Default,
    {
        self.played(plans).map_err(|broke_off| broke_off.0)
    }

    fn played<W, T>(&self, plans: &[Plan; 2]) -> Played<T>
    where
        A: Fn(&Side, &W) -> AppBuilder,
        B: Fn(&Side, &W) -> AppBuilder,
        S: AsyncFn(&World, &W),
        O: Fn(&[Ending; 2], &W) -> T,
        W: Default,
    {
        let (outside, ways) = (W::default(), Arc::<Ways>::default());
        let sides = Side::both(plans, &ways);
        let world = World::around(&sides, &ways);
        let scenario = Box::pin(async {
            (self.scenario)(&world, &outside).await;
            world.arrive().await;
        });
        let (first, second) = (
            |side: &Side| (self.first)(side, &outside),
            |side: &Side| (self.second)(side, &outside),
        );
        match run(&sides, [&first, &second], scenario) {
            Ok(endings) => {
                let outcome = (self.outcome)(&endings, &outside);
                Ok((endings, outcome))
            }
            Err(e) => Err(Box::new((e, sides.each_ref().map(unfinished)))),
        }
    }

    /// Tries everything. An [`Extent`] counts here as for one system; pairs are crashes of one
    /// system or of both.
    ///
    /// # Errors
    /// The first schedule that ends otherwise than the one without trouble, or breaks a law.
    pub fn check<W, T>(&self) -> Result<Report, Box<Failure>>
    where
        A: Fn(&Side, &W) -> AppBuilder,
        B: Fn(&Side, &W) -> AppBuilder,
        S: AsyncFn(&World, &W),
        O: Fn(&[Ending; 2], &W) -> T,
        W: Default,
        T: PartialEq + Debug,
    {
        let mut report = Report::default();
        let calm = [Plan::calm(), Plan::calm()];
        let (endings, expected) = match self.played(&calm) {
            Ok(played) => played,
            Err(broke_off) => {
                let (e, endings) = *broke_off;
                return Err(failure(&calm, &report, e.to_string(), &endings));
            }
        };
        report.operations = endings.iter().map(|e| e.trail.len() as u64).sum();
        self.judge::<W>(&calm, &endings, true, &mut report)?;
        let pairs = self.crashes(&endings, &expected, &mut report)?;
        for (n, plans) in pairs.iter().enumerate() {
            report.pairs += 1;
            let rebuilt = n.is_multiple_of(self.extent.rebuild_one_in.max(1));
            self.attempt(plans, rebuilt, &expected, &mut report)?;
        }
        for plans in self.faults(&endings) {
            report.faulty += 1;
            self.attempt(&plans, true, &expected, &mut report)?;
        }
        Ok(report)
    }

    /// Each crash of either; gives the pairs that are to be tried.
    fn crashes<W, T>(
        &self,
        calm: &[Ending; 2],
        expected: &T,
        report: &mut Report,
    ) -> Result<Vec<[Plan; 2]>, Box<Failure>>
    where
        A: Fn(&Side, &W) -> AppBuilder,
        B: Fn(&Side, &W) -> AppBuilder,
        S: AsyncFn(&World, &W),
        O: Fn(&[Ending; 2], &W) -> T,
        W: Default,
        T: PartialEq + Debug,
    {
        let mut pairs = vec![];
        for side in [0, 1] {
            let (places, equal) = places_to_crash(&calm[side].trail);
            report.equal += equal;
            for crash in places {
                report.singles += 1;
                let plans = crashing(side, &[crash], &[]);
                let endings = self.attempt(&plans, true, expected, report)?;
                let (again, other) = (&endings[side].trail, &endings[1 - side].trail);
                let again: Vec<Operation> = again.iter().filter(|o| o.life == 2).cloned().collect();
                let (again, _) = places_to_crash(&again);
                pairs.extend(again.iter().map(|b| crashing(side, &[crash, *b], &[])));
                // Each of those is found from one of the two.
                let (other, _) = places_to_crash(if side == 0 { other } else { &[] });
                pairs.extend(other.iter().map(|b| crashing(side, &[crash], &[*b])));
            }
        }
        report.all_pairs = pairs.len() as u64;
        if pairs.len() > self.extent.pairs {
            Chance::of(self.extent.seed).shuffle(&mut pairs);
            pairs.truncate(self.extent.pairs);
        }
        Ok(pairs)
    }

    /// Seeded faults, without crashes and with some.
    fn faults(&self, calm: &[Ending; 2]) -> Vec<[Plan; 2]> {
        let Extent {
            faulty,
            mixed,
            seed,
            ..
        } = self.extent;
        // The two must not draw the same numbers.
        let of = |n: u64, side: u64| seed.wrapping_add(2 * n + side);
        let faulty = (0..faulty).map(|n| [0, 1].map(|side| Plan::faulty(of(n, side))));
        let length = |side: usize| calm[side].trail.len() as u64;
        let mixed = (0..mixed)
            .map(|n| [0, 1].map(|side| mixed_plan(of(n, side), length(usize::from(side != 0)))));
        faulty.chain(mixed).collect()
    }

    fn attempt<W, T>(
        &self,
        plans: &[Plan; 2],
        rebuilt: bool,
        expected: &T,
        report: &mut Report,
    ) -> Result<[Ending; 2], Box<Failure>>
    where
        A: Fn(&Side, &W) -> AppBuilder,
        B: Fn(&Side, &W) -> AppBuilder,
        S: AsyncFn(&World, &W),
        O: Fn(&[Ending; 2], &W) -> T,
        W: Default,
        T: PartialEq + Debug,
    {
        let (endings, outcome) = match self.played(plans) {
            Ok(played) => played,
            Err(broke_off) => {
                let (e, endings) = *broke_off;
                let broken = broken_laws(&endings).join("\n");
                return Err(failure(plans, report, format!("{e}\n{broken}"), &endings));
            }
        };
        if outcome != *expected {
            let (expected, found) = (format!("{expected:#?}"), format!("{outcome:#?}"));
            let difference = show::difference(&expected, &found);
            let why = format!("the outcome is another one:\n{difference}");
            return Err(failure(plans, report, why, &endings));
        }
        self.judge::<W>(plans, &endings, rebuilt, report)?;
        Ok(endings)
    }

    /// Holds both logs against the laws.
    fn judge<W>(
        &self,
        plans: &[Plan; 2],
        endings: &[Ending; 2],
        rebuilt: bool,
        report: &mut Report,
    ) -> Result<(), Box<Failure>>
    where
        A: Fn(&Side, &W) -> AppBuilder,
        B: Fn(&Side, &W) -> AppBuilder,
        W: Default,
    {
        let mut found = broken_laws(endings);
        if rebuilt && found.is_empty() {
            report.rebuilt += 1;
            let [first, second] = endings;
            let anew = broken_by_rebuild(first, |p| (self.first)(&Side::alone(p), &W::default()));
            found.extend(anew.iter().map(|b| format!("first: {b}")));
            let anew = broken_by_rebuild(second, |p| (self.second)(&Side::alone(p), &W::default()));
            found.extend(anew.iter().map(|b| format!("second: {b}")));
        }
        match found.is_empty() {
            true => Ok(()),
            false => Err(failure(plans, report, found.join("\n"), endings)),
        }
    }
}

/// The first system stops at some operations, or the second, or both.
fn crashing(side: usize, here: &[Crash], there: &[Crash]) -> [Plan; 2] {
    let mut plans = [Plan::crashing(here), Plan::crashing(there)];
    if side == 1 {
        plans.reverse();
    }
    plans
}

fn broken_laws([first, second]: &[Ending; 2]) -> Vec<String> {
    let of = |name: &str, log: &Ending, other: &Ending| {
        let broken = broken_beside(&log.log, &other.log);
        let named = broken.iter().map(|b| format!("{name}: {b}"));
        named.collect::<Vec<_>>()
    };
    let mut found = of(NAMES[0], first, second);
    found.extend(of(NAMES[1], second, first));
    found
}

/// What there is of a run without an ending.
fn unfinished(side: &Side) -> Ending {
    Ending {
        log: log_of(side.place()),
        trail: side.place().trail(),
        database: vec![],
    }
}

fn failure(plans: &[Plan; 2], r: &Report, why: String, endings: &[Ending; 2]) -> Box<Failure> {
    Box::new(Failure {
        plans: plans.clone(),
        schedules: r.schedules(),
        why,
        trails: endings.each_ref().map(|e| e.trail.clone()),
        logs: endings.each_ref().map(Ending::text),
    })
}
