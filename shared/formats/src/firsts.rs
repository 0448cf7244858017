//! What the first words of plain lines, and their first line, are: Kaldi's `text` looks like
//! plain lines, and so does a table of one column.

use std::borrow::Cow;
use std::collections::HashSet;

use super::format::Format;
use super::in_order::are_recordings;
use super::problem::{Code, Problem, counted};
use super::same::{folded, has_ids, ids};
use super::table::{Role, role_of};
use super::transcripts::{Entry, FirstWords, Lines, Look, Transcripts, ids_and_texts};

/// Fewest lines of which first words tell anything.
const FEWEST: usize = 3;
/// Fewest lines of which ids of one make tell anything.
const FEWEST_ALIKE: usize = 2;
/// What ids of samples have in exports.
const SAMPLE: &str = "smp_";
/// Lines that are looked at first: of most lists these tell that they have no ids.
const HEAD: usize = 50;

/// What first words are.
enum Told {
    /// Ids; and what is to be told of that, where it is not sure.
    Ids(Option<String>),
    /// Words.
    Words(Option<String>),
}

/// A source and what it is called.
type Called<'a> = (&'a Transcripts, &'a str);

fn is_plain(source: &Transcripts) -> bool {
    source.format == Format::Lines && !has_ids(&source.entries) && !source.lines.is_empty()
}

/// Takes first words as ids where both sides share them, or the other has such ids.
///
/// # Errors
/// Both sides have ids, and none is the same.
pub(super) fn by_first_words(
    right: &mut Transcripts,
    heard: &mut [(Transcripts, &str)],
    name: &str,
) -> Result<Vec<String>, Problem> {
    let is_right_plain = is_plain(right);
    let mut changed = false;
    let mut remarks: Vec<String> = Vec::new();
    for (source, shown) in heard.iter_mut() {
        let told = match (is_right_plain, is_plain(source)) {
            (true, true) => both((right, name), (source, shown))?,
            (true, false) => beside_ids((right, name), (source, shown))?,
            (false, true) => beside_ids((source, shown), (right, name))?,
            (false, false) => continue,
        };
        let remark = match told {
            Told::Words(remark) => remark,
            Told::Ids(remark) => {
                changed = true;
                if is_plain(source) {
                    by_ids(source);
                }
                remark
            }
        };
        remarks.extend(remark.filter(|remark| !remarks.contains(remark)));
    }
    if changed && is_right_plain {
        by_ids(right);
    }
    Ok(remarks)
}

fn by_ids(source: &mut Transcripts) {
    source.entries = ids_and_texts(&source.lines);
    source.lines = Lines::default();
    source.format = Format::KaldiText;
}

fn set<'a>(words: &FirstWords<'a>) -> HashSet<Cow<'a, str>> {
    words.words.iter().map(|(_, word)| folded(word)).collect()
}

/// Whether most lines begin as those of the other side do.
fn agree(one: &FirstWords<'_>, other: &FirstWords<'_>) -> bool {
    same_lines(one, other) * 2 > one.words.len().min(other.words.len())
}

/// How many lines begin with the same word as the line of the same number.
fn same_lines(one: &FirstWords<'_>, other: &FirstWords<'_>) -> usize {
    let mut others = other.words.iter().peekable();
    let mut same = 0;
    for (line, word) in &one.words {
        while others.next_if(|(other, _)| other < line).is_some() {}
        let beside = others.next_if(|(other, _)| other == line);
        same += usize::from(beside.is_some_and(|(_, other)| other.eq_ignore_ascii_case(word)));
    }
    same
}

