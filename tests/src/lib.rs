//! Tests of the whole worker against real services and the reference.
