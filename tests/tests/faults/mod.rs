//! Nothing is lost and nothing else stops, whatever goes away or comes in.

mod flow;
mod nothing_lost;
