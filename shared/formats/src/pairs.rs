//! References and hypotheses of one or more systems, brought together by id or by line.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::files::Files;
use super::format::Format;
use super::paired::{About, Hypothesis, Id, Pair, Pairs};
use super::problem::{Code, Problem, counted, grouped};
use super::table::{Columns, PREDICTED};
use super::transcripts::words::first_words;
use super::transcripts::{Entry, Lines, ReadOptions, Side, Transcripts, no_column, read};

/// A source: a folder, or a file in it; and what it is called.
pub struct Source<'a> {
    /// Files of the folder.
    pub files: &'a dyn Files,
    /// The file, if it is one.
    pub file: Option<&'a str>,
    /// Name for tables.
    pub name: &'a str,
}

/// Reads references and hypotheses and brings them together. Without hypotheses, those
/// that stand beside the references are taken. A table of hypotheses is one system, or has a
/// column for each.
///
/// # Errors
/// What is wrong with a source, and sides that do not belong together.
pub fn pairs(
    references: &Source<'_>,
    hypotheses: &[Source<'_>],
    wanted: &ReadOptions,
) -> Result<Pairs, Problem> {
    let mut of_right = wanted.clone();
    if !hypotheses.is_empty() {
        // These have the columns that are asked for.
        of_right.hypotheses.clear();
    }
    let mut right = one(references, Side::References, &of_right)?;
    let mut heard = Vec::with_capacity(hypotheses.len());
    for source in hypotheses {
        let made = one(source, Side::Hypotheses, wanted)?;
        heard.push((made, shown(source)));
    }
    all_there(&heard, wanted)?;
    columns_there(&right, &heard, wanted, shown(references))?;
    if wanted.channel > 0 {
        let mut all = heard.iter().map(|(source, _)| source);
        if !right.has_channels && !all.any(|source| source.has_channels) {
            let channel = wanted.channel;
            right.remarks.push(format!(
                "--channel {channel} chooses nothing: no result has several channels"
            ));
        }
    }
    // A column that was chosen in one table is called as it is; of several tables, each is.
    let by_table = wanted.hypotheses.is_empty() || heard.len() > 1;
    together(right, heard, shown(references), by_table)
}

/// Whether each column that was asked for is in a source of hypotheses.
fn all_there(heard: &[(Transcripts, &str)], wanted: &ReadOptions) -> Result<(), Problem> {
    let is_in = |asked: &str, source: &Transcripts| {
        let columns = Columns::new(source.columns.clone());
        columns.of_system(asked).is_some()
    };
    let mut all = wanted.hypotheses.iter();
    let missing = all.find(|asked| !heard.iter().any(|(source, _)| is_in(asked, source)));
    let (Some(asked), Some((first, shown))) = (missing, heard.first()) else {
        return Ok(());
    };
    if heard.len() == 1 && !first.columns.is_empty() {
        return Err(no_column(asked, shown, &first.columns, "--hyp"));
    }
    let names: Vec<&str> = heard.iter().map(|(_, shown)| *shown).collect();
    let message = format!("no column {asked:?} is in {}", names.join(", "));
    Err(Problem::new(Code::ChooseColumn, message)
        .hint("--hyp names columns of tables; other sources are one system each"))
}

/// Whether there is anything of which the column of the text could be chosen: a table, a
/// manifest, or annotations with their tiers.
fn columns_there(
    right: &Transcripts,
    heard: &[(Transcripts, &str)],
    wanted: &ReadOptions,
    shown: &str,
) -> Result<(), Problem> {
    let has = |source: &Transcripts| {
        let of_tiers = matches!(source.format, Format::Elan | Format::TextGrid);
        source.format.is_manifest() && source.format != Format::SideFiles || of_tiers
    };
    let Some(asked) = &wanted.text_column else {
        return Ok(());
    };
    if has(right) || heard.iter().any(|(source, _)| has(source)) {
        return Ok(());
    }
    let message = format!(
        "no column {asked:?} is in {shown}, which is read as {}",
        right.format.title()
    );
    Err(Problem::new(Code::ChooseColumn, message).hint("--text-column names a column of a table"))
}

/// A word of a command as a shell takes it for one.
fn pasteable(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.,:/+=@%".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// What a source is called in messages: a file with its extension, or a folder.
fn shown<'a>(source: &Source<'a>) -> &'a str {
    source.file.unwrap_or(source.name)
}

