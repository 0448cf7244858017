//! Which file of a folder a path means that was written on another machine.
//!
//! In this order: as written, if it lies inside the folder; relative to the manifest;
//! relative to the working directory; by the longest common tail; by its base name; by
//! its base name with another extension; at last without case. Names are compared in
//! NFC. Nothing outside the folder is taken unless it is allowed; then a file that is there
//! as written goes before another one that is only called so.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use super::files::{Files, base, is_litter, parent, stem};

/// Extensions of recordings, those included that the service refuses: they are told
/// apart from missing ones.
const AUDIO: [&str; 18] = [
    "wav", "mp3", "flac", "m4a", "ogg", "opus", "webm", "aac", "amr", "wma", "aiff", "aif", "mp4",
    "sph", "au", "oga", "caf", "mka",
];

/// Whether a name ends as recordings do.
#[must_use]
pub fn has_audio_extension(name: &str) -> bool {
    let extension = base(name).rsplit_once('.').map(|(_, end)| end);
    extension.is_some_and(|end| AUDIO.iter().any(|one| end.eq_ignore_ascii_case(one)))
}

/// By which rule a file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// As it is written.
    AsWritten,
    /// Relative to the manifest.
    BesideManifest,
    /// Relative to the working directory.
    WorkingDirectory,
    /// By the longest common tail.
    Tail,
    /// By its base name.
    BaseName,
    /// By its base name, with another extension.
    OtherExtension,
    /// Without case.
    WithoutCase,
    /// Outside the folder, which was allowed.
    Outside,
    /// Inside the table itself.
    Embedded,
}

/// What became of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// The file of this name, inside the folder unless the rule says otherwise.
    Found(String, Rule),
    /// There is one, outside the folder.
    Outside,
    /// There is none.
    Missing,
    /// Several files could be meant; how many.
    Several(usize),
}

/// The recordings of a folder, ready to be looked up.
#[derive(Debug)]
pub struct Resolver<'a> {
    names: Vec<&'a str>,
    by_name: HashMap<String, usize>,
    by_base: HashMap<String, Vec<usize>>,
    by_stem: HashMap<String, Vec<usize>>,
    by_lower: HashMap<String, Vec<usize>>,
    place: Option<&'a str>,
    working: Option<&'a str>,
}

fn nfc(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_owned(),
        false => text.nfc().collect(),
    }
}

impl<'a> Resolver<'a> {
    /// Looks the recordings of a folder up once.
    #[must_use]
    pub fn new(files: &'a dyn Files) -> Self {
        let mut resolver = Self {
            names: Vec::new(),
            by_name: HashMap::new(),
            by_base: HashMap::new(),
            by_stem: HashMap::new(),
            by_lower: HashMap::new(),
            place: files.place(),
            working: files.working(),
        };
        let audio = files
            .names()
            .iter()
            .filter(|name| has_audio_extension(name));
        for name in audio.filter(|name| !is_litter(name)) {
            let index = resolver.names.len();
            resolver.names.push(name);
            let composed = nfc(name);
            let by_base = resolver.by_base.entry(base(&composed).to_owned());
            by_base.or_default().push(index);
            let by_stem = resolver.by_stem.entry(stem(&composed).to_owned());
            by_stem.or_default().push(index);
            let by_lower = resolver.by_lower.entry(base(&composed).to_lowercase());
            by_lower.or_default().push(index);
            resolver.by_name.insert(composed, index);
        }
        resolver
    }

    /// Names of all recordings.
    #[must_use]
    pub fn recordings(&self) -> &[&'a str] {
        &self.names
    }

