//! From the body of an answer to records.

mod elements;
mod records;
mod struct_reader;
mod user;

pub(crate) use elements::Elements;
pub(crate) use records::RecordMapper;
