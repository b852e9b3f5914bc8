//! The text of Prometheus, version 0.0.4.
//!
//! Every attribute appears under the names that existing dashboards ask for:
//! [`naming`] says which.

mod escape;
mod families;
mod naming;
mod process;
#[cfg(any(test, feature = "testing"))]
pub mod reader;
#[cfg(test)]
mod tests;

use crate::group::{Attribute, GroupData, Reading};
use crate::registry::Metrics;

pub(crate) use families::Families;
use families::{Labels, set_number};
use naming::{LabelStyle, Series};

/// The media type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that a registry knows now, and what the system says of this process.
pub fn render(metrics: &Metrics) -> String {
    let mut families = metrics.spare_families();
    let groups = metrics.sorted_groups();
    for run in groups.chunk_by(|a, b| (a.name.domain, a.name.kind) == (b.name.domain, b.name.kind))
    {
        let mut plans = Plans::new(metrics.clock().millis(), run.len());
        for group in run {
            plans.write(group, &mut families);
        }
    }
    process::write(&mut families);
    let text = families.text();
    families.clear();
    metrics.keep_families(families);
    text
}

/// What becomes of the attributes of groups of one domain and type. Most of those
/// groups have the same attributes, so that this is worked out once.
struct Plans {
    now: u64,
    /// How many groups there are.
    groups: usize,
    plans: Vec<Plan>,
    labels: [Labels; LabelStyle::COUNT],
    number: String,
}

struct Plan {
    attribute: &'static str,
    is_text: bool,
    series: Vec<(usize, Series)>,
}

impl Plan {
    fn fits(&self, attribute: &Attribute) -> bool {
        self.attribute == attribute.name && self.is_text == attribute.is_text()
    }
}

impl Plans {
    fn new(now: u64, groups: usize) -> Self {
        Self {
            now,
            groups,
            plans: Vec::new(),
            labels: Default::default(),
            number: String::new(),
        }
    }

    fn write(&mut self, group: &GroupData, families: &mut Families) {
        for style in LabelStyle::of(&group.name) {
            style.fill(&mut self.labels[*style as usize], &group.name);
        }
        for (position, attribute) in group.attributes.iter().enumerate() {
            let known = match self.plans.get(position) {
                Some(plan) if plan.fits(attribute) => Some(position),
                _ => self.plans.iter().position(|plan| plan.fits(attribute)),
            };
            let known = known.unwrap_or_else(|| {
                let series = naming::series(&group.name, attribute);
                let series = series.into_iter().map(|series| {
                    let family = families.family(&series.family, series.kind, attribute.help);
                    families.expect(family, self.groups, &self.labels[series.labels as usize]);
                    (family, series)
                });
                self.plans.push(Plan {
                    attribute: attribute.name,
                    is_text: attribute.is_text(),
                    series: series.collect(),
                });
                self.plans.len() - 1
            });
            let Some(plan) = self.plans.get(known) else {
                continue;
            };
            let reading = attribute.read(self.now);
            // Written once for all names.
            if let Reading::Number(value) = reading {
                set_number(&mut self.number, value);
            }
            for (family, series) in &plan.series {
                let labels = &self.labels[series.labels as usize];
                match &reading {
                    Reading::Number(_) => families.sample(*family, labels, &self.number),
                    Reading::Text(text) => {
                        let label = (&*series.text_label, &**text);
                        families.sample_with(*family, labels, label, "1");
                    }
                    Reading::Texts(texts) => {
                        for text in texts {
                            let label = (&*series.text_label, &**text);
                            families.sample_with(*family, labels, label, "1");
                        }
                    }
                    Reading::Rows(key, rows) => {
                        for (row, value) in rows {
                            set_number(&mut self.number, *value);
                            families.sample_with(*family, labels, (key, row), &self.number);
                        }
                    }
                }
            }
        }
    }
}