fn one(source: &Source<'_>, side: Side, wanted: &ReadOptions) -> Result<Transcripts, Problem> {
    let read = read(source.files, source.file, side, wanted);
    let mut made = read.map_err(|problem| match problem.file {
        None => problem.file(shown(source)),
        Some(_) => problem,
    })?;
    made.name = source.name.to_owned();
    Ok(made)
}

/// One system: its name and its texts.
struct System {
    name: String,
    /// What its source is called in messages.
    shown: String,
    /// Whether the source has others.
    is_one_of_several: bool,
    /// One for each text; empty where lines have none.
    ids: Vec<Option<String>>,
    heard: Vec<Hypothesis>,
}

/// Systems of a source: one, or one for each column or model, where there are several or it
/// is not called by its table. Their texts are taken out of it: lists are long.
fn systems(source: &mut Transcripts, shown: &str, by_table: bool) -> Vec<System> {
    let mut names: Vec<String> = Vec::new();
    for entry in &source.entries {
        for name in entry.hypotheses.keys().chain(entry.failures.keys()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    // Those of a table in its order, whoever failed first.
    let place = |name: &String| {
        let own = |column: &String| column.strip_prefix(PREDICTED).unwrap_or(column) == name;
        source.columns.iter().position(own)
    };
    names.sort_by_key(place);
    let by_column = names.len() > 1 || (!names.is_empty() && !by_table);
    if !by_column {
        let lines = std::mem::take(&mut source.lines);
        let mut heard = Vec::with_capacity(lines.at_most().max(source.entries.len()));
        heard.extend(lines.texts().map(Hypothesis::Text));
        let mut ids = Vec::with_capacity(source.entries.len());
        for entry in std::mem::take(&mut source.entries) {
            ids.push(entry.id);
            heard.push(match (entry.text, entry.failed) {
                (_, Some(reason)) => Hypothesis::Failed(reason),
                (Some(text), None) => Hypothesis::Text(text),
                (None, None) => Hypothesis::Missing,
            });
        }
        return vec![System {
            name: source.name.clone(),
            shown: shown.to_owned(),
            is_one_of_several: false,
            ids,
            heard,
        }];
    }
    let system = |name: String| {
        let of = |entry: &mut Entry| match entry.hypotheses.remove(&name) {
            Some(text) => Hypothesis::Text(text.into()),
            None => match entry.failures.remove(&name) {
                Some(reason) => Hypothesis::Failed(reason),
                None => Hypothesis::Missing,
            },
        };
        System {
            shown: shown.to_owned(),
            is_one_of_several: true,
            ids: source
                .entries
                .iter()
                .map(|entry| entry.id.clone())
                .collect(),
            heard: source.entries.iter_mut().map(of).collect(),
            name,
        }
    };
    names.into_iter().map(system).collect()
}

fn is_by_line(source: &Transcripts) -> bool {
    source.entries.iter().all(|entry| entry.id.is_none())
}

fn ids(entries: &[Entry]) -> HashSet<&str> {
    entries
        .iter()
        .filter_map(|entry| entry.id.as_deref())
        .collect()
}

/// Kaldi's `text` looks like plain lines: it is told by first words that both sides
/// share.
fn by_first_words(right: &mut Transcripts, heard: &mut [(Transcripts, &str)]) {
    let as_kaldi = |source: &Transcripts| {
        let plain = source.format == Format::Lines && is_by_line(source);
        plain.then(|| first_words(&source.lines)).flatten()
    };
    let of_right = as_kaldi(right);
    let mut changed = false;
    for (source, _) in heard.iter_mut() {
        let of_source = as_kaldi(source);
        let left = of_right.as_deref().unwrap_or(&right.entries);
        let own = of_source.as_deref().unwrap_or(&source.entries);
        let (a, b) = (ids(left), ids(own));
        let shared = a.intersection(&b).count();
        let is_plain_already = is_by_line(right) || is_by_line(source);
        if !is_plain_already || shared == 0 || shared * 2 < a.len().min(b.len()) {
            continue;
        }
        if let Some(entries) = of_source {
            source.entries = entries;
            source.lines = Lines::default();
            source.format = Format::KaldiText;
        }
        changed = true;
    }
    if changed && let Some(entries) = of_right {
        right.entries = entries;
        right.lines = Lines::default();
        right.format = Format::KaldiText;
    }
}

fn together(
    mut right: Transcripts,
    mut heard: Vec<(Transcripts, &str)>,
    name: &str,
    by_table: bool,
) -> Result<Pairs, Problem> {
    by_first_words(&mut right, &mut heard);
    let mut remarks = right.remarks.clone();
    let mut all = Vec::new();
    if heard.is_empty() {
        let mut entries = right.entries.iter();
        if entries.all(|entry| entry.hypotheses.is_empty() && entry.failures.is_empty()) {
            if right.columns.is_empty() {
                let message = format!("{name} has references alone, and nothing that was heard");
                return Err(Problem::new(Code::ChooseColumn, message)
                    .hint("name a file or folder of hypotheses behind it"));
            }
            let message = format!("{name} has no column of a hypothesis");
            let columns = match right.offered.as_slice() {
                [] => "A,B".to_owned(),
                offered => pasteable(&offered.join(",")),
            };
            let hint = format!("name a file of hypotheses, or columns with --hyp {columns}");
            return Err(Problem::new(Code::ChooseColumn, message).hint(hint));
        }
        all = systems(&mut right, name, false);
    }
    let hypotheses = heard
        .first()
        .map_or(right.format, |(source, _)| source.format);
    for (mut source, shown) in heard {
        for remark in std::mem::take(&mut source.remarks) {
            if !remarks.contains(&remark) {
                remarks.push(remark);
            }
        }
        all.extend(systems(&mut source, shown, by_table));
    }
    if right.entries.is_empty() && right.lines.is_empty() {
        return Err(Problem::new(
            Code::Nothing,
            format!("{name} has no references"),
        ));
    }
    distinct(&mut all);
    let by_line = is_by_line(&right);
    let of_line = |(line, text)| Pair::new(Id::Line(line), text, About::default());
    let of_entry = |entry: Entry| {
        let id = entry.id.map(|id| Id::Named(id.into_boxed_str()));
        let about = About {
            markup: entry.markup,
            language: entry.language,
            speaker: entry.speaker,
        };
        let id = id.unwrap_or(Id::Line(entry.line));
        Pair::new(id, entry.text.unwrap_or_default(), about)
    };
    let mut samples = Vec::with_capacity(right.lines.at_most().max(right.entries.len()));
    samples.extend((1..).zip(right.lines.texts()).map(of_line));
    samples.extend(right.entries.into_iter().map(of_entry));
    let mut made = Pairs {
        references: right.format,
        hypotheses,
        systems: all.iter().map(|system| system.name.clone()).collect(),
        samples,
        heard: Vec::with_capacity(all.len()),
        missing: Vec::new(),
        remarks,
    };
    for system in all {
        join(by_line, system, &mut made, name)?;
    }
    missing(&mut made);
    Ok(made)
}

/// Columns of one name have their tables behind it, and two files of one name get numbers.
fn distinct(systems: &mut [System]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for system in systems {
        if system.is_one_of_several && seen.contains_key(&system.name) {
            system.name = format!("{} ({})", system.name, system.shown);
        }
        let times = seen.entry(system.name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            system.name = format!("{} ({times})", system.name);
        }
    }
}

fn missing(made: &mut Pairs) {
    let is_missing = |at: usize| {
        let mut all = made.heard.iter();
        all.any(|heard| heard.get(at) == Some(&Hypothesis::Missing))
    };
    let samples = made.samples.iter().enumerate();
    let without = samples.filter(|(at, _)| is_missing(*at));
    made.missing = without.map(|(_, sample)| sample.id.to_string()).collect();
}

/// Puts the texts of a system beside the references, `by_line` if these have no ids.
fn join(by_line: bool, system: System, made: &mut Pairs, name: &str) -> Result<(), Problem> {
    let by_line = by_line || system.ids.iter().all(Option::is_none);
    let one_each = made.samples.len() == 1 && system.heard.len() == 1;
    if by_line || one_each {
        if system.heard.len() != made.samples.len() {
            return Err(uneven(&system, made, name));
        }
        made.heard.push(system.heard);
        return Ok(());
    }
    let mut twice = 0;
    let mut by_id: HashMap<String, Hypothesis> = HashMap::new();
    let fold = |id: &str| id.to_ascii_lowercase();
    let exact: HashSet<Cow<'_, str>> = made.samples.iter().map(|one| one.id.text()).collect();
    // Ids of TRN are compared without case; so are others, where no two would be one.
    let folded: HashSet<String> = exact.iter().map(|id| fold(id)).collect();
    let folds = folded.len() == exact.len();
    let key = |id: &str| if folds { fold(id) } else { id.to_owned() };
    let first = system.ids.iter().flatten().next().cloned();
    let mut strangers = 0;
    for (id, heard) in system.ids.into_iter().zip(system.heard) {
        let Some(id) = id else {
            continue;
        };
        let key = key(&id);
        strangers += usize::from(!(folded.contains(&key) || exact.contains(id.as_str())));
        twice += usize::from(by_id.insert(key, heard).is_some());
    }
    let mut found = 0;
    let taken: Vec<Hypothesis> = made
        .samples
        .iter()
        .map(|sample| {
            let heard = by_id.remove(&key(&sample.id.text()));
            found += usize::from(heard.is_some());
            heard.unwrap_or(Hypothesis::Missing)
        })
        .collect();
    if found == 0 {
        let message = format!(
            "{name} and {shown} share no ids ({name}: {} …; {shown}: {} …)",
            made.samples
                .first()
                .map_or(Cow::default(), |one| one.id.text()),
            first.unwrap_or_default(),
            shown = system.shown,
        );
        return Err(Problem::new(Code::Mismatch, message));
    }
    made.heard.push(taken);
    if strangers > 0 {
        let (one, several, of) = match system.is_one_of_several {
            true => ("row", "rows", &system.shown),
            false => ("hypothesis", "hypotheses", &system.name),
        };
        let remark = format!(
            "{} no reference",
            counted(
                strangers,
                &format!("{one} of {of} has"),
                &format!("{several} of {of} have")
            )
        );
        // Systems of one table have the same rows.
        if !made.remarks.contains(&remark) {
            made.remarks.push(remark);
        }
    }
    if twice > 0 {
        let remark = format!(
            "{} there twice: the last counts",
            counted(
                twice,
                &format!("id of {} is", system.name),
                &format!("ids of {} are", system.name)
            )
        );
        made.remarks.push(remark);
    }
    Ok(())
}

/// Characters of a line that a message shows.
const SHOWN: usize = 24;

fn uneven(system: &System, made: &Pairs, name: &str) -> Problem {
    let (references, heard) = (made.samples.len(), system.heard.len());
    let (many, few) = (counted(heard, "line", "lines"), grouped(references as u64));
    let mut message = format!("{} has {many}, {name} {few}", system.shown);
    if system.shown == name {
        // Two folders may call their files the same.
        message = format!("{name} of the hypotheses has {many}, the references' {few}");
    }
    let texts = |index: usize| {
        let reference = made
            .samples
            .get(index)
            .map(|sample| sample.reference.as_str());
        let heard = match system.heard.get(index) {
            Some(Hypothesis::Text(text)) => text.as_str(),
            _ => "",
        };
        (reference.unwrap_or_default(), heard)
    };
    let shift = parting(references, heard, &|at, other| {
        similarity(texts(at).0, texts(other).1)
    });
    let problem = match shift {
        Some(line) => {
            let (reference, heard) = texts(line);
            let line = grouped(line as u64 + 1);
            let (reference, heard) = where_differing(reference, heard);
            Problem::new(
                Code::Mismatch,
                format!(
                    "{message}. From line {line} on they stop matching: “{reference}” / “{heard}”"
                ),
            )
        }
        None => Problem::new(Code::Mismatch, message),
    };
    problem.hint("a line for each reference, an empty one where nothing was heard; or use ids")
}

/// Two texts, short: what both begin with is left out where it would be all that is shown.
fn where_differing(one: &str, other: &str) -> (String, String) {
    let both = one.chars().zip(other.chars());
    let same = both.take_while(|(a, b)| a == b).count();
    // From a word on that stands before the difference.
    let before: Vec<char> = one.chars().take(same.saturating_sub(SHOWN / 3)).collect();
    let word = before.iter().rposition(|c| *c == ' ');
    let skipped = word.filter(|_| same * 2 > SHOWN).map_or(0, |at| at + 1);
    let shown = |text: &str| {
        let mut rest = text.chars().skip(skipped);
        let mut short = String::from(if skipped > 0 { "…" } else { "" });
        short.extend(rest.by_ref().take(SHOWN));
        if rest.next().is_some() {
            short.push('…');
        }
        short
    };
    (shown(one), shown(other))
}

/// Lines that are compared to tell a shift from one bad line.
const WINDOW: usize = 4;

/// The first line from which on lines fit better when one side is moved: by one, or by all
/// that are missing. Lines of one set can be much alike, so what counts is the difference.
fn parting(references: usize, heard: usize, fit: &dyn Fn(usize, usize) -> f64) -> Option<usize> {
    let most = references.min(heard);
    let missing = references.abs_diff(heard);
    let all = match references > heard {
        true => (missing, 0),
        false => (0, missing),
    };
    let begins = |at: usize, shift: (usize, usize)| {
        let (mut straight, mut moved) = (0.0, 0.0);
        let places = at..(at + WINDOW).min(most);
        let count = places.len() as f64;
        for place in places {
            let (here, there) = (fit(place, place), fit(place + shift.0, place + shift.1));
            if there < here || (place == at && there <= here) {
                return false;
            }
            straight += here;
            moved += there;
        }
        // Of lines that are much alike, moving takes most of what differs away.
        let is_most = (count - moved) * 2.0 < count - straight;
        moved > straight + 0.2 * count || is_most
    };
    (0..most).find(|at| {
        let shifts = [(1, 0), (0, 1), all];
        fit(*at, *at) < 0.9 && shifts.into_iter().any(|shift| begins(*at, shift))
    })
}

/// Share of words that two texts have in common.
fn similarity(one: &str, other: &str) -> f64 {
    let words = |text: &str| -> BTreeSet<String> {
        text.split_whitespace().map(str::to_lowercase).collect()
    };
    let (a, b) = (words(one), words(other));
    let all = a.len() + b.len();
    if all == 0 {
        return 1.0;
    }
    2.0 * a.intersection(&b).count() as f64 / all as f64
}

#[cfg(test)]
#[path = "pairs_tests.rs"]
mod tests;
