//! Uploading: what is there already is not sent again, and what is sent is written down.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::time::{Duration, Instant};

use bytes::Bytes as Chunk;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::StatusCode;
use serde_json::{Value, json};
use stt_eval_domain::FileId;
use stt_eval_domain::file::FileStatus;
use stt_eval_formats::counted;
use stt_eval_wire::files::{Announced, AnnouncedFiles, File, NewFile, NewFiles};
use stt_eval_wire::object::Object;
use stt_eval_wire::paths;

use super::plan::{Bytes, Upload};
use super::stopping::Stopping;
use crate::deployment::{Deployment, Pause, Request, told, unique};
use crate::failure::{Exit, Failure};
use crate::journal::Journal;
use crate::output::Output;
use crate::terminal::Progress;

/// Most files that one request announces.
const ANNOUNCED: usize = 100;
/// Most bytes that are announced at once: signed addresses are good for 15 minutes.
const ANNOUNCED_BYTES: u64 = 64 * 1024 * 1024;
/// Requests about single files at the same time.
pub const ASKED_AT_ONCE: usize = 8;
/// How long is waited until what was uploaded is registered.
const REGISTERED: Duration = Duration::from_secs(600);
/// How long a file that the journal knows is waited for: its bytes may never have come.
const KNOWN: Duration = Duration::from_secs(20);
/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;
/// Addresses that are tried for one file.
const ADDRESSES: usize = 3;

/// How uploads go: so many at once, until they are stopped, and told so.
pub type Manner<'a> = (usize, &'a Stopping, &'a Output);

/// Uploads what is not there yet; gives the ids of all, in their order.
///
/// # Errors
/// What is refused, can't be read or can't be reached. What was uploaded is kept.
pub async fn upload(
    to: &Deployment,
    journal: &Journal,
    all: &[&Upload],
    manner: Manner<'_>,
) -> Result<Vec<String>, Failure> {
    let mut ids = known(to, journal, all).await?;
    let missing: Vec<&Upload> = all
        .iter()
        .copied()
        .filter(|one| !ids.contains_key(&(one.sha256.clone(), one.nth)))
        .collect();
    let sent = Sent {
        files: Cell::new(0),
        bytes: Cell::new(0),
        of_files: Cell::new(missing.len()),
        of_bytes: Cell::new(missing.iter().map(|one| one.size).sum()),
        known: Cell::new(ids.len()),
        begun: Instant::now(),
    };
    send(to, journal, &missing, &mut ids, (&sent, manner))
        .await
        .map_err(|failure| sent.kept(failure, all.len()))?;
    let ids: Option<Vec<String>> = all
        .iter()
        .map(|one| ids.get(&(one.sha256.clone(), one.nth)).cloned())
        .collect();
    let ids = ids.ok_or_else(|| Failure::new(Exit::Failed, "upload", "a file was not uploaded"))?;
    let registered = registered(to, all, &ids).await;
    registered.map_err(|failure| sent.kept(failure, all.len()))?;
    Ok(ids)
}

