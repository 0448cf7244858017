//! Samples that have one id, and what tells them apart: the folders of their recordings, and
//! where they begin in them. Folders of one source that have the same files are of systems.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::problem::{Code, Problem};
use super::same::{folded, ids};
use super::transcripts::{Entry, Place, Transcripts, by_folder};

/// Most parts of a path that are looked at.
const DEEPEST: usize = 16;

/// What tells entries apart.
#[derive(Debug, Clone, Copy)]
struct Telling {
    /// So many parts of their paths, from the end.
    depth: usize,
    /// Whether paths are known.
    path: bool,
    /// Where they begin.
    start: bool,
}

impl Telling {
    /// What an entry is called by it.
    fn name(self, entry: &Entry) -> String {
        let id = entry.id.as_deref().unwrap_or_default();
        let path = entry.place.path.as_deref().filter(|_| self.path);
        let path = path.unwrap_or(id);
        let parts = path.rmatch_indices('/').nth(self.depth.saturating_sub(1));
        let tail = parts.map_or(path, |(at, _)| &path[at + 1..]);
        match entry.place.start.filter(|_| self.start) {
            Some(start) => format!("{tail}@{}", start as f64 / 1_000.0),
            None => tail.to_owned(),
        }
    }

    /// The same as it is compared.
    fn key(self, entry: &Entry) -> String {
        self.name(entry).to_lowercase()
    }

    /// With as few parts of paths as tell as many of them apart as all do.
    fn shortest(self, entries: &[&Entry]) -> Self {
        let distinct = |depth| {
            let telling = Self { depth, ..self };
            let keys: HashSet<String> = entries.iter().map(|one| telling.key(one)).collect();
            keys.len()
        };
        let most = distinct(DEEPEST);
        let depth = (1..DEEPEST).find(|depth| distinct(*depth) == most);
        Self {
            depth: depth.unwrap_or(DEEPEST),
            ..self
        }
    }

    /// What entries of one or of two sides have: a path of one of each, a beginning of all.
    fn of(sides: &[&[&Entry]]) -> Self {
        let has_path = |entry: &&Entry| entry.place.path.is_some();
        let has_start = |entry: &&Entry| entry.place.start.is_some();
        let known = Self {
            depth: 1,
            path: sides.iter().all(|side| side.iter().any(has_path)),
            start: sides.iter().all(|side| side.iter().all(has_start)),
        };
        if !known.path {
            return known;
        }
        let depths = sides.iter().map(|side| known.shortest(side).depth);
        Self {
            depth: depths.max().unwrap_or(1),
            ..known
        }
    }
}

/// Ids that several entries have, as they are compared.
fn repeated(entries: &[Entry]) -> HashSet<Cow<'_, str>> {
    let mut seen = HashSet::with_capacity(entries.len());
    let all = entries.iter().filter_map(|entry| entry.id.as_deref());
    all.map(folded)
        .filter(|id| !seen.insert(id.clone()))
        .collect()
}

fn has_place(source: &Transcripts) -> bool {
    let mut all = source.entries.iter();
    all.any(|entry| entry.place != Place::default())
}

/// Places of the entries that have one of the ids.
fn places(entries: &[Entry], again: &HashSet<String>) -> Vec<usize> {
    let is_one = |entry: &Entry| {
        let id = entry.id.as_deref().map(folded);
        id.is_some_and(|id| again.contains(&*id))
    };
    let all = entries.iter().enumerate();
    all.filter(|(_, entry)| is_one(entry))
        .map(|(at, _)| at)
        .collect()
}

fn at<'a>(entries: &'a [Entry], places: &[usize]) -> Vec<&'a Entry> {
    places.iter().filter_map(|at| entries.get(*at)).collect()
}

