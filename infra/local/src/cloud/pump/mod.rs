//! What calls Lambda functions whose answers are not waited for.

mod schedule;
mod sqs;

pub use schedule::{Schedule, schedule};
pub use sqs::{SqsSource, sqs};
