//! Texts whose letters were lost before they came here: UTF-8 that was read as Windows-1252 and
//! saved again, and marks for what could not be read.

use super::decode::lines;
use super::files::{self, Files};
use super::language::{is_written_in_latin, tag_of};
use super::manifest::{Options, Row};
use super::problem::{Code, Problem};

/// Share of characters above which a text is not what was written.
const MOST: f64 = 0.02;
/// Characters below which nothing is told.
const FEWEST: usize = 20;

/// Letters that follow each other where UTF-8 was read as something else: one alone is a
/// letter of a foreign word.
const RUN: usize = 3;

/// What a byte beyond ASCII becomes that is read as Latin-1 or Windows-1252.
const fn is_of_a_byte(c: char) -> bool {
    matches!(
        c,
        '\u{80}'
            ..='\u{ff}'
                | '‚'
                | 'ƒ'
                | '„'
                | '…'
                | '†'
                | '‡'
                | 'ˆ'
                | '‰'
                | 'Š'
                | '‹'
                | 'Œ'
                | 'Ž'
                | '‘'
                | '’'
                | '“'
                | '”'
                | '•'
                | '–'
                | '—'
                | '˜'
                | '™'
                | 'š'
                | '›'
                | 'œ'
                | 'ž'
                | 'Ÿ'
    )
}

/// How many characters of a text are not what was written, and the byte of the first.
fn garbled(text: &str) -> (usize, Option<usize>) {
    let marks = text.matches('\u{fffd}').count();
    let (mut count, mut first) = (marks, text.find('\u{fffd}'));
    let is_letter = |c: char| matches!(c, '\u{c0}'..='\u{ff}');
    for run in text.split(|c| !is_of_a_byte(c)) {
        let length = run.chars().count();
        if length >= RUN && run.contains(is_letter) {
            let at = run.as_ptr() as usize - text.as_ptr() as usize;
            count += length;
            first = Some(first.map_or(at, |first| first.min(at)));
        }
    }
    (count, first)
}

/// Refuses texts of languages that are not written in Latin letters and have more than a few
/// of Latin-1.
///
/// # Errors
/// They have, with the place of the first.
pub(super) fn refuse(files: &dyn Files, rows: &[Row], options: &Options) -> Result<(), Problem> {
    let (mut all, mut lost) = (0_usize, 0_usize);
    let mut first: Option<&Row> = None;
    for row in rows {
        let Some(text) = row.said.text() else {
            continue;
        };
        let (own, _) = garbled(text);
        all += text.chars().filter(|c| !c.is_whitespace()).count();
        if own > 0 {
            let language = row.language.as_deref().or(options.language.as_deref());
            let is_latin = language
                .and_then(tag_of)
                .is_none_or(|tag| is_written_in_latin(&tag));
            if !is_latin {
                lost += own;
                first.get_or_insert(row);
            }
        }
    }
    let Some(row) = first.filter(|_| all >= FEWEST && lost as f64 > all as f64 * MOST) else {
        return Ok(());
    };
    let place = place(files, row).map_or_else(String::new, |at| format!(" at byte {at}"));
    let message = format!(
        "texts are not what was written: letters like “à¤” from the one{place} on, as UTF-8 has them \
         that was read as Windows-1252"
    );
    let problem = Problem::new(Code::Undecodable, message);
    Err(problem
        .file(&row.file)
        .line(row.line)
        .hint("save the table anew from where it came from, as UTF-8"))
}

/// The byte of its file at which the first such letter of a row stands.
fn place(files: &dyn Files, row: &Row) -> Option<usize> {
    let bytes = files::bytes(files, &row.file).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let skipped = usize::try_from(row.line).ok()?.checked_sub(1)?;
    let (_, line) = lines(text).nth(skipped)?;
    let begins = line.as_ptr() as usize - text.as_ptr() as usize;
    let rest = text.get(begins..)?;
    garbled(rest).1.map(|at| begins + at)
}
