//! Results of a run: which ones are asked for, in which order, what clients see of
//! them, and what reviewers say of them.

pub mod anew;
pub mod by_sample;
pub mod by_wer;
pub mod clip;
mod clips;
pub mod consensus;
mod disagreement;
pub mod hidden;
mod order;
pub mod queue;
pub mod reviews;
pub(crate) mod selection;
mod show;
pub mod variant;

pub use clips::clips;
pub use order::{Order, page};
pub use selection::{Reviewed, Selection, Shown, model};
pub use show::{one, show, show_with_samples};
