//! Groups of attributes.

use std::borrow::Cow;
use std::sync::Arc;

use crate::registry::Metrics;
use crate::sensor::{Sensor, Statistic};
use crate::value::{Counter, Gauge, Text};

/// What a group is called, as the name of an MBean: `domain:type=…,tag=…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupName {
    pub(crate) domain: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) tags: Vec<(Cow<'static, str>, String)>,
}

/// A group's attributes with what they have to say.
pub(crate) struct GroupData {
    pub(crate) name: GroupName,
    pub(crate) attributes: Vec<Attribute>,
}

pub(crate) struct Attribute {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    source: Source,
}

enum Source {
    Counter(Arc<Counter>),
    Gauge(Arc<Gauge>),
    Text(Arc<Text>),
    Sensor(Arc<Sensor>, Statistic),
    Computed(Box<dyn Fn() -> f64 + Send + Sync>),
    Texts(&'static str, Box<dyn Fn() -> Vec<String> + Send + Sync>),
    Rows(
        &'static str,
        Box<dyn Fn() -> Vec<(String, f64)> + Send + Sync>,
    ),
}

/// What an attribute says.
pub(crate) enum Reading {
    Number(f64),
    Text(Cow<'static, str>),
    Texts(Vec<String>),
    /// The name of the key, and a number for each.
    Rows(&'static str, Vec<(String, f64)>),
}

impl Attribute {
    /// What it says; `now` is the time of the registry's clock.
    pub(crate) fn read(&self, now: u64) -> Reading {
        match &self.source {
            Source::Counter(counter) => Reading::Number(counter.get() as f64),
            Source::Gauge(gauge) => Reading::Number(gauge.get() as f64),
            Source::Text(text) => Reading::Text(text.get()),
            Source::Sensor(sensor, statistic) => {
                Reading::Number(sensor.measure_at(*statistic, now))
            }
            Source::Computed(compute) => Reading::Number(compute()),
            Source::Texts(_, texts) => Reading::Texts(texts()),
            Source::Rows(key, rows) => Reading::Rows(key, rows()),
        }
    }

    pub(crate) fn is_counter(&self) -> bool {
        matches!(
            &self.source,
            Source::Counter(_) | Source::Sensor(_, Statistic::Total)
        )
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(&self.source, Source::Text(_) | Source::Texts(..))
    }

    /// What a label is called that has its text.
    pub(crate) fn text_label(&self) -> &'static str {
        match &self.source {
            Source::Texts(label, _) => label,
            _ => self.name,
        }
    }
}

/// A group before it is registered. Attributes appear in the order in which they
/// are added; each has a name of its own in the group, and a sentence about its
/// meaning with its unit.
pub struct GroupBuilder {
    metrics: Metrics,
    data: GroupData,
}

impl GroupBuilder {
    pub(crate) fn new(metrics: &Metrics, domain: &'static str, kind: &'static str) -> Self {
        Self {
            metrics: metrics.clone(),
            data: GroupData {
                name: GroupName {
                    domain,
                    kind,
                    tags: Vec::new(),
                },
                attributes: Vec::new(),
            },
        }
    }

    /// Adds a tag, after those that are there.
    pub fn tag(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> &mut Self {
        self.data.name.tags.push((name.into(), value.into()));
        self
    }

    /// Adds a counter; its name should end with `-total`, if the reference has no
    /// other.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Arc<Counter> {
        let counter = Arc::<Counter>::default();
        self.add(name, help, Source::Counter(Arc::clone(&counter)));
        counter
    }

    /// Adds a counter that is there already, and goes on when the group is gone.
    pub fn known_counter(&mut self, name: &'static str, help: &'static str, counter: Arc<Counter>) {
        self.add(name, help, Source::Counter(counter));
    }

    /// Adds a gauge, at first 0.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Arc<Gauge> {
        let gauge = Arc::<Gauge>::default();
        self.add(name, help, Source::Gauge(Arc::clone(&gauge)));
        gauge
    }

    /// Adds a text, at first this one.
    pub fn text(
        &mut self,
        name: &'static str,
        help: &'static str,
        value: impl Into<Cow<'static, str>>,
    ) -> Arc<Text> {
        let text = Arc::<Text>::default();
        text.set(value);
        self.add(name, help, Source::Text(Arc::clone(&text)));
        text
    }

    /// Adds a number that is computed when somebody asks. That must be quick and
    /// must not wait.
    pub fn computed(
        &mut self,
        name: &'static str,
        help: &'static str,
        compute: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        self.add(name, help, Source::Computed(Box::new(compute)));
    }

    /// Adds numbers by key, such as the rows of each table, which are put together
    /// when somebody asks; `key` says what the keys are. As quick as above.
    pub fn rows(
        &mut self,
        name: &'static str,
        help: &'static str,
        key: &'static str,
        rows: impl Fn() -> Vec<(String, f64)> + Send + Sync + 'static,
    ) {
        self.add(name, help, Source::Rows(key, Box::new(rows)));
    }

    /// Adds texts, such as the names of tables, or one that there may not be; they
    /// are put together when somebody asks. `label` says what each of them is. As
    /// quick as above.
    pub fn texts(
        &mut self,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        texts: impl Fn() -> Vec<String> + Send + Sync + 'static,
    ) {
        self.add(name, help, Source::Texts(label, Box::new(texts)));
    }

    /// A sensor for [`GroupBuilder::statistic`].
    pub fn sensor(&self) -> Arc<Sensor> {
        Arc::new(Sensor::new(
            self.metrics.clock().clone(),
            self.metrics.sampling(),
        ))
    }

    /// Adds what the values of a sensor come to.
    pub fn statistic(
        &mut self,
        sensor: &Arc<Sensor>,
        statistic: Statistic,
        name: &'static str,
        help: &'static str,
    ) {
        self.add(name, help, Source::Sensor(Arc::clone(sensor), statistic));
    }

    /// Makes the group visible, in place of one of the same name.
    #[must_use = "the group vanishes when this is dropped"]
    pub fn register(self) -> Group {
        let data = Arc::new(self.data);
        self.metrics.insert(Arc::clone(&data));
        Group {
            metrics: self.metrics,
            data,
        }
    }

    fn add(&mut self, name: &'static str, help: &'static str, source: Source) {
        self.data.attributes.push(Attribute { name, help, source });
    }
}

/// A registered group. It vanishes when this is dropped.
#[must_use = "the group vanishes when this is dropped"]
pub struct Group {
    metrics: Metrics,
    data: Arc<GroupData>,
}

impl Drop for Group {
    fn drop(&mut self) {
        self.metrics.remove(&self.data);
    }
}
