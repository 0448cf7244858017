//! Sides of which only one has ids: what can be paired by order, and what is a guess.

use std::collections::{BTreeMap, HashSet};

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

/// Ids of which sides share none say nothing where they name the same recordings, most of them: exports
/// of a deployment have ids of its own. Recordings are the ids then, which is told.
pub(super) fn by_other_ids(
    right: &mut Transcripts,
    heard: &mut [(Transcripts, &str)],
    name: &str,
) -> Option<String> {
    // What has no path of its own may be called by its recording.
    let called = |entry: &Entry| recording(entry).or_else(|| entry.id.clone());
    let recordings = |source: &Transcripts| -> Option<HashSet<String>> {
        let all: Option<Vec<String>> = source.entries.iter().map(called).collect();
        let all = all?;
        let count = all.len();
        let unique: HashSet<String> = all.iter().map(|one| folded(one).into_owned()).collect();
        (unique.len() == count && count > 0).then_some(unique)
    };
    if heard.is_empty() || !has_ids(&right.entries) {
        return None;
    }
    let (own, own_ids) = (recordings(right)?, ids(&right.entries));
    for (source, _) in heard.iter() {
        let is_apart = has_ids(&source.entries) && ids(&source.entries).is_disjoint(&own_ids);
        let others = recordings(source)?;
        let (common, least) = (
            own.intersection(&others).count(),
            own.len().min(others.len()),
        );
        // A few names that are the same make no set of recordings.
        if !is_apart || common * 2 < least {
            return None;
        }
    }
    let shown: Vec<&str> = heard.iter().map(|(_, shown)| *shown).collect();
    let shown = shown.join(", ");
    let others = heard.iter_mut().map(|(source, _)| source);
    for entry in std::iter::once(right)
        .chain(others)
        .flat_map(|source| &mut source.entries)
    {
        entry.id = called(entry);
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