/// Sends what is missing; the ids of what is there then are put to the others.
async fn send(
    to: &Deployment,
    journal: &Journal,
    missing: &[&Upload],
    ids: &mut Ids,
    (sent, (at_once, stopping, output)): (&Sent, Manner<'_>),
) -> Result<(), Failure> {
    let mut taken: HashSet<String> = ids.values().cloned().collect();
    let mut progress = Progress::new(output);
    let mut begun = 0;
    while begun < missing.len() {
        let part = part(&missing[begun..]);
        begun += part.len();
        let announced = announce_new(to, part, &mut taken).await?;
        // What is known is told as known at once, and not as what is still to be sent.
        for (one, _) in part
            .iter()
            .zip(&announced)
            .filter(|(_, new)| new.upload.is_none())
        {
            sent.skip(one.size);
        }
        let work = part.iter().copied().zip(announced);
        let work = work.map(|(one, announced)| async move {
            let _under_way = stopping.one();
            let is_there = announced.upload.is_none();
            let id = put(to, one, announced).await?;
            journal.keep_upload(&one.sha256, one.nth, &id)?;
            if !is_there {
                sent.add(one.size);
            }
            Ok::<_, Failure>(((one.sha256.clone(), one.nth), id))
        });
        let goes_on = |_: &_| std::future::ready(!stopping.is_asked());
        let mut work = stream::iter(work)
            .take_while(goes_on)
            .buffer_unordered(at_once);
        while let Some(done) = work.try_next().await? {
            // A later part may be offered it for another upload of the same content.
            taken.insert(done.1.clone());
            ids.insert(done.0, done.1);
            let line = sent.line("");
            let drawn = sent.line(&format!("{}  ", output.bar(sent.share())));
            progress.show(&[drawn], &line, ("upload", || sent.facts()), sent.share());
        }
        if stopping.is_asked() {
            return Err(Failure::new(Exit::Interrupted, "interrupted", "stopped"));
        }
    }
    progress.end(&sent.line(""), ("upload", || sent.facts()));
    Ok(())
}

/// How much was sent.
struct Sent {
    files: Cell<usize>,
    bytes: Cell<u64>,
    of_files: Cell<usize>,
    of_bytes: Cell<u64>,
    known: Cell<usize>,
    begun: Instant,
}

impl Sent {
    fn add(&self, bytes: u64) {
        self.files.set(self.files.get() + 1);
        self.bytes.set(self.bytes.get() + bytes);
    }

    /// One that the deployment has already.
    fn skip(&self, bytes: u64) {
        self.of_files.set(self.of_files.get() - 1);
        self.of_bytes.set(self.of_bytes.get() - bytes);
        self.known.set(self.known.get() + 1);
    }

    /// What went wrong, and how much of `all` need not be sent again.
    fn kept(&self, mut failure: Failure, all: usize) -> Failure {
        if failure.exit == Exit::Failed {
            let there = self.files.get() + self.known.get();
            failure.message += &format!("; {there} of {all} are uploaded and kept");
        }
        failure
    }

    fn share(&self) -> f64 {
        match self.of_bytes.get() {
            0 => 1.0,
            all => self.bytes.get() as f64 / all as f64,
        }
    }

    fn facts(&self) -> Value {
        json!({
            "files": self.files.get(), "of_files": self.of_files.get(),
            "bytes": self.bytes.get(), "of_bytes": self.of_bytes.get(),
            "known": self.known.get(),
        })
    }

    /// In words, with a bar in front where one is drawn.
    fn line(&self, bar: &str) -> String {
        if self.of_files.get() == 0 {
            let known = counted(self.known.get(), "file is", "files are");
            return format!("Uploading  nothing: {known} known from before");
        }
        let mega = |bytes: u64| bytes as f64 / 1e6;
        let mut line = format!(
            "Uploading  {bar}{}/{} files  {:.1}/{:.1} MB",
            self.files.get(),
            self.of_files.get(),
            mega(self.bytes.get()),
            mega(self.of_bytes.get())
        );
        let seconds = self.begun.elapsed().as_secs_f64();
        // A rate means nothing before.
        if seconds >= 3.0 {
            let rate = mega(self.bytes.get()) / seconds;
            let left = mega(self.of_bytes.get() - self.bytes.get()) / rate.max(0.001);
            line += &format!("  {rate:.1} MB/s  {left:.0} s left");
        }
        let known = self.known.get();
        if known > 0 {
            line += &format!("  ({known} known from before)");
        }
        line
    }
}

/// The files at the beginning that are announced together.
fn part<'a, 'b>(missing: &'b [&'a Upload]) -> &'b [&'a Upload] {
    let mut bytes = 0;
    let mut count = 0;
    for one in missing.iter().take(ANNOUNCED) {
        bytes += one.size;
        if count > 0 && bytes > ANNOUNCED_BYTES {
            break;
        }
        count += 1;
    }
    &missing[..count]
}

type Ids = HashMap<(String, usize), String>;

