//! Where what is told about data comes from (`metadata.source`).

use tether_api::{ConnectError, Result};

/// Where something is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// In the change event.
    Value,
    /// In a header.
    Header,
    /// It is made of other things.
    Generate,
}

impl Origin {
    const ALL: [(&'static str, &'static str, Self); 3] = [
        ("value", "VALUE", Self::Value),
        ("header", "HEADER", Self::Header),
        ("generate", "GENERATE", Self::Generate),
    ];

    fn of(word: &str) -> Option<Self> {
        let mut known = Self::ALL.iter();
        known
            .find(|(known, ..)| known.eq_ignore_ascii_case(word.trim()))
            .map(|(.., origin)| *origin)
    }

    /// The name of the reference's constant.
    fn name(self) -> &'static str {
        let mut known = Self::ALL.iter();
        let found = known.find(|(.., origin)| *origin == self);
        found.map_or("", |(_, name, _)| name)
    }
}

/// Where each thing comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MetadataSource {
    /// Source, operation and transaction.
    pub(super) global: Origin,
    pub(super) id: Origin,
    pub(super) kind: Origin,
    pub(super) trace_parent: Origin,
    pub(super) data_name: Origin,
}

impl MetadataSource {
    /// Reads the list: first where things come from, then exceptions as
    /// `attribute:origin`.
    ///
    /// # Errors
    /// Config, if there is no such attribute or origin.
    pub(super) fn parse(
        list: &[String],
        tracing: bool,
        data_name_from_header: bool,
    ) -> Result<Self> {
        let first = list.first().map(String::as_str).unwrap_or_default();
        let global = match Origin::of(first) {
            Some(Origin::Generate) => {
                let message = format!(
                    "Global metadata source can't be {}",
                    Origin::Generate.name()
                );
                return Err(ConnectError::config(message));
            }
            Some(global) => global,
            None => {
                return Err(ConnectError::config(format!(
                    "Global metadata source `{first}` is not valid"
                )));
            }
        };
        let mut source = Self {
            global,
            id: global,
            kind: global,
            trace_parent: global,
            data_name: global,
        };
        for item in list.iter().skip(1) {
            let (attribute, word) = item.split_once(':').unwrap_or((item, ""));
            let word = word.split(':').next().unwrap_or_default();
            let origin = Origin::of(word).ok_or_else(|| {
                ConnectError::config(format!("Field source `{word}` is not valid"))
            })?;
            if origin == Origin::Value {
                let message = format!("Field metadata source can't be {}", origin.name());
                return Err(ConnectError::config(message));
            }
            match attribute {
                "id" => source.id = origin,
                "type" => source.kind = origin,
                "traceparent" => source.trace_parent = origin,
                "dataSchemaName" => source.data_name = origin,
                _ => {
                    return Err(ConnectError::config(format!(
                        "Field `{attribute}` is not allowed to set custom source"
                    )));
                }
            }
        }
        // Headers are asked for these two only if their own keys say so too.
        if source.trace_parent == Origin::Header && !tracing {
            source.trace_parent = Origin::Generate;
        }
        if source.data_name == Origin::Header && !data_name_from_header {
            source.data_name = Origin::Generate;
        }
        Ok(source)
    }

    /// Whether anything comes from headers.
    pub(super) fn reads_headers(&self) -> bool {
        let all = [
            self.global,
            self.id,
            self.kind,
            self.trace_parent,
            self.data_name,
        ];
        all.contains(&Origin::Header)
    }
}
