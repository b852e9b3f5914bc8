//! Verdicts over many cases, reported together.

use std::fmt::Debug;

use crate::Outcome;

/// Compares case after case and reports all differences at the end, as one
/// that is known to come first must not hide the others.
#[derive(Default)]
pub struct Verdicts {
    cases: usize,
    differences: Vec<String>,
}

impl Verdicts {
    /// No cases yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compares one case.
    pub fn compare<T: PartialEq + Debug>(
        &mut self,
        case: impl Debug,
        ours: &Outcome<T>,
        reference: &Outcome<T>,
    ) {
        self.cases += 1;
        if !ours.agrees_with(reference) {
            self.differences.push(format!(
                "case {case:?}\n  ours      {ours:?}\n  reference {reference:?}"
            ));
        }
    }

    /// The number of cases.
    pub fn cases(&self) -> usize {
        self.cases
    }

    /// Ends with a report unless all cases were alike.
    ///
    /// # Errors
    /// The first differences, and how many there are.
    pub fn finish(self) -> anyhow::Result<usize> {
        if self.differences.is_empty() {
            return Ok(self.cases);
        }
        anyhow::bail!(
            "{} of {} cases differ:\n{}",
            self.differences.len(),
            self.cases,
            self.differences[..self.differences.len().min(20)].join("\n")
        )
    }
}