    /// Finds the file that a path means; `folder` is where the manifest is.
    #[must_use]
    pub fn resolve(
        &self,
        written: &str,
        folder: &str,
        files: &dyn Files,
        outside: bool,
    ) -> Resolved {
        let written = tidy(written);
        let Some(path) = written.as_deref() else {
            return Resolved::Missing;
        };
        let is_absolute = is_absolute(path);
        if let Some(name) = inside(path, folder, self.place)
            && let Some(found) = self.exact(&name)
        {
            let rule = match is_absolute {
                true => Rule::AsWritten,
                false => Rule::BesideManifest,
            };
            return Resolved::Found(found, rule);
        }
        let from_working = self.working.filter(|_| !is_absolute);
        let from_working = from_working.and_then(|working| absolute(working, path));
        if let (Some(full), Some(place)) = (&from_working, self.place)
            && let Some(found) = within(full, place).and_then(|name| self.exact(&name))
        {
            return Resolved::Found(found, Rule::WorkingDirectory);
        }
        if outside
            && let Some(place) = self.place
            && let Some(found) = as_written(path, folder, place, from_working.as_deref(), files)
        {
            // A link may lead to the folder, from outside or to where it is itself.
            let own = files.through_links(&found);
            return match own.and_then(|name| self.exact(&name)) {
                Some(name) => Resolved::Found(name, Rule::AsWritten),
                None => Resolved::Found(found, Rule::Outside),
            };
        }
        match self.by_tail(path, folder) {
            Resolved::Missing | Resolved::Several(0) => {}
            found => return found,
        }
        let there = match is_absolute {
            true => Some(path.to_owned()).filter(|path| files.has_outside(path)),
            false => self.elsewhere(path, folder, from_working, files),
        };
        match there {
            Some(path) if outside => Resolved::Found(path, Rule::Outside),
            Some(_) => Resolved::Outside,
            None if !is_absolute && joined(folder, path).is_none() => Resolved::Outside,
            None => Resolved::Missing,
        }
    }

    /// Where a relative path leads outside of the folder, if to anything: beside its manifest, from
    /// the working directory, or from a folder above, as `ESPnet` writes from its recipe on, which is
    /// two or three above. Of a list whose recordings are missing every row is looked for so.
    fn elsewhere(
        &self,
        path: &str,
        folder: &str,
        from_working: Option<String>,
        files: &dyn Files,
    ) -> Option<String> {
        let mut own = self.place.and_then(|place| joined(place, folder));
        let mut from_working = from_working;
        for above in 0..=MOST_ABOVE {
            if let Some(own) = &own
                && let Some(found) = absolute(own, path).filter(|path| files.has_outside(path))
            {
                return Some(found);
            }
            if above == 0
                && let Some(found) = from_working.take().filter(|path| files.has_outside(path))
            {
                return Some(found);
            }
            own = own
                .filter(|own| !own.is_empty())
                .map(|own| parent(&own).to_owned());
        }
        None
    }

    fn exact(&self, name: &str) -> Option<String> {
        let index = self.by_name.get(&nfc(name))?;
        self.names.get(*index).map(|name| (*name).to_owned())
    }

    /// Of several files the one in the folder of the manifest is meant, or in the nearest above it
    /// that has any: each language of a corpus has its own `1.wav`.
    fn nearest(&self, all: &[usize], folder: &str) -> Option<usize> {
        let mut folder = folder;
        while !folder.is_empty() {
            let is_in = |index: &&usize| {
                let name = self.names.get(**index);
                let rest = name.and_then(|name| name.strip_prefix(folder));
                rest.is_some_and(|rest| rest.starts_with('/'))
            };
            let mut near = all.iter().filter(is_in);
            match (near.next(), near.next()) {
                (Some(one), None) => return Some(*one),
                (Some(_), Some(_)) => return None,
                (None, _) => folder = parent(folder),
            }
        }
        None
    }

