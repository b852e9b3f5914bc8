//! Values to binary, straight into the record's buffer by what was worked out
//! for their schema.

mod plan;
mod value;

pub(super) use self::plan::{
    EnumWriter, FieldWriter, Form, Integer, MessageWriter, WritePlan, Writer,
};
