//! Classes that configurations ask for, that cannot be had here, and what to do
//! instead.

/// Why there is no such transformation, and what to do.
pub(super) fn transformation(class: &str) -> Option<&'static str> {
    Some(match class {
        "io.debezium.transforms.Filter" => {
            "Filter runs scripts, which need a script engine of Java. Drop records with \
             org.apache.kafka.connect.transforms.Filter and a predicate, such as TopicNameMatches, \
             HasHeaderKey or RecordIsTombstone, or leave the rows out of the publication."
        }
        "io.debezium.transforms.ContentBasedRouter" => {
            "ContentBasedRouter runs scripts, which need a script engine of Java. Route by a field with \
             route.by.field of io.debezium.transforms.ExtractNewRecordState, or by the topic with \
             org.apache.kafka.connect.transforms.RegexRouter."
        }
        "io.debezium.transforms.tracing.ActivateTracingSpan" => {
            "ActivateTracingSpan makes spans with OpenTelemetry's libraries for Java. Remove it; events \
             carry the column with the span's context all the same."
        }
        _ => return None,
    })
}
