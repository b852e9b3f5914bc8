//! The converter without its reference.
