//! The lines of the text, by family: all samples of one name come together.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use super::escape::{push_help, push_label_value};

/// What a family has: its samples only grow, or may fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
}

/// About the length of a number and what is around it.
const EXPECTED_NUMBER: usize = 16;

/// Labels as they stand between the braces, `a="1",b="2"`.
#[derive(Debug, Default)]
pub(super) struct Labels {
    text: String,
    names: Vec<String>,
}

impl Labels {
    /// Adds one; `name` is safe. One that is there already is called
    /// `exported_name`, as Prometheus calls labels that it has itself.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        let name = self.free_name(name).into_owned();
        push_label(&mut self.text, 0, &name, value);
        self.names.push(name);
    }

    /// Forgets all, but not the memory.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.names.clear();
    }

    fn free_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let mut name = Cow::Borrowed(name);
        while self.names.iter().any(|known| *known == name) {
            name = Cow::Owned(format!("exported_{name}"));
        }
        name
    }
}

/// Families with their samples. They are made empty and filled again for each
/// text, whichever thread that is on: memory that a thread has freed serves that
/// thread only, and the pool of the runtime has very many.
#[derive(Default)]
pub(crate) struct Families {
    families: Vec<Family>,
    by_name: HashMap<String, usize>,
}

struct Family {
    name: String,
    kind: Kind,
    help: &'static str,
    samples: String,
}

impl Families {
    /// The family of this name, which is made if there is none.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &'static str) -> usize {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let family = self.families.len();
        self.families.push(Family {
            name: name.to_owned(),
            kind,
            help,
            samples: String::new(),
        });
        self.by_name.insert(name.to_owned(), family);
        family
    }

    /// Makes room for so many more samples with about these labels.
    pub(super) fn expect(&mut self, family: usize, samples: usize, labels: &Labels) {
        if let Some(family) = self.families.get_mut(family) {
            let line = family.name.len() + labels.text.len() + EXPECTED_NUMBER;
            family.samples.reserve(samples * line);
        }
    }

    /// Adds a sample with these labels and this number.
    pub(super) fn sample(&mut self, family: usize, labels: &Labels, number: &str) {
        let Some(Family { name, samples, .. }) = self.families.get_mut(family) else {
            return;
        };
        samples.push_str(name);
        if !labels.text.is_empty() {
            samples.push('{');
            samples.push_str(&labels.text);
            samples.push('}');
        }
        samples.push(' ');
        samples.push_str(number);
        samples.push('\n');
    }

    /// The same with a label more.
    pub(super) fn sample_with(
        &mut self,
        family: usize,
        labels: &Labels,
        (label, value): (&str, &str),
        number: &str,
    ) {
        let Some(Family { name, samples, .. }) = self.families.get_mut(family) else {
            return;
        };
        samples.push_str(name);
        samples.push('{');
        let start = samples.len();
        samples.push_str(&labels.text);
        push_label(samples, start, &labels.free_name(label), value);
        samples.push_str("} ");
        samples.push_str(number);
        samples.push('\n');
    }

    /// Forgets the samples, but not the memory, unless it was far more than they
    /// needed.
    pub(super) fn clear(&mut self) {
        for Family { samples, .. } in &mut self.families {
            if samples.capacity() / 4 > samples.len() {
                *samples = String::new();
            }
            samples.clear();
        }
    }

    pub(super) fn text(&self) -> String {
        let length = |family: &Family| family.samples.len() + 2 * family.name.len() + 200;
        let mut text = String::with_capacity(self.families.iter().map(length).sum());
        for family in &self.families {
            if family.samples.is_empty() {
                continue;
            }
            let kind = match family.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
            };
            let _ = write!(text, "# HELP {} ", family.name);
            push_help(&mut text, family.help);
            let _ = writeln!(text, "\n# TYPE {} {kind}", family.name);
            text.push_str(&family.samples);
        }
        text
    }
}

/// Appends a label, with a comma if there is something since `start`.
fn push_label(out: &mut String, start: usize, name: &str, value: &str) {
    if out.len() > start {
        out.push(',');
    }
    out.push_str(name);
    out.push_str("=\"");
    push_label_value(out, value);
    out.push('"');
}

/// Puts a number as Prometheus reads it in place of what is there.
pub(super) fn set_number(out: &mut String, value: f64) {
    /// Numbers without a fraction up to here are exact as integers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    out.clear();
    let _ = if value.is_nan() {
        write!(out, "NaN")
    } else if value.is_infinite() {
        write!(out, "{}Inf", if value > 0.0 { '+' } else { '-' })
    } else if value.fract() == 0.0 && value.abs() < EXACT {
        write!(out, "{}", value as i64)
    } else {
        write!(out, "{value}")
    };
}