    fn by_tail(&self, path: &str, folder: &str) -> Resolved {
        let path = nfc(path);
        let last = base(&path);
        let without_prefix = upload_prefix(last);
        let steps = [
            (self.by_base.get(last), Rule::BaseName),
            (
                without_prefix.and_then(|name| self.by_base.get(name)),
                Rule::BaseName,
            ),
            (self.by_stem.get(stem(last)), Rule::OtherExtension),
            (self.by_lower.get(&last.to_lowercase()), Rule::WithoutCase),
            // An id without an extension.
            (self.by_stem.get(last), Rule::OtherExtension),
        ];
        for (candidates, rule) in steps {
            let Some(candidates) = candidates else {
                continue;
            };
            let tails: Vec<(usize, usize)> = candidates
                .iter()
                .map(|index| (common_tail(&path, &nfc(self.names[*index])), *index))
                .collect();
            let longest = tails.iter().map(|(length, _)| *length).max().unwrap_or(0);
            let best = tails.iter().filter(|(length, _)| *length == longest);
            let best: Vec<usize> = best.map(|(_, index)| *index).collect();
            let found = match best.as_slice() {
                [one] => Some(*one),
                several => self.nearest(several, folder),
            };
            let Some(index) = found else {
                return Resolved::Several(candidates.len());
            };
            let rule = match rule {
                Rule::BaseName if longest > 1 => Rule::Tail,
                rule => rule,
            };
            return Resolved::Found(self.names[index].to_owned(), rule);
        }
        Resolved::Missing
    }
}

/// How many parts two paths have in common at their ends; the last one may differ in
/// its extension.
fn common_tail(one: &str, other: &str) -> usize {
    let same = |(a, b): &(&str, &str)| a == b;
    let folders = |path: &str| -> Vec<String> {
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        parts.pop();
        parts.reverse();
        parts
    };
    let (one, other) = (folders(one), folders(other));
    let both = one
        .iter()
        .map(String::as_str)
        .zip(other.iter().map(String::as_str));
    1 + both.take_while(same).count()
}

/// The name behind the eight hex digits that Label Studio puts before uploads.
pub(crate) fn upload_prefix(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_once('-')?;
    let is_hex = prefix.len() == 8 && prefix.bytes().all(|b| b.is_ascii_hexdigit());
    is_hex.then_some(rest)
}

/// What a tidy path is called inside of the folder that `place` is; `None` where it leads out of it.
fn inside(path: &str, folder: &str, place: Option<&str>) -> Option<String> {
    match is_absolute(path) {
        true => within(path, place?),
        false => joined(folder, path),
    }
}

/// What a path of a text beside recordings is called inside of the folder; `None` where it leads
/// out of it.
pub(crate) fn name_inside(written: &str, folder: &str, place: Option<&str>) -> Option<String> {
    inside(&tidy(written)?, folder, place)
}

/// The file outside of the folder that a path of a text beside recordings names.
pub(crate) fn path_outside(written: &str, folder: &str, files: &dyn Files) -> Option<String> {
    let path = tidy(written)?;
    let working = files.working().filter(|_| !is_absolute(&path));
    let from_working = working.and_then(|working| absolute(working, &path));
    as_written(
        &path,
        folder,
        files.place()?,
        from_working.as_deref(),
        files,
    )
}

/// Whether a path as it was written begins at the top of some machine.
pub(crate) fn begins_at_top(written: &str) -> bool {
    tidy(written).is_some_and(|path| is_absolute(&path))
}

/// The file outside of the folder that a tidy path names as it is written, beside its manifest or
/// from the working directory.
fn as_written(
    path: &str,
    folder: &str,
    place: &str,
    from_working: Option<&str>,
    files: &dyn Files,
) -> Option<String> {
    let full = match is_absolute(path) {
        true => plain(path),
        false => joined(place, folder).and_then(|own| absolute(&own, path)),
    };
    let mut all = full.into_iter().chain(from_working.map(str::to_owned));
    all.find(|path| within(path, place).is_none() && files.has_outside(path))
}

/// An absolute path, `.` and `..` worked out.
fn plain(path: &str) -> Option<String> {
    match has_drive(path) {
        true => joined("", path),
        false => absolute("", path),
    }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || has_drive(path)
}

fn has_drive(path: &str) -> bool {
    let bytes = path.as_bytes();
    matches!(bytes, [drive, b':', b'/', ..] if drive.is_ascii_alphabetic())
}

