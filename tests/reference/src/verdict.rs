//! Verdicts over many cases, reported together.

use std::fmt::Debug;

use tether_api::data::{Bytes, SchemaAndValue};

use crate::{Outcome, schema_to_json, value_to_json};

/// What a report shows of an outcome.
pub trait Shown {
    /// All of it, as differences may be deep inside.
    fn shown(&self) -> String;
}

impl Shown for Option<Bytes> {
    fn shown(&self) -> String {
        format!("{self:?}")
    }
}

impl Shown for String {
    fn shown(&self) -> String {
        self.clone()
    }
}

impl Shown for SchemaAndValue {
    fn shown(&self) -> String {
        let schema = self.schema.as_ref().map(schema_to_json);
        let schema = schema.unwrap_or_default();
        format!("{schema} {}", value_to_json(&self.value))
    }
}

impl<T: Shown> Shown for Outcome<T> {
    fn shown(&self) -> String {
        match self {
            Self::Returned(value) => value.shown(),
            Self::Failed { class, message } => format!("{class}: {message}"),
        }
    }
}

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
    pub fn compare<T: PartialEq + Shown>(
        &mut self,
        case: impl Debug,
        ours: &Outcome<T>,
        reference: &Outcome<T>,
    ) {
        self.cases += 1;
        if !ours.agrees_with(reference) {
            self.differences.push(format!(
                "case {case:?}\n  ours      {}\n  reference {}",
                ours.shown(),
                reference.shown()
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
