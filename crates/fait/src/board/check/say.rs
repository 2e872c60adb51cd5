//! A comparison as a person reads it.

use super::{Comparison, Entry, Verdict};
use std::fmt;

impl Verdict {
    /// The verdict in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Verdict::Agrees => "agrees",
            Verdict::Planned => "planned",
            Verdict::Elsewhere => "runs elsewhere",
            Verdict::NoLongerPlanned => "no longer planned",
            Verdict::NeverHappened => "never happened",
            Verdict::Missing => "missing in the code",
            Verdict::Renamed => "renamed",
            Verdict::NotOnBoard => "not on the board",
            Verdict::NotDrawn => "happened, not drawn",
            Verdict::Unreadable => "old events nobody reads",
            Verdict::Differs => "differs",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// The differences, then the remarks, then the sum.
impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in self.differences().chain(self.remarks()) {
            write!(f, "{entry}\n\n")?;
        }
        f.write_str(&self.sum())
    }
}

impl Comparison {
    /// One sentence: how much agrees, how much differs.
    #[must_use]
    pub fn sum(&self) -> String {
        let count = |is: &dyn Fn(Verdict) -> bool| {
            self.entries
                .iter()
                .filter(|entry| is(entry.verdict))
                .count()
        };
        let parts = [
            (count(&Verdict::is_difference), "difference", "differences"),
            (count(&Verdict::is_remark), "remark", "remarks"),
        ];
        let mut said: Vec<String> = vec![];
        for (n, one, more) in parts {
            match n {
                0 if one == "difference" => said.push("no difference".into()),
                0 => {}
                1 => said.push(format!("1 {one}")),
                n => said.push(format!("{n} {more}")),
            }
        }
        let agree = count(&|verdict| verdict == Verdict::Agrees);
        said.push(match agree {
            1 => "1 agrees".into(),
            n => format!("{n} agree"),
        });
        for (verdict, what) in [
            (Verdict::Planned, "planned"),
            (Verdict::Elsewhere, "elsewhere"),
        ] {
            match count(&|found| found == verdict) {
                0 => {}
                n => said.push(format!("{n} {what}")),
            }
        }
        let held = match &self.program {
            Some(program) if program.is_empty() => format!("{} held against the code", self.board),
            Some(program) => format!("{} held against {program}", self.board),
            None => format!("{} held against what happened", self.board),
        };
        let counted = self.counted.map(|counted| {
            let whole = counted.up_to >= counted.head;
            match whole {
                true => format!(" and {} positions of its log", counted.head),
                false => format!(
                    " and the first {} of {} positions of its log",
                    counted.up_to, counted.head
                ),
            }
        });
        let counted = counted.unwrap_or_default();
        format!("{held}{counted}: {}", said.join(", "))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = match self.place {
            Some(place) => format!("line {}: ", place.line),
            None => String::new(),
        };
        write!(f, "{line}{}\n  {}", self.verdict, self.says)?;
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        if let Some(draw) = &self.draw {
            write!(f, "\n  write behind line {}:", draw.behind)?;
            for line in draw.text.trim_matches('\n').lines() {
                write!(f, "\n    |{line}")?;
            }
        }
        Ok(())
    }
}
