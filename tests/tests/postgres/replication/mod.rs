//! The connections, the slot, the publication and the stream, below the seam that the worker uses.

mod capture;
mod login;
mod outages;
mod publication;
mod slot;
mod stream;
