//! What calls Lambda functions when nobody waits for the answer.

mod schedule;
mod sqs;

pub use schedule::{Schedule, schedule};
pub use sqs::{SqsSource, sqs};
