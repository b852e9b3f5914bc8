//! Incremental snapshots: beside a stream, stopped and taken up again, by ours and by the reference.

mod concurrent;
mod reference;
mod restart;
mod scene;
