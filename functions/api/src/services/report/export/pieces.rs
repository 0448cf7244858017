//! Writing an export piece by piece, in one request or in several.

use serde::{Deserialize, Serialize};
use stt_eval_formats::write::{self, Written, Zip};
use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::Span;
use stt_eval_shared::objects::ObjectError;
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::wire::export::ExportFormat;

use super::object::{Growing, Stored};
use super::{Source, rows};
use crate::refusal::Refusal;

/// Positions of a page; each is as many results as the run has models.
const PAGE: u16 = 25;
/// Bytes of a recording that are in memory at once.
const PIECE: u64 = 4 * 1024 * 1024;

/// Why it was not gone on.
pub enum Stopped {
    /// What was sent before is gone.
    Gone,
    /// Another reason.
    Refused(Refusal),
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ObjectError> for Stopped {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Missing => Self::Gone,
            error => Self::Refused(error.into()),
        }
    }
}

impl From<std::io::Error> for Stopped {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(Refusal::too_large(format!(
            "the export can't be made: {error}"
        )))
    }
}

impl From<Stopped> for Refusal {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Gone => {
                Self::unavailable("the file under way is gone; ask again to make it anew")
            }
            Stopped::Refused(refusal) => refusal,
        }
    }
}

/// How far it is.
#[derive(Default, Serialize, Deserialize)]
pub struct Writing {
    object: Growing,
    /// The archive, where the format is one.
    archive: Zip,
    /// An archive has a file for the references and one for each model; the samples are
    /// gone through for each.
    pass: usize,
    next: u16,
    /// Whether samples have a reference, or a recording in the archive, by position: each list
    /// of an archive has lines for these.
    referenced: Vec<bool>,
    /// How much of the next recording is in the archive.
    #[serde(default)]
    offset: u64,
    /// What services failed at, which the lines of an archive have no word for.
    #[serde(default)]
    failed: String,
}

fn passes(run: &Run, format: ExportFormat) -> usize {
    match format {
        ExportFormat::Trn => 1 + run.models.len(),
        // Recordings, and then the list of those that there are.
        ExportFormat::Audiofolder => 2,
        _ => 1,
    }
}

/// Names of models, in the order of their indices.
fn systems(run: &Run) -> Vec<String> {
    run.models.iter().map(|model| model.model.clone()).collect()
}

fn normaliser(run: &Run) -> Result<Normaliser, Refusal> {
    Normaliser::by_name(run.current_normalizer())
        .ok_or_else(|| Refusal::internal("a scoring's normaliser is unknown here"))
}

/// Place of a row's sample in its dataset, from 0.
fn place(row: &Written) -> Option<usize> {
    let id = row.id.parse::<stt_eval_shared::domain::SampleId>().ok()?;
    Some(usize::from(id.position()))
}

/// References as other tools take them.
fn plainly(rows: &mut [Written]) {
    for row in rows {
        row.reference = row.reference.take().map(|text| write::plain(&text));
    }
}

impl Writing {
    /// Goes on while there is time, at least one page; true at the end.
    pub async fn write_on(
        &mut self,
        app: &App,
        source: &Source,
        stored: &Stored,
        has_time: impl Fn() -> bool,
    ) -> Result<bool, Stopped> {
        let end = u16::try_from(source.run.sample_count).unwrap_or(u16::MAX);
        let passes = passes(&source.run, source.format);
        while self.pass < passes {
            if source.format == ExportFormat::Audiofolder && self.pass == 0 {
                self.recordings(app, source, stored, &has_time).await?;
                if self.next < end {
                    break;
                }
                (self.pass, self.next) = (1, 0);
            }
            let mut bytes = Vec::new();
            if self.next == 0 {
                self.begin(source, &mut bytes)?;
            }
            let stop = self.next.saturating_add(PAGE).min(end);
            self.page(app, source, stop, &mut bytes).await?;
            self.object.add(app, stored, &bytes).await?;
            self.next = stop;
            if self.next >= end {
                (self.pass, self.next) = (self.pass + 1, 0);
            }
            // Others on this thread have a turn too.
            tokio::task::yield_now().await;
            if !has_time() {
                break;
            }
        }
        Ok(self.pass >= passes)
    }

    /// What stands before the first page of a pass.
    fn begin(&mut self, source: &Source, out: &mut Vec<u8>) -> Result<(), Stopped> {
        match source.format {
            ExportFormat::Csv => {
                out.extend(
                    write::csv_head(&systems(&source.run), &source.fields, true, true).bytes(),
                );
            }
            ExportFormat::Trn => {
                let model = self.pass.checked_sub(1);
                let model = model.and_then(|index| source.run.models.get(index));
                let name = match model {
                    // Names of models of one's own have a `/`.
                    Some(model) => format!("hyp.{}.trn", model.model.replace('/', "-")),
                    None => "ref.trn".to_owned(),
                };
                self.archive.begin(&name, out)?;
            }
            ExportFormat::Audiofolder => {
                self.archive.begin("metadata.csv", out)?;
                self.archive.add(write::AUDIOFOLDER_HEAD.as_bytes(), out)?;
            }
            ExportFormat::Jsonl | ExportFormat::Nemo | ExportFormat::Html => {}
        }
        Ok(())
    }