/// Files that the journal knows and the deployment still has.
async fn known(to: &Deployment, journal: &Journal, all: &[&Upload]) -> Result<Ids, Failure> {
    let wanted = all.iter().map(|one| one.sha256.as_str()).collect();
    let kept = journal.uploaded(&wanted)?;
    let asked = all.iter().filter_map(|one| {
        let key = (one.sha256.clone(), one.nth);
        let id: FileId = kept.get(&key)?.parse().ok()?;
        Some(async move {
            let pause = &mut Pause::within(KNOWN);
            let is_ready = loop {
                match to.ask::<File>(&Request::get(paths::file(id))).await {
                    Ok(file) if file.status == FileStatus::Ready => break true,
                    Ok(file) if file.status == FileStatus::Uploading => match pause.next(None) {
                        Some(wait) => tokio::time::sleep(wait).await,
                        None => break false,
                    },
                    Ok(_) => break false,
                    Err(failure) if failure.code == "not_found" => break false,
                    Err(failure) => return Err(failure),
                }
            };
            Ok(is_ready.then(|| (key, id.to_string())))
        })
    });
    let asked: Vec<_> = asked.collect();
    let found: Vec<Option<((String, usize), String)>> = stream::iter(asked)
        .buffer_unordered(ASKED_AT_ONCE)
        .try_collect()
        .await?;
    // A file is in a dataset once, even where an older journal has it for two uploads.
    let mut seen = HashSet::new();
    let different = found.into_iter().flatten();
    Ok(different
        .filter(|(_, id)| seen.insert(id.clone()))
        .collect())
}

/// Announces files, but for what is there already. The files of a dataset are different
/// ones: one that stands for another upload is not taken.
async fn announce_new(
    to: &Deployment,
    files: &[&Upload],
    taken: &mut HashSet<String>,
) -> Result<Vec<Announced>, Failure> {
    let mut all = match announce(to, files, true).await {
        // A deployment that is older than this program does not know the word.
        Err(failure) if failure.rows.iter().any(|row| row.field == "reuse") => {
            announce(to, files, false).await?
        }
        all => all?,
    };
    for (one, announced) in files.iter().zip(&mut all) {
        if announced.upload.is_none() && !taken.insert(announced.file.id.to_string()) {
            *announced = announce_one(to, one).await?;
        }
    }
    Ok(all)
}

async fn announce_one(to: &Deployment, one: &Upload) -> Result<Announced, Failure> {
    announce(to, &[one], false)
        .await?
        .pop()
        .ok_or_else(|| Failure::new(Exit::Failed, "upload", "nothing was announced"))
}

async fn announce(
    to: &Deployment,
    files: &[&Upload],
    reuse: bool,
) -> Result<Vec<Announced>, Failure> {
    let new = files.iter().map(|one| {
        Object(NewFile {
            filename: one.filename.clone(),
            content_type: one.content_type.to_owned(),
            size_bytes: one.size,
            checksum_sha256: Some(one.sha256.clone()),
        })
    });
    let body = NewFiles {
        files: Some(new.collect()),
        reuse: reuse.then_some(true),
        ..NewFiles::default()
    };
    // What was announced and never sent expires by itself, so each announcement is one of
    // its own; the key is for tries of this one.
    let request = Request::post(paths::files(), &body)?.once(&unique()?);
    let made: AnnouncedFiles = to.ask(&request).await?;
    if made.files.len() != files.len() {
        let message = "the deployment announced another number of files";
        return Err(Failure::new(Exit::Failed, "no_deployment", message));
    }
    Ok(made.files)
}

/// Sends the bytes of a file; gives its id.
async fn put(to: &Deployment, one: &Upload, announced: Announced) -> Result<String, Failure> {
    let mut announced = announced;
    for _ in 0..ADDRESSES {
        let id = announced.file.id.to_string();
        let Some(address) = &announced.upload else {
            return Ok(id);
        };
        if put_at(to, one, address).await? {
            return Ok(id);
        }
        announced = announce_one(to, one).await?;
    }
    let message = format!("{}: the upload is refused each time", one.filename);
    Err(Failure::new(Exit::Failed, "upload", message))
}

