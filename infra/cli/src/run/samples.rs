//! The samples of a dataset, as a deployment has them.

use stt_eval_domain::DatasetId;
use stt_eval_wire::datasets::{Dataset, Sample};
use stt_eval_wire::paths;

use crate::deployment::{Deployment, Request};
use crate::failure::Failure;

/// Hands out each sample, in their order.
///
/// # Errors
/// What is refused, or can't be reached.
pub async fn each(
    to: &Deployment,
    dataset: DatasetId,
    mut take: impl FnMut(Sample),
) -> Result<(), Failure> {
    let mut cursor: Option<String> = None;
    loop {
        let request = Request::get(paths::dataset(dataset))
            .with("include_samples", "true")
            .with("limit", 100)
            .with_some("cursor", cursor);
        let (dataset, next) = to.ask_paged::<Dataset>(&request).await?;
        dataset.samples.into_iter().flatten().for_each(&mut take);
        match next {
            Some(next) => cursor = Some(next.to_string()),
            None => return Ok(()),
        }
    }
}

/// A free field of a sample.
pub fn field(sample: &Sample, name: &str) -> Option<String> {
    let fields = serde_json::to_value(&sample.metadata).ok()?;
    fields.get(name)?.as_str().map(str::to_owned)
}
