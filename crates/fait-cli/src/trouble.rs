//! Why the program ends early, each reason with its exit code.

use fait::store::StoreError;

/// How many other names are told when none is near.
const SHOWN: usize = 8;

/// Why the program ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// It was looked at, and something is wrong or not there.
    #[error("{0}")]
    Finding(String),
    /// The call is wrong.
    #[error("{0}")]
    Usage(String),
    /// It cannot be reached, or is not ready.
    #[error("{0}")]
    Unreachable(String),
    /// It does not stand as it must for this.
    #[error("{0}")]
    Conflict(String),
    /// The program or what it reads is at fault.
    #[error("{0}")]
    Internal(String),
    /// Nobody reads what is printed any more.
    #[error("nobody reads the output")]
    Closed,
}

impl Trouble {
    /// The exit code; listed in `fait --help`.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Trouble::Closed => 0,
            Trouble::Finding(_) => 1,
            Trouble::Usage(_) => 2,
            Trouble::Unreachable(_) => 3,
            Trouble::Conflict(_) => 4,
            Trouble::Internal(_) => 70,
        }
    }

    /// There is no such thing; names the one that may have been meant.
    pub(crate) fn unknown<'a>(
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Trouble {
        let known: Vec<&str> = known.into_iter().collect();
        let near = known
            .iter()
            .map(|k| (distance(name, k), k))
            .filter(|(d, k)| *d <= 3.max(k.chars().count() / 3))
            .min();
        let hint = match (near, known.is_empty()) {
            (Some((_, near)), _) => format!("did you mean `{near}`?"),
            (None, true) => "there is none yet".into(),
            (None, false) if known.len() > SHOWN => {
                let some = known.iter().take(SHOWN).copied().collect::<Vec<_>>();
                format!("there are, among others: {}", some.join(", "))
            }
            (None, false) => format!("there are: {}", known.join(", ")),
        };
        Trouble::Finding(format!("there is no {what} `{name}`; {hint}"))
    }
}

impl From<StoreError> for Trouble {
    fn from(e: StoreError) -> Self {
        Trouble::Unreachable(e.to_string())
    }
}

/// How many letters differ.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut row = vec![left];
        for (pair, y) in above.windows(2).zip(&b) {
            let other = usize::from(x != *y);
            left = (pair[0] + other).min(pair[1] + 1).min(left + 1);
            row.push(left);
        }
        above = row;
    }
    above.last().copied().unwrap_or_default()
}
