//! Members of a group of workers, on a real broker and with the Java worker.

mod alone;
mod mixed;
mod worker;
