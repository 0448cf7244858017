//! Exports that are made here, of the JSON lines that a deployment exports: what other tools
//! read, and a folder with the recordings.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use stt_eval_domain::RunId;
use stt_eval_formats::archive::Archive as Packed;
use stt_eval_formats::counted;
use stt_eval_formats::write::{self, Told, Written, Zip};
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_wire::datasets::{Dataset, Sample};
use stt_eval_wire::export::ExportFormat;
use stt_eval_wire::paths;
use stt_eval_wire::runs::Run;
use tempfile::TempDir;

use super::download;
use super::report::figures;
use crate::arguments::Here;
use crate::deployment::{Deployment, Request};
use crate::failure::{Exit, Failure};
use crate::unpack::temporary;

/// Recordings whose addresses are asked for at once: these are good for 15 minutes.
const PAGE: usize = 20;
/// Bytes that are packed at once.
const PIECE: usize = 256 * 1024;

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        "output",
        format!("{}: {error}", path.display()),
    )
}

/// A line of the deployment's export, as far as it is needed.
#[derive(Deserialize)]
struct Line {
    id: String,
    audio: Option<String>,
    duration: Option<f64>,
    language: Option<String>,
    speaker: Option<String>,
    reference: Option<String>,
    #[serde(default)]
    hypotheses: serde_json::Map<String, Value>,
    #[serde(default)]
    results: serde_json::Map<String, Value>,
}

/// What a run has, with plain references; and how many of these were more than that.
fn read(path: &Path, models: &[String]) -> Result<(Vec<Written>, usize), Failure> {
    let file = File::open(path).map_err(|error| failed(path, &error))?;
    let mut samples = Vec::new();
    let mut marked = 0;
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|error| failed(path, &error))?;
        let line: Line = serde_json::from_str(&line).map_err(|_| {
            let message = "the deployment's export is not what this program knows";
            Failure::new(Exit::Failed, "no_deployment", message)
                .hint("is this program as new as the deployment?")
        })?;
        let heard = models.iter().map(|model| {
            let text = line.hypotheses.get(model).and_then(Value::as_str);
            text.map(str::to_owned)
        });
        let told = models.iter().map(|model| {
            let error = line.results.get(model).and_then(|told| told.get("error"));
            Told {
                error: error.and_then(Value::as_str).map(str::to_owned),
                ..Told::default()
            }
        });
        marked += usize::from(line.reference.as_deref().is_some_and(write::is_marked));
        samples.push(Written {
            told: told.collect(),
            heard: heard.collect(),
            id: line.id,
            audio: line.audio,
            seconds: line.duration,
            language: line.language,
            speaker: line.speaker,
            reference: line.reference.as_deref().map(write::plain),
            ..Written::default()
        });
    }
    Ok((samples, marked))
}

/// What is to be told of references of which a format has one reading alone.
fn of_markup(marked: usize) -> Option<String> {
    let references = counted(marked, "reference has", "references have");
    (marked > 0).then(|| {
        format!(
            "{references} alternatives, or words that are not scored: of these the first reading \
             is written, so what is counted there is more than in the run (csv and jsonl keep them)"
        )
    })
}

/// What is to be told of characters that mean something in TRN and STM. `normalised` is
/// what the text of a side is written as.
fn of_characters(
    samples: &[Written],
    normalised: impl Fn(&str, &Written, bool) -> String,
) -> Option<String> {
    let mut texts = 0;
    let mut all = BTreeSet::new();
    for sample in samples {
        let reference = sample.reference.as_deref().map(|text| (text, true));
        let heard = sample.heard.iter().flatten();
        let heard = heard.map(|text| (text.as_str(), false));
        for (text, is_right) in reference.into_iter().chain(heard) {
            let found = write::not_for_sctk(&normalised(text, sample, is_right));
            texts += usize::from(!found.is_empty());
            all.extend(found);
        }
    }
    let shown = |c: char| match c {
        '\t' => "TAB".to_owned(),
        c if c.is_whitespace() => format!("U+{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    let told = all.iter().map(|(own, other)| {
        let (own, other) = (shown(*own), shown(*other));
        format!("{own} as {other}")
    });
    let told: Vec<String> = told.collect();
    let texts = counted(texts, "text has", "texts have");
    (!told.is_empty()).then(|| {
        format!(
            "{texts} characters that mean something there, and are written as others, on both \
             sides alike: {}; words are counted as in the run",
            told.join(", ")
        )
    })
}

/// Names of files for models, each once: as the deployment calls them (`deepgram-nova-3`).
fn file_names(models: &[String]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let one = |model: &String| {
        let name: String = model
            .chars()
            .map(|c| match c {
                '/' => '-',
                c if safe(c) => c,
                _ => '_',
            })
            .collect();
        let mut own = name.clone();
        for number in 2.. {
            if taken.insert(own.clone()) {
                break;
            }
            own = format!("{name}-{number}");
        }
        own
    };
    models.iter().map(one).collect()
}

/// An archive that is written to a file while it is made.
struct Archive<'a> {
    path: &'a Path,
    file: File,
    zip: Zip,
}

