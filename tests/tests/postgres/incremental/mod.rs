//! Incremental snapshots: beside a stream, stopped and taken up again, by ours and by the reference.

mod concurrent;
mod control;
mod keys;
mod pair;
mod parts;
mod requests;
mod restart;
mod scene;
mod windows;
