//! Transcripts that people sent, as the raw output of a unit.

use std::collections::BTreeSet;

use stt_eval_shared::App;
use stt_eval_shared::domain::ResultId;
use stt_eval_shared::domain::imported::{BLOCK, Transcript};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::Unit;
use stt_eval_shared::objects::import_key;
use stt_eval_shared::providers::imported::line;

use super::lines::{Line, MAX_LINE, next};
use crate::failure::Failure;

/// The lines of a unit's items, out of the blocks that hold them: of the first round
/// just one. A position without a transcript has no line.
pub(crate) async fn lines(app: &App, run: &Run, unit: &Unit) -> Result<Vec<u8>, Failure> {
    let model = run.models.get(usize::from(unit.key.model));
    let imported = model.and_then(|model| model.imported.as_ref());
    let imported = imported.ok_or(Failure::Setup("a unit of transcripts has none"))?;
    let positions: BTreeSet<u16> = unit.positions().collect();
    let blocks: BTreeSet<u16> = positions.iter().map(|at| at / BLOCK).collect();
    let mut lines = Vec::new();
    for block in blocks {
        let key = import_key(&run.project, run.id, &imported.digest, block);
        let mut reader = app.objects.reader(&key).await?;
        while let Some(read) = next(&mut reader, MAX_LINE).await? {
            let Line::Whole(read) = read else {
                return Err(UNREADABLE);
            };
            let transcript: Transcript = serde_json::from_slice(&read).map_err(|_| UNREADABLE)?;
            if positions.contains(&transcript.position) {
                let id = ResultId::new(unit.run, unit.key.model, transcript.position);
                lines.extend(line(id, transcript).map_err(|_| UNREADABLE)?);
            }
        }
    }
    Ok(lines)
}

/// They were written here.
const UNREADABLE: Failure = Failure::Setup("a block of transcripts can't be read");