/// What all first words are made of, where that is the same: `utt_0001` is letters, `_` and digits.
fn make(words: &FirstWords<'_>) -> Option<String> {
    let of = |word: &str| {
        let mut made = String::new();
        for c in word.chars() {
            let class = match c {
                c if c.is_alphabetic() => 'a',
                c if c.is_ascii_digit() => '0',
                c => c,
            };
            if !(class.is_alphanumeric() && made.ends_with(class)) {
                made.push(class);
            }
        }
        made
    };
    let mut all = words.words.iter().map(|(_, word)| of(word));
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// Whether they count lines, as nobody speaks: 1, 2, 3 … from 0 or 1 on.
fn are_counted(words: &FirstWords<'_>) -> bool {
    let number = |word: &str| word.parse::<u64>().ok();
    let first = words.words.first().and_then(|(_, word)| number(word));
    let Some(first @ 0..=1) = first else {
        return false;
    };
    let mut all = (first..).zip(&words.words);
    all.all(|(wanted, (_, word))| number(word) == Some(wanted))
}

/// All first words; what a few lines tell need not be looked for in all.
fn all(lines: &Lines) -> Option<FirstWords<'_>> {
    FirstWords::of(lines, HEAD)?;
    FirstWords::of(lines, usize::MAX)
}

/// First words of two lists of plain lines.
fn both(right: Called<'_>, heard: Called<'_>) -> Result<Told, Problem> {
    const NONE: Result<Told, Problem> = Ok(Told::Words(None));
    let ((a, one), (b, other)) = (right, heard);
    let may_be = |words: &FirstWords<'_>| words.look > Look::Words || words.is_tabbed;
    let heads = FirstWords::of(&a.lines, HEAD).zip(FirstWords::of(&b.lines, HEAD));
    if let Some((a, b)) = &heads
        && !may_be(a)
        && !may_be(b)
        && agree(a, b)
    {
        return NONE;
    }
    let (a, b) = match (all(&a.lines), all(&b.lines)) {
        (Some(a), Some(b)) => (a, b),
        (Some(a), None) if may_be(&a) => return Ok(Told::Words(as_words(&a, one, other))),
        (None, Some(b)) if may_be(&b) => return Ok(Told::Words(as_words(&b, other, one))),
        _ => return NONE,
    };
    let is_tabbed = a.is_tabbed || b.is_tabbed;
    let (left, own) = (set(&a), set(&b));
    let shared = left.intersection(&own).count();
    let least = left.len().min(own.len());
    let ids = || as_ids(&a, one, other);
    if !may_be(&a) && !may_be(&b) {
        // The same words in another order: no list of sentences has that.
        let is_whole = shared == left.len() && shared == own.len() && shared == a.words.len();
        let is_other = is_whole && a.words.len() == b.words.len() && shared >= FEWEST;
        return Ok(match is_other {
            true => Told::Ids(Some(ids())),
            false => Told::Words(None),
        });
    }
    let is_enough = shared > 0 && shared * 2 >= least;
    let are_sure = a.look == Look::Ids && b.look == Look::Ids;
    let alike = are_sure.then(|| make(&a)).flatten();
    let alike = alike.filter(|own| make(&b).as_ref() == Some(own));
    let are_tabbed = a.is_tabbed && b.is_tabbed;
    let fewest = match are_tabbed || alike.is_some() {
        true => FEWEST_ALIKE,
        false => FEWEST,
    };
    // Of two texts for each line, hardly any would begin as no line of the other side does.
    let are_unique = left.len() == a.words.len() && own.len() == b.words.len();
    let are_known = are_tabbed || (are_sure && are_unique);
    if are_known && shared == 0 && least >= fewest {
        return Err(no_ids(
            (one, first(&a), left.len()),
            (other, first(&b), own.len()),
            true,
        ));
    }
    // Two parts of one corpus, of which only a few lines are the same.
    let is_of_corpus = alike.is_some_and(|own| own.contains(['_', '-']));
    if !is_enough && shared > 0 && are_unique && is_of_corpus {
        return Ok(Told::Ids(None));
    }
    let are_ids = is_tabbed || (may_be(&a) && may_be(&b));
    if !(is_enough && are_ids) {
        return Ok(Told::Words(match (may_be(&a), may_be(&b)) {
            (true, false) => as_words(&a, one, other),
            (false, true) => as_words(&b, other, one),
            _ => others(&a, &b, one, other),
        }));
    }
    if is_tabbed || a.look == Look::Ids || b.look == Look::Ids || are_counted(&a) || are_counted(&b)
    {
        return Ok(Told::Ids(None));
    }
    // Numbers are said as well: where lines are in one order, they say nothing of ids.
    let is_in_order = a.lines == b.lines && same_lines(&a, &b) * 2 >= shared;
    if is_in_order {
        let first = first(&a);
        let remark = format!(
            "every line of {one} and {other} begins with a number or its like ({first} …): it \
             counts as a word; where it is an id, say so with --format kaldi_text"
        );
        return Ok(Told::Words((a.words.len() >= FEWEST).then_some(remark)));
    }
    Ok(match shared * 10 >= least * 9 {
        true => Told::Ids(Some(ids())),
        false => Told::Words(others(&a, &b, one, other)),
    })
}

