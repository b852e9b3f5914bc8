//! Log lines in JSON, an object each.

use std::fmt::{self, Debug};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// `timestamp`, `level`, `logger` and `message`; then what the line tells besides, and what it is about:
/// `connector`, `task`, `request`. It takes spans whose fields [`JsonFields`] has formatted.
pub(super) struct JsonLines;

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Line::default();
        let metadata = event.metadata();
        line.set("timestamp", Timestamp::now().to_string());
        line.set("level", metadata.level().as_str());
        line.set("logger", metadata.target());
        event.record(&mut line);
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>();
            let fields = fields.and_then(|fields| serde_json::from_str(fields).ok());
            line.add(fields.unwrap_or_default());
        }
        line.name_connector();
        writeln!(writer, "{}", Value::Object(line.0))
    }
}

#[derive(Default)]
struct Line(Map<String, Value>);

impl Line {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    /// Adds what is not there yet: an event knows better than its span, an inner span better than those
    /// around it.
    fn add(&mut self, fields: Map<String, Value>) {
        for (key, value) in fields {
            self.0.entry(key).or_insert(value);
        }
    }

    /// A task's id is its connector's name with a number.
    fn name_connector(&mut self) {
        let task = self.0.get("task").and_then(Value::as_str);
        let connector = task.and_then(|task| task.rsplit_once('-'));
        if let Some((connector, _)) = connector {
            let connector = connector.to_owned();
            self.0.entry("connector").or_insert(connector.into());
        }
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field.name(), format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex, PoisonError};

    use serde_json::json;
    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Output {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    /// What is logged meanwhile, without times.
    fn logged(log: impl FnOnce()) -> Vec<Value> {
        let output = Output::default();
        let layer = tracing_subscriber::fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(JsonLines)
            .with_writer(output.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, log);
        let bytes = output.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = bytes.split(|byte| *byte == b'\n').filter(|l| !l.is_empty());
        let objects = lines.map(|line| serde_json::from_slice(line).unwrap());
        objects
            .map(|mut object: Map<String, Value>| {
                assert!(object.remove("timestamp").is_some());
                Value::Object(object)
            })
            .collect()
    }

    #[test]
    fn a_line_says_what_it_is_about() {
        let lines = logged(|| {
            let _request = tracing::info_span!("request", request = "a-1").entered();
            let _task = tracing::info_span!("task", task = %"my-lines-0").entered();
            tracing::warn!(target: "org.apache.kafka", records = 3, error = %"no\n\"room\"", "It waits");
        });
        let expected = json!({
            "level": "WARN", "logger": "org.apache.kafka", "message": "It waits", "records": 3,
            "error": "no\n\"room\"", "task": "my-lines-0", "connector": "my-lines", "request": "a-1",
        });
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn an_event_knows_better_than_its_span() {
        let lines = logged(|| {
            let _connector = tracing::info_span!("connector", connector = "outer").entered();
            tracing::info!(connector = "inner", last = true, "{}", 1);
        });
        let expected = json!({
            "level": "INFO", "logger": module_path!(), "message": "1", "connector": "inner", "last": true,
        });
        assert_eq!(lines, [expected]);
    }
}