/// Whether `\` separates folders: in a path with a drive, and where nothing else does.
fn is_of_windows(path: &str) -> bool {
    let drive = matches!(path.as_bytes(), [d, b':', b'\\' | b'/', ..] if d.is_ascii_alphabetic());
    drive || !path.contains('/')
}

/// The name of a file by its path as it was written on some machine, without its extension.
pub(crate) fn stem_as_written(path: &str) -> &str {
    let own = match is_of_windows(path) {
        true => path.rsplit(['/', '\\']).next().unwrap_or_default(),
        false => path,
    };
    stem(own)
}

/// A path as it was written on some machine, with `/` and without its extension.
pub(crate) fn without_extension(path: &str) -> String {
    let path = match is_of_windows(path) {
        true => path.replace('\\', "/"),
        false if path.contains("://") || path.contains(LOCAL_FILES) => {
            tidy(path).unwrap_or_default()
        }
        false => path.to_owned(),
    };
    let own = stem(&path);
    match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{own}"),
        None => own.to_owned(),
    }
}

/// A name without the extension of a recording, if it has one: `u1.wav` is the recording `u1`.
pub(crate) fn without_audio(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((own, _)) if has_audio_extension(name) && !base(own).is_empty() => own,
        _ => name,
    }
}

/// What Label Studio writes before the paths of its own machine, which are parts of an address.
const LOCAL_FILES: &str = "/data/local-files/?d=";

/// A path with `/`, without what addresses have around it. `None` for none at all.
fn tidy(written: &str) -> Option<String> {
    let mut path = written.trim().to_owned();
    if is_of_windows(&path) {
        path = path.replace('\\', "/");
    }
    if let Some((_, local)) = path.split_once(LOCAL_FILES) {
        path = percent_decoded(local);
    } else if let Some((_, rest)) = path.split_once("://") {
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        path = percent_decoded(&format!("/{rest}"));
    }
    if let Some(rest) = path.strip_prefix("~/") {
        path = format!("/~/{rest}");
    }
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    (!path.is_empty()).then_some(path)
}

/// `%20` and its like in the path of an address.
fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        let hex = |n: usize| bytes.get(at + n).and_then(|b| char::from(*b).to_digit(16));
        match (b, hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*b);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// A path in a folder, `.` and `..` worked out; `None` if it leaves the top.
fn joined(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn absolute(folder: &str, path: &str) -> Option<String> {
    let mut made = String::with_capacity(folder.len() + path.len() + 2);
    made.push('/');
    // Nothing is to be worked out of most.
    let is_plain = |path: &str| !path.starts_with('.') && !path.contains("/.");
    let folder = folder.trim_start_matches('/');
    if is_plain(folder) && is_plain(path) && !folder.contains("//") && !folder.ends_with('/') {
        made.push_str(folder);
        if !folder.is_empty() {
            made.push('/');
        }
        made.push_str(path.trim_start_matches('/'));
        return Some(made);
    }
    made.push_str(&joined(folder, path)?);
    Some(made)
}

/// Folders above a manifest in which its paths may begin.
const MOST_ABOVE: usize = 3;

/// What an absolute path is called inside a folder.
fn within(path: &str, place: &str) -> Option<String> {
    let path = joined("", path)?;
    let place = joined("", place)?;
    if place.is_empty() {
        return Some(path);
    }
    let rest = path.strip_prefix(&place)?.strip_prefix('/')?;
    Some(rest.to_owned())
}

/// The path-like word of a shell's command that is its source, to be looked for; the
/// command itself is never run. `sox /data/a.wav -t wav - |` reads `/data/a.wav`.
#[must_use]
pub fn word_of_command(command: &str) -> Option<&str> {
    let first = command.split('|').next().unwrap_or_default();
    let words = first
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'']));
    let mut files = words.filter(|word| has_audio_extension(word) && !word.starts_with('-'));
    files.next_back()
}

#[cfg(test)]
#[path = "paths_tests.rs"]
mod tests;
