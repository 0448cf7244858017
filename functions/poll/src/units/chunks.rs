//! Samples of the chunks that were read last. Units of several models are of the
//! same chunk and end at about the same time: what one of them read serves all.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::unit::{Span, Unit};
use stt_eval_shared::domain::{DatasetId, ProjectId};
use stt_eval_shared::store::StoreError;
use tokio::sync::OnceCell;

/// Chunks that are kept. One may have some tens of MB of references.
const KEPT: usize = 4;

#[derive(Clone, PartialEq)]
struct Key {
    project: ProjectId,
    dataset: DatasetId,
    spans: Vec<Span>,
}

type Samples = Arc<OnceCell<Arc<[Sample]>>>;

/// The samples, for as long as an invocation takes. A reference that people
/// correct meanwhile counts from the next one on; which version an outcome was
/// scored against is recorded with it.
#[derive(Default)]
pub(crate) struct Chunks(Mutex<VecDeque<(Key, Samples)>>);

impl Chunks {
    /// The samples of a unit, in order of position.
    pub(crate) async fn of(
        &self,
        app: &App,
        unit: &Unit,
        dataset: DatasetId,
    ) -> Result<Arc<[Sample]>, StoreError> {
        let key = Key {
            project: unit.project.clone(),
            dataset,
            spans: unit.spans.clone(),
        };
        let samples = self
            .entry(key)
            .get_or_try_init(|| async {
                let store = &app.store;
                let read = store.samples_in(&unit.project, dataset, &unit.spans);
                Ok::<_, StoreError>(Arc::from(read.await?))
            })
            .await?
            .clone();
        Ok(samples)
    }

    fn entry(&self, key: Key) -> Samples {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, samples)) = kept.iter().find(|(known, _)| *known == key) {
            return Arc::clone(samples);
        }
        let samples = Samples::default();
        kept.push_back((key, Arc::clone(&samples)));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        samples
    }
}
