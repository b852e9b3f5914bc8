//! What a type of PostgreSQL is: its entry in the catalog, what is known of all
//! types of a database, and what a column's type says of lengths and scales.

mod column_type;
pub mod oid;
mod pg_type;
mod registry;
mod size;

pub use column_type::{ColumnType, Described};
pub use pg_type::{PgType, TypeKind};
pub use registry::TypeRegistry;
pub use size::{TypeSize, UNLIMITED};
