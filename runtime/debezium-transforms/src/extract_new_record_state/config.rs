//! What a configuration says.

use std::sync::{Arc, LazyLock};

use tether_api::Result;
use tether_api::config::{ConfigDef, ConfigType, Importance, Width};
use tether_api::data::Text;

use super::reference::FieldReference;
use crate::settings::{Settings, key, refused};

const DELETES: &str = "delete.tombstone.handling.mode";
const ROUTE_BY_FIELD: &str = "route.by.field";
const ADD_FIELDS_PREFIX: &str = "add.fields.prefix";
const ADD_FIELDS: &str = "add.fields";
const ADD_HEADERS_PREFIX: &str = "add.headers.prefix";
const ADD_HEADERS: &str = "add.headers";
const DROP_FIELDS_HEADER: &str = "drop.fields.header.name";
const DROP_FIELDS_FROM_KEY: &str = "drop.fields.from.key";
const DROP_FIELDS_COMPATIBLE: &str = "drop.fields.keep.schema.compatible";
/// Not among the keys that forms show, yet honoured.
const REPLACE_NULLS: &str = "replace.null.with.default";

const PREFIX: &str = "__";

/// What becomes of deletions and of the tombstones after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deletes {
    /// Both are dropped.
    Drop,
    /// A deletion loses its value; its tombstone is dropped.
    Tombstone,
    /// A deletion becomes its last row, marked; its tombstone is dropped.
    Rewrite,
    /// A deletion becomes its last row, marked; its tombstone stays.
    RewriteWithTombstone,
    /// A deletion loses value and schema; its tombstone is dropped.
    DeleteToTombstone,
}

const MODES: [(&str, Deletes); 5] = [
    ("drop", Deletes::Drop),
    ("tombstone", Deletes::Tombstone),
    ("rewrite", Deletes::Rewrite),
    ("rewrite-with-tombstone", Deletes::RewriteWithTombstone),
    ("delete-to-tombstone", Deletes::DeleteToTombstone),
];

impl Deletes {
    /// Whether rows are marked as deleted or not.
    pub(super) fn marks(self) -> bool {
        matches!(self, Self::Rewrite | Self::RewriteWithTombstone)
    }
}

/// Fields that are left out because a header names them.
pub(super) struct DroppedFields {
    /// The header.
    pub(super) header: Text,
    /// Whether they are left out of the key too.
    pub(super) from_key: bool,
    /// Whether only optional fields are left out.
    pub(super) compatible: bool,
}

/// What a configuration says.
pub(super) struct Config {
    pub(super) deletes: Deletes,
    /// The field whose value is the new topic.
    pub(super) route_by: Option<Text>,
    pub(super) fields: Vec<FieldReference>,
    pub(super) headers: Vec<FieldReference>,
    pub(super) dropped: Option<DroppedFields>,
    /// Whether nulls of marked rows become defaults.
    pub(super) replace_nulls: bool,
}

/// The keys that forms show.
pub(super) fn definition() -> Arc<ConfigDef> {
    static DEF: LazyLock<Arc<ConfigDef>> = LazyLock::new(|| {
        let mut deletes = key(
            DELETES,
            ConfigType::String,
            "Handle delete and tombstone records",
            "What becomes of a deletion and of the tombstone after it: 'drop' drops both, \
             'tombstone' keeps the deletion without a value, 'rewrite' keeps its last row with \
             the field __deleted, 'rewrite-with-tombstone' keeps the tombstone besides, \
             'delete-to-tombstone' keeps the deletion without value and schema.",
        )
        .default_string("tombstone")
        .importance(Importance::Medium);
        deletes.width = Width::Medium;
        let text = |name, label, doc| key(name, ConfigType::String, label, doc);
        let list = |name, label, doc| key(name, ConfigType::List, label, doc).default_list(&[]);
        let short = |mut key: tether_api::config::ConfigKey| {
            key.width = Width::Short;
            key
        };
        let flag = |name, default, label, doc| {
            short(key(name, ConfigType::Boolean, label, doc).default_boolean(default))
        };
        Arc::new(
            ConfigDef::new()
                .define(deletes)
                .define(
                    text(
                        ROUTE_BY_FIELD,
                        "Route by field name",
                        "The field of the row whose value becomes the topic.",
                    )
                    .default_string(""),
                )
                .define(short(
                    text(
                        ADD_FIELDS_PREFIX,
                        "Field prefix to be added to each field.",
                        "What the names of added fields begin with.",
                    )
                    .default_string(PREFIX),
                ))
                .define(list(
                    ADD_FIELDS,
                    "Adds the specified field(s) to the message if they exist.",
                    "Fields of the event that are added to the row, such as op or source.ts_ms, \
                     each with a new name if one follows after a colon.",
                ))
                .define(short(
                    text(
                        ADD_HEADERS_PREFIX,
                        "Header prefix to be added to each header.",
                        "What the names of added headers begin with.",
                    )
                    .default_string(PREFIX),
                ))
                .define(list(
                    ADD_HEADERS,
                    "Adds the specified fields to the header if they exist.",
                    "Fields of the event that are added as headers, such as op or source.ts_ms, \
                     each with a new name if one follows after a colon.",
                ))
                .define(short(text(
                    DROP_FIELDS_HEADER,
                    "Specifies a header that contains a list of field names to be removed",
                    "The header that names the fields that are left out.",
                )))
                .define(flag(
                    DROP_FIELDS_FROM_KEY,
                    false,
                    "Specifies whether the fields to be dropped should also be omitted from the key",
                    "Whether these fields are left out of the key too.",
                ))
                .define(flag(
                    DROP_FIELDS_COMPATIBLE,
                    true,
                    "Specifies if fields are dropped, will the event's schemas be compatible",
                    "Whether only those of these fields are left out that are optional.",
                )),
        )
    });
    DEF.clone()
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// Other, if a value is wrong.
    pub(super) fn read(settings: &Settings<'_>) -> Result<Self> {
        let mode = settings.text(DELETES);
        let deletes = match mode {
            None => Deletes::Tombstone,
            Some(text) => MODES
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(text.trim()))
                .map(|(_, mode)| *mode)
                .ok_or_else(|| {
                    let names = MODES.map(|(name, _)| name).join(", ");
                    refused(DELETES, mode, &format!("Value must be one of {names}"))
                })?,
        };
        let flag = |name, default| {
            settings.boolean(name, default).ok_or_else(|| {
                let reason = "Either 'true' or 'false' is expected";
                refused(name, settings.text(name), reason)
            })
        };
        let from_key = flag(DROP_FIELDS_FROM_KEY, false)?;
        let compatible = flag(DROP_FIELDS_COMPATIBLE, true)?;
        let header = settings.text(DROP_FIELDS_HEADER);
        let references = |list, prefix| {
            let prefix = settings.text(prefix).unwrap_or(PREFIX);
            FieldReference::parse_all(prefix, settings.text(list).unwrap_or_default())
        };
        Ok(Self {
            deletes,
            route_by: settings
                .text(ROUTE_BY_FIELD)
                .filter(|name| !name.is_empty())
                .map(Text::from),
            fields: references(ADD_FIELDS, ADD_FIELDS_PREFIX)?,
            headers: references(ADD_HEADERS, ADD_HEADERS_PREFIX)?,
            dropped: header
                .filter(|name| !crate::topics::is_blank(name))
                .map(|header| DroppedFields {
                    header: header.into(),
                    from_key,
                    compatible,
                }),
            replace_nulls: settings.boolean(REPLACE_NULLS, true).unwrap_or(true),
        })
    }
}
