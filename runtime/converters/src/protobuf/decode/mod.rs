//! Binary to values, by what was worked out for their schema.

mod plan;
mod value;

pub(super) use self::plan::ReadPlan;