impl<'a> Archive<'a> {
    fn new(path: &'a Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|error| failed(path, &error))?;
        let zip = Zip::default();
        Ok(Self { path, file, zip })
    }

    fn add(&mut self, name: &str, mut content: impl Read) -> Result<(), Failure> {
        let told = |error: std::io::Error| failed(self.path, &error);
        let mut out = Vec::new();
        self.zip.begin(name, &mut out).map_err(told)?;
        let mut piece = vec![0; PIECE];
        loop {
            let read = content.read(&mut piece).map_err(told)?;
            if read == 0 {
                return self.file.write_all(&out).map_err(told);
            }
            self.zip.add(&piece[..read], &mut out).map_err(told)?;
            self.file.write_all(&out).map_err(told)?;
            out.clear();
        }
    }

    /// The list of what failed, if anything did.
    fn add_failed(
        &mut self,
        names: &[String],
        samples: &[Written],
        id: impl Fn(&Written) -> String,
    ) -> Result<(), Failure> {
        let failed = write::failed(names, samples, id);
        match failed.is_empty() {
            true => Ok(()),
            false => self.add(write::FAILED, failed.as_bytes()),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        let Self {
            path,
            mut file,
            zip,
        } = self;
        let mut out = Vec::new();
        zip.finish(&mut out)
            .and_then(|()| file.write_all(&out))
            .map_err(|error| failed(path, &error))
    }
}

/// The samples with what one system heard in place of the reference: empty where it failed.
fn as_reference(samples: &[Written], system: usize) -> Vec<Written> {
    let of = |sample: &Written| Written {
        reference: Some(
            sample
                .heard
                .get(system)
                .cloned()
                .flatten()
                .unwrap_or_default(),
        ),
        ..sample.clone()
    };
    samples.iter().map(of).collect()
}

/// References and hypotheses, a file for each, and what failed.
fn sides(
    path: &Path,
    (models, samples): (&[String], &[Written]),
    end: &str,
    side: impl Fn(Option<usize>) -> String,
    id: impl Fn(&Written) -> String,
) -> Result<(), Failure> {
    let mut archive = Archive::new(path)?;
    archive.add(&format!("ref.{end}"), side(None).as_bytes())?;
    let names = file_names(models);
    for (at, name) in names.iter().enumerate() {
        archive.add(&format!("hyp.{name}.{end}"), side(Some(at)).as_bytes())?;
    }
    archive.add_failed(&names, samples, id)?;
    archive.finish()
}

/// An archive of the deployment with what failed, of which its lines say nothing. Its own
/// list is of the same reading as its lines: since then, results may have come.
fn with_failed(
    path: &Path,
    whole: &Path,
    models: &[String],
    samples: &[Written],
) -> Result<(), Failure> {
    let file = File::open(path).map_err(|error| failed(path, &error))?;
    let mut packed = Packed::open(file)?;
    let mut archive = Archive::new(whole)?;
    let mut is_told = false;
    for index in 0..packed.entries().len() {
        let name = packed.entries().get(index).map(|entry| entry.name.clone());
        let name = name.unwrap_or_default();
        is_told |= name == write::FAILED;
        let mut content = Vec::new();
        packed.copy(index, &mut content)?;
        archive.add(&name, content.as_slice())?;
    }
    if !is_told {
        // Deployments of earlier releases have none. So models are called there.
        let names: Vec<String> = models.iter().map(|model| model.replace('/', "-")).collect();
        archive.add_failed(&names, samples, write::trn_id)?;
    }
    archive.finish()
}

/// A folder of Hugging Face's kind: the recordings, and what is said in them.
async fn audiofolder(
    to: &Deployment,
    run: &Run,
    mut samples: Vec<Written>,
    (path, folder): (&Path, &Path),
) -> Result<(), Failure> {
    let mut archive = Archive::new(path)?;
    let kept = folder.join("recording");
    let mut names = std::collections::HashMap::new();
    let mut cursor: Option<String> = None;
    loop {
        let request = Request::get(paths::dataset(run.dataset_id))
            .with("include_samples", "true")
            .with("include_signed_url", "true")
            .with("limit", PAGE)
            .with_some("cursor", cursor);
        let (dataset, next) = to.ask_paged::<Dataset>(&request).await?;
        for sample in dataset.samples.into_iter().flatten() {
            let sample: Sample = sample;
            let Some(url) = sample.signed_url.flatten() else {
                continue;
            };
            download::recording(to, &url, &kept).await?;
            let name = write::audiofolder_name(names.len() + 1, &sample.filename);
            let content = File::open(&kept).map_err(|error| failed(&kept, &error))?;
            archive.add(&name, content)?;
            names.insert(sample.id.to_string(), name);
        }
        match next {
            Some(next) => cursor = Some(next.to_string()),
            None => break,
        }
    }
    for sample in &mut samples {
        sample.audio = names.get(&sample.id).cloned();
    }
    archive.add("metadata.csv", write::audiofolder(&samples).as_bytes())?;
    archive.finish()
}

/// An export that was made here; it goes away with this value.
pub struct Made {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it otherwise than in the run.
    pub remarks: Vec<String>,
    _folder: TempDir,
}

/// Makes an export.
///
/// # Errors
/// What it is made of can't be had, or there is no room for it.
pub async fn make(to: &Deployment, run: RunId, format: Here) -> Result<Made, Failure> {
    let run: Run = to.ask(&Request::get(paths::run(run))).await?;
    let folder = temporary()?;
    let path = folder.path().join("export");
    if format == Here::Html {
        let report = figures(to, run.id, None, None, None).await?;
        let page = stt_eval_html::report::file(&report)
            .map_err(|error| Failure::new(Exit::Failed, "page", error.to_string()))?;
        std::fs::write(&path, page).map_err(|error| failed(&path, &error))?;
        return Ok(Made {
            path,
            remarks: Vec::new(),
            _folder: folder,
        });
    }
    if format == Here::Trn {
        download::keep(to, run.id, ExportFormat::Trn, &path).await?;
    }
    let lines = folder.path().join("run.jsonl");
    download::keep(to, run.id, ExportFormat::Jsonl, &lines).await?;
    let models = &run.providers;
    let (samples, marked) = read(&lines, models)?;
    let mut remarks = Vec::new();
    // What nothing is known to be said in can't be held against anything.
    let known = || -> Vec<Written> {
        let known = samples.iter().filter(|sample| sample.reference.is_some());
        known.cloned().collect()
    };
    match format {
        // It was made above.
        Here::Html => {}
        Here::Trn => {
            let known = known();
            if run.counts.failed + run.counts.pending > 0 {
                let whole = folder.path().join("whole");
                with_failed(&path, &whole, models, &known)?;
                std::fs::rename(&whole, &path).map_err(|error| failed(&path, &error))?;
            }
            remarks.extend(of_markup(marked));
            remarks.extend(as_scored(&run, &known));
        }
        Here::SegLst => {
            let known = known();
            remarks.extend(of_markup(marked));
            let side = |side| write::seg_lst(&known, side);
            let id = |sample: &Written| sample.id.clone();
            sides(&path, (models, &known), "seglst.json", side, id)?;
        }
        Here::Stm => {
            let known = known();
            remarks.extend(of_markup(marked));
            remarks.extend(of_characters(&known, |text, _, _| text.to_owned()));
            let side = |side| match side {
                None => write::stm(&known),
                Some(system) => write::stm(&as_reference(&known, system)),
            };
            sides(&path, (models, &known), "stm", side, write::stm_id)?;
        }
        Here::LabelStudio => {
            remarks.extend(of_markup(marked));
            let tasks = write::label_studio(models, &samples);
            std::fs::write(&path, tasks).map_err(|error| failed(&path, &error))?;
        }
        Here::Audiofolder => {
            remarks.extend(of_markup(marked));
            audiofolder(to, &run, samples, (&path, folder.path())).await?;
        }
    }
    Ok(Made {
        path,
        remarks,
        _folder: folder,
    })
}

/// The same of texts as they were scored, which is how the lines of TRN are.
fn as_scored(run: &Run, samples: &[Written]) -> Option<String> {
    let current = run.scorings.iter().find(|scoring| scoring.current)?;
    // What a newer deployment knows of is not told here.
    let normaliser = Normaliser::by_name(&current.normalizer)?;
    of_characters(samples, |text, sample, is_right| {
        let language = sample.language.as_deref().unwrap_or_default();
        match is_right {
            true => normaliser.apply_to_reference(text, language),
            false => normaliser.apply(text, language),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_told_as_its_lines_were_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (made, whole) = (at("made"), at("whole"));
        let packed = |lines: &[(&str, &str)]| {
            let mut archive = Archive::new(&made).unwrap();
            for (name, text) in lines {
                archive.add(name, text.as_bytes()).unwrap();
            }
            archive.finish().unwrap();
        };
        let listed = |path: &Path| {
            let mut archive = Packed::open(File::open(path).unwrap()).unwrap();
            let entries = archive.entries().iter().map(|entry| entry.name.clone());
            let at = entries.collect::<Vec<_>>();
            let at = at.iter().position(|name| name == write::FAILED)?;
            let mut content = Vec::new();
            archive.copy(at, &mut content).unwrap();
            Some(String::from_utf8(content).unwrap())
        };
        // Since its lines were written, the result has come.
        let models = ["m".to_owned()];
        let came = [Written {
            id: "s".to_owned(),
            reference: Some("x".to_owned()),
            heard: vec![Some("x".to_owned())],
            ..Written::default()
        }];
        let own = "{\"id\":\"utt-s\",\"system\":\"m\",\"error\":\"pending\"}\n";
        packed(&[("hyp.m.trn", " (utt-s)\n"), (write::FAILED, own)]);
        with_failed(&made, &whole, &models, &came).unwrap();
        assert_eq!(listed(&whole).as_deref(), Some(own));
    }

    #[test]
    fn models_have_files_of_their_own_names() {
        let models = ["a/b", "a-b", "a:b", "gemini-2.5-pro"].map(str::to_owned);
        let names = ["a-b", "a-b-2", "a_b", "gemini-2.5-pro"];
        assert_eq!(file_names(&models), names);
    }
}
