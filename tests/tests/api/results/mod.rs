//! Results and feedback.

mod feedback;
mod list;
mod reviews;
mod score;
