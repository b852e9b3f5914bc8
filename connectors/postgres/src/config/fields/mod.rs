//! All keys, group by group. Names, types, defaults, forms and rules are the
//! reference's, except for those of the slot guardian, which it does not have.

pub(super) mod connector;
pub(super) mod events;
pub(super) mod guardian;
pub(super) mod postgres;
pub(super) mod unlisted;

pub(super) use connector::*;
pub(super) use events::*;
pub(super) use guardian::*;
pub(super) use postgres::*;
pub(super) use unlisted::*;

use super::field::Field;

/// The groups of a form with their keys in order.
pub(super) static GROUPS: [(&str, &[&Field]); 3] = [
    ("Postgres", POSTGRES),
    ("Connector", CONNECTOR),
    ("Events", EVENTS),
];

/// All keys.
pub(super) fn all() -> impl Iterator<Item = &'static Field> {
    let listed = GROUPS.iter().flat_map(|(_, fields)| fields.iter());
    listed.chain(UNLISTED).chain(GUARDIAN).copied()
}