/// Gives samples that have one id others, by which both sides know them.
///
/// # Errors
/// Folders of a source have the same files in part: they may be of systems or not.
pub(super) fn told_apart(
    right: &mut Transcripts,
    heard: &mut [(Transcripts, &str)],
    name: &str,
) -> Result<Vec<String>, Problem> {
    if !heard.iter().any(|(source, _)| has_place(source)) {
        return Ok(Vec::new());
    }
    let again: HashSet<String> = repeated(&right.entries)
        .into_iter()
        .map(Cow::into_owned)
        .collect();
    let own = places(&right.entries, &again);
    let of_right = at(&right.entries, &own);
    let telling = Telling::of(&[&of_right]);
    let names: HashMap<usize, String> = match telling.path || telling.start {
        true => own
            .iter()
            .copied()
            .zip(of_right.iter().map(|one| telling.name(one)))
            .collect(),
        false => HashMap::new(),
    };
    let mut remarks = Vec::new();
    for (source, shown) in heard.iter_mut() {
        let is_known = |id: &str| !again.contains(id);
        let more: HashSet<String> = match has_place(source) {
            true => {
                let known = ids(&right.entries);
                let all = repeated(&source.entries).into_iter();
                all.filter(|id| is_known(id) && known.contains(id))
                    .map(Cow::into_owned)
                    .collect()
            }
            false => HashSet::new(),
        };
        let is_folder = again.is_empty() && !source.files.is_empty();
        let both: HashSet<String> = again.iter().cloned().chain(more).collect();
        if both.is_empty() {
            continue;
        }
        let found = matched(right, source, &both, &names);
        if found.is_none() && is_folder {
            remarks.extend(of_systems(source, shown, name)?);
        }
        let Some(found) = found else {
            continue;
        };
        remarks.extend(found.remark(shown, name));
        for (at, id) in found.ids {
            if let Some(entry) = source.entries.get_mut(at) {
                entry.id = Some(id);
            }
        }
    }
    for (at, id) in names {
        if let Some(entry) = right.entries.get_mut(at) {
            entry.id = Some(id);
        }
    }
    Ok(remarks)
}

/// Entries of a side that are those of the other.
struct Matched {
    /// Their places, and what they are called.
    ids: Vec<(usize, String)>,
    /// The first id of which the source does not say which sample is meant.
    unsure: Option<String>,
}

impl Matched {
    fn remark(&self, shown: &str, name: &str) -> Option<String> {
        let id = self.unsure.as_deref()?;
        Some(format!(
            "{shown} does not say which of several samples {id} of {name} is meant, for it has no \
             folder or offset of them: they are taken in their order"
        ))
    }
}

/// Brings entries of some ids to those of the references; `None` where none is found.
fn matched(
    right: &Transcripts,
    source: &Transcripts,
    again: &HashSet<String>,
    names: &HashMap<usize, String>,
) -> Option<Matched> {
    let (wanted, own) = (
        places(&right.entries, again),
        places(&source.entries, again),
    );
    let (of_right, of_source) = (at(&right.entries, &wanted), at(&source.entries, &own));
    let found = matched_by(right, (&wanted, &of_right), (&own, &of_source), names);
    if found.is_some() {
        return found;
    }
    // One side may have a folder more between those that tell: `hindi/audio/1` and `hindi/1`.
    let (of_right, of_source) = (only_telling(&of_right), only_telling(&of_source));
    let all = |entries: &'_ [Entry]| -> Vec<usize> { (0..entries.len()).collect() };
    let (a, b) = (
        at(&of_right, &all(&of_right)),
        at(&of_source, &all(&of_source)),
    );
    matched_by(right, (&wanted, &a), (&own, &b), names)
}

/// Ids and places of entries, without the folders that all of them are in: those tell nothing.
fn only_telling(entries: &[&Entry]) -> Vec<Entry> {
    let folders = |entry: &Entry| -> Vec<String> {
        let path = entry.place.path.as_deref().unwrap_or_default();
        path.rsplit('/').skip(1).map(str::to_owned).collect()
    };
    let all: Vec<Vec<String>> = entries.iter().map(|entry| folders(entry)).collect();
    let is_told = |depth: usize| {
        let first = all.first().and_then(|one| one.get(depth));
        all.iter().any(|one| one.get(depth) != first)
    };
    let cleared = |(entry, folders): (&&Entry, &Vec<String>)| {
        let path = entry.place.path.as_deref().map(|path| {
            let kept = folders
                .iter()
                .enumerate()
                .filter(|(depth, _)| is_told(*depth));
            let mut parts: Vec<&str> = kept.map(|(_, folder)| folder.as_str()).collect();
            parts.reverse();
            parts.push(path.rsplit('/').next().unwrap_or(path));
            parts.join("/").into_boxed_str()
        });
        Entry {
            id: entry.id.clone(),
            place: Place {
                path,
                start: entry.place.start,
            },
            ..Entry::default()
        }
    };
    entries.iter().zip(&all).map(cleared).collect()
}

