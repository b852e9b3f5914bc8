//! Names of the headers that tell of a dead letter what failed
//! (`DeadLetterQueueReporter`). Their values are text.

/// What all of them begin with.
pub const PREFIX: &str = "__connect.errors.";
/// The topic that a sink's record came from, or that a source meant it for.
pub const TOPIC: &str = "__connect.errors.topic";
/// The partition that a sink's record came from.
pub const PARTITION: &str = "__connect.errors.partition";
/// The offset that a sink's record had.
pub const OFFSET: &str = "__connect.errors.offset";
/// The source partition of a source's record, as JSON; an extension.
pub const SOURCE_PARTITION: &str = "__connect.errors.source.partition";
/// The source offset of a source's record, as JSON; an extension.
pub const SOURCE_OFFSET: &str = "__connect.errors.source.offset";
/// The connector.
pub const CONNECTOR: &str = "__connect.errors.connector.name";
/// The number of the task.
pub const TASK: &str = "__connect.errors.task.id";
/// The stage, such as `VALUE_CONVERTER`.
pub const STAGE: &str = "__connect.errors.stage";
/// The Java class that failed.
pub const CLASS: &str = "__connect.errors.class.name";
/// The Java class of the exception.
pub const EXCEPTION: &str = "__connect.errors.exception.class.name";
/// Its message.
pub const MESSAGE: &str = "__connect.errors.exception.message";
/// Its trace.
pub const TRACE: &str = "__connect.errors.exception.stacktrace";