    /// Puts recordings into the archive while there is time, at least a piece of one. One that
    /// is no longer there is left out.
    async fn recordings(
        &mut self,
        app: &App,
        source: &Source,
        stored: &Stored,
        has_time: impl Fn() -> bool,
    ) -> Result<(), Stopped> {
        let run = &source.run;
        let all = u16::try_from(run.sample_count).unwrap_or(u16::MAX);
        while self.next < all {
            let (start, end) = (self.next, self.next.saturating_add(PAGE).min(all));
            let span = [Span { start, end }];
            let samples = app.store.samples_in(&run.project, run.dataset, &span);
            let samples = samples.await.map_err(Refusal::from)?;
            self.referenced.resize(usize::from(end), false);
            for sample in samples {
                self.next = sample.id.position();
                while self.piece(app, stored, &sample).await? {
                    if !has_time() {
                        return Ok(());
                    }
                }
                self.next += 1;
                if !has_time() {
                    return Ok(());
                }
            }
            self.next = end;
        }
        Ok(())
    }

    /// Puts the next piece of a recording into the archive; tells whether there are more.
    async fn piece(
        &mut self,
        app: &App,
        stored: &Stored,
        sample: &Sample,
    ) -> Result<bool, Stopped> {
        let (key, version) = (&sample.object_key, sample.object_version.as_deref());
        let end = (self.offset + PIECE).min(sample.size_bytes);
        let bytes = match app.objects.range(key, version, self.offset, end).await {
            Err(ObjectError::Missing) if self.offset == 0 => return Ok(false),
            found => found?,
        };
        let place = usize::from(sample.id.position());
        let mut out = Vec::new();
        if self.offset == 0 {
            let name = write::audiofolder_name(place + 1, &sample.filename);
            self.archive.begin(&name, &mut out)?;
        }
        self.archive.add_as_it_is(&bytes, &mut out)?;
        self.object.add(app, stored, &out).await?;
        self.offset = end;
        if end < sample.size_bytes {
            return Ok(true);
        }
        self.offset = 0;
        if let Some(is_there) = self.referenced.get_mut(place) {
            *is_there = true;
        }
        Ok(false)
    }

    async fn page(
        &mut self,
        app: &App,
        source: &Source,
        stop: u16,
        out: &mut Vec<u8>,
    ) -> Result<(), Stopped> {
        let positions = self.next..stop;
        let format = source.format;
        if format == ExportFormat::Trn {
            return self.lines(app, source, stop, out).await;
        }
        let aligned = format == ExportFormat::Jsonl;
        let mut rows = rows::all(app, source, positions, aligned).await?;
        if format == ExportFormat::Audiofolder {
            for row in &mut rows {
                let name = row.audio.take();
                let place = place(row).filter(|at| self.referenced.get(*at) == Some(&true));
                row.audio = place
                    .zip(name)
                    .map(|(at, name)| write::audiofolder_name(at + 1, &name));
            }
            plainly(&mut rows);
            let lines = write::audiofolder_rows(&rows);
            self.archive.add(lines.as_bytes(), out)?;
            return Ok(());
        }
        let text = match format {
            ExportFormat::Csv => write::csv_rows(&rows, &source.fields),
            ExportFormat::Jsonl => write::jsonl(&systems(&source.run), &rows),
            _ => {
                plainly(&mut rows);
                write::nemo(&systems(&source.run), &rows)
            }
        };
        *out = [std::mem::take(out), text.into_bytes()].concat();
        Ok(())
    }

    /// Lines of one file of an archive, as they were scored.
    async fn lines(
        &mut self,
        app: &App,
        source: &Source,
        stop: u16,
        out: &mut Vec<u8>,
    ) -> Result<(), Stopped> {
        let positions = self.next..stop;
        let normaliser = normaliser(&source.run)?;
        let language = |row: &Written| row.language.clone().unwrap_or_default();
        let text = match self.pass.checked_sub(1) {
            None => {
                let mut rows = rows::all(app, source, positions, false).await?;
                self.referenced.resize(usize::from(stop), false);
                rows.retain(|row| row.reference.is_some());
                for row in &rows {
                    let slot = place(row);
                    if let Some(slot) = slot.and_then(|at| self.referenced.get_mut(at)) {
                        *slot = true;
                    }
                }
                let names = systems(&source.run);
                self.failed += &write::failed(&names, &rows, write::trn_id);
                plainly(&mut rows);
                write::trn(&rows, None, &mut |text, row| {
                    normaliser.apply_to_reference(text, &language(row))
                })
            }
            Some(model) => {
                let model = u8::try_from(model).unwrap_or(u8::MAX);
                let rows = rows::of_model(app, source, model, positions).await?;
                let mut lines = Vec::with_capacity(rows.len());
                for (position, row) in rows {
                    if self.referenced.get(usize::from(position)) == Some(&true) {
                        lines.push(row);
                    }
                }
                write::trn(&lines, Some(0), &mut |text, row| {
                    normaliser.apply(text, &language(row))
                })
            }
        };
        self.archive.add(text.text.as_bytes(), out)?;
        Ok(())
    }

    /// Samples gone through so far, of all passes together.
    #[must_use]
    pub fn samples_read(&self, run: &Run, format: ExportFormat) -> u32 {
        let passes = u32::try_from(passes(run, format)).unwrap_or(1);
        let pass = u32::try_from(self.pass).unwrap_or(passes);
        (pass * run.sample_count + u32::from(self.next)) / passes.max(1)
    }

    /// Makes the file; gives its length.
    pub async fn finish(
        mut self,
        app: &App,
        source: &Source,
        stored: &Stored,
    ) -> Result<u64, Stopped> {
        if matches!(source.format, ExportFormat::Trn | ExportFormat::Audiofolder) {
            let mut end = Vec::new();
            if !self.failed.is_empty() {
                self.archive.begin(write::FAILED, &mut end)?;
                self.archive.add(self.failed.as_bytes(), &mut end)?;
            }
            self.archive.finish(&mut end)?;
            self.object.add(app, stored, &end).await?;
        }
        Ok(self.object.finish(app, stored).await?)
    }
}