/// First words of plain lines beside a source that has ids.
fn beside_ids(lines: Called<'_>, other: Called<'_>) -> Result<Told, Problem> {
    let ((plain, name), (source, shown)) = (lines, other);
    if !has_ids(&source.entries) {
        return Ok(Told::Words(None));
    }
    let Some(words) = FirstWords::of(&plain.lines, usize::MAX) else {
        return Ok(Told::Words(None));
    };
    let (own, known) = (set(&words), ids(&source.entries));
    let shared = own.intersection(&known).count();
    let is_sure = words.look == Look::Ids || words.is_tabbed;
    if shared > 0 && (is_sure || shared * 2 >= own.len().min(known.len())) {
        return Ok(Told::Ids(None));
    }
    if are_recordings(&own, source) {
        return Ok(Told::Ids(None));
    }
    let is_of_one_make = words.look == Look::Ids && make(&words).is_some();
    let fewest = match is_of_one_make {
        true => FEWEST_ALIKE,
        false => FEWEST,
    };
    if is_sure && words.words.len() >= fewest {
        let id = source.entries.iter().find_map(|entry| entry.id.as_deref());
        let named = (shown, id.unwrap_or_default(), known.len());
        return Err(no_ids((name, first(&words), own.len()), named, true));
    }
    Ok(Told::Words(None))
}

fn first<'a>(words: &FirstWords<'a>) -> &'a str {
    words.words.first().map_or("", |(_, word)| word)
}

/// Sides whose ids are known and of which none is the same: what each is called, its first id,
/// and how many it has.
pub(super) fn no_ids(
    (one, own, many): (&str, &str, usize),
    (other, others, more): (&str, &str, usize),
    of_lines: bool,
) -> Problem {
    let count = |number| counted(number, "id", "ids");
    let message = format!(
        "{one} and {other} share no ids ({one}: {own} …, {}; {other}: {others} …, {})",
        count(many),
        count(more)
    );
    let problem = Problem::new(Code::Mismatch, message);
    // The archives of our exports know samples by what the deployment calls them.
    let is_of_export = |id: &str| id.to_ascii_lowercase().contains(SAMPLE);
    match of_lines {
        _ if is_of_export(own) != is_of_export(others) => problem.hint(
            "an export as TRN, STM or SegLST has its references beside it: score it alone, or \
             export csv, which names your recordings",
        ),
        true => problem.hint("where lines have no ids, say so with --format lines"),
        false => problem,
    }
}

fn as_ids(words: &FirstWords<'_>, one: &str, other: &str) -> String {
    format!(
        "first words of {one} and {other} are taken as ids ({} …), for both have the same: they \
         are no words of a text; --format lines makes them such",
        first(words)
    )
}

/// What is to be told where only one of two lists begins its lines with what may be ids.
fn as_words(words: &FirstWords<'_>, one: &str, other: &str) -> Option<String> {
    let first = words.words.get(..FEWEST)?.first()?.1;
    Some(format!(
        "every line of {one} begins with what may be an id ({first} …), and those of \
         {other} do not: ids count as words; give both sides ids, or take them out of {one}"
    ))
}

