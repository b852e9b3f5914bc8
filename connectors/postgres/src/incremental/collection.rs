//! Tables that wait for their snapshot.

use serde::{Deserialize, Serialize};

use crate::table::TableId;

/// A table whose rows are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataCollection {
    /// The table.
    pub id: TableId,
    /// A condition of SQL on its rows.
    pub condition: Option<String>,
    /// The column that orders its rows in place of the key.
    pub surrogate_key: Option<String>,
}

/// The same as offsets store it.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "incremental_snapshot_collections_id")]
    id: String,
    #[serde(
        rename = "incremental_snapshot_collections_additional_condition",
        default
    )]
    condition: Option<String>,
    #[serde(rename = "incremental_snapshot_collections_surrogate_key", default)]
    surrogate_key: Option<String>,
}

/// Tables as offsets store them, a JSON array. Conditions are in parentheses.
pub(super) fn store<'a>(collections: impl Iterator<Item = &'a DataCollection>) -> String {
    let stored: Vec<Stored> = collections
        .map(|collection| Stored {
            id: collection.id.to_string(),
            condition: collection
                .condition
                .as_ref()
                .map(|condition| format!("({condition})")),
            surrogate_key: collection.surrogate_key.clone(),
        })
        .collect();
    // Structs of text are always written.
    serde_json::to_string(&stored).unwrap_or_default()
}

/// Reads stored tables. The parentheses are taken away, with which they were
/// stored, so that they do not grow with each restart.
///
/// # Errors
/// What is wrong.
pub(super) fn load(text: &str) -> Result<Vec<DataCollection>, String> {
    let stored: Vec<Stored> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    stored
        .into_iter()
        .map(|stored| {
            let id = crate::config::table_name(&stored.id)
                .ok_or_else(|| format!("'{}' is no table", stored.id))?;
            let inner = |condition: &str| {
                let inner = condition.strip_prefix('(')?.strip_suffix(')')?;
                Some(inner.to_owned())
            };
            let given = |text: &String| !text.is_empty();
            Ok(DataCollection {
                id,
                condition: stored
                    .condition
                    .filter(given)
                    .map(|condition| inner(&condition).unwrap_or(condition)),
                surrogate_key: stored.surrogate_key.filter(given),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_stored_as_the_reference_does() {
        let collections = [
            DataCollection {
                id: TableId::new("public", "inc"),
                condition: None,
                surrogate_key: None,
            },
            DataCollection {
                id: TableId::new("inv", "Odd Table"),
                condition: Some("a = 'x' OR (b)".to_owned()),
                surrogate_key: Some("k".to_owned()),
            },
        ];
        let text = store(collections.iter());
        assert_eq!(
            text,
            "[{\"incremental_snapshot_collections_id\":\"public.inc\",\
             \"incremental_snapshot_collections_additional_condition\":null,\
             \"incremental_snapshot_collections_surrogate_key\":null},\
             {\"incremental_snapshot_collections_id\":\"inv.Odd Table\",\
             \"incremental_snapshot_collections_additional_condition\":\"(a = 'x' OR (b))\",\
             \"incremental_snapshot_collections_surrogate_key\":\"k\"}]"
        );
        assert_eq!(load(&text), Ok(collections.into()));
        for wrong in [
            "",
            "{}",
            "[{}]",
            "[{\"incremental_snapshot_collections_id\":\".\"}]",
        ] {
            assert!(load(wrong).is_err(), "{wrong}");
        }
    }
}
