//! Sides of which only one has ids: what can be paired by order, and what is a guess.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::paths::upload_prefix;
use super::problem::{Code, Problem, counted};
use super::same::{folded, has_ids, ids};
use super::transcripts::{Entry, Transcripts};

/// How many texts a source has.
fn length(source: &Transcripts) -> usize {
    match source.lines.is_empty() {
        true => source.entries.len(),
        false => source.lines.each().count(),
    }
}

/// The number that an id is.
fn number(entry: &Entry) -> Option<u64> {
    let id = entry.id.as_deref()?;
    let is_number = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    id.parse().ok().filter(|_| is_number)
}

/// Whether ids of a source do no more than count its rows, or there are none.
pub(super) fn only_counts(source: &Transcripts) -> bool {
    !has_ids(&source.entries) || numbers(&source.entries).is_some_and(|all| all.is_sorted())
}

/// The number of each entry, where they are all of 0 or 1 to the last, each once.
fn numbers(entries: &[Entry]) -> Option<Vec<u64>> {
    let all: Option<Vec<u64>> = entries.iter().map(number).collect();
    let all = all?;
    let mut sorted = all.clone();
    sorted.sort_unstable();
    let first @ 0..=1 = sorted.first().copied()? else {
        return None;
    };
    (first..).zip(sorted).all(|(a, b)| a == b).then_some(all)
}

/// What the recording of an entry is called.
fn recording(entry: &Entry) -> Option<String> {
    let path = entry.place.path.as_deref()?;
    path.rsplit('/').next().map(str::to_owned)
}

/// What an entry is called by its recording, or by its id where it has no path of its own.
/// Uploads to Label Studio have digits before their names.
fn called(entry: &Entry, is_upload: bool) -> Option<String> {
    let own = recording(entry).or_else(|| entry.id.clone())?;
    match is_upload {
        true => upload_prefix(&own).map(str::to_owned),
        false => Some(own),
    }
}

/// Whether all recordings of a source are called as uploads are.
fn are_uploads(source: &Transcripts) -> bool {
    let mut all = source.entries.iter();
    all.all(|entry| called(entry, true).is_some())
}

/// Names of the recordings of a source as they are compared, each there once.
fn recordings(source: &Transcripts, is_upload: bool) -> Option<HashSet<String>> {
    let all = source.entries.iter().map(|entry| called(entry, is_upload));
    let all: Option<Vec<String>> = all.collect();
    let all = all?;
    let unique: HashSet<String> = all.iter().map(|one| folded(one).into_owned()).collect();
    (unique.len() == all.len() && !all.is_empty()).then_some(unique)
}

/// Whether words are the names of recordings of a source, most of them.
pub(super) fn are_recordings(words: &HashSet<Cow<'_, str>>, source: &Transcripts) -> bool {
    let are = |is_upload| {
        recordings(source, is_upload).is_some_and(|names| {
            let common = words.iter().filter(|word| names.contains(&***word)).count();
            common > 0 && common * 2 >= words.len().min(names.len())
        })
    };
    are(false) || are(true)
}

/// Ids of which sides share none say nothing where they name the same recordings, most of them: exports
/// of a deployment have ids of its own. Recordings are the ids then, which is told.
pub(super) fn by_other_ids(
    right: &mut Transcripts,
    heard: &mut [(Transcripts, &str)],
    name: &str,
) -> Option<String> {
    if heard.is_empty() || !has_ids(&right.entries) {
        return None;
    }
    let own_ids = ids(&right.entries);
    let is_apart = |source: &Transcripts| {
        has_ids(&source.entries) && ids(&source.entries).is_disjoint(&own_ids)
    };
    if !heard.iter().all(|(source, _)| is_apart(source)) {
        return None;
    }
    // As they are written, and then without what uploads have before their names.
    let are_same = |is_upload: bool| {
        let of = |source| recordings(source, is_upload && are_uploads(source));
        let Some(own) = of(right) else {
            return false;
        };
        heard.iter().all(|(source, _)| {
            of(source).is_some_and(|others| {
                // A few names that are the same make no set of recordings.
                let common = own.intersection(&others).count();
                common * 2 >= own.len().min(others.len())
            })
        })
    };
    let is_upload = [false, true].into_iter().find(|one| are_same(*one))?;
    let shown: Vec<&str> = heard.iter().map(|(_, shown)| *shown).collect();
    let shown = shown.join(", ");
    let others = heard.iter_mut().map(|(source, _)| source);
    for source in std::iter::once(right).chain(others) {
        let is_upload = is_upload && are_uploads(source);
        for entry in &mut source.entries {
            entry.id = called(entry, is_upload);
        }
    }
    Some(format!(
        "ids of {name} and {shown} have nothing in common: rows are paired by their recordings"
    ))
}