/// Places of entries, and these.
type Placed<'a> = (&'a [usize], &'a [&'a Entry]);

fn matched_by(
    right: &Transcripts,
    (wanted, of_right): Placed<'_>,
    (own, of_source): Placed<'_>,
    names: &HashMap<usize, String>,
) -> Option<Matched> {
    let telling = Telling::of(&[of_right, of_source]);
    if !telling.path && !telling.start && names.is_empty() {
        return None;
    }
    let mut meant: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, entry) in wanted.iter().zip(of_right) {
        meant.entry(telling.key(entry)).or_default().push(*at);
    }
    let mut times: HashMap<String, usize> = HashMap::new();
    let (mut found, mut unsure) = (0, None);
    let mut named = Vec::with_capacity(own.len());
    for (at, entry) in own.iter().zip(of_source) {
        let key = telling.key(entry);
        let Some(meant) = meant.get(&key) else {
            named.push((*at, telling.name(entry)));
            continue;
        };
        let time = times.entry(key).or_default();
        let place = meant.get(*time).or_else(|| meant.last());
        *time += 1;
        found += 1;
        if meant.len() > 1 && unsure.is_none() {
            unsure.clone_from(&entry.id);
        }
        let id = place.and_then(|place| {
            let own = || right.entries.get(*place)?.id.clone();
            names.get(place).cloned().or_else(own)
        });
        named.extend(id.map(|id| (*at, id)));
    }
    (found > 0).then_some(Matched { ids: named, unsure })
}

/// The folder of an entry, from the top: so many parts of it.
fn folder(entry: &Entry, depth: usize) -> &str {
    let path = entry.place.path.as_deref().unwrap_or_default();
    let (folder, _) = path.rsplit_once('/').unwrap_or_default();
    let end = folder.match_indices('/').nth(depth - 1);
    end.map_or(folder, |(at, _)| &folder[..at])
}

/// Folders of one source that have the same files are of one system each.
fn of_systems(
    source: &mut Transcripts,
    shown: &str,
    name: &str,
) -> Result<Option<String>, Problem> {
    let by = |depth: usize| -> Option<BTreeMap<&str, BTreeSet<Cow<'_, str>>>> {
        let mut all: BTreeMap<&str, BTreeSet<Cow<'_, str>>> = BTreeMap::new();
        for entry in &source.entries {
            let own = all.entry(folder(entry, depth)).or_default();
            if !own.insert(folded(entry.id.as_deref().unwrap_or_default())) {
                return None;
            }
        }
        Some(all)
    };
    let Some((depth, folders)) = (1..DEEPEST).find_map(|depth| Some((depth, by(depth)?))) else {
        return Ok(None);
    };
    let mut sets = folders.values();
    let first = sets.next();
    let names: Vec<String> = folders.keys().map(|own| (*own).to_owned()).collect();
    if sets.any(|set| Some(set) != first) {
        let whole = |own: &String| match own.is_empty() {
            true => shown.to_owned(),
            false => format!("{shown}/{own}"),
        };
        let each: Vec<String> = names.iter().map(whole).collect();
        let message = format!(
            "{shown} has files of one name in several folders, and they have not all the same: {}",
            each.join(", ")
        );
        let hint = match names.iter().any(String::is_empty) {
            // Named again, it has those below it again.
            true => {
                format!("put the files that lie directly in {shown} into a folder of their own")
            }
            false => format!(
                "name the folders of systems: score {name} {}",
                each.join(" ")
            ),
        };
        return Err(Problem::new(Code::Ambiguous, message).hint(hint));
    }
    by_folder(source, |entry| folder(entry, depth).to_owned());
    let called = |own: &String| match own.is_empty() {
        true => format!("itself (called {})", source.name),
        false => own.clone(),
    };
    let called: Vec<String> = names.iter().map(called).collect();
    Ok(Some(format!(
        "{shown} has the same files in {}: each folder is scored as a system",
        called.join(", ")
    )))
}
