//! Results and feedback.

mod feedback;
mod list;
