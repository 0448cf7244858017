//! Bad input: the right 4xx in the envelope, and never a 5xx.

mod bodies;
mod fuzz;
mod requests;
