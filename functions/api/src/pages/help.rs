//! Help.

use stt_eval_html::help as html;
use stt_eval_html::layout::Section;

use super::answer::written;
use super::session::Visit;
use crate::http::error::Answer;

/// Shows what words mean, keys, roles, and where data goes.
pub async fn show(visit: Visit) -> Answer {
    written(html::page(visit.frame("Help", Section::Help)))
}
