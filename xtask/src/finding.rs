//! What a check found: where, what is wrong, what to do.

use std::fmt;

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) wrong: String,
    /// What to do about it.
    pub(crate) remedy: String,
    /// Whether it is only worth a thought: it does not fail the check.
    pub(crate) remark: bool,
}

impl Finding {
    /// Something that fails the check.
    pub(crate) fn new(
        path: &str,
        line: usize,
        wrong: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        let (wrong, remedy) = (wrong.into(), remedy.into());
        Finding {
            path: path.to_owned(),
            line,
            wrong,
            remedy,
            remark: false,
        }
    }

    /// The same, worth a thought only.
    pub(crate) fn into_remark(self) -> Finding {
        Finding {
            remark: true,
            ..self
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.remark { "remark: " } else { "" };
        write!(
            f,
            "{}:{}: {kind}{}; {}",
            self.path, self.line, self.wrong, self.remedy
        )
    }
}
