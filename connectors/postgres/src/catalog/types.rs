//! Reads all types of the database.

use tether_api::data::Text;
use tokio_postgres::{Client, Error, Row};

use crate::types::{PgType, TypeKind, TypeRegistry};

/// All types with all that is needed of them. The rows of TOAST tables are left
/// out, of which there is one for nearly every table.
const TYPES: &str = "\
SELECT t.oid, t.typname::text, n.nspname::text, pg_catalog.pg_type_is_visible(t.oid), \
       t.typtype::text, t.typcategory::text, t.typelem, t.typbasetype, t.typtypmod, \
       t.typdelim::text, e.labels \
FROM pg_catalog.pg_type t \
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
LEFT JOIN (SELECT enumtypid, array_agg(enumlabel::text ORDER BY enumsortorder) AS labels \
           FROM pg_catalog.pg_enum GROUP BY enumtypid) e ON e.enumtypid = t.oid \
WHERE n.nspname <> 'pg_toast'";

/// Reads the types of the database.
///
/// # Errors
/// The query failed.
pub async fn load(client: &Client) -> Result<TypeRegistry, Error> {
    let rows = client.query(TYPES, &[]).await?;
    let types: Result<Vec<_>, _> = rows.iter().map(from_row).collect();
    Ok(TypeRegistry::new(types?))
}

fn from_row(row: &Row) -> Result<PgType, Error> {
    let typtype: String = row.try_get(4)?;
    let category: String = row.try_get(5)?;
    let kind = match (typtype.as_str(), category.as_str()) {
        ("d", _) => TypeKind::Domain {
            base: row.try_get(7)?,
            modifier: row.try_get(8)?,
        },
        ("e", _) => {
            let labels: Option<Vec<String>> = row.try_get(10)?;
            let labels = labels.unwrap_or_default();
            TypeKind::Enum {
                labels: labels.into_iter().map(Text::from).collect(),
            }
        }
        // Vectors of numbers are in the category too, scalars with parts are not.
        ("b", "A") => TypeKind::Array {
            element: row.try_get(6)?,
        },
        ("c", _) => TypeKind::Composite,
        ("r", _) => TypeKind::Range,
        ("m", _) => TypeKind::Multirange,
        ("p", _) => TypeKind::Pseudo,
        _ => TypeKind::Base,
    };
    let delimiter: String = row.try_get(9)?;
    let name: String = row.try_get(1)?;
    let schema: String = row.try_get(2)?;
    Ok(PgType {
        oid: row.try_get(0)?,
        name: name.into(),
        schema: schema.into(),
        visible: row.try_get(3)?,
        kind,
        delimiter: delimiter.bytes().next().unwrap_or(b','),
    })
}