/// What is to be told where lines of both lists begin with what may be ids, and not the same.
fn others(a: &FirstWords<'_>, b: &FirstWords<'_>, name: &str, shown: &str) -> Option<String> {
    let is_told = a.words.len().min(b.words.len()) >= FEWEST;
    let (one, other) = (first(a), first(b));
    is_told.then(|| format!(
        "every line of {name} and {shown} begins with what may be an id ({one} …; {other} …), and \
         these are not the same: they are compared line by line, and such ids count as words"
    ))
}

/// The first line, where it is what a column of texts is called.
fn header(source: &Transcripts) -> Option<&str> {
    if !is_plain(source) {
        return None;
    }
    let (_, first) = source.lines.each().next()?;
    let name = first.trim_matches('"');
    matches!(role_of(name), Role::Text | Role::Hypothesis).then_some(name)
}

/// Whether a table has a header, and as many rows as the lines of the other side have texts
/// behind theirs.
fn is_table(source: &Transcripts, lines: &Lines) -> bool {
    let rows = source.entries.len();
    let is_table = !source.columns.is_empty() && source.files.is_empty();
    is_table && lines.each().count() == rows + 1
}

/// Tables of one column look like plain lines. Where all sides begin with what such a column is
/// called, that is a header; which is told.
pub(super) fn without_headers(
    right: &mut Transcripts,
    heard: &mut [(Transcripts, &str)],
    name: &str,
) -> Option<String> {
    let sources = heard.iter().map(|(source, _)| source);
    let mut all = std::iter::once(&*right).chain(sources);
    let one = all.clone().find(|source| header(source).is_some())?;
    let begins = |source: &Transcripts| header(source).is_some() || is_table(source, &one.lines);
    if heard.is_empty() {
        return None;
    }
    if !all.all(begins) {
        let mut all = std::iter::once((&*right, name))
            .chain(heard.iter().map(|(source, shown)| (source, *shown)));
        let (header, shown) = all.find_map(|(source, shown)| Some((header(source)?, shown)))?;
        return Some(format!(
            "the first line of {shown} is “{header}”, as columns of texts are called; it counts as a text, \
             for other sides begin with none: take it out if it is a header"
        ));
    }
    let mut told = Vec::new();
    let sources = heard.iter_mut().map(|(source, shown)| (source, *shown));
    for (source, shown) in std::iter::once((right, name)).chain(sources) {
        let Some(header) = header(source) else {
            continue;
        };
        told.push(format!("{header} of {shown}"));
        source.lines.without_header();
        if shown.ends_with(".csv") && source.lines.each().any(|(_, text)| text.starts_with('"')) {
            source.entries = cells(&source.lines);
            source.lines = Lines::default();
        }
    }
    (!told.is_empty()).then(|| {
        format!(
            "first lines are headers, and no texts: {} (--format lines takes them as texts)",
            told.join(", ")
        )
    })
}

/// Lines of a table of one column, those in quotes without them.
fn cells(lines: &Lines) -> Vec<Entry> {
    let text = |text: &str| {
        let inner = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        match inner {
            Some(inner) if inner.contains('"') => inner.replace("\"\"", "\"").into(),
            Some(inner) => lines.part(inner),
            None => lines.part(text),
        }
    };
    let all = lines.each().map(|(line, own)| Entry {
        line,
        text: Some(text(own)),
        ..Entry::default()
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_an_export_are_known() {
        let told = |own, of_lines| no_ids(("set", own, 1), ("run", "utt-smp_01", 1), of_lines);
        for of_lines in [true, false] {
            let hint = told("u1", of_lines).hint;
            assert!(hint.is_some_and(|hint| hint.contains("score it alone")));
        }
        assert_eq!(told("utt-smp_02", false).hint, None);
        let lines = told("utt-smp_02", true).hint;
        assert!(lines.is_some_and(|hint| hint.contains("--format lines")));
    }
}