/// Ids that only count rows say nothing where all sides name the same recordings and one number
/// stands at several of them: what was sorted or shuffled is counted anew. Recordings are the
/// ids then, which is told.
pub(super) fn by_recordings(
    right: &mut Transcripts,
    heard: &mut [(Transcripts, &str)],
    name: &str,
) -> Option<String> {
    let counted = |source: &Transcripts| -> Option<BTreeMap<String, u64>> {
        let numbers = numbers(&source.entries)?;
        let recordings: Option<Vec<String>> = source.entries.iter().map(recording).collect();
        let all: BTreeMap<String, u64> = recordings?.into_iter().zip(numbers).collect();
        (all.len() == source.entries.len()).then_some(all)
    };
    let own = counted(right)?;
    let mut other_than = None;
    for (source, shown) in heard.iter() {
        let other = counted(source)?;
        if !own.keys().eq(other.keys()) {
            return None;
        }
        if own != other {
            other_than.get_or_insert(*shown);
        }
    }
    let shown = other_than?;
    let others = heard.iter_mut().map(|(source, _)| source);
    for entry in std::iter::once(right)
        .chain(others)
        .flat_map(|source| &mut source.entries)
    {
        entry.id = recording(entry);
    }
    Some(format!(
        "ids of {name} and {shown} only count rows, and stand at other recordings in each: rows are \
         paired by their recordings"
    ))
}

/// Looks at two sides of which one has no ids: numbers from 0 or 1 on are those of lines, a
/// list has an order of its own, and files of a folder have none.
///
/// # Errors
/// Files of a folder can't be told apart by lines.
pub(super) fn in_order(
    right: &mut Transcripts,
    heard: &mut [(Transcripts, &str)],
    name: &str,
) -> Result<Vec<String>, Problem> {
    let mut remarks = Vec::new();
    for (source, shown) in heard {
        let remark = match (has_ids(&right.entries), has_ids(&source.entries)) {
            (true, false) => of_one_side((right, name), (source, shown))?,
            (false, true) => of_one_side((source, shown), (right, name))?,
            (false, false) => of_none((right, name), (source, shown)),
            (true, true) => None,
        };
        remarks.extend(remark);
    }
    Ok(remarks)
}

/// `named` has ids, and `bare` has none.
fn of_one_side(
    (named, name): (&mut Transcripts, &str),
    (bare, other): (&Transcripts, &str),
) -> Result<Option<String>, Problem> {
    let (many, lines) = (named.entries.len(), length(bare));
    if (many != lines && named.files.is_empty()) || (many == 1 && lines == 1) {
        // That lists are not of one length is told with the line from which on they part.
        return Ok(None);
    }
    if many == lines
        && let Some(numbers) = numbers(&named.entries)
    {
        if numbers.is_sorted() {
            let has_more = |table: &Transcripts| table.columns.len() > 1;
            return Ok((has_more(named) && has_more(bare)).then(|| {
                format!(
                    "ids of {name} only count rows, and no column of {other} is known to name \
                     samples: rows are paired in the order that they have; a column `id` in both \
                     joins them"
                )
            }));
        }
        named.entries.sort_by_key(number);
        return Ok(Some(format!(
            "{name} has the numbers of lines of {other} as ids, in another order: they are paired \
             by number"
        )));
    }
    let mut ids = named.entries.iter().filter_map(|entry| entry.id.as_deref());
    let first = ids.next().unwrap_or_default();
    if named.files.is_empty() {
        return Ok(Some(format!(
            "{name} has ids ({first} …), and {other} has none: they are paired line by line, in \
             the order that they have"
        )));
    }
    let message = format!(
        "{other} has {} without ids, and {name} has {}, one for each recording ({first} …): which \
         line is of which file is not known",
        counted(lines, "line", "lines"),
        counted(many, "file", "files"),
    );
    let hint = format!("begin each line of {other} with the name of its file and a TAB");
    Err(Problem::new(Code::Mismatch, message).hint(hint))
}

/// Tables with columns beside their texts, none of which is known to name samples.
fn of_none(
    (right, name): (&Transcripts, &str),
    (source, shown): (&Transcripts, &str),
) -> Option<String> {
    let has_more = |table: &Transcripts| table.columns.len() > 1;
    (has_more(right) && has_more(source) && right.entries.len() > 1).then(|| {
        format!(
            "no column of {name} and {shown} is known to name samples: rows are paired in the \
             order that they have; a column `id` in both joins them"
        )
    })
}