/// Whether the bytes are there now; not if the address has expired.
async fn put_at(
    to: &Deployment,
    one: &Upload,
    address: &stt_eval_wire::files::Upload,
) -> Result<bool, Failure> {
    let failed = |reason: &str| {
        let message = format!("{}: the upload {reason}", one.filename);
        Failure::new(Exit::Failed, "upload", message).hint("the same command again goes on")
    };
    // At 50 kB a second the slowest links still come through.
    let patience = Duration::from_secs(60 + one.size / 50_000);
    let mut pause = Pause::within(to.patience);
    loop {
        let mut request = to
            .http()
            .put(&address.url)
            .timeout(patience)
            .header(reqwest::header::CONTENT_LENGTH, one.size);
        for (name, value) in &address.headers {
            if !name.eq_ignore_ascii_case("content-length") {
                request = request.header(name, value);
            }
        }
        let sent_at = Instant::now();
        let answer = request.body(body(one)?).send().await;
        let status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        // The address is signed, which is as good as a key.
        told(
            "PUT",
            &format!("(bytes of {})", one.filename),
            status,
            sent_at,
        );
        let (reason, asked) = match answer {
            Ok(answer) => {
                let status = answer.status();
                match status {
                    // An earlier try came through, and its answer was lost: the
                    // checksum is the same, or it would have been refused.
                    StatusCode::PRECONDITION_FAILED => return Ok(true),
                    StatusCode::FORBIDDEN => return Ok(false),
                    _ if status.is_success() => return Ok(true),
                    StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {}
                    StatusCode::CONFLICT => {}
                    _ if status.is_server_error() => {}
                    _ => return Err(failed(&format!("is refused ({})", status.as_u16()))),
                }
                (format!("is answered with {}", status.as_u16()), None)
            }
            Err(error) if error.is_timeout() => ("takes too long".to_owned(), None),
            Err(_) => ("broke off".to_owned(), None),
        };
        match pause.next(asked) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Err(failed(&reason)),
        }
    }
}

/// The bytes of a file, a piece at a time.
fn body(one: &Upload) -> Result<reqwest::Body, Failure> {
    let path = match &one.bytes {
        Bytes::Memory(bytes) => return Ok(bytes.clone().into()),
        Bytes::File(path) => path,
    };
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::Failed,
            "unreadable",
            format!("{}: {error}", path.display()),
        )
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let pieces = stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0_u8; PIECE];
        let read = file.read(&mut piece)?;
        piece.truncate(read);
        let more = (read > 0).then(|| (Chunk::from(piece), file));
        Ok::<_, std::io::Error>(more)
    });
    Ok(reqwest::Body::wrap_stream(pieces))
}

/// Waits until all files are registered.
async fn registered(to: &Deployment, all: &[&Upload], ids: &[String]) -> Result<(), Failure> {
    let until = Instant::now() + REGISTERED;
    let mut open: Vec<(usize, FileId)> = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let id = id
            .parse()
            .map_err(|_| Failure::new(Exit::Failed, "no_deployment", "an id is none"))?;
        open.push((index, id));
    }
    let mut wait = Duration::from_millis(200);
    loop {
        let asked = open.iter().copied().map(|(index, id)| async move {
            let file: File = to.ask(&Request::get(paths::file(id))).await?;
            Ok::<_, Failure>((index, id, file))
        });
        let asked: Vec<_> = asked.collect();
        let told: Vec<(usize, FileId, File)> = stream::iter(asked)
            .buffered(ASKED_AT_ONCE)
            .try_collect()
            .await?;
        open.clear();
        for (index, id, file) in told {
            match file.status {
                FileStatus::Ready => {}
                FileStatus::Uploading => open.push((index, id)),
                _ => {
                    let name = all.get(index).map_or("", |one| one.filename.as_str());
                    let reason = file.rejection_reason.unwrap_or_default();
                    let message = format!("{name}: refused: {reason}");
                    return Err(Failure::new(Exit::Findings, "refused_audio", message));
                }
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        if Instant::now() >= until {
            let message = format!(
                "{} uploaded and still not registered",
                counted(open.len(), "file is", "files are")
            );
            return Err(Failure::new(Exit::Failed, "upload", message)
                .hint("the same command again goes on"));
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(3));
    }
}
